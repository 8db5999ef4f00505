//! A push to `refs/for/BRANCH`: a new change request, or a new version of one.

use shipway_core::change::{CHANGES, ChangeRequest, Event, Version};
use shipway_core::problem::{Code, Problem};

use super::{Desk, Report};
use crate::guard::landing;
use crate::guard::see;
use crate::records;

/// How long a title and a description may be, in bytes.
const TITLE: usize = 200;
const DESCRIPTION: usize = 64 * 1024;

/// Takes a push for a branch.
pub(super) fn open(desk: &Desk<'_>, branch: &str, new: &str) -> Result<Report, Vec<Problem>> {
    take(desk, branch, new).map_err(|problem| vec![problem])
}

fn take(desk: &Desk<'_>, branch: &str, new: &str) -> Result<Report, Problem> {
    let target = format!("refs/heads/{branch}");
    let tip = records::tip(&desk.git, &target)?;
    if tip.is_none() && target != desk.guard.settings.policy {
        return Err(denied(format!("there is no branch {branch} for it to land on")));
    }
    if let Some(tip) = &tip
        && see::is_ahead(&desk.git, new, tip)?
    {
        return Err(denied(format!("{branch} has that commit already")));
    }
    let source = source(desk, new)?;
    let version = version(desk, tip.as_deref(), new)?;
    match known(desk, branch, &source)? {
        Some(change) => add(desk, &change, version),
        None => begin(desk, branch, source, &version),
    }
}

/// Returns the branch of this repository that the commit is the tip of: the one that is named, else the only one.
fn source(desk: &Desk<'_>, new: &str) -> Result<String, Problem> {
    let at = desk.git.git().args([
        "for-each-ref",
        "--format=%(refname:lstrip=2)",
        "--points-at",
        new,
        "refs/heads",
    ]);
    let text = desk.git.expect(&at)?.text();
    let mut names = text.lines();
    if let Some(named) = desk.option("source") {
        if names.any(|name| name == named) {
            return Ok(named.to_owned());
        }
        let problem = denied(format!("{named} is not a branch here with this commit as its tip"));
        return Err(problem.hint(format!("git push origin HEAD:refs/heads/{named}")));
    }
    Ok(match (names.next(), names.next()) {
        (Some(only), None) => only.to_owned(),
        (None | Some(_), _) => String::new(),
    })
}

/// Returns the change request that gets a new version: the one that is named, else the open one of the same author from
/// the same source for the same branch.
fn known(desk: &Desk<'_>, branch: &str, source: &str) -> Result<Option<ChangeRequest>, Problem> {
    if let Some(number) = desk.option("change") {
        let number =
            number.parse().map_err(|_| denied(format!("{number} is no number of a change request")))?;
        let change = landing::read(&desk.git, number)?;
        if change.is_open() && change.target == branch {
            return Ok(Some(change));
        }
        return Err(denied(format!("change {number} is not open for {branch}")));
    }
    if source.is_empty() {
        return Ok(None);
    }
    for number in landing::numbers(&desk.git)?.into_iter().rev() {
        let change = landing::read(&desk.git, number)?;
        let same = change.author == desk.by.login && change.source == source && change.target == branch;
        if change.is_open() && same {
            return Ok(Some(change));
        }
    }
    Ok(None)
}

fn add(desk: &Desk<'_>, change: &ChangeRequest, mut version: Version) -> Result<Report, Problem> {
    let number = change.number;
    if change.newest().is_some_and(|newest| newest.head == version.head) {
        (desk.say)(&format!("change {number} has this version already"));
        return Ok(Report::taken());
    }
    version.version = change.newest().map_or(0, |newest| newest.version) + 1;
    let rebased =
        change.newest().is_some_and(|newest| newest.patch == version.patch && !version.patch.is_empty());
    let report = keep(desk, number, &version)?;
    let kept =
        if rebased { "a pure rebase: approvals stay" } else { "approvals of older versions count no more" };
    (desk.say)(&format!("change {number}, version {}: {kept}", version.version));
    next(desk, number);
    Ok(report)
}

