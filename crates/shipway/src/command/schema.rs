//! `schema`: JSON Schemas; and the generated pages of the documentation.

use clap::CommandFactory as _;
use serde_json::{Value, json};
use shipway_core::config;
use shipway_core::problem::{Code, Problem};

use super::{DONE, End};
use crate::args::Args;
use crate::view::{SCHEMAS, View};

/// Prints a schema.
pub fn run(name: &str, view: &dyn View) -> End {
    let schema = if name == "config" { Some(config::schema()) } else { of_output(name) };
    let Some(schema) = schema else {
        let known: Vec<&str> = ["config"].into_iter().chain(SCHEMAS.iter().map(|(name, _)| *name)).collect();
        let problem = Problem::new(Code::Usage, format!("there is no schema `{name}`"));
        return Err(vec![problem.wanted(known.join(", ")).hint("shipway schema config")]);
    };
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    view.answer("schema", &json!({ "schema": schema }), &text);
    Ok(DONE)
}

fn of_output(name: &str) -> Option<Value> {
    let (_, text) = SCHEMAS.iter().find(|(known, _)| *known == name)?;
    serde_json::from_str(text).ok()
}

/// Prints a generated page.
pub fn page(page: &str, view: &dyn View) -> End {
    let text = match page {
        "configuration" => config::reference(),
        "commands" => commands(),
        _ => return Err(vec![Problem::new(Code::Usage, format!("there is no page `{page}`"))]),
    };
    view.answer("page", &json!({ "page": page, "text": text }), text.trim_end());
    Ok(DONE)
}

/// Returns the reference of all commands, from the same definitions that read the command line.
fn commands() -> String {
    let mut command = Args::command().term_width(100);
    command.build();
    let mut text = String::from(
        "# Commands\n\nEvery command takes `--json`, `--quiet`, `--verbose`, `--color` and `-C DIR`.\n",
    );
    for sub in command.get_subcommands_mut().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        let help = sub.render_long_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let name = sub.get_name();
        text.push_str(&format!("\n## shipway {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end()));
    }
    text
}
