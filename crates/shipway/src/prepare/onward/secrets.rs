//! The secrets of an environment: their values are handed to hosts, and a keyed digest of them names the set.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use shipway_core::id::Digest;
use shipway_core::problem::{Code, Problem};

use shipway_world::deploy::SALT;

use super::Place;
use crate::session::Session;

/// Returns the values of all secrets that any environment names, where they are set, and the salt of their digests.
pub fn values(session: &Session<'_>) -> BTreeMap<String, String> {
    let names = session.config.environment.values().flat_map(|environment| &environment.secrets);
    let set = names.filter_map(|name| Some((name.clone(), session.environment.get(name)?.to_owned())));
    let mut values: BTreeMap<String, String> = set.collect();
    if let (false, Ok(salt)) = (values.is_empty(), fs::read_to_string(salt_file(session))) {
        values.insert(SALT.into(), salt);
    }
    values
}

fn salt_file(session: &Session<'_>) -> PathBuf {
    session.repository.state_dir().join("secrets.salt")
}

/// Returns the digest of the secrets of an environment, or the problems of those that are not set.
///
/// A plan and a journal are read by many, and a plain digest of a weak secret gives it away: a salt that no plan shows
/// is one of the set, and goes to the hosts with it.
pub(super) fn digest(session: &Session<'_>, place: &Place<'_>) -> Result<Option<Digest>, Vec<Problem>> {
    let names = &place.environment.secrets;
    if names.is_empty() {
        return Ok(None);
    }
    let missing = |name: &&String| session.environment.get(name).is_none_or(str::is_empty);
    let problems: Vec<Problem> = names
        .iter()
        .filter(missing)
        .map(|name| {
            Problem::new(
                Code::SecretMissing,
                format!("secret {name} of environment `{}` is not set", place.name),
            )
            .hint(format!("read -rs {name} && export {name}"))
        })
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let salt = salt(&salt_file(session)).map_err(|error| {
        vec![Problem::new(Code::Io, format!("the salt for digests of secrets cannot be kept: {error}"))]
    })?;
    let value = |name: &String| Some((name.clone(), session.environment.get(name)?.to_owned()));
    let mut values: BTreeMap<String, String> = names.iter().filter_map(value).collect();
    values.insert(SALT.into(), salt);
    Ok(Some(Digest::of_json(&values)))
}

/// Returns the salt, and makes it the first time.
fn salt(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(salt) if salt.len() == 64 => return Ok(salt),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut bytes = [0; 32];
    io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut bytes)?;
    let salt = Digest::of(&bytes);
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let new = path.with_extension("new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(salt.as_str().as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    Ok(salt.as_str().to_owned())
}
