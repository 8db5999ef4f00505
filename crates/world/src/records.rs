//! Logs of records in a repository: a chain of commits under one ref, one record each. Such a log is fetched and backed up
//! with the repository, and whoever appends must be ahead of nobody.

use std::collections::BTreeMap;

use shipway_core::action::Ended;
use shipway_core::change::{FILE, Record};
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;

use crate::hooks::staged::InHook;

/// How many bytes a record may have.
pub const LARGEST: usize = 256 * 1024;
/// Who the commits of a log are by: what they say stands in the record.
const NAME: &str = "shipway";
const EMAIL: &str = "shipway@localhost";

/// A record and the commit that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The object id of the commit.
    pub id: String,
    /// What it says.
    pub record: Record,
}

/// Returns the records of a log, the oldest first; none for a log that is not there. At most the newest `most` are read.
pub fn read(git: &InHook<'_>, log: &str, most: Option<usize>) -> Result<Vec<Kept>, Problem> {
    let Some(tip) = tip(git, log)? else { return Ok(vec![]) };
    let mut cmd = git.git().args(["rev-list", "--first-parent"]);
    if let Some(most) = most {
        cmd = cmd.arg(format!("--max-count={most}"));
    }
    let output = git.expect(&cmd.args(["--end-of-options", &tip]))?;
    let text = output.text();
    let mut ids: Vec<&str> = text.lines().collect();
    ids.reverse();
    let asked: Vec<String> = ids.iter().map(|id| format!("{id}:{FILE}")).collect();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let contents = git.contents(&asked)?;
    let kept = ids.iter().zip(contents).map(|(id, content)| {
        let record =
            serde_json::from_slice(&content).map_err(|error| unreadable(log, id, &error.to_string()))?;
        Ok(Kept { id: (*id).to_owned(), record })
    });
    kept.collect()
}

/// Returns the records of all logs whose names match a pattern of `git for-each-ref`, through a fixed number of processes.
pub fn read_all(git: &InHook<'_>, pattern: &str) -> Result<BTreeMap<String, Vec<Kept>>, Problem> {
    // Where the tips come in the order of their time, git needs not look for the place of each among all others.
    let args = ["for-each-ref", "--sort=committerdate", "--format=%(objectname) %(refname)", pattern];
    let refs = git.expect(&git.git().args(args))?.text();
    let tips: Vec<(&str, &str)> = refs.lines().filter_map(|line| line.split_once(' ')).collect();
    if tips.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ask: String = tips.iter().fold(String::new(), |all, (id, _)| all + id + "\n");
    let listed = git.expect(&git.git().args(["rev-list", "--parents", "--stdin"]).stdin(ask))?.text();
    let mut parents: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for line in listed.lines() {
        let mut ids = line.split(' ');
        parents.extend(ids.next().map(|id| (id, ids.next())));
    }
    let ids: Vec<&str> = parents.keys().copied().collect();
    let asked: Vec<String> = ids.iter().map(|id| format!("{id}:{FILE}")).collect();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let contents: BTreeMap<&str, Vec<u8>> = ids.iter().copied().zip(git.contents(&asked)?).collect();
    let mut logs = BTreeMap::new();
    for (tip, name) in tips {
        let (mut log, mut at) = (vec![], Some(tip));
        while let Some(id) = at {
            let content = contents.get(id).map_or(&[][..], Vec::as_slice);
            let record =
                serde_json::from_slice(content).map_err(|error| unreadable(name, id, &error.to_string()))?;
            log.push(Kept { id: id.to_owned(), record });
            at = parents.get(id).copied().flatten();
        }
        log.reverse();
        logs.insert(name.to_owned(), log);
    }
    Ok(logs)
}

/// Returns the record in a commit, which somebody else may have made.
pub fn record(git: &InHook<'_>, commit: &str) -> Result<Record, Problem> {
    let name = format!("{commit}:{FILE}");
    // A small pack can hold a huge file.
    let cmd = git.git().args(["cat-file", "--batch-check=%(objecttype) %(objectsize)"]).stdin(name.clone());
    let answer = git.expect(&cmd)?.text();
    let size = answer.strip_prefix("blob ").and_then(|size| size.parse::<usize>().ok());
    if size.is_none_or(|size| size > LARGEST) {
        let why = format!("it has no file {FILE} of up to {LARGEST} bytes");
        return Err(unreadable("what was pushed", commit, &why));
    }
    let content = git.contents(&[&name])?.pop().unwrap_or_default();
    serde_json::from_slice(&content)
        .map_err(|error| unreadable("what was pushed", commit, &error.to_string()))
}

/// Returns the newest commit of a log.
pub fn tip(git: &InHook<'_>, log: &str) -> Result<Option<String>, Problem> {
    let cmd = git.git().args(["rev-parse", "--verify", "--quiet", "--end-of-options", log]);
    let output = git.run(&cmd)?;
    match output.ended {
        Ended::Exit(0) => Ok(Some(output.text())),
        Ended::Exit(_) => Ok(None),
        // One that was cut off has not said that there is none.
        Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => {
            git.expect(&cmd).map(|output| Some(output.text()))
        }
    }
}

/// Makes the commit of a record without moving any ref, and returns its object id. Further parents make objects travel
/// along with it.
pub fn make(git: &InHook<'_>, record: &Record, parents: &[&str]) -> Result<String, Problem> {
    let text = serde_json::to_string(record)
        .map_err(|error| Problem::new(Code::Io, format!("the record has no JSON form: {error}")))?;
    let blob = git.expect(&git.git().args(["hash-object", "-w", "--stdin"]).stdin(text))?.text();
    let tree = git.expect(&git.git().arg("mktree").stdin(format!("100644 blob {blob}\t{FILE}\n")))?.text();
    commit(git, (&tree, "record"), parents, record.at)
}

/// Makes a commit of the guard's, with equal bytes for equal arguments.
pub(crate) fn commit(
    git: &InHook<'_>,
    (tree, message): (&str, &str),
    parents: &[&str],
    at: Time,
) -> Result<String, Problem> {
    let mut cmd = git.git().args(["commit-tree", "--no-gpg-sign", "-m", message, tree]);
    for parent in parents {
        cmd = cmd.args(["-p", parent]);
    }
    let date = format!("@{} +0000", at.seconds());
    for (name, value) in [("NAME", NAME), ("EMAIL", EMAIL), ("DATE", &date)] {
        cmd = cmd.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    git.expect(&cmd).map(|output| output.text())
}

/// Appends a record to a log by compare-and-swap, and tries again when somebody else was first.
pub fn append(git: &InHook<'_>, log: &str, record: &Record) -> Result<String, Problem> {
    let mut failed = Problem::new(Code::GitFailed, format!("{log} could not be appended to"));
    for _ in 0..20 {
        let tip = tip(git, log)?;
        let commit = make(git, record, &tip.iter().map(String::as_str).collect::<Vec<_>>())?;
        // Forty zeros stand for a ref that must not be there.
        let old = tip.unwrap_or_else(|| "0".repeat(commit.len()));
        let swap = git.run(&git.git().args(["update-ref", "-m", "record", log, &commit, &old]))?;
        if swap.ok() {
            return Ok(commit);
        }
        failed = failed.details(swap.error_text().lines().take(5));
    }
    Err(failed)
}

fn unreadable(log: &str, id: &str, why: &str) -> Problem {
    let id = id.get(..12).unwrap_or(id);
    Problem::new(Code::RecordUnreadable, format!("a record of {log} cannot be read: {why}"))
        .at(format!("commit {id}"))
        .hint(format!("git cat-file -p {id}:{FILE}"))
}
