//! After a protected branch has moved: the change request says so, and what must follow is written down.

use shipway_core::change::{Event, LANDINGS, Record};
use shipway_core::policy::Method;
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
        for into in owed(git, base, branch, &line.new)? {
            let owed = Event::Owed { from: branch.to_owned(), into, commit: line.new.clone() };
            records::append(git, LANDINGS, &record(owed))?;
        }
        Ok(())
    }
}

/// Returns the protected branches that a landing must go on into: those that the policy merges this branch into, by a
/// merge commit, and that do not have it yet.
fn owed(git: &InHook<'_>, base: &Base, branch: &str, commit: &str) -> Result<Vec<String>, Problem> {
    let mut owed = vec![];
    for known in see::refs(git)? {
        let Some(into) = known.name.strip_prefix(b"refs/heads/") else { continue };
        let takes = base.policy.classes_of(into).iter().any(|(_, class)| {
            class.protected
                && class.pairs.iter().any(|pair| {
                    let named = |pattern: &String| {
                        !matches!(pattern.as_str(), "*" | "**")
                            && shipway_core::policy::fits(pattern, branch.as_bytes())
                    };
                    pair.methods.contains(&Method::Merge) && pair.from.iter().any(named)
                })
        });
        // What comes from there goes there by landing: only a branch that lives for ever is owed something.
        if takes
            && into != branch.as_bytes()
            && is_lasting(base, branch)
            && !see::is_ahead(git, commit, &known.id)?
        {
            owed.push(String::from_utf8_lossy(into).into_owned());
        }
    }
    Ok(owed)
}

/// Tells whether a branch is named as it is, and not by a pattern for many.
fn is_lasting(base: &Base, branch: &str) -> bool {
    base.policy
        .branches
        .values()
        .any(|class| class.protected && class.patterns.iter().any(|pattern| pattern == branch))
}
