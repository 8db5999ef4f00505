//! The command line of shipway: arguments in, one command, words out.
//!
//! What a release is lives in `shipway-core`; every hand outside lives in `shipway-world`; only [`view`] prints.

pub mod args;
pub mod command;
pub mod help;
pub mod pages;
pub mod prepare;
pub mod session;
pub mod view;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::FromArgMatches as _;

use crate::args::{Args, Color, Environment};
use crate::view::{Format, Setup, Variables, View, Volume, When};

/// Runs the command line of this process and returns its exit code.
pub fn main() -> ExitCode {
    let all = || Args::from_arg_matches(&help::command().get_matches());
    let args = Args::of_git().map_or_else(all, Ok).unwrap_or_else(|error| error.exit());
    let environment = Environment::read();
    let view: Arc<dyn View> = Arc::from(view::open(&setup(&args, &environment)));
    let code = command::run(&args, &environment, &view).unwrap_or_else(|problems| {
        view.problems(&problems);
        command::exit_code(&problems)
    });
    match view.finish() {
        Ok(()) => ExitCode::from(code),
        // What was asked for could not be said, so it is not done, whatever was done.
        Err(_) => ExitCode::from(code.max(1)),
    }
}

fn setup(args: &Args, environment: &Environment) -> Setup {
    let set = |name: &str| environment.get(name).map(OsString::from);
    Setup {
        format: if args.json { Format::Json } else { Format::Human },
        volume: match (args.quiet, args.verbose) {
            (true, _) => Volume::Quiet,
            (false, true) => Volume::Verbose,
            (false, false) => Volume::Normal,
        },
        colour: match args.color {
            Color::Auto => When::Auto,
            Color::Always => When::Always,
            Color::Never => When::Never,
        },
        variables: Variables {
            no_color: set("NO_COLOR"),
            clicolor_force: set("CLICOLOR_FORCE"),
            term: set("TERM"),
        },
    }
}
