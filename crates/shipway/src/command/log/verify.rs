//! `log --verify`: whether the journal holds what it held, by its chain, its logs, and the checkpoints that stand
//! elsewhere.

use serde_json::json;
use shipway_core::anchor::{self, Anchor, Checkpoint, Seal, Standing, Trouble};
use shipway_core::journal::Journal as _;
use shipway_core::problem::{Code, Problem};
use shipway_world::facts::anchors;
use shipway_world::store::{self, Sealer, SqliteJournal};

use super::sealed;
use crate::command::{DONE, End};
use crate::session::{Session, of_journal};
use crate::view::Document;

/// Where the checkpoints beside the journal stand, as an anchor says it.
const BESIDE: &str = "the file beside it";

/// Proves the journal, asks the remote for its checkpoints where one is named, and says up to where it is anchored.
pub(super) fn run(session: &Session<'_>, journal: &SqliteJournal, remote: Option<&str>) -> End {
    let journaled = |error| vec![of_journal(error)];
    // Before anything else is read: reading may move the end of the log.
    let torn = store::torn(&session.state()).unwrap_or_default();
    let anchors = anchors(session, remote).map_err(|problem| vec![problem])?;
    let proven = journal.verify();
    let (entries, roots) = journal.roots(anchor::sizes(&anchors)).map_err(journaled)?;
    let standing = anchor::judge(entries, &roots, &anchors);
    proven.map_err(journaled)?;
    logs(session, journal)?;
    if let Some(trouble) = &standing.trouble {
        return Err(vec![problem(trouble, &standing)]);
    }
    // Whoever can write the journal can write what is beside it: what stands elsewhere proves more, and is told too.
    let elsewhere: Vec<Anchor> = anchors.into_iter().filter(|anchor| anchor.place != BESIDE).collect();
    let elsewhere = anchor::judge(entries, &roots, &elsewhere);
    say(session, journal, (&standing, &elsewhere), torn);
    Ok(DONE)
}

/// Proves the logs of all steps.
fn logs(session: &Session<'_>, journal: &SqliteJournal) -> Result<(), Vec<Problem>> {
    let journaled = |error| vec![of_journal(error)];
    let mut problems = vec![];
    for head in journal.runs().map_err(journaled)? {
        let entries = journal.read(&head.run, None).map_err(journaled)?;
        for (key, seal) in entries.iter().filter_map(sealed) {
            problems.extend(session.logs().verify(&key, seal).err());
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Returns the checkpoints of this journal that are found, each once for each place.
fn anchors(session: &Session<'_>, remote: Option<&str>) -> Result<Vec<Anchor>, Problem> {
    let io = |error: std::io::Error| Problem::new(Code::Io, format!("checkpoints cannot be read: {error}"));
    let beside = store::kept(&session.state()).map_err(io)?;
    let mut found: Vec<(String, Seal)> = beside.into_iter().map(|seal| (BESIDE.into(), seal)).collect();
    found.extend(anchors::here(session.git())?);
    if let Some(remote) = remote {
        found.extend(anchors::there(session.git(), remote)?);
    }
    found.extend(anchors::remembered(session.git())?);
    let ours = Sealer::known(&session.state()).map_err(io)?;
    let is_ours = |seal: &Seal| Some(&seal.checkpoint.origin) == ours.as_ref() && store::proven(seal);
    let anchor = |(place, seal): (String, Seal)| Anchor { place, checkpoint: seal.checkpoint };
    Ok(found.into_iter().filter(|(_, seal)| is_ours(seal)).map(anchor).collect())
}

fn say(
    session: &Session<'_>,
    journal: &SqliteJournal,
    (standing, elsewhere): (&Standing, &Standing),
    torn: u64,
) {
    let how = journal.durability().how;
    let Standing { entries, anchored, by, .. } = standing;
    let loose = entries - anchored;
    let mut text = format!("{entries} entries prove: none is missing or changed ({how})");
    if *anchored > 0 {
        text.push_str(&format!("\nverified to entry {anchored}, anchored by {}", by.join(", ")));
    }
    if elsewhere.anchored > 0 && elsewhere.anchored < *anchored {
        let by = elsewhere.by.join(", ");
        text.push_str(&format!("\nto entry {} also outside of this directory, by {by}", elsewhere.anchored));
    }
    if loose > 0 {
        text.push_str(&format!(
            "\n{loose} unanchored: nothing outside the journal vouches for the newest of them"
        ));
    }
    if torn > 0 {
        text.push_str(&format!(
            "\ntorn tail: {torn} bytes of an append that was never acknowledged (a crash)"
        ));
    }
    let fields = json!({
        "entries": entries, "store": how, "anchored": anchored, "by": by, "unanchored": loose, "torn": torn,
        "elsewhere": { "anchored": elsewhere.anchored, "by": elsewhere.by },
    });
    session.view.answer(Document::Verified, &fields, &text);
}

fn problem(trouble: &Trouble, standing: &Standing) -> Problem {
    let Standing { entries, anchored, by, .. } = standing;
    let said = |anchor: &Anchor| {
        let Checkpoint { size, root, .. } = &anchor.checkpoint;
        format!("{size} entries with root {}, says {}", root.short(), anchor.place)
    };
    let problem = match trouble {
        Trouble::Truncated(anchor) => {
            let what = format!("entries were cut off: {} are missing", anchor.checkpoint.size - entries);
            Problem::new(Code::JournalTruncated, what)
                .found(format!("{entries} entries"))
                .wanted(said(anchor))
        }
        Trouble::Rewritten(anchor) => {
            let what = format!("entries up to {} are not those that were there", anchor.checkpoint.size);
            Problem::new(Code::JournalRewritten, what).found("another root").wanted(said(anchor))
        }
        Trouble::Forked(one, other) => {
            Problem::new(Code::JournalForked, "two checkpoints of this journal belong to two histories")
                .found(said(one))
                .wanted(said(other))
        }
    };
    let up_to = if *anchored > 0 {
        format!("verified to entry {anchored}, anchored by {}", by.join(", "))
    } else {
        "no entry is verified by an anchor".into()
    };
    problem.details([up_to]).hint("compare with a backup of .git/shipway")
}
