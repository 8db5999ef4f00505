//! What the policy says of a message, of files and of names, by the one evaluator.
//!
//! The policy is that of the work tree: what is told here is advice, and the guard reads its own. Rules that depend on
//! who asks are left to the guard, which knows that; here it would be a guess.

use std::io;
use std::path::Path;

use shipway_core::local::Skip;
use shipway_core::policy::{self, Commit, Facts, Identity, Policy, Rule, Update, UpdateKind, evaluate};
use shipway_core::problem::{Code, Problem};
use shipway_core::version;

use super::Call;

/// Rules about a message.
const MESSAGE: &[Rule] = &[Rule::Message, Rule::CommitShape];
/// Rules about files.
const FILES: &[Rule] = &[Rule::FileSize, Rule::FilePath, Rule::Secret, Rule::PathRestricted];
/// An object id that stands for some commit, where only content is judged.
const SOME: [&str; 2] = ["1", "2"];

/// Returns the policy of a work tree, if it has one.
pub(super) fn policy(top: &Path) -> Result<Option<Policy>, Vec<Problem>> {
    match std::fs::read_to_string(top.join(policy::PATH)) {
        Ok(text) => policy::read(&text, policy::PATH).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(vec![Problem::new(Code::Io, format!("{} cannot be read: {error}", policy::PATH))]),
    }
}

/// Returns what is wrong with a message, apart from what is skipped. Without a policy it follows Conventional Commits.
pub(super) fn message(
    call: &Call<'_>,
    text: &str,
    (merge, skips): (bool, &[Skip]),
) -> Result<Vec<Problem>, Vec<Problem>> {
    if is_of_run(text.as_bytes()) {
        return Ok(vec![]);
    }
    let Some(policy) = policy(&call.top)? else {
        let skipped = skips.iter().any(|skip| skip.rule == Rule::Message.as_str());
        return Ok(if skipped { vec![] } else { version::lint(text) });
    };
    let commit = Commit {
        message: version::without_comments(text).trim_start().as_bytes().to_vec(),
        parents: vec![SOME[0].to_owned(); if merge { 2 } else { 1 }],
        ..Commit::default()
    };
    Ok(content(&policy, call.branch().as_deref(), (commit, MESSAGE), skips))
}

/// Tells whether a run has written a message: then nobody here is asked to word it better.
pub(super) fn is_of_run(message: &[u8]) -> bool {
    message.split(|byte| *byte == b'\n').any(|line| line.starts_with(version::RUN_TRAILER.as_bytes()))
}

/// Returns further types of messages that the policy accepts.
pub(super) fn types(top: &Path) -> Result<Vec<String>, Vec<Problem>> {
    Ok(policy(top)?.map(|policy| policy.commits.types).unwrap_or_default())
}

/// Returns what is wrong with the files that a tree adds or changes against another commit.
pub(super) fn files(
    call: &Call<'_>,
    (from, tree): (Option<&str>, &str),
    skips: &[Skip],
) -> Result<Vec<Problem>, Vec<Problem>> {
    let one = |problem| vec![problem];
    let Some(policy) = policy(&call.top)? else { return Ok(vec![]) };
    let git = call.git();
    let mut files = git.changes(from, tree).map_err(one)?;
    git.sizes(&mut files).map_err(one)?;
    if policy.files.secrets {
        git.search(&mut files).map_err(one)?;
    }
    // A merge brings what has been judged where it was made; what is judged is what it brings here.
    let commit = Commit { parents: vec![SOME[0].to_owned()], files, ..Commit::default() };
    Ok(content(&policy, call.branch().as_deref(), (commit, FILES), skips))
}

/// Judges one commit by some rules, as if it were proposed for its branch.
fn content(
    policy: &Policy,
    branch: Option<&str>,
    (commit, rules): (Commit, &[Rule]),
    skips: &[Skip],
) -> Vec<Problem> {
    let update = Update {
        name: format!("refs/for/{}", branch.unwrap_or("HEAD")).into_bytes(),
        old: SOME[0].to_owned(),
        current: SOME[0].to_owned(),
        new: SOME[1].to_owned(),
        kind: UpdateKind::Forward,
        commits: vec![commit],
        ..Update::default()
    };
    judged(policy, vec![update], rules, skips)
}

/// Returns what some rules refuse, apart from what is skipped.
pub(super) fn judged(policy: &Policy, updates: Vec<Update>, rules: &[Rule], skips: &[Skip]) -> Vec<Problem> {
    let by = Some(Identity { login: "local".into(), how: "local".into() });
    let facts = Facts { by, updates, ..Facts::default() };
    let verdicts = evaluate(policy, &facts).into_iter();
    let counts = |rule: Rule| rules.contains(&rule) && !skips.iter().any(|skip| skip.rule == rule.as_str());
    verdicts
        .filter(|verdict| counts(verdict.rule))
        .map(|mut verdict| {
            let skip = format!("SHIPWAY_SKIP='{}: why' git …", verdict.rule.as_str());
            // The place is this work tree, whatever name it was judged under.
            if verdict.commit.as_ref().is_none_or(String::is_empty) && rules != PUSH {
                verdict.reference = None;
                verdict.commit = None;
            }
            let mut problem = verdict.problem();
            problem.hints.push(format!("once, with a reason: {skip}"));
            problem
        })
        .collect()
}

/// Rules that can be told before a push, without knowing who pushes.
pub(super) const PUSH: &[Rule] = &[
    Rule::PushRestricted,
    Rule::Delete,
    Rule::NonFastForward,
    Rule::TagImmutable,
    Rule::RefNamespace,
    Rule::ReservedName,
    Rule::NameDash,
    Rule::NameInvalid,
    Rule::NamePattern,
    Rule::CaseAlias,
    Rule::Confusable,
    Rule::TagLikeBranch,
    Rule::Message,
    Rule::CommitShape,
    Rule::Linear,
    Rule::FilePath,
    Rule::FileSize,
    Rule::Secret,
];
