//! Glances: single questions that need no full look.

use std::collections::BTreeMap;

use shipway_core::facts::{Head, TagAt};
use shipway_core::problem::Problem;

use super::ask::Git;
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
    /// Returns HEAD and the tags.
    pub fn glance(&self) -> Result<Glance, Problem> {
        let format = "--format=%(HEAD)%00%(refname)%00%(objectname)%00%(*objectname)";
        let output = self.ask(&["for-each-ref", format, "refs/tags", "refs/heads"])?;
        let (mut head, mut tags) = (None, BTreeMap::new());
        for line in output.split(|byte| *byte == b'\n') {
            let fields: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            let [mark, name, object, peeled] = fields[..] else { continue };
            let commit = shown(if peeled.is_empty() { object } else { peeled });
            if let Some(tag) = name.strip_prefix(b"refs/tags/") {
                tags.insert(shown(tag), TagAt { object: shown(object), commit });
            } else if let (b"*", Some(branch)) = (mark, name.strip_prefix(b"refs/heads/")) {
                head = Some(Head::Branch { branch: shown(branch), commit });
            }
        }
        let head = match head {
            Some(head) => head,
            None => self.head_without_branch()?,
        };
        Ok(Glance { head, tags })
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

    /// Returns who makes commits here, if git knows.
    pub fn committer(&self) -> Option<String> {
        let text =
            self.run(&["var", "GIT_COMMITTER_IDENT"]).ok().filter(shipway_core::action::Output::ok)?.text();
        text.rsplit_once('>').map(|(person, _)| shown(format!("{person}>").as_bytes()))
    }

    /// Returns the whole history of HEAD as `git log` gives it: id, parents, commit time and message of each commit.
    pub fn history(&self) -> Result<Vec<u8>, Problem> {
        let options =
            ["-z", "--encoding=UTF-8", "--no-show-signature", "--no-color", "--format=%H %ct %P%n%B", "HEAD"];
        self.expect(&self.command(&["log"]).args(options))
    }

    fn head_without_branch(&self) -> Result<Head, Problem> {
        if let Some(commit) = self.resolve("HEAD^{commit}")? {
            return Ok(Head::Detached { commit });
        }
        let branch = self.run(&["symbolic-ref", "--quiet", "--short", "HEAD"])?.text();
        Ok(Head::Unborn { branch })
    }
}
