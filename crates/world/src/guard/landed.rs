//! After a protected branch has moved: the change request says so, and what must follow is written down.

use std::collections::BTreeMap;
use std::time::Duration;

use shipway_core::change::{Event, LANDINGS, Record, State};
use shipway_core::flow::{self, Flow, Landed, Owed};
use shipway_core::policy::Pushed;
use shipway_core::problem::Problem;
use shipway_core::time::Time;

use super::see;
use super::{Guard, landing, ticket};
use crate::hooks::staged::InHook;
use crate::policy::{Base, Bootstrap};
use crate::records;

/// After this time, a move that was begun is not waited for any more.
const GIVEN_UP: Duration = Duration::from_hours(24);

impl Guard {
    /// Writes down what has landed with these refs.
    pub fn landed(&self, git: &InHook<'_>, lines: &[Pushed], now: Time) -> Result<(), Vec<Problem>> {
        if !lines.iter().any(|line| line.name.starts_with(b"refs/heads/")) {
            return Ok(());
        }
        let base = self.base(git)?;
        let git = self.git_as_guard(git).map_err(|problem| vec![problem])?;
        for line in lines {
            let Some(branch) = line.name.strip_prefix(b"refs/heads/") else { continue };
            if base.policy.is_protected(branch) {
                let branch = String::from_utf8_lossy(branch).into_owned();
                self.note(&git, &base, (&branch, line), now).map_err(|problem| vec![problem])?;
            }
            if line.name == self.settings.policy.as_bytes() && !see::is_none(&line.old) {
                let older = Base::at(&git, &line.old, Some(Bootstrap::Dir(&self.dir())))?;
                self.publish_protected(&git, &older.policy, &base.policy).map_err(|problem| vec![problem])?;
            }
            self.has_moved(line);
        }
        Ok(())
    }

    /// Writes down what has landed and was not written down, because whoever moved the ref was killed before that.
    pub fn catch_up(&self, git: &InHook<'_>, now: Time) -> Result<(), Vec<Problem>> {
        let one = |problem| vec![problem];
        for (line, begun) in self.moving() {
            let name = String::from_utf8_lossy(&line.name).into_owned();
            let there = match records::tip(git, &name).map_err(one)? {
                Some(tip) => tip == line.new || see::is_ahead(git, &line.new, &tip).map_err(one)?,
                None => false,
            };
            if there {
                self.landed(git, &[line], now)?;
            } else if begun.after(GIVEN_UP) < now {
                self.has_moved(&line);
            }
        }
        Ok(())
    }

    fn note(
        &self,
        git: &InHook<'_>,
        base: &Base,
        (branch, line): (&str, &Pushed),
        now: Time,
    ) -> Result<(), Problem> {
        let some = |id: &str| if id.bytes().all(|byte| byte == b'0') { String::new() } else { id.to_owned() };
        let asked = (format!("refs/heads/{branch}"), some(&line.old), some(&line.new));
        let scene = (self.settings.name.as_str(), base, now);
        let found = ticket::find(git, scene, (&asked.0, &asked.1, &asked.2))?;
        let record = |event| Record { v: 1, at: now, by: "guard".into(), event, signed: None };
        let change = found.as_ref().and_then(|found| found.ticket.reason.change());
        let request = change.map(|change| landing::read(git, change)).transpose()?;
        // Somebody who has caught up may have been faster.
        let noted = request
            .as_ref()
            .is_some_and(|request| matches!(&request.state, State::Landed(commit) if *commit == line.new));
        if let (Some(found), Some(change), false) = (&found, change, noted) {
            let (commit, ticket) = (line.new.clone(), found.signed.digest());
            let (exception, lander) = (found.seen.exception.clone(), found.seen.by.clone());
            let event = Event::Landed { commit, ticket, exception, lander };
            records::append(git, &landing::log(change), &record(event))?;
        }
        let source = request.map(|request| request.source).unwrap_or_default();
        let mut owed = owed(git, base, (&source, branch, &line.new))?;
        if !owed.is_empty() {
            let known = landing::owed(git)?;
            owed.retain(|owed| !known.contains(owed));
        }
        for owed in owed {
            let Owed { from, into, commit } = owed;
            records::append(git, LANDINGS, &record(Event::Owed { from, into, commit }))?;
        }
        Ok(())
    }
}

/// Returns what a landing owes to other branches, by the one rule for it. What a change says of its source counts only as
/// far as the history bears it out.
fn owed(
    git: &InHook<'_>,
    base: &Base,
    (source, target, commit): (&str, &str, &str),
) -> Result<Vec<Owed>, Problem> {
    let mut tips = BTreeMap::new();
    for known in see::refs(git)? {
        if let Some(name) = known.name.strip_prefix(b"refs/heads/") {
            tips.insert(String::from_utf8_lossy(name).into_owned(), known.id);
        }
    }
    let names: Vec<String> = tips.keys().cloned().collect();
    let flow = Flow::of(&base.policy, &names);
    let mut source = source;
    if flow.develop.as_deref() == Some(source)
        && let Some(tip) = tips.get(source)
        && lacks(git, tip, commit)?
    {
        source = "";
    }
    let mut open = vec![];
    for (name, tip) in &tips {
        if !flow.is_release(name) || !see::is_ahead(git, tip, commit)? {
            open.push(name.clone());
        }
    }
    let mut owed = flow::owed(&flow, Landed { source, target, commit }, &open);
    let mut there = vec![];
    for owed in &owed {
        let tip = tips.get(&owed.into).map_or("", String::as_str);
        there.push(tip.is_empty() || see::is_ahead(git, commit, tip)?);
    }
    let mut there = there.into_iter();
    owed.retain(|_| there.next() == Some(false));
    Ok(owed)
}

/// Tells whether a branch lacks something of a commit's history, apart from merges.
fn lacks(git: &InHook<'_>, tip: &str, commit: &str) -> Result<bool, Problem> {
    let not = format!("^{tip}");
    let args = ["rev-list", "--count", "--max-count=1", "--no-merges", "--end-of-options", commit, &not];
    Ok(git.expect(&git.git().args(args))?.text() != "0")
}
