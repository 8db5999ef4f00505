//! What a commit is as a version of a change request: where it left its target, who took part, and its patch id.

use shipway_core::change::{Version, text};
use shipway_core::problem::{Code, Problem};

use crate::hooks::staged::InHook;

/// Where a version is looked at: in a repository, against the tip of its target.
pub(super) struct Look<'a> {
    pub(super) git: &'a InHook<'a>,
    pub(super) tip: Option<&'a str>,
}

impl Look<'_> {
    /// Returns the version that a commit is, numbered 1 and without a source.
    pub(super) fn version(&self, new: &str) -> Result<Version, Problem> {
        let base = match self.tip {
            None => String::new(),
            Some(tip) => {
                let found = self.git.run(&self.git.git().args(["merge-base", tip, new]))?;
                if !found.ok() {
                    let what = "it has no commit in common with its target";
                    return Err(Problem::new(Code::PolicyDenied, what));
                }
                found.text()
            }
        };
        let range = if base.is_empty() { new.to_owned() } else { format!("{base}..{new}") };
        let contributors = self.contributors(&range)?;
        let messages = self.git.expect(&self.git.git().args(["log", "--format=%B", &range]))?.text();
        let patch = if base.is_empty() { String::new() } else { self.patch_id(&base, new)? };
        let issues = text::issues(&messages);
        Ok(Version { version: 1, head: new.to_owned(), base, patch, contributors, source: None, issues })
    }

    /// Returns the addresses of all who had a part in some commits, also of those that only a trailer names: whoever is
    /// said to have helped has no eyes of a stranger any more.
    fn contributors(&self, range: &str) -> Result<Vec<String>, Problem> {
        let format = "--format=%ae%n%ce%n%(trailers:key=Co-authored-by,valueonly,unfold)";
        let cmd = self.git.git().args(["log", "--no-mailmap", format, range]);
        let text = self.git.expect(&cmd)?.text();
        let mut contributors: Vec<String> =
            text.lines().map(address).filter(|address| !address.is_empty()).collect();
        contributors.sort();
        contributors.dedup();
        Ok(contributors)
    }

    /// Returns the patch id of what a change does to where it left its target (git-patch-id(1)). White space counts.
    fn patch_id(&self, base: &str, new: &str) -> Result<String, Problem> {
        let args =
            ["diff-tree", "-p", "-r", "--binary", "--no-renames", "--full-index", "--no-ext-diff", base, new];
        let patch = self.git.expect(&self.git.git().args(args))?;
        let id = self.git.expect(&self.git.git().args(["patch-id", "--verbatim"]).stdin(patch.stdout))?;
        Ok(id.text().split(' ').next().unwrap_or_default().to_owned())
    }
}

/// Returns the address of `Name <address>`, or of an address alone, in lower case.
fn address(line: &str) -> String {
    let inner = line.rsplit_once('<').map_or(line, |(_, rest)| rest.split('>').next().unwrap_or(rest));
    inner.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_with_and_without_a_name() {
        for line in
            ["Ann <Ann@Example.org>", "ann@example.org", " <ann@example.org> ", "A < B <ann@example.org>"]
        {
            assert_eq!(address(line), "ann@example.org", "{line}");
        }
    }
}
