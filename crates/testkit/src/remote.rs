//! A real bare repository to push to, which can be slow, refuse, and be pushed to by others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::hermetic;
use crate::repo::Repo;
use crate::state::Snapshot;

/// The directory in the bare repository that holds how it behaves.
const MANNERS: &str = "manners";
/// The record of what was pushed, in the same directory.
const LOG: &str = "log";

/// Runs before anything is taken: writes down what is asked for, and behaves as it is told. Manners are read at every
/// push, so that a test can change them at any time.
const PRE_RECEIVE: &str = r#"asked=$(cat)
say() { printf '%s\n' "$asked" | while read -r old new ref; do echo "$1 $ref $old $new" >>manners/log; done; }
say asked
test ! -e manners/seconds || sleep "$(cat manners/seconds)"
if test -e manners/refusal; then cat manners/refusal >&2; say refused; exit 1; fi
if test -e manners/refuse-tags && printf '%s\n' "$asked" | grep -q ' refs/tags/'; then
  echo 'tags are protected here' >&2; say refused; exit 1
fi
test ! -e manners/pre-receive || printf '%s\n' "$asked" | manners/pre-receive || { say refused; exit 1; }"#;

/// Runs after all was taken.
const POST_RECEIVE: &str = r#"taken=$(cat)
printf '%s\n' "$taken" | while read -r old new ref; do echo "took $ref $old $new" >>manners/log; done
test ! -e manners/post-receive || printf '%s\n' "$taken" | manners/post-receive"#;

/// The repository that a [`Repo`] knows as `origin`.
#[derive(Debug)]
pub struct Remote {
    path: PathBuf,
    branch: String,
    dir: TempDir,
}

