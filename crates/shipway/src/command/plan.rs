//! `plan`: what a release would do.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shipway_core::plan::Plan;
use shipway_core::problem::Problem;
use shipway_core::version::Ask;

use super::{DONE, End};
use crate::args;
use crate::prepare::{self, Purpose};
use crate::session::Session;

/// Shows the plan.
pub fn run(session: &Session<'_>, ask: &args::Ask) -> End {
    let version_asked = version(ask.version.as_deref())?;
    let prepared = prepare::prepare(session, &version_asked, ask.to.as_deref(), Purpose::Plan)?;
    session.view.warnings(&prepared.warnings);
    keep(session, (ask.version.as_deref(), false), &prepared.plan);
    session.view.plan(&prepared.plan);
    session.view.warnings(&prepare::outlook::problems(session, &prepared.plan)?);
    Ok(DONE)
}

/// Returns which version is asked for.
pub fn version(text: Option<&str>) -> Result<Ask, Vec<Problem>> {
    text.map_or(Ok(Ask::Auto), |text| text.parse().map_err(|problem| vec![problem]))
}

/// A plan that was shown, and what was asked for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The version as it was asked for.
    pub version: Option<String>,
    /// Whether it was said that the database was restored.
    #[serde(default)]
    pub restored: bool,
    /// The plan.
    pub plan: Plan,
}

/// How many plans are kept.
const KEPT: usize = 20;

/// Keeps a plan that was shown beside the journal, so that it can be carried out by its digest.
///
/// Where that cannot be written, the plan is shown all the same: it can still be carried out, only its differences
/// from a later one cannot be told.
pub fn keep(session: &Session<'_>, (version, restored): (Option<&str>, bool), plan: &Plan) {
    let kept = Kept { version: version.map(str::to_owned), restored, plan: plan.clone() };
    let _ = write(&directory(session), &kept);
}

fn write(dir: &Path, kept: &Kept) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let path = dir.join(format!("{}.json", kept.plan.digest()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    let mut plans: Vec<_> = fs::read_dir(dir)?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .collect();
    plans.sort();
    plans.iter().rev().skip(KEPT).try_for_each(|(_, path)| fs::remove_file(path))
}

/// Returns the plan that was shown under a digest that begins with some digits.
pub fn kept(session: &Session<'_>, prefix: &str) -> Option<Kept> {
    let entries = fs::read_dir(directory(session)).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let name = names.filter(|name| name.starts_with(prefix)).max()?;
    serde_json::from_slice(&fs::read(directory(session).join(name)).ok()?).ok()
}

fn directory(session: &Session<'_>) -> PathBuf {
    session.repository.state_dir().join("plans")
}
