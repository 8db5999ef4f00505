//! The journal of a host: what happened there, line by line, each bound to the one before it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shipway_core::deployment::Deployment;
use shipway_core::id::{Digest, Fence, RunId};
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;

use super::hooks::{Hooks, When};
use super::protocol::{Known, Standing};
use super::root::problem;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// A run was given the lease.
    Leased {
        /// The run.
        run: RunId,
        /// The number of the lease.
        fence: Fence,
        /// Who drives it.
        holder: String,
    },
    /// A release is in its place.
    Staged {
        /// What it is for.
        deployment: Box<Deployment>,
    },
    /// What a run had staged was taken back.
    Discarded {
        /// The run.
        run: RunId,
    },
    /// From here on, it is not known what is live.
    Switching {
        /// The run.
        run: RunId,
        /// The run whose deployment is live before it.
        from: Option<RunId>,
    },
    /// The deployment of the run is live.
    Switched {
        /// The run.
        run: RunId,
    },
    /// It may stay.
    Confirmed {
        /// The run.
        run: RunId,
    },
    /// From here on, it is not known what is live.
    Reverting {
        /// The run that is left.
        run: RunId,
        /// Why.
        why: String,
    },
    /// What was live before the run is live again.
    Reverted {
        /// The run.
        run: RunId,
    },
    /// Releases are removed.
    Swept {
        /// Their artifacts.
        artifacts: Vec<Digest>,
    },
    /// An event of a newer shipway.
    #[serde(other)]
    Unknown,
}

impl Event {
    /// Returns the word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Leased { .. } => "leased",
            Self::Staged { .. } => "staged",
            Self::Discarded { .. } => "discarded",
            Self::Switching { .. } => "switching",
            Self::Switched { .. } => "switched",
            Self::Confirmed { .. } => "confirmed",
            Self::Reverting { .. } => "reverting",
            Self::Reverted { .. } => "reverted",
            Self::Swept { .. } => "swept",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Entry {
    seq: u64,
    at: Time,
    prev: Digest,
    event: Event,
}

/// A line of the file. The hash is over the text of the entry, so that it can be proven without understanding it.
#[derive(Serialize, Deserialize)]
struct Line {
    entry: Box<RawValue>,
    hash: Digest,
}

/// The journal of a host, read to its end.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    hooks: Arc<dyn Hooks>,
    seq: u64,
    last: Digest,
    /// How many bytes are whole lines.
    whole: u64,
    torn: bool,
    /// What its entries add up to.
    pub history: History,
}

impl Journal {
    /// Reads the journal in a directory. A last line that was cut off counts as not written.
    pub fn read(dir: &Path, hooks: Arc<dyn Hooks>) -> Result<Self, Problem> {
        let path = dir.join("journal.jsonl");
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => vec![],
            other => other.map_err(|error| problem(&path, &error))?,
        };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut journal = Self {
            path,
            hooks,
            seq: 0,
            last: Digest::of(b""),
            whole: whole as u64,
            torn: whole < bytes.len(),
            history: History::default(),
        };
        for (number, line) in bytes[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
            journal.take(line).map_err(|why| {
                let place = format!("{}:{}", journal.path.display(), number + 1);
                Problem::new(Code::HostJournal, "the journal of the host is broken").at(place).found(why)
            })?;
        }
        Ok(journal)
    }

    fn take(&mut self, line: &[u8]) -> Result<(), String> {
        let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if Digest::of(line.entry.get().as_bytes()) != line.hash {
            return Err("an entry that was changed".into());
        }
        let entry: Entry = serde_json::from_str(line.entry.get()).map_err(|error| error.to_string())?;
        if entry.prev != self.last || entry.seq != self.seq + 1 {
            return Err("an entry that does not follow the one before it".into());
        }
        self.history.apply(&entry.event, entry.at);
        (self.seq, self.last) = (entry.seq, line.hash);
        Ok(())
    }

    /// Appends an entry; it is on disk when this returns. The caller holds the lock.
    pub fn append(&mut self, event: &Event, at: Time) -> Result<(), Problem> {
        let place = format!("append {}", event.word());
        self.hooks.pass(When::Before, &place)?;
        let entry = Entry { seq: self.seq + 1, at, prev: self.last.clone(), event: event.clone() };
        let text = serde_json::to_string(&entry).expect("our own types have string keys");
        let hash = Digest::of(text.as_bytes());
        let entry = RawValue::from_string(text).expect("what was just written is JSON");
        let mut line =
            serde_json::to_vec(&Line { entry, hash: hash.clone() }).expect("our own types have string keys");
        line.push(b'\n');
        self.write(&line).map_err(|error| problem(&self.path, &error))?;
        (self.seq, self.last) = (self.seq + 1, hash);
        self.whole += line.len() as u64;
        self.history.apply(event, at);
        self.hooks.pass(When::After, &place)
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let fresh = !self.path.exists();
        let mut file = File::options().append(true).create(true).mode(0o644).open(&self.path)?;
        if self.torn {
            file.set_len(self.whole)?;
            self.torn = false;
        }
        if let Err(error) = file.write_all(line).and_then(|()| file.sync_all()) {
            // A full disk may have taken half of it; what cannot be cut off now is when the journal is read again.
            let _ = file.set_len(self.whole);
            return Err(error);
        }
        if fresh && let Some(dir) = self.path.parent() {
            File::open(dir)?.sync_all()?;
        }
        Ok(())
    }
}

