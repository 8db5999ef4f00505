//! Which key signs: the one that is named, else the one that git signs with, else one of the usual files.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use shipway_core::problem::{Code, Problem};
use shipway_core::signers::PublicKey;
use shipway_core::statement::Use;

use super::file;
use crate::facts::Git;

/// The usual files, those on a device first, because they prove more.
const USUAL: [&str; 5] = ["id_ed25519_sk", "id_ecdsa_sk", "id_ed25519", "id_ecdsa", "id_rsa"];

/// Where keys are looked for.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The file that the user names.
    pub named: Option<PathBuf>,
    /// The user's home.
    pub home: Option<PathBuf>,
    /// The socket of an agent that holds keys.
    pub agent: Option<OsString>,
}

/// A key to sign with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// The public key.
    pub public: PublicKey,
    /// How it will be used.
    pub key_use: Use,
    /// The file that ssh-keygen is given: the private key, or the public one where only the agent has the private one.
    pub(super) path: PathBuf,
    /// The agent, where it is needed.
    pub(super) agent: Option<OsString>,
    /// The public key in a file of our own, where there is no other.
    pub(super) written: bool,
}

impl SigningKey {
    /// Returns the key that a plan names: its public line, its file if it has one, and its agent where it needs one.
    pub fn again(line: &str, file: PathBuf, agent: Option<OsString>) -> Option<Self> {
        let public = PublicKey::from_file(line)?;
        let written = file.as_os_str().is_empty();
        Some(Self { public, key_use: Use::default(), path: file, agent, written })
    }

    /// Returns what a plan names the key by, for [`SigningKey::again`].
    pub fn named(&self) -> (String, String, Option<String>) {
        let agent = self.agent.as_ref().map(|agent| agent.to_string_lossy().into_owned());
        (self.public.to_line(), self.path.display().to_string(), agent)
    }
}

/// Returns the key to sign with.
pub fn find(choice: &Choice, git: Git<'_>) -> Result<SigningKey, Problem> {
    if let Some(named) = &choice.named {
        return at(named, choice).ok_or_else(|| unusable(&format!("{} is no key", named.display()), choice));
    }
    if let Some(configured) = git.ssh_signing_key() {
        let found = literal(&configured, choice).or_else(|| at(&expanded(&configured, choice), choice));
        return found.ok_or_else(|| {
            unusable(&format!("user.signingKey names {configured}, which is no key"), choice)
        });
    }
    let usual = |home: &PathBuf| USUAL.iter().find_map(|name| at(&home.join(".ssh").join(name), choice));
    choice.home.as_ref().and_then(usual).ok_or_else(|| unusable("no key was found", choice))
}

/// Returns the key in a file: a private one, or a public one whose private one is beside it or in the agent.
fn at(path: &Path, choice: &Choice) -> Option<SigningKey> {
    let text = fs::read_to_string(path).ok()?;
    if let Some(lock) = file::read(&text) {
        let beside = || PublicKey::from_file(&fs::read_to_string(with_pub(path)).ok()?);
        let public = lock.public.or_else(beside)?;
        let key_use = match lock.locked {
            _ if public.is_on_device() => Use::Device,
            true => Use::Passphrase,
            false => Use::File,
        };
        return Some(SigningKey { public, key_use, path: path.into(), agent: None, written: false });
    }
    let public = PublicKey::from_file(&text)?;
    let private = path.with_extension("");
    if path.extension().is_some_and(|extension| extension == "pub")
        && let Some(key) = fs::metadata(&private).ok().and_then(|_| at(&private, choice))
    {
        return Some(key);
    }
    of_agent(public, path.into(), false, choice)
}

/// Returns the key that stands in the setting itself, which only an agent can have.
fn literal(setting: &str, choice: &Choice) -> Option<SigningKey> {
    let public = PublicKey::from_file(setting.strip_prefix("key::").unwrap_or(setting))?;
    of_agent(public, PathBuf::new(), true, choice)
}

fn of_agent(public: PublicKey, path: PathBuf, written: bool, choice: &Choice) -> Option<SigningKey> {
    let key_use = if public.is_on_device() { Use::Device } else { Use::Agent };
    Some(SigningKey { public, key_use, path, agent: Some(choice.agent.clone()?), written })
}

fn with_pub(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn expanded(path: &str, choice: &Choice) -> PathBuf {
    match (path.strip_prefix("~/"), &choice.home) {
        (Some(rest), Some(home)) => home.join(rest),
        (Some(_) | None, _) => path.into(),
    }
}

fn unusable(what: &str, choice: &Choice) -> Problem {
    let agent = if choice.agent.is_some() { "an agent is there" } else { "there is no agent" };
    Problem::new(Code::KeyUnusable, what)
        .found(agent)
        .wanted("a key of ssh: --key FILE, git's user.signingKey, or a file in ~/.ssh")
        .hint("make one with a passphrase: ssh-keygen -t ed25519")
}
