//! What was skipped here, told where the change is reviewed: a reason is for those who read it.

use shipway_core::change::{ChangeRequest, Event};
use shipway_core::local::Kind;
use shipway_core::problem::Problem;
use shipway_world::change::Client;
use shipway_world::hooks::desk::Desk;

use crate::session::Session;

/// Tells the change request of a commit, HEAD if none is named, which local rules were skipped for it. That it cannot be
/// told is only worth a warning: what was asked for is done.
pub(in crate::command) fn tell_skips(session: &Session<'_>, remote: Option<&str>, head: Option<&str>) {
    let Some(remote) = remote else { return };
    let git = session.records();
    let told = || -> Result<(), Vec<Problem>> {
        let notes = Desk::of(&session.repository).notes();
        let skipped = |what: Kind| matches!(what, Kind::Skipped | Kind::Unverified);
        if !notes.iter().any(|note| skipped(note.what) && !note.commit.is_empty()) {
            return Ok(());
        }
        let Some(client) = Client::of_guarded(&git, &session.repository, remote)? else { return Ok(()) };
        let one = |problem| vec![problem];
        let head = match head {
            Some(head) => head.to_owned(),
            None => session.git().resolve("HEAD").map_err(one)?.unwrap_or_default(),
        };
        client.proposed(&head).map_err(one)?.iter().try_for_each(|change| tell(&client, change).map_err(one))
    };
    if let Err(problems) = told() {
        session.view.warnings(&problems);
    }
}

/// Tells a change request what was skipped for the commits of its newest version, each thing once.
fn tell(client: &Client<'_>, change: &ChangeRequest) -> Result<(), Problem> {
    let Some(newest) = change.newest() else { return Ok(()) };
    let range = format!("{}..{}", newest.base, newest.head);
    let listed = client.git.expect(&client.git.git().args(["rev-list", "--end-of-options", &range]))?.text();
    let commits: Vec<String> = listed.lines().map(str::to_owned).collect();
    let mut known = change.skipped.clone();
    for note in Desk::of(client.repository).notes_of(&commits) {
        let said = format!("{}: {}", note.rule, note.reason);
        if matches!(note.what, Kind::Skipped | Kind::Unverified) && !known.contains(&said) {
            let event = Event::Skipped { rule: note.rule, reason: note.reason, commit: note.commit };
            client.send(change.number, event, None)?;
            known.push(said);
        }
    }
    Ok(())
}
