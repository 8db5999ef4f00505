//! Backups: made, proven by restoring them, restored and removed, on the machine that holds what is saved.
//!
//! Three programs do what they are trusted for: `tar` keeps links, holes and owners, `pg_dump` is the only one that
//! knows `PostgreSQL`, and `age` encrypts. What is saved and which backups are kept is decided in `shipway_core`.

mod age;
mod command;
mod directory;
mod hand;
mod keep;
mod postgresql;
mod sqlite;
#[cfg(test)]
mod tests;
mod tree;
mod work;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use shipway_core::action::{Shell, Stop};
use shipway_core::backup::{self, Ask, Content, Made, Spec, Verified, What};
use shipway_core::problem::{Code, Problem};

use self::hand::Hand;
use self::keep::Keep;
use self::work::Work;
use crate::shell::now;

/// Where backups are made and how.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The directory that relative paths begin at and commands run in: that of the environment, or the work tree.
    pub dir: &'a Path,
    /// The hands on this machine.
    pub shell: &'a dyn Shell,
    /// The switch that asks to stop.
    pub stop: &'a Stop,
    /// Hears in a few words what is done.
    pub say: &'a dyn Fn(&str),
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Returns what is saved on this machine and not in an environment: where nothing else is said, its backups are kept
/// beside the journal, since a work tree is no place for them.
pub fn beside_journal(spec: Spec, state: &Path) -> Spec {
    let to = spec.to.unwrap_or_else(|| state.join(backup::DIR).to_string_lossy().into_owned());
    Spec { to: Some(to), ..spec }
}

/// Answers what a machine that holds backups is asked, with the backups that the answer is about.
pub fn answer(ask: &Ask, spec: &Spec, place: &Place<'_>) -> Result<Vec<Made>, Problem> {
    match ask {
        Ask::Make => {
            let made = make(spec, place)?;
            let verified = verify(spec, &made, place)?;
            prune(spec, place)?;
            Ok(vec![Made { verified: Some(verified), ..made }])
        }
        Ask::List => Ok(of_name(spec, place)?),
        Ask::Verify { file } => {
            let made = find(spec, place, file.as_deref())?;
            let verified = verify(spec, &made, place)?;
            Ok(vec![Made { verified: Some(verified), broken: None, ..made }])
        }
        Ask::Restore { file, into } => {
            let made = find(spec, place, file.as_deref())?;
            restore(spec, &made, into, place)?;
            Ok(vec![made])
        }
    }
}

/// Makes a backup. It is listed when it and its record are on the disk, and not before.
pub fn make(spec: &Spec, place: &Place<'_>) -> Result<Made, Problem> {
    let (begun, at) = (Instant::now(), now());
    let hand = Hand::new(spec, place);
    (place.say)(&format!("saving {}", spec.name));
    let keep = Keep::open(spec.to.as_deref(), place, true)?;
    let work = work(&hand, &keep)?;
    let plain = work.path("plain");
    let content = save(spec, &hand, &keep, &plain)?;
    if !plain.is_file() {
        let problem = Problem::new(Code::BackupFailed, format!("nothing was written for {}", spec.name));
        return Err(problem.wanted("the backup, as the file that `{file}` names"));
    }
    let whole = if spec.is_encrypted() { age::encrypt(spec, &hand, &work, &plain)? } else { plain };
    let (bytes, digest) = keep::seal(&whole).map_err(|error| hand.io(&error, &whole))?;
    let made = Made {
        name: spec.name.clone(),
        kind: spec.what.kind().into(),
        file: spec.file(at, &digest),
        bytes,
        digest,
        at,
        took_ms: millis(begun),
        encrypted: spec.is_encrypted(),
        content,
        verified: None,
        broken: None,
    };
    keep.publish(&whole, &made)?;
    Ok(made)
}

/// Returns a place to work in, without anything that dead processes left behind.
fn work(hand: &Hand<'_>, keep: &Keep) -> Result<Work, Problem> {
    let work = keep.work(hand)?;
    if let What::Postgresql { database } = &hand.spec.what {
        postgresql::clear(hand, database, &work.left);
    }
    Ok(work)
}

fn save(spec: &Spec, hand: &Hand<'_>, keep: &Keep, file: &Path) -> Result<Content, Problem> {
    match &spec.what {
        What::Directory { path } => directory::save(hand, &hand.path(path), keep.dir(), file),
        What::Sqlite { file: source } => sqlite::save(hand, &hand.path(source), file),
        What::Postgresql { database } => postgresql::save(hand, database, file),
        What::Command { run, .. } => command::save(hand, run, file),
        What::Unknown => Err(unknown(spec)),
    }
}

