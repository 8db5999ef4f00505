//! What is looked at: a work tree and its remote, or a bare repository.

use std::fs;
use std::path::{Path, PathBuf};

use shipway_core::action::{Output, Shell, Stop};
use shipway_core::config::{self, Config};
use shipway_core::facts::Facts;
use shipway_core::problem::{Code, Problem};

use crate::facts::{self, Git, Look};
use crate::git::cmd::{Remote, git};
use crate::git::repository::Repository;
use crate::hooks::place::Asker;
use crate::hooks::staged::InHook;
use crate::keys::Choice;

/// Where the repository is that is pushed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// A directory of this machine.
    Here(PathBuf),
    /// Elsewhere: the name of the remote.
    Away(String),
    /// Nowhere, for this reason.
    Nowhere(String),
}

/// All that is looked at, and the hands to look with.
pub struct Subject<'a> {
    /// The work tree, or why there is none; nothing where a bare repository was named.
    pub tree: Option<Result<Repository, Problem>>,
    /// What was seen of it.
    pub facts: Option<Result<Facts, Vec<Problem>>>,
    /// Its configuration.
    pub config: Result<Config, Vec<Problem>>,
    /// The repository that is pushed to.
    pub server: Server,
    /// Where our own program is.
    pub program: PathBuf,
    /// Where the key that signs is looked for; nowhere in a bare repository.
    pub keys: Option<Choice>,
    /// The hands.
    pub shell: &'a dyn Shell,
    /// The switch.
    pub stop: &'a Stop,
}

impl<'a> Subject<'a> {
    /// Returns a bare repository, alone.
    pub fn bare(repository: &Path, program: PathBuf, (shell, stop): (&'a dyn Shell, &'a Stop)) -> Self {
        let path = fs::canonicalize(repository).unwrap_or_else(|_| repository.to_owned());
        match facts::repository(&path, shell, stop) {
            Err(problem) if problem.code != Code::BareRepository => {
                return Self::missing(problem, program, (shell, stop));
            }
            Ok(_) | Err(_) => {}
        }
        Self {
            tree: None,
            facts: None,
            config: Ok(Config::default()),
            server: Server::Here(path),
            program,
            keys: None,
            shell,
            stop,
        }
    }

    /// Returns what there is to look at where there is no repository.
    fn missing(problem: Problem, program: PathBuf, (shell, stop): (&'a dyn Shell, &'a Stop)) -> Self {
        Self {
            tree: Some(Err(problem)),
            facts: None,
            config: Ok(Config::default()),
            server: Server::Nowhere("there is no repository".into()),
            program,
            keys: None,
            shell,
            stop,
        }
    }

    /// Returns the repository that a directory is in, with its remote.
    pub fn around(
        dir: &Path,
        (program, reach, keys): (PathBuf, Remote, Choice),
        (shell, stop): (&'a dyn Shell, &'a Stop),
    ) -> Self {
        let mut tree = match facts::repository(dir, shell, stop) {
            Err(problem) if problem.code == Code::BareRepository => {
                return Self::bare(dir, program, (shell, stop));
            }
            Err(problem) => return Self::missing(problem, program, (shell, stop)),
            Ok(tree) => tree,
        };
        tree.reach = reach;
        tree.reach.own_ssh |= Git::new(&tree, shell, stop).has_ssh_command();
        let config = configuration(&tree.top);
        let remote = config.as_ref().ok().and_then(|config| config.release.remote.clone());
        let look = Look { remote, network: true, ..Look::default() };
        let facts = facts::gather(&tree, &look, shell, stop);
        let server = server(&tree, &facts, (shell, stop));
        let keys = Some(keys);
        Self { tree: Some(Ok(tree)), facts: Some(facts), config, server, program, keys, shell, stop }
    }

    /// Returns the work tree, if there is one.
    pub fn repository(&self) -> Option<&Repository> {
        self.tree.as_ref().and_then(|tree| tree.as_ref().ok())
    }

    /// Returns git in the work tree, for hooks.
    pub fn asker(&self) -> Option<Asker<'_>> {
        self.repository().map(|repository| Asker { repository, shell: self.shell, stop: self.stop })
    }

    /// Returns git in a directory.
    pub fn git(&self, top: &Path) -> InHook<'a> {
        InHook { top: top.to_owned(), variables: vec![], shell: self.shell, stop: self.stop }
    }
}

fn configuration(top: &Path) -> Result<Config, Vec<Problem>> {
    match fs::read_to_string(top.join("shipway.toml")) {
        Ok(text) => config::read(&text, "shipway.toml"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
        Err(error) => Err(vec![Problem::new(Code::Io, format!("shipway.toml cannot be read: {error}"))]),
    }
}

/// Returns where the remote is that a push goes to.
fn server(
    tree: &Repository,
    facts: &Result<Facts, Vec<Problem>>,
    (shell, stop): (&dyn Shell, &Stop),
) -> Server {
    let Ok(facts) = facts else { return Server::Nowhere("the repository cannot be read".into()) };
    let Some(remote) = &facts.remote else {
        let many = !facts.remotes.is_empty();
        let why = if many { "there are several remotes, and none is chosen" } else { "there is no remote" };
        return Server::Nowhere(why.into());
    };
    let ask = git(&tree.top).args(["remote", "get-url", "--push", "--", &remote.name]);
    let address = shell.run(&ask, stop).ok().filter(Output::ok).map(|output| output.text());
    let found = address.and_then(|address| path(&address)).and_then(|path| git_dir(&tree.top.join(path)));
    found.map_or_else(|| Server::Away(remote.name.clone()), Server::Here)
}

/// Returns the path that an address of git is, if it is one of this machine (git-push(1), "Git URLs").
fn path(address: &str) -> Option<PathBuf> {
    if let Some(rest) = address.strip_prefix("file://") {
        return rest.starts_with('/').then(|| PathBuf::from(rest));
    }
    let host = address.split_once(':').is_some_and(|(before, _)| !before.contains('/'));
    (!host && !address.is_empty()).then(|| PathBuf::from(address))
}

/// Returns the git directory that git would find at a path.
fn git_dir(path: &Path) -> Option<PathBuf> {
    let mut with = path.as_os_str().to_owned();
    with.push(".git");
    let names = [path.join(".git"), path.to_owned(), PathBuf::from(with)];
    let found = names.into_iter().find(|name| name.join("HEAD").exists() && name.join("objects").is_dir());
    found.and_then(|name| fs::canonicalize(name).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_an_address_of_another_machine() {
        let check = |address: &str, expected: Option<&str>| {
            assert_eq!(path(address), expected.map(PathBuf::from), "{address}");
        };
        check("/srv/git/app.git", Some("/srv/git/app.git"));
        check("../app.git", Some("../app.git"));
        check("./a:b.git", Some("./a:b.git"));
        check("file:///srv/app.git", Some("/srv/app.git"));
        check("file://host/srv/app.git", None);
        check("git@host:app.git", None);
        check("host:app.git", None);
        check("ssh://host/app.git", None);
        check("https://host/app.git", None);
    }
}
