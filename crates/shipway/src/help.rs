//! The definitions of the command line with its commands in groups, which clap has no words for.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use crate::args::Args;

/// The commands of the help, in groups; a test holds it to those that there are.
const GROUPS: &[(&str, &[&str])] = &[
    ("start", &["init", "explain", "schema"]),
    ("release", &["plan", "push", "say", "why", "changelog"]),
    ("deliver", &["deploy", "promote", "env", "deps", "backup", "drill", "runbook"]),
    ("run", &["status", "log", "resume", "wait", "rollback", "abort"]),
    ("govern", &["flow", "change", "verify", "guard", "policy", "approve", "incident"]),
    ("serve", &["proxy"]),
    ("check", &["doctor", "lint", "trigger"]),
];

/// Returns the command line as it is read and explained.
pub fn command() -> Command {
    let command = Args::command();
    let groups = groups(&command);
    command.help_template(format!(
        "{{about-section}}\n{{usage-heading}} {{usage}}\n{groups}\nOptions:\n{{options}}{{after-help}}"
    ))
}

fn groups(command: &Command) -> String {
    let mut text = String::new();
    for (group, names) in GROUPS {
        let _ = write!(text, "\n{group}\n");
        for name in *names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let _ = writeln!(text, "  {name:<10} {}", about.map(ToString::to_string).unwrap_or_default());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        command().debug_assert();
    }

    #[test]
    fn every_command_is_in_one_group() {
        let named: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let command = command();
        let there: BTreeSet<&str> =
            command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(Command::get_name).collect();
        assert_eq!(named.iter().copied().collect::<BTreeSet<_>>(), there);
        assert_eq!(named.len(), there.len());
    }

    #[test]
    fn the_help_has_groups_usage_and_options() {
        let help = command().render_help().to_string();
        for part in [
            "\nrelease\n  plan ",
            "Usage: shipway [OPTIONS] <COMMAND>",
            "-C, --directory <DIR>",
            "shipway plan",
        ] {
            assert!(help.contains(part), "{part}: {help}");
        }
    }
}
