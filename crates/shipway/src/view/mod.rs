//! The only place that prints. Commands say what; a view decides how it looks and where it goes.
//!
//! Data goes to the standard output and talk to the standard error. Whatever comes from outside (messages of commits,
//! output of hooks, paths) is made harmless by [`text::clean`] before it reaches a terminal. No environment variable
//! is read here: the arguments hand them over.

use std::io::{self, IsTerminal as _};

use shipway_core::action::LogKey;
use shipway_core::journal::Entry;
use shipway_core::plan::Plan;
use shipway_core::problem::Problem;
use shipway_core::run::{Corrupt, Run};
use shipway_core::time::Time;

mod data;
pub mod dependencies;
pub mod doctor;
mod document;
mod hosts;
mod human;
mod json;
mod lines;
mod log;
mod output;
pub mod paint;
mod plan;
pub mod policy;
pub mod preflight;
pub mod problem;
#[cfg(test)]
mod sample;
pub mod runbook;
mod schema;
pub mod state;
pub mod status;
mod summary;
mod table;
mod talk;
pub mod text;
pub mod why;

pub use self::hosts::{HostRow, Kind};
pub use self::human::Human;
pub use self::json::Json;
pub use self::paint::{Paint, Variables, When};
pub use self::plan::command;
pub use self::schema::{Document, SCHEMAS};
pub use self::status::{Moment, Row};
pub use self::talk::{Columns, Sink};
pub use self::why::Why;

/// How a command speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// To people.
    #[default]
    Human,
    /// To programs: one document for a question, a line of JSON for each entry of a run.
    Json,
}

/// How much a command says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Volume {
    /// Problems and data only.
    Quiet,
    /// What matters.
    #[default]
    Normal,
    /// Also what steps write, as they write it.
    Verbose,
}

/// A stream and how it looks.
pub struct Stream {
    /// Where it goes.
    pub sink: Sink,
    /// Its brush.
    pub paint: Paint,
    /// How wide it is; nothing if it is no terminal.
    pub columns: Columns,
}

/// How a view is opened.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// For people or programs.
    pub format: Format,
    /// How much.
    pub volume: Volume,
    /// What the command line says about colour.
    pub colour: When,
    /// What the environment says about it.
    pub variables: Variables,
}

/// What commands can say. A view may be shared between threads; it never fails, and [`View::finish`] tells what could
/// not be written.
pub trait View: Send + Sync {
    /// Shows a plan, as data.
    fn plan(&self, plan: &Plan);
    /// Tells all problems at once.
    fn problems(&self, problems: &[Problem]);
    /// Tells problems that stop nothing.
    fn warnings(&self, problems: &[Problem]);
    /// Says one line about what the command does, such as `looking at origin`.
    fn note(&self, text: &str);
    /// Says that a run is taken up again, before its next entry.
    fn resume(&self, run: &Run);
    /// Tells an entry that has just become durable; `run` has folded it.
    fn entry(&self, run: &Run, entry: &Entry);
    /// Takes a piece of what a step wrote, in any size.
    fn output(&self, key: &LogKey, text: &str);
    /// Tells how a run ended or where it stopped; the problems that stopped it are in it.
    fn summary(&self, run: &Run, entries: &[Entry]);
    /// Shows the log of a run, as data; `driven` says whether a living process drives it right now.
    fn log(&self, entries: &[Entry], driven: bool) -> Result<(), Corrupt>;
    /// Shows where runs stand, and hosts, as data.
    fn status(&self, rows: &[Row], moment: &Moment<'_>);
    /// Shows what is live where, as data.
    fn hosts(&self, rows: &[HostRow], now: Time);
    /// Shows one run in full, and hosts, as data; `driven` says whether a living process drives it right now.
    fn run(&self, run: &Run, entries: &[Entry], driven: bool, moment: &Moment<'_>);
    /// Shows the evidence of a version, as data.
    fn why(&self, why: &Why);
    /// Shows whether an environment is ready, as data.
    fn preflight(&self, report: &preflight::Report);
    /// Shows declared against installed packages, as data.
    fn dependencies(&self, report: &dependencies::Report);
    /// Shows any other answer, as data: a text for people, and the fields of an object for programs.
    fn answer(&self, kind: Document, fields: &serde_json::Value, text: &str);
    /// Returns the first error of the standard output; a reader who has left is none.
    fn finish(&self) -> io::Result<()>;
}

/// Returns the view on the streams of this process.
pub fn open(setup: &Setup) -> Box<dyn View> {
    let (out, err) = (io::stdout(), io::stderr());
    let brush = |terminal| Paint::new(setup.variables.colour(setup.colour, terminal));
    let talk_columns: Columns = if setup.variables.dumb() { || None } else { error_columns };
    let data = Stream { paint: brush(out.is_terminal()), sink: Box::new(out), columns: output_columns };
    let talk = Stream { paint: brush(err.is_terminal()), sink: Box::new(err), columns: talk_columns };
    match setup.format {
        Format::Human => Box::new(Human::new(setup.volume, data, talk)),
        Format::Json => Box::new(Json::new(setup.volume, data, talk)),
    }
}

fn output_columns() -> Option<usize> {
    columns(io::stdout())
}

fn error_columns() -> Option<usize> {
    columns(io::stderr())
}

/// Returns how wide a terminal is; nothing if it is none. A terminal that does not say is taken to have 80 columns.
fn columns(stream: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(if size.ws_col == 0 { 80 } else { size.ws_col.into() })
}