fn begin(desk: &Desk<'_>, branch: &str, source: String, version: &Version) -> Result<Report, Problem> {
    let (title, description) = words(desk, &version.head)?;
    let event = Event::Opened { target: branch.to_owned(), source, title: title.clone(), description };
    let first = records::make(&desk.git, &desk.record(event), &[])?;
    let mut number = landing::numbers(&desk.git)?.last().copied().unwrap_or(0);
    // Others may open theirs at the same time: whoever makes the log has the number.
    for _ in 0..100 {
        number += 1;
        let args = ["update-ref", "-m", "opened", &landing::log(number), &first, &"0".repeat(first.len())];
        if desk.git.run(&desk.git.git().args(args))?.ok() {
            let report = keep(desk, number, version)?;
            (desk.say)(&format!("change {number} for {branch}: {title}"));
            next(desk, number);
            return Ok(report);
        }
    }
    Err(Problem::new(Code::GitFailed, "no number was free for the change request").hint("push again"))
}

/// Keeps a version under its own ref, and says so in the log.
fn keep(desk: &Desk<'_>, number: u64, version: &Version) -> Result<Report, Problem> {
    let name = format!("{CHANGES}/{number}/{}", version.version);
    let zeros = "0".repeat(version.head.len());
    desk.git.expect(&desk.git.git().args(["update-ref", "-m", "pushed", &name, &version.head, &zeros]))?;
    records::append(&desk.git, &landing::log(number), &desk.record(Event::Pushed(version.clone())))?;
    Ok(Report::moved(name, zeros, version.head.clone()))
}

fn next(desk: &Desk<'_>, number: u64) {
    (desk.say)(&format!("  review it: shipway change show {number}"));
    (desk.say)(&format!("  land it:   shipway change land {number}"));
}

/// Returns the title and the description: those that are given, else the message of the head.
fn words(desk: &Desk<'_>, head: &str) -> Result<(String, String), Problem> {
    let message = desk.git.expect(&desk.git.git().args(["log", "-1", "--format=%B", head]))?.text();
    let (subject, body) = message.split_once('\n').unwrap_or((&message, ""));
    let title = desk.option("title").unwrap_or(subject).trim();
    let description = desk.option("description").map(|text| text.replace("\\n", "\n"));
    let description = description.unwrap_or_else(|| body.trim().to_owned());
    if title.is_empty() || title.len() > TITLE || description.len() > DESCRIPTION {
        return Err(denied(format!("a title has 1 to {TITLE} bytes, and a description up to {DESCRIPTION}")));
    }
    Ok((title.chars().filter(|c| !c.is_control()).collect(), description))
}

/// Returns the version that a commit is, numbered 1.
fn version(desk: &Desk<'_>, tip: Option<&str>, new: &str) -> Result<Version, Problem> {
    let base = match tip {
        None => String::new(),
        Some(tip) => {
            let found = desk.git.run(&desk.git.git().args(["merge-base", tip, new]))?;
            if !found.ok() {
                return Err(denied("it has no commit in common with its target".into()));
            }
            found.text()
        }
    };
    let range = if base.is_empty() { new.to_owned() } else { format!("{base}..{new}") };
    let who =
        desk.git.expect(&desk.git.git().args(["log", "--no-mailmap", "--format=%ae%n%ce", &range]))?.text();
    let mut contributors: Vec<String> = who.lines().map(str::to_lowercase).collect();
    contributors.sort();
    contributors.dedup();
    let patch = if base.is_empty() { String::new() } else { patch_id(desk, &base, new)? };
    Ok(Version { version: 1, head: new.to_owned(), base, patch, contributors })
}

/// Returns the patch id of what a change does to where it left its target (git-patch-id(1)). White space counts.
fn patch_id(desk: &Desk<'_>, base: &str, new: &str) -> Result<String, Problem> {
    let args =
        ["diff-tree", "-p", "-r", "--binary", "--no-renames", "--full-index", "--no-ext-diff", base, new];
    let patch = desk.git.expect(&desk.git.git().args(args))?;
    let id = desk.git.expect(&desk.git.git().args(["patch-id", "--verbatim"]).stdin(patch.stdout))?;
    Ok(id.text().split(' ').next().unwrap_or_default().to_owned())
}

fn denied(what: String) -> Problem {
    Problem::new(Code::PolicyDenied, what)
}