impl Remote {
    /// Adds a remote that has nothing yet.
    #[track_caller]
    pub fn empty(repo: &Repo) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let path = dir.path().canonicalize().expect("the directory was just made").join("origin.git");
        fs::create_dir(&path).expect("a directory can be made in the test's own directory");
        let branch = repo.branch();
        let remote = Self { path, branch, dir };
        let branch = format!("--initial-branch={}", remote.branch);
        remote.git(&["init", "--quiet", "--bare", "--template=", &branch]);
        fs::create_dir(remote.path.join(MANNERS)).expect("the remote was just made");
        hermetic::write_program(&remote.path.join("hooks/pre-receive"), PRE_RECEIVE);
        hermetic::write_program(&remote.path.join("hooks/post-receive"), POST_RECEIVE);
        repo.git(["remote", "add", "origin", &remote.url()]);
        remote
    }

    /// Adds a remote that has the current branch, which follows it, and all tags.
    #[track_caller]
    pub fn of(repo: &Repo) -> Self {
        let remote = Self::empty(repo);
        let branch = remote.branch.clone();
        let push = ["push", "--quiet", "--no-verify", "--no-signed"];
        repo.git(push.iter().copied().chain(["--set-upstream", "origin", &branch]));
        repo.git(push.iter().copied().chain(["--tags", "origin"]));
        let _ = fs::remove_file(remote.manners(LOG));
        remote
    }

    /// Returns the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the address.
    pub fn url(&self) -> String {
        self.path.to_str().expect("temporary directories have names in UTF-8").to_owned()
    }

    /// Sets a hook. `pre-receive` and `post-receive` run behind the hooks that behave and write down.
    pub fn hook(&self, name: &str, script: &str) -> &Self {
        let dir = if matches!(name, "pre-receive" | "post-receive") { MANNERS } else { "hooks" };
        hermetic::write_program(&self.path.join(dir).join(name), script);
        self
    }

    /// Takes this long over every push before it is answered.
    pub fn slow(&self, seconds: f64) -> &Self {
        self.behave("seconds", &seconds.to_string())
    }

    /// Refuses every push with this text.
    pub fn refuse(&self, text: &str) -> &Self {
        self.behave("refusal", &format!("{text}\n"))
    }

    /// Refuses every push that has a tag in it.
    pub fn refuse_tags(&self) -> &Self {
        self.behave("refuse-tags", "")
    }

    /// Takes every push again, at once.
    pub fn accept(&self) -> &Self {
        for name in ["seconds", "refusal", "refuse-tags", "pre-receive"] {
            let _ = fs::remove_file(self.manners(name));
        }
        self
    }

    /// Returns the names of all tags, sorted.
    pub fn tags(&self) -> Vec<String> {
        let names = self.git(&["for-each-ref", "--format=%(refname:strip=2)", "refs/tags"]);
        names.lines().map(str::to_owned).collect()
    }

    /// Returns the object id of the commit at the tip of a branch, if there is one.
    pub fn tip(&self, branch: &str) -> Option<String> {
        self.object(&format!("refs/heads/{branch}"))
    }

    /// Returns the object id that a tag names: that of the tag object, or of the commit for a lightweight tag.
    pub fn tag_object(&self, name: &str) -> Option<String> {
        self.object(&format!("refs/tags/{name}"))
    }

    /// Returns all refs and the HEAD.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of_bare(&self.path)
    }

    /// Returns one line for each ref of each push: `asked`, then `took` or `refused`, the ref, its old and its new
    /// object id. What came with [`Remote::of`], [`Remote::advance`] and [`Remote::tag`] is not in it.
    pub fn logs(&self) -> Vec<String> {
        let log = fs::read_to_string(self.manners(LOG)).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// Lets somebody else commit on the branch and push, past all manners, and returns the object id.
    pub fn advance(&self) -> String {
        let other = self.other();
        fs::write(other.path().join("other.txt"), self.tip(&self.branch).unwrap_or_default())
            .expect("a file can be written in the test's own directory");
        self.other_git(other.path(), &["add", "--all"]);
        self.other_git(other.path(), &["commit", "--quiet", "--message=fix: what somebody else found"]);
        self.other_git(other.path(), &["push", "--quiet", PAST_MANNERS, "origin", "HEAD"]);
        self.tip(&self.branch).expect("the branch was just pushed")
    }

    /// Lets somebody else push an annotated tag at the tip of the branch, past all manners, and returns its object id.
    pub fn tag(&self, name: &str) -> String {
        let other = self.other();
        self.other_git(other.path(), &["tag", "--annotate", "--message=by somebody else", name]);
        self.other_git(
            other.path(),
            &["push", "--quiet", PAST_MANNERS, "origin", &format!("refs/tags/{name}")],
        );
        self.tag_object(name).expect("the tag was just pushed")
    }

    fn behave(&self, name: &str, value: &str) -> &Self {
        fs::write(self.manners(name), value).expect("a file can be written in the test's own directory");
        self
    }

    fn manners(&self, name: &str) -> PathBuf {
        self.path.join(MANNERS).join(name)
    }

    fn object(&self, name: &str) -> Option<String> {
        let mut command = hermetic::command("git", &self.path);
        command.args(["rev-parse", "--verify", "--quiet", name]);
        let output = hermetic::run(&mut command, b"");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// Returns a fresh second clone.
    fn other(&self) -> TempDir {
        let dir = tempfile::tempdir_in(self.dir.path()).expect("a temporary directory can be made");
        self.other_git(dir.path(), &["clone", "--quiet", &self.url(), "."]);
        dir
    }

    fn other_git(&self, dir: &Path, args: &[&str]) {
        let mut command = hermetic::command("git", dir);
        let seconds = crate::repo::EPOCH + 60 * self.commit_count();
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Otto Other")
                .env(format!("GIT_{role}_EMAIL"), "otto@example.org");
            command.env(format!("GIT_{role}_DATE"), format!("@{seconds} +0000"));
        }
        run(command.args(args));
    }

    /// Returns how many commits the branch has: a date that grows with it, and is the same everywhere.
    fn commit_count(&self) -> u64 {
        let Some(tip) = self.tip(&self.branch) else { return 0 };
        self.git(&["rev-list", "--count", &tip]).parse().expect("git counts in digits")
    }

    #[track_caller]
    fn git(&self, args: &[&str]) -> String {
        run(hermetic::command("git", &self.path).args(args))
    }
}

/// Lets the receiving side run no hooks.
const PAST_MANNERS: &str = "--receive-pack=git -c core.hooksPath=/dev/null receive-pack";

