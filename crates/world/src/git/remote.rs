//! What a remote says: its refs, and why it refused.

use std::time::Duration;

use shipway_core::action::{Effect, Fault, Output};

use super::hand::{Hand, cut_off};
use super::remote_error::{classify, problem};

/// Two refs of a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refs {
    /// The object id of the branch.
    pub tip: Option<String>,
    /// The object id of the tag: of the tag object, if it is annotated.
    pub tag: Option<String>,
}

/// Reads a branch of a remote.
pub(crate) fn tip(hand: &Hand<'_>, remote: &str, branch: &str) -> Result<Option<String>, Fault> {
    // No tag has a name that begins with a dot, so that none is found.
    look(hand, remote, branch, ".").map(|refs| refs.tip)
}

/// Reads a branch and a tag of a remote.
pub(crate) fn look(hand: &Hand<'_>, remote: &str, branch: &str, tag: &str) -> Result<Refs, Fault> {
    let (branch, tag) = (format!("refs/heads/{branch}"), format!("refs/tags/{tag}"));
    let address = address(hand, remote)?;
    let output =
        hand.look(hand.remote_git().args(["ls-remote", "--end-of-options", &address, &branch, &tag]))?;
    if !output.ok() {
        return Err(Fault { effect: Effect::None, ..push_fault(&output, remote) });
    }
    let text = output.text();
    let of = |name: &str| {
        let line = text.lines().filter_map(|line| line.split_once('\t')).find(|(_, found)| *found == name);
        line.map(|(id, _)| id.to_owned())
    };
    Ok(Refs { tip: of(&branch), tag: of(&tag) })
}

/// Returns where a remote is pushed to, which may not be where it is fetched from: what was pushed must be read there.
fn address(hand: &Hand<'_>, remote: &str) -> Result<String, Fault> {
    let output = hand.look(hand.git().args(["remote", "get-url", "--push", "--", remote]))?;
    Ok(if output.ok() { output.text() } else { remote.to_owned() })
}

/// Returns the fault of a request to a remote that failed by itself.
pub(crate) fn push_fault(output: &Output, remote: &str) -> Fault {
    let text = format!("{}\n{}", output.text(), output.error_text());
    let said = classify(&text);
    let problem = problem(&text, remote);
    let fault = if said.no_effect { Fault::clean(problem) } else { Fault::in_doubt(problem) };
    if said.transient { fault.retry_after(Duration::from_secs(1)) } else { fault }
}

/// Fetches one object id of a remote without moving any ref, and returns whether it is here now.
pub(crate) fn fetch(hand: &Hand<'_>, remote: &str, branch: &str) -> Result<(), Fault> {
    let address = address(hand, remote)?;
    let args = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options", &address];
    let output = hand.look(hand.remote_git().args(args).arg(format!("refs/heads/{branch}")))?;
    if output.ok() {
        return Ok(());
    }
    match output.ended {
        shipway_core::action::Ended::Exit(_) => {
            Err(Fault { effect: Effect::None, ..push_fault(&output, remote) })
        }
        _ => Err(cut_off(&output, "git fetch")),
    }
}
