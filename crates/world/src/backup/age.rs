//! Encryption in the age format, by the `age` program.
//!
//! The crate of that name would bring more packages than this whole workspace has; and whoever restores a backup
//! without shipway needs the program anyway.

use std::path::{Path, PathBuf};

use shipway_core::action::Cmd;
use shipway_core::backup::Spec;
use shipway_core::problem::{Code, Problem};

use super::hand::Hand;
use super::work::Work;

/// Encrypts a file for the recipients, and removes it.
pub(super) fn encrypt(spec: &Spec, hand: &Hand<'_>, work: &Work, plain: &Path) -> Result<PathBuf, Problem> {
    let whole = work.path("encrypted");
    let mut cmd = Cmd::new("age").arg("--encrypt").arg("--output").arg(&whole);
    for recipient in &spec.recipients {
        cmd = cmd.arg("--recipient").arg(recipient);
    }
    hand.run(cmd.arg("--").arg(plain), Code::BackupFailed)?;
    std::fs::remove_file(plain).map_err(|error| hand.io(&error, plain))?;
    Ok(whole)
}

/// Decrypts a file with the identity.
pub(super) fn decrypt(spec: &Spec, hand: &Hand<'_>, work: &Work, whole: &Path) -> Result<PathBuf, Problem> {
    let Some(identity) = &spec.identity else {
        let problem = Problem::new(Code::BackupLocked, format!("{} has no `identity`", spec.name));
        return Err(problem.hint(format!("name the identity file: [backup.{}] identity", spec.name)));
    };
    let identity = hand.path(identity);
    if !identity.is_file() {
        let what = format!("the identity file {} is missing", identity.display());
        return Err(Problem::new(Code::BackupLocked, what).at(format!("[backup.{}]", spec.name)));
    }
    let plain = work.path("decrypted");
    let cmd = Cmd::new("age").arg("--decrypt").arg("--identity").arg(&identity);
    hand.run(cmd.arg("--output").arg(&plain).arg("--").arg(whole), Code::BackupLocked)?;
    Ok(plain)
}