#[track_caller]
fn run(command: &mut Command) -> String {
    let output = hermetic::run(command, b"");
    hermetic::text(command, &output)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Repo, Remote) {
        let repo = Repo::plain("1.0.0");
        let remote = Remote::of(&repo);
        (repo, remote)
    }

    fn push(repo: &Repo, refs: &[&str]) -> Result<(), String> {
        let output = repo.try_git(["push", "--atomic", "origin"].iter().chain(refs));
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    #[test]
    fn a_remote_begins_with_the_branch_and_the_tags() {
        let (repo, remote) = pair();
        assert_eq!(remote.tip("main"), Some(repo.head()));
        assert_eq!(remote.tag_object("v1.0.0"), repo.rev("refs/tags/v1.0.0"));
        assert_eq!(remote.tags(), ["v1.0.0"]);
        assert_eq!(repo.git(["rev-parse", "--abbrev-ref", "@{upstream}"]), "origin/main");
        assert_eq!(remote.tip("other"), None);
        assert!(remote.logs().is_empty());
    }

    #[test]
    fn an_empty_remote_has_nothing() {
        let repo = Repo::plain("1.0.0");
        let remote = Remote::empty(&repo);
        assert_eq!(remote.tip("main"), None);
        assert!(remote.tags().is_empty());
        push(&repo, &["main"]).unwrap();
        assert_eq!(remote.tip("main"), Some(repo.head()));
    }

    #[test]
    fn a_refusing_remote_says_why_and_takes_nothing() {
        let (repo, remote) = pair();
        let before = remote.snapshot();
        repo.commit("fix: x");
        repo.tag("v1.0.1");
        remote.refuse("the branch is protected");
        let refusal = push(&repo, &["main", "v1.0.1"]).unwrap_err();
        assert!(refusal.contains("the branch is protected"), "{refusal}");
        before.assert_same(&remote.snapshot());
        remote.accept();
        push(&repo, &["main", "v1.0.1"]).unwrap();
        assert_eq!(remote.tags(), ["v1.0.0", "v1.0.1"]);
    }

    #[test]
    fn a_remote_may_refuse_tags_only() {
        let (repo, remote) = pair();
        repo.commit("fix: x");
        repo.tag("v1.0.1");
        remote.refuse_tags();
        assert!(push(&repo, &["main", "v1.0.1"]).unwrap_err().contains("tags are protected"));
        push(&repo, &["main"]).unwrap();
        assert_eq!((remote.tip("main"), remote.tags().len()), (Some(repo.head()), 1));
    }

    #[test]
    fn a_hook_of_the_test_runs_as_well() {
        let (repo, remote) = pair();
        repo.commit("fix: x");
        remote.hook("pre-receive", "read -r old new ref; echo \"not $ref\" >&2; exit 1");
        assert!(push(&repo, &["main"]).unwrap_err().contains("not refs/heads/main"));
        remote.accept().hook("update", "echo \"nor $1\" >&2; exit 1");
        assert!(push(&repo, &["main"]).unwrap_err().contains("nor refs/heads/main"));
    }

    #[test]
    fn what_was_pushed_is_written_down() {
        let (repo, remote) = pair();
        let old = repo.head();
        let new = repo.commit("fix: x");
        remote.refuse("no");
        push(&repo, &["main"]).unwrap_err();
        remote.accept().slow(0.01);
        push(&repo, &["main"]).unwrap();
        let line = |what: &str| format!("{what} refs/heads/main {old} {new}");
        assert_eq!(remote.logs(), ["asked", "refused", "asked", "took"].map(line));
    }

    #[test]
    fn somebody_else_pushes_whatever_the_manners() {
        let (repo, remote) = pair();
        remote.refuse("no").slow(30.0);
        let first = remote.advance();
        let second = remote.advance();
        assert!(first != second && remote.tip("main") == Some(second));
        assert_eq!(Some(remote.tag("v9.0.0")), remote.tag_object("v9.0.0"));
        assert!(remote.logs().is_empty());
        remote.accept();
        repo.commit("fix: x");
        assert!(push(&repo, &["main"]).unwrap_err().contains("fetch first"));
    }
}
