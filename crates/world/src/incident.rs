//! Incidents: what is broken right now. Gates wait while one is open.
//!
//! They are kept beside the journal in a file that is only appended to, one line of JSON for each event.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shipway_core::id::{Actor, Digest};
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;

/// The name of the file.
const FILE: &str = "incidents.jsonl";

/// The incidents of a repository.
#[derive(Clone, Debug)]
pub struct Incidents {
    dir: PathBuf,
}

/// Something that is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// Its name: eight lower-case hexadecimal digits.
    pub id: String,
    /// Since when.
    pub at: Time,
    /// Who said so.
    pub by: Actor,
    /// What is broken.
    pub text: String,
    /// Where; everywhere, if it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// What a new incident says.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What is broken.
    pub text: &'a str,
    /// Where; everywhere, if it does not say.
    pub environment: Option<&'a str>,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    id: String,
    at: Time,
    by: Actor,
    #[serde(flatten)]
    event: Event,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event {
    Opened {
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<String>,
    },
    Closed {},
}

impl Incidents {
    /// Returns the incidents that are kept in the directory of the journal.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Returns the file that holds them, to see whether it has changed.
    pub fn path(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    /// Returns those that are open, the oldest first.
    pub fn open_ones(&self) -> Result<Vec<Incident>, Problem> {
        let text = match File::open(self.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(self.failed(&error)),
            Ok(mut file) => {
                file.lock_shared().map_err(|error| self.failed(&error))?;
                whole_lines(&mut file).map_err(|error| self.failed(&error))?
            }
        };
        self.fold(&text)
    }

    /// Opens one, durably.
    pub fn open(&self, report: Report<'_>, by: Actor, at: Time) -> Result<Incident, Problem> {
        let (text, environment) = (report.text.to_owned(), report.environment.map(str::to_owned));
        let incident = self.append(|before| {
            let seed = format!("{before}{at}{}{text}", std::process::id());
            let id = Digest::of(seed.as_bytes()).short().to_owned();
            let event = Event::Opened { text: text.clone(), environment: environment.clone() };
            Ok(Line { id, at, by: by.clone(), event })
        })?;
        Ok(Incident { id: incident.id, at, by, text, environment })
    }

    /// Closes the open one whose name begins with some digits, durably.
    pub fn close(&self, prefix: &str, by: Actor, at: Time) -> Result<Incident, Problem> {
        let mut closed = None;
        self.append(|before| {
            let mut found: Vec<Incident> = self.fold(before)?;
            found.retain(|incident| incident.id.starts_with(prefix));
            let incident = match (found.pop(), found.len()) {
                (Some(incident), 0) => incident,
                (None, _) => return Err(unknown(format!("no incident {prefix} is open"))),
                (Some(_), _) => return Err(unknown(format!("{prefix} begins several incidents"))),
            };
            let id = incident.id.clone();
            closed = Some(incident);
            Ok(Line { id, at, by, event: Event::Closed {} })
        })?;
        closed.ok_or_else(|| unknown(format!("no incident {prefix} is open")))
    }

    /// Appends the line that follows from those before it; nobody else writes meanwhile.
    fn append(&self, line: impl FnOnce(&str) -> Result<Line, Problem>) -> Result<Line, Problem> {
        let mut file = self.locked().map_err(|error| self.failed(&error))?;
        let before = whole_lines(&mut file).map_err(|error| self.failed(&error))?;
        let line = line(&before)?;
        let mut text = serde_json::to_string(&line).map_err(|error| self.failed(&error.into()))?;
        text.push('\n');
        let mut write = || {
            // What a power cut has left of a line was never acknowledged.
            file.set_len(before.len() as u64)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(|error| self.failed(&error))?;
        Ok(line)
    }

    fn locked(&self) -> io::Result<File> {
        DirBuilder::new().mode(0o700).recursive(true).create(&self.dir)?;
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(self.path())?;
        file.lock()?;
        Ok(file)
    }

    fn fold(&self, text: &str) -> Result<Vec<Incident>, Problem> {
        let mut open: Vec<Incident> = vec![];
        for (index, line) in text.lines().enumerate() {
            let line: Line = serde_json::from_str(line).map_err(|error| {
                Problem::new(Code::IncidentsUnreadable, format!("line {} is broken: {error}", index + 1))
                    .at(self.path().display().to_string())
            })?;
            let Line { id, at, by, event } = line;
            match event {
                Event::Opened { text, environment } => open.push(Incident { id, at, by, text, environment }),
                Event::Closed {} => open.retain(|incident| incident.id != id),
            }
        }
        Ok(open)
    }

    fn failed(&self, error: &io::Error) -> Problem {
        let code = match error.kind() {
            io::ErrorKind::StorageFull => Code::DiskFull,
            _ => Code::IncidentsUnreadable,
        };
        Problem::new(code, format!("incidents cannot be read or written: {error}"))
            .at(self.path().display().to_string())
    }
}

/// Reads a file up to its last line end: what comes behind was cut off.
fn whole_lines(file: &mut File) -> io::Result<String> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
    Ok(text)
}

fn unknown(what: String) -> Problem {
    Problem::new(Code::IncidentUnknown, what).hint("see which are open: shipway incident list")
}

#[cfg(test)]
mod tests {
    use shipway_core::id::ActorKind;

    use super::*;

    fn jane() -> Actor {
        Actor { kind: ActorKind::Human, name: "Jane Doe".into(), host: "quay".into() }
    }

    fn report(text: &str) -> Report<'_> {
        Report { text, environment: None }
    }

    fn open_texts(incidents: &Incidents) -> Vec<String> {
        incidents.open_ones().unwrap().into_iter().map(|incident| incident.text).collect()
    }

    #[test]
    fn what_was_opened_is_open_until_it_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let incidents = Incidents::new(&dir.path().join("new"));
        assert_eq!(open_texts(&incidents), [""; 0]);
        let one = incidents.open(report("the queue stands"), jane(), Time(1)).unwrap();
        let other = incidents.open(report("the queue stands"), jane(), Time(1)).unwrap();
        assert_ne!(one.id, other.id);
        let closed = incidents.close(&one.id[..6], jane(), Time(2)).unwrap();
        assert_eq!(closed, one);
        assert_eq!(incidents.open_ones().unwrap(), [other]);
        let again = incidents.close(&one.id, jane(), Time(3)).unwrap_err();
        assert_eq!(again.code, Code::IncidentUnknown);
    }

    #[test]
    fn a_line_that_was_cut_off_never_was_and_a_broken_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let incidents = Incidents::new(dir.path());
        incidents.open(report("one"), jane(), Time(1)).unwrap();
        let whole = std::fs::read_to_string(incidents.path()).unwrap();
        std::fs::write(incidents.path(), format!("{whole}{}", &whole[..20])).unwrap();
        assert_eq!(open_texts(&incidents), ["one"]);
        incidents.open(report("two"), jane(), Time(2)).unwrap();
        assert_eq!(open_texts(&incidents), ["one", "two"]);
        std::fs::write(incidents.path(), format!("{whole}what\n")).unwrap();
        assert_eq!(incidents.open_ones().unwrap_err().code, Code::IncidentsUnreadable);
    }

    #[test]
    fn nobody_is_lost_when_many_write_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let incidents = Incidents::new(dir.path());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| incidents.open(report("many"), jane(), Time(1)).unwrap());
            }
        });
        let mut ids: Vec<String> = incidents.open_ones().unwrap().into_iter().map(|one| one.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 8);
    }
}
