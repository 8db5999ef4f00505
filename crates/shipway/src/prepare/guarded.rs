//! A release onto a branch that a guard protects: whoever releases signs a ticket for its one commit.

use shipway_core::kinds::land::Ticket;
use shipway_core::planner::push::Input;
use shipway_core::policy::{PATH, Verdict};
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::Reason;
use shipway_world::change::Client;
use shipway_world::guard::publish::GUARD;

use crate::session::Session;

/// Returns what is signed for the commit of a release, or everything that the policy refuses of it; nothing where no
/// guard wants a ticket.
pub fn ticket(session: &Session<'_>, input: &Input) -> Result<Option<Ticket>, Vec<Problem>> {
    let one = |problem| vec![problem];
    if !may_be_guarded(session, &input.from.commit).map_err(one)? {
        return Ok(None);
    }
    let git = session.records();
    let Some(client) = Client::of_guarded(&git, &session.repository, &input.to.remote)? else {
        return Ok(None);
    };
    let (branch, tip) = (input.to.branch.as_str(), input.to.tip.as_str());
    let moves = !input.edits.is_empty() || tip != input.from.commit;
    if !moves || !client.base.policy.is_protected(branch.as_bytes()) {
        return Ok(None);
    }
    if tip != input.from.commit {
        return Err(vec![unlanded(branch, &input.to.remote)]);
    }
    let key = session.signing_key(None).map_err(one)?;
    let person = client.person(&key, "ticket@shipway").map_err(one)?;
    let made = (input.release.tag.as_str(), input.message.as_str());
    let verdicts = client.judge_release(&person, (branch, tip), made).map_err(one)?;
    if !verdicts.is_empty() {
        return Err(verdicts.iter().map(Verdict::problem).collect());
    }
    let reason = Reason::Release { run: String::new(), version: input.release.to.clone() };
    let checks = input.checks.iter().map(|check| check.name().to_owned()).collect();
    let reference = format!("refs/heads/{branch}");
    client.ticket((&reference, tip, ""), reason, checks, &key).map(Some).map_err(one)
}

/// Returns what whoever withdraws a release signs: by the policy and with the key of now, which need not be those of the
/// release.
pub fn again(session: &Session<'_>, of_release: &Ticket) -> Result<Ticket, Vec<Problem>> {
    let one = |problem| vec![problem];
    let git = session.records();
    let client = Client::open(&git, &session.repository, &of_release.remote)?;
    let key = session.signing_key(None).map_err(one)?;
    client.person(&key, "ticket@shipway").map_err(one)?;
    let Ticket { reference, reason, .. } = of_release;
    client.ticket((reference, "", ""), reason.clone(), vec![], &key).map_err(one)
}

/// Tells whether the remote is worth the question: whoever works with a guard has its policy, or has fetched from it.
fn may_be_guarded(session: &Session<'_>, commit: &str) -> Result<bool, Problem> {
    let git = session.git();
    Ok(git.resolve(&format!("{commit}:{PATH}"))?.is_some() || git.resolve(GUARD)?.is_some())
}

fn unlanded(branch: &str, remote: &str) -> Problem {
    Problem::new(Code::PolicyDenied, format!("{branch} has commits here that have not landed on {remote}"))
        .wanted("a release of what has landed")
        .hint(format!("propose them: git push {remote} HEAD:refs/for/{branch}"))
}
