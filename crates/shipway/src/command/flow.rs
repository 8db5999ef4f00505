//! `flow`: branches that come and go as the policy says. Nothing is merged here: what is finished asks to land.

pub(super) mod back;
mod finish;
mod start;
mod status;

use shipway_core::flow::{Flow, Owed, open, owed};
use shipway_core::policy::{self, Policy};
use shipway_core::problem::Problem;
use shipway_world::change::Client;
use shipway_world::flow::{Branches, Tips};
use shipway_world::hooks::staged::InHook;

use super::End;
use crate::args;
use crate::session::Session;

/// Carries out what is asked.
pub fn run(session: &Session<'_>, what: &args::Flow) -> End {
    let done = match what {
        args::Flow::Start { kind, name, offline } => {
            return start::run(&Desk::open(session, !offline)?, kind, name);
        }
        args::Flow::Finish { title, change, dry_run } => {
            let asked = finish::Asked { title: title.as_deref(), change: *change, dry_run: *dry_run };
            finish::run(&Desk::open(session, true)?, &asked)
        }
        args::Flow::Status { offline } => status::run(&Desk::open(session, !offline)?),
        args::Flow::Back { dry_run } => return back::run(&Desk::open(session, true)?, *dry_run),
    };
    done.map_err(|problem| vec![problem])
}

/// A repository, its branches, and the flow that they are in.
struct Desk<'a> {
    session: &'a Session<'a>,
    remote: Option<String>,
    tips: Tips,
    policy: Option<Policy>,
    flow: Flow,
}

impl<'a> Desk<'a> {
    fn open(session: &'a Session<'_>, ask: bool) -> Result<Self, Vec<Problem>> {
        let one = |problem| vec![problem];
        let mut desk =
            Self { session, remote: None, tips: Tips::new(), policy: None, flow: Flow::usual(&[]) };
        desk.remote = desk.branches().chosen(session.config.release.remote.as_deref()).map_err(one)?;
        if ask {
            desk.branches().fetch().map_err(one)?;
        }
        desk.tips = desk.branches().tips().map_err(one)?;
        let names: Vec<String> = desk.tips.keys().cloned().collect();
        let text = std::fs::read_to_string(session.repository.top.join(policy::PATH)).ok();
        desk.policy = text.map(|text| policy::read(&text, policy::PATH)).transpose()?;
        desk.flow = match &desk.policy {
            Some(policy) => Flow::of(policy, &names),
            None => Flow::usual(&names),
        };
        Ok(desk)
    }

    fn branches(&self) -> Branches<'_> {
        branches(self.session, self.remote.as_deref())
    }

    /// Returns the remote as whoever lands there sees it; nothing if it has no guard, or there is none.
    fn client<'b>(&'b self, git: &'b InHook<'b>) -> Result<Option<Client<'b>>, Vec<Problem>> {
        match &self.remote {
            Some(remote) => Client::of_guarded(git, &self.session.repository, remote),
            None => Ok(None),
        }
    }

    fn tip(&self, branch: &str) -> Option<&str> {
        self.tips.get(branch).map(String::as_str)
    }

    /// Returns what is owed and has not arrived: what the log of landings says, and what the history shows.
    fn owed(&self) -> Result<Vec<Owed>, Problem> {
        let mut all: Vec<Owed> = vec![];
        for record in self.branches().landings()? {
            if let shipway_core::change::Event::Owed { from, into, commit } = record.event {
                all.push(Owed { from, into, commit });
            }
        }
        // A commit of the released branch that develop has not is owed, whether or not a log says so.
        if let (Some(develop), Some(main)) = (self.flow.develop.as_deref(), self.tip(&self.flow.main))
            && let Some(tip) = self.tip(develop)
            && self.branches().ahead(main, tip)? > 0
        {
            let landed = shipway_core::flow::Landed { source: "", target: &self.flow.main, commit: main };
            all.extend(owed(&self.flow, landed, &[]));
        }
        let mut has = std::collections::BTreeMap::new();
        for owed in &all {
            let Some(tip) = self.tip(&owed.into) else { continue };
            // A release that has landed, and is still there, is owed nothing any more.
            if self.flow.is_release(&owed.into)
                && let Some(main) = self.tip(&self.flow.main)
                && self.branches().has(main, tip)?
            {
                continue;
            }
            has.insert(owed.clone(), self.branches().has(tip, &owed.commit)?);
        }
        Ok(open(&all, |into, commit| {
            has.iter().find(|(owed, _)| owed.into == into && owed.commit == commit).map(|(_, has)| *has)
        }))
    }
}

/// Returns git in the repository of a session, for branches.
pub(super) fn branches<'a>(session: &'a Session<'_>, remote: Option<&'a str>) -> Branches<'a> {
    let (shell, stop) = (&session.shell, &session.switches.look);
    Branches { repository: &session.repository, remote, shell, stop }
}

/// Returns the first digits of an object id.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
