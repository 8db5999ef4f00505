//! `verify`: whether every commit of a protected branch was let in by somebody, and by what.

use serde_json::json;
use shipway_core::problem::{Code, Problem};
use shipway_world::change::Client;
use shipway_world::change::prove::Proof;

use super::{DONE, End};
use crate::args::Verify;
use crate::session::Session;
use crate::view::Document;

/// Proves a branch of the remote.
pub fn run(session: &Session<'_>, asked: &Verify) -> End {
    let git = session.records();
    let client = Client::open(&git, &session.repository, &asked.remote)?;
    let proofs = client.prove(&asked.branch, asked.range.as_deref())?;
    let bad: Vec<&Proof> = proofs.iter().filter(|proof| !proof.flaws.is_empty()).collect();
    if !bad.is_empty() {
        return Err(bad.into_iter().map(|proof| problem(asked, proof)).collect());
    }
    let line = |proof: &Proof| {
        format!("✓ {}  {}   {}", proof.commit.get(..12).unwrap_or_default(), proof.title, proof.by)
    };
    let mut lines: Vec<String> = proofs.iter().take(20).map(line).collect();
    if proofs.len() > lines.len() {
        lines.push(format!("  … and {} before them", proofs.len() - lines.len()));
    }
    let since = client.about.since.get(&format!("refs/heads/{}", asked.branch));
    let count = match proofs.len() {
        0 => "nothing has landed since the guard came".to_owned(),
        1 => "1 landing, and it is proven".to_owned(),
        many => format!("{many} landings, all of them proven"),
    };
    lines.push(format!("{}: {count}", asked.branch));
    let exceptions = proofs.iter().filter(|proof| proof.exception.is_some()).count();
    if exceptions > 0 {
        lines.push(format!("{exceptions} by exception, past approvals and checks"));
    }
    lines.extend(since.map(|since| {
        format!("what is older than {} is older than the guard", since.get(..12).unwrap_or(since))
    }));
    let proven: Vec<_> = proofs
        .iter()
        .map(|proof| json!({ "commit": proof.commit, "title": proof.title, "by": proof.by, "exception": proof.exception }))
        .collect();
    session.view.answer(
        Document::Proven,
        &json!({ "branch": asked.branch, "landings": proven, "since": since }),
        &lines.join("\n"),
    );
    Ok(DONE)
}

fn problem(asked: &Verify, proof: &Proof) -> Problem {
    let short = proof.commit.get(..12).unwrap_or(&proof.commit);
    Problem::new(Code::Unproven, format!("{short} of {} is not proven: {}", asked.branch, proof.title))
        .found(proof.by.clone())
        .details(proof.flaws.clone())
        .hint(format!("git show {short}"))
}
