//! Glances: single questions that need no full look.

use std::collections::{BTreeMap, BTreeSet};

use shipway_core::facts::{Head, TagAt};
use shipway_core::problem::Problem;
use shipway_core::version;

use super::ask::Git;
use super::repository::Repository;
use super::shown;

/// HEAD and the tags, in one process: all that the next version follows from besides the commits.
#[derive(Debug)]
pub struct Glance {
    /// What HEAD points to.
    pub head: Head,
    /// The tags.
    pub tags: BTreeMap<String, TagAt>,
}

impl Git<'_> {
    /// Returns HEAD and the tags of a repository.
    ///
    /// `show-ref` knows from the packed refs what a tag leads to, where `for-each-ref` opens every tag: that is most of
    /// the time that a next version takes.
    pub fn glance(&self, repository: &Repository) -> Result<Glance, Problem> {
        let output = self.run(&["show-ref", "--head", "--tags", "--dereference"])?;
        let (mut commit, mut tags) = (None, BTreeMap::<String, TagAt>::new());
        for line in output.stdout.split(|byte| *byte == b'\n') {
            let Some(space) = line.iter().position(|byte| *byte == b' ') else { continue };
            let (object, name) = (shown(&line[..space]), &line[space + 1..]);
            let Some(tag) = name.strip_prefix(b"refs/tags/") else {
                commit = (name == b"HEAD").then_some(object).or(commit);
                continue;
            };
            // A peeled line follows the line of its tag.
            match tag.strip_suffix(b"^{}").and_then(|tag| tags.get_mut(&shown(tag))) {
                Some(at) => at.commit = object,
                None => {
                    tags.insert(shown(tag), TagAt { object: object.clone(), commit: object });
                }
            }
        }
        let head = match (self.branch(repository)?, commit) {
            (Some(branch), Some(commit)) => Head::Branch { branch, commit },
            (None, Some(commit)) => Head::Detached { commit },
            (branch, None) => Head::Unborn { branch: branch.unwrap_or_default() },
        };
        Ok(Glance { head, tags })
    }

    /// Returns the branch that HEAD is on, if it is on one.
    fn branch(&self, repository: &Repository) -> Result<Option<String>, Problem> {
        let file = std::fs::read(repository.git_dir.join("HEAD")).unwrap_or_default();
        match file.trim_ascii().strip_prefix(b"ref: refs/heads/") {
            // Where refs are kept in tables, the file names no branch and only git knows.
            Some(b".invalid") => {
                let output = self.run(&["symbolic-ref", "--quiet", "--short", "HEAD"])?;
                Ok(output.ok().then(|| output.text()))
            }
            branch => Ok(branch.map(shown)),
        }
    }

    /// Returns the object id that a name stands for, or nothing.
    pub fn resolve(&self, name: &str) -> Result<Option<String>, Problem> {
        let output = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", name])?;
        Ok(output.ok().then(|| output.text()))
    }

    /// Returns how many commits HEAD has since a commit, or nothing if it does not have that commit in its history.
    pub fn count_since(&self, commit: &str) -> Result<Option<usize>, Problem> {
        let output = self.run(&["rev-list", "--left-right", "--count", &format!("{commit}...HEAD")])?;
        let text = output.text();
        let counts = text.split_once('\t').filter(|(missing, _)| output.ok() && *missing == "0");
        Ok(counts.and_then(|(_, since)| since.parse().ok()))
    }

    /// Tells whether a commit is in the history of another one.
    pub fn is_ancestor(&self, commit: &str, of: &str) -> Result<bool, Problem> {
        Ok(self.run(&["merge-base", "--is-ancestor", commit, of])?.ok())
    }

    /// Tells whether git is configured with an ssh command of the user's own.
    pub fn has_ssh_command(&self) -> bool {
        self.run(&["config", "--get", "core.sshCommand"]).is_ok_and(|output| output.ok())
    }

    /// Returns a setting of git, if it is set.
    pub fn setting(&self, key: &str) -> Option<String> {
        let output = self.run(&["config", "--get", key]).ok()?;
        output.ok().then(|| output.text())
    }

    /// Returns who makes commits here, if git knows.
    pub fn committer(&self) -> Option<String> {
        let text =
            self.run(&["var", "GIT_COMMITTER_IDENT"]).ok().filter(shipway_core::action::Output::ok)?.text();
        text.rsplit_once('>').map(|(person, _)| shown(format!("{person}>").as_bytes()))
    }

    /// Returns the bytes of some files of a commit, in one process; nothing for a file that the commit does not have.
    pub fn files(&self, commit: &str, paths: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Problem> {
        let asked: String = paths.iter().flat_map(|path| [commit, ":", path, "\n"]).collect();
        let output = self.expect(&self.command(&["cat-file", "--batch"]).stdin(asked))?;
        let mut rest = output.as_slice();
        Ok(paths.iter().map(|_| super::tree::next(&mut rest)).collect())
    }

    /// Returns the branch that is taken for the protected one: the default branch of the remote or its usual names, as
    /// they were fetched last, else the branch that HEAD follows, else HEAD. One that is there is taken even if it has
    /// none of what is looked for: another branch must not be able to stand in for it.
    pub fn base(&self) -> Result<String, Problem> {
        let output = self.run(&["for-each-ref", "--format=%(refname)", "refs/remotes"])?;
        let (text, head) = (output.text(), self.run(&["rev-parse", "--symbolic-full-name", "@{upstream}"])?);
        let upstream = head.ok().then(|| head.text());
        // In `topic/main` the whole of it is the name of a branch, which anybody may push.
        let parts = |name: &str| {
            let (remote, branch) = name.strip_prefix("refs/remotes/")?.split_once('/')?;
            Some((remote.to_owned(), branch.to_owned()))
        };
        let ours = upstream.as_deref().and_then(parts).map(|(remote, _)| remote);
        let is = |name: &str, wanted: &str| {
            parts(name).is_some_and(|(remote, branch)| {
                branch == wanted && ours.as_ref().is_none_or(|ours| *ours == remote)
            })
        };
        let usual = |wanted: &&str| text.lines().find(|name| is(name, wanted)).map(str::to_owned);
        let found = ["HEAD", "main", "master"].iter().find_map(usual);
        if let Some(found) = found.or(upstream) {
            return Ok(found);
        }
        // A checkout of a bare repository has what is deployed as its HEAD, which must not say whose word counts.
        let bare = self.run(&["config", "--type=bool", "--get", "core.bare"])?.text() == "true";
        Ok(if bare { "main-worktree/HEAD".into() } else { "HEAD".into() })
    }

    /// Returns the key that git signs with, as it is configured, if that is one of ssh.
    pub fn ssh_signing_key(&self) -> Option<String> {
        let names = r"^(gpg\.format|user\.signingkey)$";
        let output = self.run(&["config", "-z", "--get-regexp", names]).ok()?;
        let (mut ssh, mut key) = (false, None);
        // The last value of a name is the one in force.
        for entry in output.text().split('\0') {
            match entry.split_once('\n') {
                Some(("gpg.format", format)) => ssh = format == "ssh",
                Some(("user.signingkey", value)) => key = Some(value.to_owned()),
                Some(_) | None => {}
            }
        }
        key.filter(|_| ssh)
    }

    /// Returns who made the commits of a range such as `v1.3.2..HEAD`, each once, as `Name <address>`.
    pub fn authors(&self, range: &str) -> Result<Vec<String>, Problem> {
        let options = ["-z", "--no-show-signature", "--no-color", "--format=%an <%ae>", "--end-of-options"];
        let output = self.expect(&self.command(&["log"]).args(options).args([range, "--"]))?;
        let mut authors: Vec<String> =
            output.split(|byte| *byte == 0).filter(|line| !line.is_empty()).map(shown).collect();
        authors.sort();
        authors.dedup();
        Ok(authors)
    }

    /// Returns the address of a remote as it is configured, if it is.
    pub fn address(&self, remote: &str) -> Option<String> {
        let output = self.run(&["config", "--get", &format!("remote.{remote}.url")]).ok()?;
        output.ok().then(|| output.text().trim().to_owned()).filter(|address| !address.is_empty())
    }

    /// Returns the releases that a commit on any branch here, or of a remote as it was last seen, withdraws: each as its
    /// tag and its commit.
    pub fn withdrawn(&self) -> Result<BTreeSet<(String, String)>, Problem> {
        let options = ["-z", "--no-show-signature", "--no-color", "--format=%B", "--fixed-strings"];
        let grep = format!("--grep={}", version::WITHDRAWS);
        let log = self.command(&["log"]).args(options).args([&grep, "--branches", "--remotes", "--"]);
        let output = self.expect(&log)?;
        let messages = String::from_utf8_lossy(&output);
        let found = messages.split('\0').flat_map(version::withdrawn);
        Ok(found.map(|(tag, commit)| (tag.to_owned(), commit.to_owned())).collect())
    }

    /// Returns what git calls a commit: its tag, or how far it is from one.
    pub fn describe(&self, commit: &str) -> Result<String, Problem> {
        self.expect(&self.command(&["describe", "--tags", "--always", commit]))
            .map(|output| String::from_utf8_lossy(&output).trim().to_owned())
    }

    /// Returns the whole history of HEAD as `git log` gives it: id, parents, commit time and message of each commit.
    pub fn history(&self) -> Result<Vec<u8>, Problem> {
        let options =
            ["-z", "--encoding=UTF-8", "--no-show-signature", "--no-color", "--format=%H %ct %P%n%B", "HEAD"];
        self.expect(&self.command(&["log"]).args(options))
    }
}
