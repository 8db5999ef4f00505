//! Templates: the one that is built in and those of users, in minijinja.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, UndefinedBehavior};
use shipway_core::problem::{Code, Problem};

use super::{Notes, layout};

/// The template that is built in, for users who want to start from it.
pub const DEFAULT: &str = include_str!("default.md.jinja");

/// How many instructions of a template may run: enough for long ones, and an end to endless ones.
const FUEL: u64 = 1_000_000;
const FUEL_PER_ENTRY: u64 = 2_000;
const NAME: &str = "changelog";

/// How the notes of a release become Markdown.
#[derive(Debug, Default)]
pub struct Template {
    /// Set for a template of the user, with its path; the layout that is built in is code, because a whole history is
    /// long.
    custom: Option<(String, Environment<'static>)>,
}

impl Template {
    /// Returns the template in a file, which must be well-formed: otherwise [`Code::Template`] with its line.
    pub fn new(path: &str, text: &str) -> Result<Self, Problem> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| problem(path, &error))?);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_template_owned(NAME, text.to_owned()).map_err(|error| problem(path, &error))?;
        Ok(Self { custom: Some((path.to_owned(), environment)) })
    }

    /// Adds the section of a release: text with line feeds, without empty lines around it, and one line feed at its
    /// end. What goes wrong in a template is [`Code::Template`] with its line.
    pub fn render(&self, notes: &Notes, out: &mut String) -> Result<(), Problem> {
        let Some((path, environment)) = &self.custom else {
            layout::write(notes, out);
            return Ok(());
        };
        let text = rendered(environment, notes).map_err(|error| problem(path, &error))?;
        let text = text.trim_end().trim_start_matches(['\n', '\r']);
        out.extend(text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()));
        out.push('\n');
        Ok(())
    }
}

fn rendered(environment: &Environment<'static>, notes: &Notes) -> Result<String, Error> {
    let mut environment = environment.clone();
    let entries = u64::try_from(notes.len()).unwrap_or(u64::MAX);
    environment.set_fuel(Some(FUEL.saturating_add(entries.saturating_mul(FUEL_PER_ENTRY))));
    environment.get_template(NAME)?.render(Serde(notes))
}

fn problem(path: &str, error: &Error) -> Problem {
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    let what = format!("the changelog template cannot be used: {}{detail}", error.kind());
    let place = error.line().map_or_else(|| path.to_owned(), |line| format!("{path}:{line}"));
    Problem::new(Code::Template, what.replace('\n', " ")).at(place)
}
