//! Trying to break a guard: each way past it is tried on a copy, and what came of it is told.
//!
//! The repository itself is only looked at: its refs before and after must be the same.

pub mod judge;
pub mod local;
pub mod outside;
pub mod scratch;
pub mod tries;

use std::path::Path;

use shipway_core::policy::Policy;
use shipway_core::problem::{Code, Problem};

use self::judge::{Answer, Refs, judge, moved};
use self::scratch::Scratch;
use self::tries::{Attempt, Scene, Stops, TRIES, Try, past};
use super::Guard;
use super::transaction::{is_immutable_tag, is_protected};
use crate::hooks::staged::InHook;
use crate::policy::Base;

/// What looks like a secret and is none. It is put together when it is used, so that no file here looks like one.
const KEY: [&str; 3] =
    ["-----BEGIN OPENSSH ", "PRIVATE KEY", "-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ==\n"];

/// One try and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// What was tried.
    pub what: String,
    /// What is in the way.
    pub stops: Stops,
    /// What came of it.
    pub answer: Answer,
}

/// All tries on one repository.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Each try.
    pub tried: Vec<Tried>,
    /// How many refs the repository itself has.
    pub refs: usize,
    /// Which of them have moved meanwhile; none of the tries was on them.
    pub moved: Vec<String>,
}

/// Tries all ways past the guard of a bare repository, which `git` is in, on a copy below `place`.
pub fn prove(git: &InHook<'_>, repository: &Path, place: &Path) -> Result<Proof, Problem> {
    let before = scratch::refs(git)?;
    let scratch = Scratch::open(git, repository, place)?;
    let (policy, target, name) = rules(git, repository, &before);
    let scene = scene(&scratch, (&policy, target, name), &before)?;
    control(&scene)?;
    let writable = super::is_writable(repository);
    let tried: Result<Vec<Tried>, Problem> = TRIES.iter().map(|one| attempt(&scene, one, writable)).collect();
    let (tried, after) = (tried?, scratch::refs(git)?);
    Ok(Proof { tried, refs: after.len() - 1, moved: moved(&before, &after) })
}

/// Returns the policy that the guard goes by, the branch that it is read from, and the name of the repository. Where there
/// is no guard, what the default branch says is what somebody wants of one.
fn rules(git: &InHook<'_>, repository: &Path, refs: &Refs) -> (Policy, String, String) {
    let guard = Guard::open(repository).ok();
    let head = refs.get("HEAD").and_then(|head| head.strip_prefix("ref: ")).unwrap_or("refs/heads/main");
    let target = guard.as_ref().map_or_else(|| head.to_owned(), |guard| guard.settings.policy.clone());
    let base = match &guard {
        Some(guard) => guard.base(git),
        None => Base::at(git, &target, None),
    };
    // A guard that cannot read its policy refuses everything; this is only for choosing what is tried.
    let name = guard.map(|guard| guard.settings.name).unwrap_or_default();
    (base.map(|base| base.policy).unwrap_or_default(), target, name)
}

fn scene<'a>(
    scratch: &'a Scratch<'a>,
    (policy, target, name): (&Policy, String, String),
    refs: &Refs,
) -> Result<Scene<'a>, Problem> {
    let tip = refs.get(&target).filter(|id| !id.starts_with("ref:")).cloned();
    let (second, tag) = targets(scratch, (policy, &target), (refs, tip.as_deref()));
    let empty = scratch.expect(&scratch.client(&["mktree"]).stdin(""))?.text();
    let tree = tip.as_ref().map_or_else(|| empty.clone(), |tip| format!("{tip}^{{tree}}"));
    let commit = |tree: &str, message: &str, parent: Option<&String>| {
        let mut args = vec!["commit-tree", "--no-gpg-sign", "-m", message, tree];
        args.extend(parent.iter().flat_map(|parent| ["-p", parent.as_str()]));
        scratch.expect(&scratch.client(&args)).map(|output| output.text())
    };
    // One that protects nothing.
    let lax = with(scratch, &tree, (shipway_core::policy::PATH, "schema = 1\n"))?;
    let leak = if policy.files.secrets {
        let tree = with(scratch, &tree, ("notes-of-doctor.txt", &KEY.concat()))?;
        Some(commit(&tree, "feat: a key, a try of shipway doctor", tip.as_ref())?)
    } else {
        None
    };
    Ok(Scene {
        next: commit(&tree, "feat: a try of shipway doctor", tip.as_ref())?,
        other: commit(&tree, "feat: another history, a try of shipway doctor", None)?,
        lax: commit(&lax, "feat: a policy for everybody, a try of shipway doctor", tip.as_ref())?,
        leak,
        names: (name, policy.digest().to_string()),
        scratch,
        target,
        tip,
        second,
        tag,
    })
}

