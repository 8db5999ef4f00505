//! What was started here, kept so that it can be stopped when its deployment is long forgotten.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};
use shipway_core::deployment::{Deployment, Service};
use shipway_core::id::Digest;
use shipway_core::problem::{Code, Problem};

use super::{Instance, Place, files};

/// The ending of the files.
const ENDING: &str = "instance";

/// One copy of a service that was or was about to be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The deployment that it is of.
    deployment: Deployment,
    /// The service, by its name.
    service: String,
    /// Which of the two ports it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slot: Option<usize>,
}

impl Record {
    /// Returns the copy.
    pub(super) fn instance<'a>(&'a self, place: &'a Place<'a>) -> Option<Instance<'a>> {
        let service = self.service()?;
        Some(Instance { place, deployment: &self.deployment, service, slot: self.slot })
    }

    fn service(&self) -> Option<&Service> {
        self.deployment.services.iter().find(|service| service.name == self.service)
    }
}

/// Keeps a copy before it is started.
pub(super) fn keep(instance: &Instance<'_>) -> Result<(), Problem> {
    let record = Record {
        deployment: instance.deployment.clone(),
        service: instance.service.name.clone(),
        slot: instance.slot,
    };
    let text = serde_json::to_string(&record).expect("a record has string keys");
    files::write(&instance.file(ENDING), &text, 0o600).map(|_| ())
}

/// Forgets a copy that was stopped.
pub(super) fn forget(instance: &Instance<'_>) -> Result<(), Problem> {
    files::remove(&instance.file(ENDING))
}

/// Returns what was kept under the name of a copy.
pub(super) fn find(instance: &Instance<'_>) -> Result<Option<Record>, Problem> {
    let path = instance.file(ENDING);
    let Some(text) = files::read(&path)? else { return Ok(None) };
    let unreadable = |error: serde_json::Error| {
        Problem::new(Code::Io, format!("{} cannot be understood", path.display())).found(error.to_string())
    };
    serde_json::from_str(&text).map(Some).map_err(unreadable)
}

/// Returns the mark of what was last started under the name of a copy.
pub(super) fn mark(instance: &Instance<'_>) -> Option<Digest> {
    find(instance).ok()??.instance(instance.place).map(|kept| kept.mark())
}

/// Returns all that was kept, by name.
pub(super) fn all(place: &Place<'_>) -> Result<Vec<Record>, Problem> {
    let dir = place.root.join("live");
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(files::problem(&dir, &error)),
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == ENDING));
    paths.sort();
    let texts = paths.iter().map(|path| files::read(path));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    // One of a newer shipway cannot be read, and cannot be stopped from here either.
    Ok(texts.into_iter().flatten().filter_map(|text| serde_json::from_str(&text).ok()).collect())
}
