//! A push to `refs/for/BRANCH`: a new change request, or a new version of one.

use shipway_core::change::{CHANGES, ChangeRequest, Event, Version, text};
use shipway_core::problem::{Code, Problem};

use super::version::Look;
use super::{Desk, Report};
use crate::guard::landing;
use crate::guard::see;
use crate::records;

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
    let look = Look { git: &desk.git, tip: tip.as_deref() };
    let mut version = look.version(new)?;
    version.source = Some(source(desk, new)?);
    match known(desk, branch, &version)? {
        Some(change) => add(desk, &change, version),
        None => begin(desk, branch, &version),
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

/// Returns the change request that gets a new version: the one that an option or the commit names, else the open one of
/// the same author for the same branch, from the same source, else with this very commit and no source; without a source,
/// with a version that this one is ahead of.
fn known(desk: &Desk<'_>, branch: &str, version: &Version) -> Result<Option<ChangeRequest>, Problem> {
    if let Some(number) = desk.option("change") {
        let number =
            number.parse().map_err(|_| denied(format!("{number} is no number of a change request")))?;
        let change = landing::read(&desk.git, number)?;
        if change.is_open() && change.target == branch {
            return Ok(Some(change));
        }
        return Err(denied(format!("change {number} is not open for {branch}")));
    }
    let mut own = landing::all(&desk.git)?;
    own.retain(|change| change.is_open() && change.author == desk.by.login && change.target == branch);
    if let Some(number) = trailer(desk, &version.head)?
        && let Some(at) = own.iter().position(|change| change.number == number)
    {
        return Ok(Some(own.swap_remove(at)));
    }
    let source = version.source.as_deref().unwrap_or_default();
    if !source.is_empty() {
        // The same commit may have been asked for before it was the tip of a branch.
        let same = |change: &ChangeRequest| {
            change.source.is_empty() && change.newest().is_some_and(|newest| newest.head == version.head)
        };
        let at = own.iter().rposition(|change| change.source == source);
        let at = at.or_else(|| own.iter().rposition(same));
        return Ok(at.map(|at| own.swap_remove(at)));
    }
    let mut before = vec![];
    for change in own {
        if let Some(newest) = change.newest()
            && see::is_ahead(&desk.git, &newest.head, &version.head)?
        {
            before.push(change);
        }
    }
    Ok(if before.len() == 1 { before.pop() } else { None })
}

/// Returns the number that a commit names in a trailer `Change: 7`, as landed commits do.
fn trailer(desk: &Desk<'_>, head: &str) -> Result<Option<u64>, Problem> {
    let format = "--format=%(trailers:key=Change,valueonly,unfold)";
    let text = desk.git.expect(&desk.git.git().args(["log", "-1", format, head]))?.text();
    Ok(text.lines().rev().find_map(|line| line.trim().parse().ok()))
}

fn add(desk: &Desk<'_>, change: &ChangeRequest, mut version: Version) -> Result<Report, Problem> {
    let number = change.number;
    mark(desk, change)?;
    reword(desk, change, &version.head)?;
    if change.newest().is_some_and(|newest| newest.head == version.head && newest.source == version.source) {
        (desk.say)(&format!("change {number} has this version already"));
        return Ok(Report::taken());
    }
    version.version = change.newest().map_or(0, |newest| newest.version) + 1;
    let rebased = rebased(desk, change, &mut version)?;
    let report = keep(desk, number, &version)?;
    let kept =
        if rebased { "a pure rebase: approvals stay" } else { "approvals of older versions count no more" };
    (desk.say)(&format!("change {number}, version {}: {kept}", version.version));
    next(desk, number);
    Ok(report)
}

/// Writes down that a change is a draft from now on, or is none any more.
fn mark(desk: &Desk<'_>, change: &ChangeRequest) -> Result<(), Problem> {
    let draft = match (desk.has("draft"), desk.has("ready")) {
        (true, false) => true,
        (false, true) => false,
        (true, true) | (false, false) => return Ok(()),
    };
    if change.draft == draft {
        return Ok(());
    }
    if change.author != desk.by.login {
        return Err(denied(format!("change {} is a draft or not as {} says", change.number, change.author)));
    }
    let record = desk.record(Event::Marked { draft });
    records::append(&desk.git, &landing::log(change.number), &record).map(|_| ())
}

/// Writes down another title or description, where its author gives one along with a version.
fn reword(desk: &Desk<'_>, change: &ChangeRequest, head: &str) -> Result<(), Problem> {
    let given = |name: &str| desk.option(name).is_some();
    if change.author != desk.by.login || !(given("title") || given("description")) {
        return Ok(());
    }
    let (title, description) = words(desk, head)?;
    let title = if given("title") { title } else { change.title.clone() };
    let description = if given("description") { description } else { change.description.clone() };
    if title == change.title && description == change.description {
        return Ok(());
    }
    let record = desk.record(Event::Edited { title, description });
    records::append(&desk.git, &landing::log(change.number), &record).map(|_| ())
}

/// Tells whether a version is a pure rebase of an older one. One that only looks like it, because the same lines are
/// changed somewhere else, gets a patch id of its own, so that no approval holds for it.
fn rebased(desk: &Desk<'_>, change: &ChangeRequest, version: &mut Version) -> Result<bool, Problem> {
    let same = |older: &&Version| older.patch == version.patch && !version.patch.is_empty();
    let Some(older) = change.versions.iter().rev().find(same) else { return Ok(false) };
    if older.head == version.head {
        return Ok(true);
    }
    if see::is_replay(&desk.git, (&older.base, &older.head), (&version.base, &version.head))? {
        return Ok(true);
    }
    version.patch.push_str(&format!("+{}", version.version));
    Ok(false)
}

fn begin(desk: &Desk<'_>, branch: &str, version: &Version) -> Result<Report, Problem> {
    let (title, description) = words(desk, &version.head)?;
    let source = version.source.clone().unwrap_or_default();
    let (target, draft) = (branch.to_owned(), desk.has("draft"));
    let event = Event::Opened { target, source, title: title.clone(), description, draft };
    let first = records::make(&desk.git, &desk.record(event), &[])?;
    let mut number = landing::numbers(&desk.git)?.last().copied().unwrap_or(0);
    // Others may open theirs at the same time: whoever makes the log has the number.
    for _ in 0..100 {
        number += 1;
        let args = ["update-ref", "-m", "opened", &landing::log(number), &first, &"0".repeat(first.len())];
        if desk.git.run(&desk.git.git().args(args))?.ok() {
            let report = keep(desk, number, version)?;
            let draft = if draft { " (a draft)" } else { "" };
            (desk.say)(&format!("change {number} for {branch}: {title}{draft}"));
            next(desk, number);
            return Ok(report);
        }
    }
    Err(Problem::new(Code::GitFailed, "no number was free for the change request").hint("push again"))
}

/// Keeps a version under its own ref, and says so in the log.
pub(super) fn keep(desk: &Desk<'_>, number: u64, version: &Version) -> Result<Report, Problem> {
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
    let title = desk.option("title").unwrap_or(subject).trim().to_owned();
    let description = desk.option("description").map(text::unpack);
    let description = description.unwrap_or_else(|| body.trim().to_owned());
    match text::flaw_of_title(&title).or_else(|| text::flaw_of_text(&description)) {
        None => Ok((title, description)),
        Some(flaw) => Err(denied(flaw).hint("git push origin HEAD:refs/for/BRANCH -o title='A SHORT TITLE'")),
    }
}

fn denied(what: String) -> Problem {
    Problem::new(Code::PolicyDenied, what)
}
