//! Appends to the journal in a directory until it fails or is killed, and says each entry that was acknowledged.
//!
//! The power cut test cuts the power under it. Usage: `journal-appender DIR RUN`.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use shipway_core::id::RunId;
use shipway_core::journal::{Error, Journal};
use shipway_testkit::journal::draft;
use shipway_world::store::{Options, SqliteJournal};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(run)) = (args.next(), args.next()) else { return ExitCode::from(2) };
    match append(Path::new(&dir), &RunId::new(run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever started this may be gone already.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn append(dir: &Path, run: &RunId) -> Result<(), Error> {
    let journal = SqliteJournal::open(dir, Options::default())?;
    let lease = journal.lease(run)?;
    let mut after = lease.head;
    for number in 0_u64.. {
        // Every tenth entry is large, so that the log is moved into the file again and again.
        let text = if number % 10 == 9 { "x".repeat(100_000) } else { number.to_string() };
        let entries = journal.append(run, lease.fence, after, &[draft(number, &text)])?;
        after = entries.last().map(|entry| entry.seq);
        if writeln!(io::stdout(), "{}", after.map_or(0, |seq| seq.0)).is_err() {
            break;
        }
    }
    Ok(())
}
