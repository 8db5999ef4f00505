//! Moves of protected branches that were let through and not yet written down. Git moves a ref first and starts
//! `post-receive` then: whoever is killed in between has left a note here, and whoever comes next goes on from it.

use std::fs;
use std::path::PathBuf;

use shipway_core::id::Digest;
use shipway_core::policy::Pushed;
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;

use super::{Guard, see};

/// The directory of the notes: a file for each move.
const DIR: &str = "moving";

impl Guard {
    /// Notes that branches are about to move.
    pub(super) fn note_moving(&self, lines: &[Pushed], now: Time) -> Result<(), Vec<Problem>> {
        for line in lines.iter().filter(|line| !see::is_none(&line.new)) {
            let path = self.note_of(line);
            let text = format!("{} {} {} {}", now.0, line.old, line.new, String::from_utf8_lossy(&line.name));
            let dir = self.dir().join(DIR);
            fs::create_dir_all(dir).and_then(|()| fs::write(&path, text)).map_err(|error| {
                let what = format!("{} cannot be written: {error}", path.display());
                vec![Problem::new(Code::GuardFailed, what)]
            })?;
        }
        Ok(())
    }

    /// Returns the moves that are noted, the oldest first, each with when it was begun.
    pub(super) fn moving(&self) -> Vec<(Pushed, Time)> {
        let Ok(notes) = fs::read_dir(self.dir().join(DIR)) else { return vec![] };
        let note = |path: PathBuf| {
            let text = fs::read_to_string(path).ok()?;
            let mut words = text.splitn(4, ' ');
            let begun = Time(words.next()?.parse().ok()?);
            let (old, new) = (words.next()?.to_owned(), words.next()?.to_owned());
            Some((Pushed { old, new, name: words.next()?.as_bytes().to_vec() }, begun))
        };
        let notes = notes.filter_map(Result::ok);
        let mut moving: Vec<(Pushed, Time)> = notes.filter_map(|found| note(found.path())).collect();
        moving.sort_by_key(|(_, begun)| *begun);
        moving
    }

    /// Takes a note away. One that stays is looked at once more, and says nothing new then.
    pub(super) fn has_moved(&self, line: &Pushed) {
        let _ = fs::remove_file(self.note_of(line));
    }

    fn note_of(&self, line: &Pushed) -> PathBuf {
        let text = format!("{} {} {}", line.old, line.new, String::from_utf8_lossy(&line.name));
        self.dir().join(DIR).join(Digest::of(text.as_bytes()).to_string())
    }
}
