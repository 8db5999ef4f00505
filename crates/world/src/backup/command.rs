//! What a command of the project writes and restores.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use shipway_core::backup::Content;
use shipway_core::problem::{Code, Problem};

use super::hand::{self, Hand};
use super::tree;
use super::work::Work;

/// Lets the command write the backup. What is in it, only the command knows.
pub(super) fn save(hand: &Hand<'_>, run: &[String], file: &Path) -> Result<Content, Problem> {
    hand.run(hand::fill(run, &[("file", &file.to_string_lossy())]), Code::BackupFailed)?;
    Ok(Content::default())
}

/// Restores the backup into an empty directory and lets the project look at it.
pub(super) fn prove(hand: &Hand<'_>, run: &[String], file: &Path, work: &Work) -> Result<String, Problem> {
    let scratch = work.path("scratch");
    DirBuilder::new().mode(0o700).create(&scratch).map_err(|error| hand.io(&error, &scratch))?;
    restore(hand, run, file, &scratch)?;
    let seen = tree::look(&scratch, || hand.check()).map_err(|error| error.problem(hand))?;
    hand::verify(hand, &scratch.to_string_lossy(), &[])?;
    Ok(if hand.spec.verify.is_empty() {
        format!("restored {}", tree::words(&seen.content().counts))
    } else {
        "restored, and the verify command agrees".into()
    })
}

/// Lets the command restore the backup into an empty directory.
pub(super) fn restore(hand: &Hand<'_>, run: &[String], file: &Path, scratch: &Path) -> Result<(), Problem> {
    let words = [("file", &*file.to_string_lossy()), ("scratch", &*scratch.to_string_lossy())];
    hand.run(hand::fill(run, &words), Code::RestoreFailed).map(drop)
}
