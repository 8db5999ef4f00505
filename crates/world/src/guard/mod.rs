//! The guard of a bare repository: what keeps its policy, whoever pushes.
//!
//! Git runs two hooks that decide. `pre-receive` sees a push as a whole and can say why not. `reference-transaction` sees
//! every ref that any command of git is about to move, under its real name, and is the backstop for all that no push
//! is. Neither can stop somebody who writes files here by hand; an audit finds that.

pub mod audit;
mod certificate;
pub mod install;
mod kept;
mod landed;
pub mod publish;
pub mod landing;
mod moving;
pub mod proc_receive;
pub mod prove;
pub mod receive;
pub mod see;
pub mod shell;
pub mod ticket;
pub mod transaction;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shipway_core::policy::Identity;
use shipway_core::problem::{Code, Problem};

use crate::hooks::staged::InHook;
use crate::policy::{Base, Bootstrap};

/// The variable by which a forced command hands on whose key it was.
pub const LOGIN: &str = "SHIPWAY_LOGIN";
/// The variable by which our own hooks are known to one another.
pub const TOKEN: &str = "SHIPWAY_GUARD";

/// What the guard of a repository was told when it was installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The name of the repository, in everything that is signed for it.
    pub name: String,
    /// The ref that the policy is read from, in full.
    pub policy: String,
    /// The program that the hooks start.
    pub program: PathBuf,
}

/// The guard of one repository.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The bare repository.
    pub repository: PathBuf,
    /// What it was told.
    pub settings: Settings,
}

impl Guard {
    /// Opens the guard of a repository.
    pub fn open(repository: &Path) -> Result<Self, Problem> {
        let path = repository.join("shipway/guard.json");
        let text = fs::read_to_string(&path).map_err(|error| {
            let problem = Problem::new(Code::GuardMissing, format!("{} has no guard", repository.display()));
            let problem = problem.hint(format!("shipway guard install --server {}", repository.display()));
            if error.kind() == io::ErrorKind::NotFound { problem } else { problem.found(error.to_string()) }
        })?;
        let settings = serde_json::from_str(&text).map_err(|error| {
            Problem::new(Code::GuardFailed, format!("{} cannot be read: {error}", path.display()))
        })?;
        Ok(Self { repository: repository.to_owned(), settings })
    }

    /// Returns the directory of the guard.
    pub fn dir(&self) -> PathBuf {
        self.repository.join("shipway")
    }

    /// Reads the policy in force, from the pinned ref.
    pub fn base(&self, git: &InHook<'_>) -> Result<Base, Vec<Problem>> {
        let dir = self.dir();
        Base::at(git, &self.settings.policy, Some(Bootstrap::Dir(&dir)))
    }

    /// Returns the text by which our own hooks are known to one another: whoever can read it can write here anyway.
    fn token(&self) -> io::Result<String> {
        fs::read_to_string(self.dir().join("token")).map(|text| text.trim().to_owned())
    }

    /// Tells whether a process was started by one of our own hooks.
    fn is_ours(&self, variable: Option<&str>) -> bool {
        variable.is_some_and(|found| self.token().is_ok_and(|token| !token.is_empty() && token == found))
    }

    /// Returns git with the token, for a hook of ours that moves refs.
    fn git_as_guard<'a>(&self, git: &InHook<'a>) -> Result<InHook<'a>, Problem> {
        let token = self.token().map_err(|error| {
            Problem::new(Code::GuardFailed, format!("the token of the guard cannot be read: {error}"))
        })?;
        let mut variables = git.variables.clone();
        variables.push((TOKEN.into(), token.into()));
        Ok(InHook { top: git.top.clone(), variables, shell: git.shell, stop: git.stop })
    }
}

/// Returns who pushes, as the transport says; nobody for one that it does not know. Who has signed a push is not looked at
/// here: see [`Guard::certified`].
pub fn identity(
    variable: &dyn Fn(&str) -> Option<String>,
    account: impl FnOnce() -> Option<String>,
) -> Option<Identity> {
    let by = |login: String, how: &str| Some(Identity { login, how: how.to_owned() });
    if let Some(login) = variable(LOGIN).filter(|login| !login.is_empty()) {
        return by(login, "forced command");
    }
    if let Some(user) = variable("REMOTE_USER").filter(|user| !user.is_empty()) {
        return by(user, "web server");
    }
    // A daemon and a web server that ask nobody tell the address only.
    if variable("REMOTE_ADDR").is_some() || variable("GATEWAY_INTERFACE").is_some() {
        return None;
    }
    account().and_then(|login| by(login, "account"))
}

/// Returns the name of the account of this process.
pub fn account() -> Option<String> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

/// Tells whether this account may write in a repository by itself, so that none of its hooks stops it.
pub fn is_writable(repository: &Path) -> bool {
    let may = |path: &str| rustix::fs::access(repository.join(path), rustix::fs::Access::WRITE_OK).is_ok();
    may("objects") && may("refs")
}

/// Tells whether a repository has a guard whose files only its own account reads.
pub fn is_closed(repository: &Path) -> bool {
    let denied = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    ["shipway/guard.json", "HEAD"].iter().any(|path| fs::File::open(repository.join(path)).is_err_and(denied))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        identity(&variable, || Some("git".into())).map(|by| format!("{} by {}", by.login, by.how))
    }

    #[test]
    fn who_pushes_is_what_the_transport_vouches_for() {
        assert_eq!(of(&[]).unwrap(), "git by account");
        assert_eq!(of(&[(LOGIN, "ann")]).unwrap(), "ann by forced command");
        // What git makes of a certificate goes by other keys than those that count.
        let certificate = [("GIT_PUSH_CERT_STATUS", "G"), ("GIT_PUSH_CERT_SIGNER", "ann")];
        assert_eq!(of(&certificate).unwrap(), "git by account");
        assert_eq!(of(&[("REMOTE_ADDR", "10.0.0.1"), ("REMOTE_USER", "ann")]).unwrap(), "ann by web server");
        assert_eq!(of(&[("REMOTE_ADDR", "10.0.0.1")]), None);
        assert_eq!(of(&[("GATEWAY_INTERFACE", "CGI/1.1")]), None);
    }
}
