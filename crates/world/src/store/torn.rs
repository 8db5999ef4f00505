//! What a crash left at the end of the write-ahead log: frames of an append that was never acknowledged.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::FILE;

/// The sizes of `SQLite`'s file format, section 4 ("The Write-Ahead Log"), in bytes.
const HEADER: usize = 32;
const FRAME: usize = 24;

/// Tells how many bytes of an unfinished append stand at the end of the log of the journal in a directory. `SQLite` passes
/// over them, and the next append writes over them.
///
/// The log is a file of its own, so opening it gives up no lock on the journal.
pub fn torn(dir: &Path) -> io::Result<u64> {
    let path = dir.join(format!("{FILE}-wal"));
    let mut bytes = vec![];
    match File::open(path) {
        Ok(mut file) => file.read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    Ok(unfinished(&bytes))
}

fn unfinished(log: &[u8]) -> u64 {
    let Some((header, frames)) = log.split_at_checked(HEADER) else { return log.len() as u64 };
    let page = number(&header[8..12]) as usize;
    let salts = &header[16..24];
    if page == 0 {
        return 0;
    }
    // Frames of an older generation have other salts: what they stand behind is the end.
    let ours = |frame: &[u8]| frame.get(8..16).is_none_or(|found| found == salts);
    let mut open = 0;
    for frame in frames.chunks(FRAME + page).take_while(|frame| ours(frame)) {
        let commits = frame.len() == FRAME + page && number(&frame[4..8]) != 0;
        open = if commits { 0 } else { open + frame.len() as u64 };
    }
    open
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::super::sample;
    use super::*;

    #[test]
    fn what_was_acknowledged_is_whole_and_a_cut_append_is_not() {
        let dir = TempDir::new().unwrap();
        let journal = sample::open(dir.path());
        sample::fill(&journal, "a", 5);
        assert_eq!(torn(dir.path()).unwrap(), 0);
        let log = fs::read(dir.path().join(format!("{FILE}-wal"))).unwrap();
        assert!(log.len() > HEADER);
        for cut in [1, 100, FRAME] {
            assert!(unfinished(&log[..log.len() - cut]) > 0, "{cut}");
        }
        // The frames of a larger, older log may stand behind the end.
        let mut older = log.clone();
        let page = number(&log[8..12]) as usize;
        let mut stale = log[HEADER..HEADER + FRAME + page].to_vec();
        stale[8] ^= 1;
        older.extend(stale);
        assert_eq!(unfinished(&older), 0);
    }
}