/// What the entries of a host add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// All deployments, oldest first.
    pub deployments: Vec<Known>,
    /// The run whose deployment is live, or was when it was last known.
    pub current: Option<RunId>,
    /// The number of the newest lease.
    pub fence: Fence,
    /// The run that has it, and who drives that.
    pub leased: Option<(RunId, String)>,
}

impl History {
    /// Returns what is known of the deployment of a run.
    pub fn of(&self, run: &RunId) -> Option<&Known> {
        self.deployments.iter().find(|known| known.deployment.run == *run)
    }

    /// Returns the deployment that is live.
    pub fn live(&self) -> Option<&Known> {
        self.of(self.current.as_ref()?)
    }

    /// Returns the deployment that is on its way, in either direction.
    pub fn moving(&self) -> Option<&Known> {
        let moving = |known: &&Known| matches!(known.standing, Standing::Switching | Standing::Reverting);
        self.deployments.iter().find(moving)
    }

    fn apply(&mut self, event: &Event, at: Time) {
        match event {
            Event::Leased { run, fence, holder } => {
                self.fence = self.fence.max(*fence);
                self.leased = Some((run.clone(), holder.clone()));
            }
            Event::Staged { deployment } => {
                self.deployments.retain(|known| known.deployment.run != deployment.run);
                let artifact = &deployment.artifact;
                for known in &mut self.deployments {
                    known.swept &= known.deployment.artifact != *artifact;
                }
                let by = self.leased.iter().find(|(run, _)| *run == deployment.run);
                let by = by.map(|(_, holder)| holder.clone()).unwrap_or_default();
                self.deployments.push(Known {
                    deployment: (**deployment).clone(),
                    standing: Standing::Staged,
                    at,
                    live_since: None,
                    from: None,
                    why: String::new(),
                    swept: false,
                    by,
                });
            }
            Event::Discarded { run } => self.stand(run, Standing::Discarded, at),
            Event::Switching { run, from } => {
                self.stand(run, Standing::Switching, at);
                if let Some(known) = self.find(run) {
                    known.from.clone_from(from);
                }
            }
            Event::Switched { run } => {
                self.stand(run, Standing::Live, at);
                if let Some(known) = self.find(run) {
                    known.live_since = Some(at);
                }
                self.current = Some(run.clone());
            }
            Event::Confirmed { run } => self.stand(run, Standing::Confirmed, at),
            Event::Reverting { run, why } => {
                self.stand(run, Standing::Reverting, at);
                if let Some(known) = self.find(run) {
                    known.why.clone_from(why);
                }
            }
            Event::Reverted { run } => {
                self.stand(run, Standing::Failed, at);
                self.current = self.of(run).and_then(|known| known.from.clone());
            }
            Event::Swept { artifacts } => {
                for known in &mut self.deployments {
                    known.swept |= artifacts.contains(&known.deployment.artifact);
                }
            }
            Event::Unknown => {}
        }
    }

    fn find(&mut self, run: &RunId) -> Option<&mut Known> {
        self.deployments.iter_mut().find(|known| known.deployment.run == *run)
    }

    fn stand(&mut self, run: &RunId, standing: Standing, at: Time) {
        if let Some(known) = self.find(run) {
            (known.standing, known.at) = (standing, at);
        }
    }
}
