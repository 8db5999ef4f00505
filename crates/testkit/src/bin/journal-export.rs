//! Writes the runs of a journal as `tests/journals` keeps them: the first argument is its directory, the second a run.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::env;
use std::path::Path;

use shipway_core::id::RunId;
use shipway_core::journal::{Error, Journal as _};
use shipway_world::store::{SqliteJournal, Transfer as _};

fn main() -> Result<(), Error> {
    let mut arguments = env::args().skip(1);
    let dir = arguments.next().ok_or_else(|| Error::Store("usage: journal-export DIRECTORY [RUN]".into()))?;
    let journal = SqliteJournal::open_read_only(Path::new(&dir))?;
    let runs = match arguments.next() {
        Some(run) => vec![RunId::new(run)],
        None => journal.runs()?.into_iter().map(|head| head.run).collect(),
    };
    for run in runs {
        print!("{}", journal.export(&run)?);
    }
    Ok(())
}
