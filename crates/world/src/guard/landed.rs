//! After a protected branch has moved: the change request says so, and what must follow is written down.

use shipway_core::change::{Event, LANDINGS, Record};
use shipway_core::flow::{self, Flow, Landed, Owed};
use shipway_core::problem::Problem;
use shipway_core::time::Time;

use super::see::{self, Line};
use super::{Guard, landing, ticket};
use crate::hooks::staged::InHook;
use crate::policy::Base;
use crate::records;

impl Guard {
    /// Writes down what has landed with these refs.
    pub fn landed(&self, git: &InHook<'_>, lines: &[Line], now: Time) -> Result<(), Vec<Problem>> {
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
        }
        Ok(())
    }

    fn note(
        &self,
        git: &InHook<'_>,
        base: &Base,
        (branch, line): (&str, &Line),
        now: Time,
    ) -> Result<(), Problem> {
        let some = |id: &str| if id.bytes().all(|byte| byte == b'0') { String::new() } else { id.to_owned() };
        let asked = (format!("refs/heads/{branch}"), some(&line.old), some(&line.new));
        let scene = (self.settings.name.as_str(), base, now);
        let found = ticket::find(git, scene, (&asked.0, &asked.1, &asked.2))?;
        let record = |event| Record { v: 1, at: now, by: "guard".into(), event, signed: None };
        if let Some(found) = &found
            && let Some(change) = found.ticket.reason.change()
        {
            let (commit, ticket) = (line.new.clone(), found.signed.digest());
            let landed = Event::Landed { commit, ticket, exception: found.seen.exception.clone() };
            records::append(git, &landing::log(change), &record(landed))?;
        }
        let change = found.as_ref().and_then(|found| found.ticket.reason.change());
        let source = match change {
            Some(change) => landing::read(git, change)?.source,
            None => String::new(),
        };
        let branches: Vec<String> = see::refs(git)?
            .iter()
            .filter_map(|known| known.name.strip_prefix(b"refs/heads/"))
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        let flow = Flow::of(&base.policy, &branches);
        let landed = Landed { source: &source, target: branch, commit: &line.new };
        for Owed { from, into, commit } in flow::owed(&flow, landed, &branches) {
            if branches.contains(&into) {
                records::append(git, LANDINGS, &record(Event::Owed { from, into, commit }))?;
            }
        }
        Ok(())
    }
}