/// Proves a backup: restores it into a scratch place, compares, runs the `verify` command, and writes the outcome into
/// the record.
pub fn verify(spec: &Spec, made: &Made, place: &Place<'_>) -> Result<Verified, Problem> {
    let begun = Instant::now();
    let keep = Keep::open(spec.to.as_deref(), place, false)?;
    (place.say)(&format!("verifying {}", made.file));
    let proven = prove(spec, made, place, &keep);
    match proven {
        Ok(what) => {
            let verified = Verified { at: now(), took_ms: millis(begun), what };
            let made = Made { verified: Some(verified.clone()), broken: None, ..made.clone() };
            keep.record(&made)?;
            Ok(verified)
        }
        Err(problem) => {
            // A missing program or a full disk says nothing about the backup.
            if matches!(problem.code, Code::BackupBroken | Code::BackupRefused) {
                let broken = Some(problem.what.clone());
                keep.record(&Made { verified: None, broken, ..made.clone() })?;
            }
            Err(problem)
        }
    }
}

fn prove(spec: &Spec, made: &Made, place: &Place<'_>, keep: &Keep) -> Result<String, Problem> {
    let hand = Hand::new(spec, place);
    let work = work(&hand, keep)?;
    let plain = open(spec, made, &hand, keep, &work)?;
    match &spec.what {
        What::Directory { .. } => directory::prove(&hand, &plain, &work, made),
        What::Sqlite { .. } => sqlite::prove(&hand, &plain, &work, made),
        What::Postgresql { database } => postgresql::prove(&hand, database, &plain, &work, made),
        What::Command { restore, .. } => command::prove(&hand, restore, &plain, &work),
        What::Unknown => Err(unknown(spec)),
    }
}

/// Restores a backup into a place that is not there yet, or is an empty directory.
pub fn restore(spec: &Spec, made: &Made, into: &str, place: &Place<'_>) -> Result<(), Problem> {
    let hand = Hand::new(spec, place);
    let keep = Keep::open(spec.to.as_deref(), place, false)?;
    let work = work(&hand, &keep)?;
    (place.say)(&format!("restoring {} into {into}", made.file));
    let path = hand.path(into);
    match &spec.what {
        What::Directory { .. } => {
            let new = work::New::directory(&path)?;
            directory::restore(&hand, &open(spec, made, &hand, &keep, &work)?, new.place(), made)?;
            new.publish()
        }
        What::Sqlite { .. } => {
            let new = work::New::file(&path)?;
            sqlite::restore(&hand, &open(spec, made, &hand, &keep, &work)?, new.place(), made)?;
            new.publish()
        }
        What::Postgresql { database } => {
            let plain = open(spec, made, &hand, &keep, &work)?;
            postgresql::restore(&hand, database, &plain, into, made)
        }
        What::Command { restore, .. } => {
            let new = work::New::directory(&path)?;
            command::restore(&hand, restore, &open(spec, made, &hand, &keep, &work)?, new.place())?;
            new.publish()
        }
        What::Unknown => Err(unknown(spec)),
    }
}

/// Returns the backup as it was before it was encrypted, after its bytes were compared.
fn open(spec: &Spec, made: &Made, hand: &Hand<'_>, keep: &Keep, work: &Work) -> Result<PathBuf, Problem> {
    let whole = keep.compare(made)?;
    if made.encrypted { age::decrypt(spec, hand, work, &whole) } else { Ok(whole) }
}

/// Returns all backups of a directory, the oldest first; of this machine's truth, that is of what lies there.
pub fn list(to: Option<&str>, place: &Place<'_>) -> Result<Vec<Made>, Problem> {
    Keep::open(to, place, false)?.list()
}

fn of_name(spec: &Spec, place: &Place<'_>) -> Result<Vec<Made>, Problem> {
    let all = list(spec.to.as_deref(), place)?;
    Ok(all.into_iter().filter(|made| made.name == spec.name).collect())
}

/// Returns the backup of a file name, or the newest.
pub fn find(spec: &Spec, place: &Place<'_>, file: Option<&str>) -> Result<Made, Problem> {
    let all = of_name(spec, place)?;
    let found = match file {
        Some(file) => all.iter().find(|made| made.file == file),
        None => backup::newest(&all),
    };
    found.cloned().ok_or_else(|| {
        let what = match file {
            Some(file) => format!("there is no backup {file} of {}", spec.name),
            None => format!("there is no backup of {} yet", spec.name),
        };
        let hint = if file.is_some() {
            "shipway backup list".into()
        } else {
            format!("shipway backup {}", spec.name)
        };
        Problem::new(Code::BackupUnknown, what).hint(hint)
    })
}

/// Removes the backups that are not kept, and returns their files.
pub fn prune(spec: &Spec, place: &Place<'_>) -> Result<Vec<String>, Problem> {
    let keep = Keep::open(spec.to.as_deref(), place, false)?;
    keep.remove(|made| {
        let ours: Vec<Made> = made.iter().filter(|made| made.name == spec.name).cloned().collect();
        backup::expired(&ours, spec.keep)
    })
}

fn unknown(spec: &Spec) -> Problem {
    Problem::new(Code::ActionUnknown, format!("{} is of a kind that is not known", spec.name))
        .hint("use the shipway that made the plan, or a newer one")
}

fn millis(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Returns the code for an error of the system.
fn code_of(error: &io::Error, otherwise: Code) -> Code {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
        _ => otherwise,
    }
}