/// Returns another protected branch, and a tag that is there for good. Where the policy has such names and the repository
/// has none, the copies get one.
fn targets(
    scratch: &Scratch<'_>,
    (policy, target): (&Policy, &str),
    (refs, tip): (&Refs, Option<&str>),
) -> (Option<String>, Option<String>) {
    let branch = |name: &str| name != target && is_protected(policy, name.as_bytes());
    let tag = |name: &str| is_immutable_tag(policy, name.as_bytes());
    // Without rules for tags, any tag shows what is kept and what is not.
    let any_tag = |name: &str| tag(name) || (policy.tags.is_empty() && name.starts_with("refs/tags/"));
    let there = |fits: &dyn Fn(&str) -> bool| refs.keys().find(|name| fits(name)).cloned();
    let mut extra = vec![];
    let mut made = |names: &[&str], fits: &dyn Fn(&str) -> bool| {
        let name = (*names.iter().find(|name| fits(name))?).to_owned();
        extra.push((name.clone(), tip?.to_owned()));
        Some(name)
    };
    let branches = ["refs/heads/develop", "refs/heads/release/doctor", "refs/heads/hotfix/doctor"];
    let second = there(&branch).or_else(|| made(&branches, &branch));
    let tag = there(&any_tag).or_else(|| made(&["refs/tags/v0.0.0-doctor", "refs/tags/0.0.0-doctor"], &tag));
    let _ = scratch.extra.set(extra);
    (second, tag)
}

/// Makes a tree with one more file, or another one in its place.
fn with(scratch: &Scratch<'_>, tree: &str, (path, text): (&str, &str)) -> Result<String, Problem> {
    let index = scratch.client.join("doctor-index");
    let with = |args: &[&str]| scratch.client(args).env("GIT_INDEX_FILE", &index);
    let blob = scratch.client(&["hash-object", "-w", "--stdin"]).stdin(text);
    let blob = scratch.expect(&blob)?.text();
    scratch.expect(&with(&["read-tree", tree]))?;
    let entry = format!("100644,{blob},{path}");
    scratch.expect(&with(&["update-index", "--add", "--replace", "--cacheinfo", &entry]))?;
    scratch.expect(&with(&["write-tree"])).map(|output| output.text())
}

/// Shows that the copy takes a push at all when no hook is asked: else a refusal would mean nothing.
fn control(scene: &Scene<'_>) -> Result<(), Problem> {
    let before = scene.scratch.refs()?;
    let output = scene.scratch.run(&past(scene.scratch, &format!("{}:{}", scene.next, scene.target)))?;
    if moved(&before, &scene.scratch.refs()?).is_empty() {
        let problem = Problem::new(Code::GitFailed, "the copy takes no push even without hooks");
        return Err(problem.details(output.error_text().lines().take(20)));
    }
    scene.scratch.renew()
}

fn attempt(scene: &Scene<'_>, one: &Try, writable: bool) -> Result<Tried, Problem> {
    let short = scene.target.strip_prefix("refs/heads/").unwrap_or(&scene.target);
    let tried = |answer| Tried { what: one.what.replace("{}", short), stops: one.stops, answer };
    if one.stops == Stops::Account && !writable {
        return Ok(tried(Answer::NotTried("this account may not write in the repository".into())));
    }
    let before = scene.scratch.refs()?;
    let output = match (one.attempt)(scene)? {
        Attempt::Done(output) => output,
        Attempt::Not(why) => return Ok(tried(Answer::NotTried(why.into()))),
    };
    let said = format!("{}\n{}", output.error_text(), output.text());
    let answer = judge(&before, &scene.scratch.refs()?, output.ok(), &said);
    if matches!(answer, Answer::WalkedPast(_)) {
        scene.scratch.renew()?;
    }
    Ok(tried(answer))
}

impl Tried {
    /// Returns what is wrong, if it is not as it should be. `repository` is what a command would name.
    pub fn problem(&self, repository: &str) -> Option<Problem> {
        let Answer::WalkedPast(moved) = &self.answer else { return None };
        let problem = Problem::new(Code::WayPast, format!("{} is not refused", self.what));
        let problem = problem.found(moved.join("; ")).wanted("a refusal");
        Some(match self.stops {
            Stops::Guard => problem
                .hint(format!("shipway guard audit {repository}"))
                .hint(format!("shipway guard install --server {repository}")),
            Stops::Account => problem
                .hint(format!("give it an account of its own: chown -R ACCOUNT {repository}"))
                .hint("and bind each key: shipway guard shell --print-key NAME KEY.pub --root DIR"),
            Stops::Hooks => problem.hint("shipway guard install"),
        })
    }
}
