//! Removes releases that nobody needs. What is needed follows from the journal, never from dates or names.

use std::collections::BTreeSet;

use shipway_core::id::{Digest, RunId};
use shipway_core::problem::Problem;

use super::journal::{Event, History};
use super::look::previous;
use super::protocol::{Keep, Standing};
use super::setup::Agent;
use super::{release, root, stage};

/// Removes what is not kept; returns the artifacts. What is live, what it would be gone back to, and what the run that
/// asks has staged stay in any case.
pub(super) fn sweep(agent: &Agent, run: Option<&RunId>, keep: &Keep) -> Result<Vec<Digest>, Problem> {
    let root = &agent.root;
    root.prepare()?;
    let _lock = root.lock()?;
    let mut journal = agent.journal()?;
    let size = |artifact: &Digest| release::manifest(root, artifact).map_or(0, |manifest| manifest.bytes());
    let swept = unneeded(&journal.history, run, keep, &size);
    if !swept.is_empty() {
        // The journal first: from here on nobody counts on them.
        agent.append(&mut journal, &Event::Swept { artifacts: swept.clone() })?;
    }
    stage::clear(agent, &journal.history)?;
    clear_secrets(agent, &journal.history)?;
    Ok(swept)
}

/// Decides which artifacts go.
fn unneeded(
    history: &History,
    run: Option<&RunId>,
    keep: &Keep,
    size: &dyn Fn(&Digest) -> u64,
) -> Vec<Digest> {
    let mut needed: BTreeSet<&Digest> = keep.pinned.iter().collect();
    let live = history.live();
    let before = live.and_then(|live| history.of(live.from.as_ref()?));
    // After a way back, what the live one came after is what was left, and not where the next way back leads.
    let back = previous(history);
    needed.extend(live.iter().chain(&before).chain(&back).map(|known| &known.deployment.artifact));
    let at_work = |standing| matches!(standing, Standing::Switching | Standing::Reverting | Standing::Live);
    for known in &history.deployments {
        let ours = Some(&known.deployment.run) == run && known.standing == Standing::Staged;
        if ours || at_work(known.standing) {
            needed.insert(&known.deployment.artifact);
            needed.extend(
                known.from.as_ref().and_then(|from| history.of(from)).map(|k| &k.deployment.artifact),
            );
        }
    }
    let newest = |standing: Standing| {
        let mut seen = BTreeSet::new();
        let all =
            history.deployments.iter().rev().filter(move |known| known.standing == standing && !known.swept);
        all.map(|known| &known.deployment.artifact).filter(move |artifact| seen.insert(*artifact))
    };
    let mut kept: Vec<&Digest> = newest(Standing::Confirmed).take(keep.confirmed).collect();
    kept.extend(newest(Standing::Failed).take(keep.failed));
    if let Some(limit) = keep.max_bytes {
        let mut bytes: u64 = needed.iter().map(|artifact| size(artifact)).sum();
        kept.retain(|artifact| {
            bytes += if needed.contains(artifact) { 0 } else { size(artifact) };
            bytes <= limit
        });
    }
    let stays = |artifact: &Digest| needed.contains(artifact) || kept.contains(&artifact);
    let there =
        history.deployments.iter().filter(|known| !known.swept && known.standing != Standing::Discarded);
    let gone: BTreeSet<&Digest> =
        there.map(|known| &known.deployment.artifact).filter(|artifact| !stays(artifact)).collect();
    gone.into_iter().cloned().collect()
}

/// Removes secrets that no release that is there is given.
fn clear_secrets(agent: &Agent, history: &History) -> Result<(), Problem> {
    let dir = agent.root.dir.join("secrets");
    let there =
        history.deployments.iter().filter(|known| !known.swept && known.standing != Standing::Discarded);
    let named: BTreeSet<_> = there
        .filter_map(|known| known.deployment.secrets.as_ref())
        .map(|digest| agent.root.secrets(digest))
        .collect();
    let entries = std::fs::read_dir(&dir).map_err(|error| root::problem(&dir, &error))?;
    for entry in entries.flatten().filter(|entry| !named.contains(&entry.path())) {
        root::remove(&entry.path())?;
    }
    Ok(())
}
