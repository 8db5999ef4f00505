//! The base: what one commit of a protected ref says about who may do what. Nothing of it is ever read from what is
//! being pushed.

use std::fs;
use std::io;
use std::path::Path;

use shipway_core::config::{self, Config};
use shipway_core::policy::{self, OWNERS, PATH, Policy, SIGNERS};
use shipway_core::problem::{Code, Problem};
use shipway_core::signers::{REVOKED, Signers};

use crate::hooks::staged::InHook;

/// Where that stands which holds until a ref has a policy.
#[derive(Clone, Copy, Debug)]
pub enum Bootstrap<'a> {
    /// In a directory, as the guard itself has it.
    Dir(&'a Path),
    /// In a ref, as the guard publishes it.
    Ref(&'a str),
}

/// What holds until a ref has a policy: the policy, the keys, and the keys that count no more.
pub const BOOTSTRAP: [&str; 3] = ["policy.toml", "allowed_signers", "revoked_keys"];

/// A policy, and all that it is read with.
#[derive(Clone, Debug)]
pub struct Base {
    /// The object id of the commit; empty for what the guard was installed with.
    pub commit: String,
    /// The policy.
    pub policy: Policy,
    /// Its digest.
    pub digest: String,
    /// The keys that count.
    pub signers: Signers,
    /// The text of the file of owners, and where it stands.
    pub owners: Option<(String, String)>,
    /// What the repository says of its checks.
    pub config: Config,
}

impl Base {
    /// Reads the base at a ref or commit. Without a policy there, the one in `bootstrap` holds, and without that one the
    /// policy that holds without a file.
    pub fn at(git: &InHook<'_>, rev: &str, bootstrap: Option<Bootstrap<'_>>) -> Result<Self, Vec<Problem>> {
        let one = |problem| vec![problem];
        let commit = commit(git, rev).map_err(one)?;
        let mut paths = vec![PATH, SIGNERS, REVOKED, "shipway.toml"];
        paths.extend(OWNERS);
        let mut texts = match &commit {
            Some(commit) => texts(git, commit, &paths).map_err(one)?,
            None => vec![None; paths.len()],
        };
        if texts[0].is_none()
            && let Some(bootstrap) = bootstrap
        {
            for (text, found) in texts.iter_mut().zip(bootstrap.texts(git).map_err(one)?) {
                *text = found;
            }
        }
        let policy = policy::read(texts[0].as_deref().unwrap_or_default(), PATH)?;
        let text = |at: usize| texts[at].as_deref().unwrap_or_default();
        let (signers, problems) = Signers::read(text(1), text(2));
        if !problems.is_empty() {
            return Err(problems);
        }
        let owners = paths
            .iter()
            .zip(&texts)
            .skip(4)
            .find_map(|(path, text)| Some(((*path).to_owned(), text.clone()?)));
        let config = config::read(text(3), "shipway.toml")?;
        let digest = policy.digest().to_string();
        Ok(Self { commit: commit.unwrap_or_default(), policy, digest, signers, owners, config })
    }
}

impl Bootstrap<'_> {
    fn texts(self, git: &InHook<'_>) -> Result<Vec<Option<String>>, Problem> {
        match self {
            Self::Dir(dir) => BOOTSTRAP.iter().map(|path| file(&dir.join(path))).collect(),
            Self::Ref(name) => match commit(git, name)? {
                Some(commit) => texts(git, &commit, &BOOTSTRAP),
                None => Ok(vec![]),
            },
        }
    }
}

fn commit(git: &InHook<'_>, rev: &str) -> Result<Option<String>, Problem> {
    let asked = format!("{rev}^{{commit}}");
    let output =
        git.run(&git.git().args(["rev-parse", "--verify", "--quiet", "--end-of-options", &asked]))?;
    Ok(output.ok().then(|| output.text()))
}

/// Returns the texts of some paths of a commit, through one process.
pub(crate) fn texts(git: &InHook<'_>, commit: &str, paths: &[&str]) -> Result<Vec<Option<String>>, Problem> {
    let asked: String = paths.iter().fold(String::new(), |text, path| text + commit + ":" + path + "\n");
    let cmd = git.git().args(["cat-file", "--batch=%(objecttype) %(objectsize)"]).stdin(asked);
    let output = git.expect(&cmd)?;
    let (mut rest, mut found) = (&output.stdout[..], vec![]);
    for path in paths {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = rest.get(end + 1..).unwrap_or_default();
        let Some(size) = head.strip_prefix("blob ").and_then(|size| size.parse::<usize>().ok()) else {
            // What is there but no file is skipped as what is missing is; a directory has content that must be passed.
            let size = head.split(' ').nth(1).and_then(|size| size.parse::<usize>().ok());
            if let Some(size) = size.filter(|_| !head.ends_with(" missing")) {
                rest = rest.get(size + 1..).unwrap_or_default();
            }
            found.push(None);
            continue;
        };
        let content = rest.get(..size).unwrap_or_default().to_vec();
        rest = rest.get(size + 1..).unwrap_or_default();
        let text = String::from_utf8(content)
            .map_err(|_| Problem::new(Code::ConfigSyntax, format!("{path} is not UTF-8")))?;
        found.push(Some(text));
    }
    Ok(found)
}

fn file(path: &Path) -> Result<Option<String>, Problem> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Problem::new(Code::Io, format!("{} cannot be read: {error}", path.display()))),
    }
}
