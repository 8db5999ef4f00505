//! Checks that a Makefile offers.

use shipway_core::problem::Problem;

use super::{DetectedCheck, Files};

/// The names that make(1) of GNU looks for, in its order.
const FILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];
const TARGETS: [&str; 3] = ["test", "lint", "check"];

/// Returns a check for each of the targets test, lint and check of the Makefile at the root.
pub(super) fn make(files: &dyn Files) -> Result<Vec<DetectedCheck>, Problem> {
    for path in FILES {
        if let Some(bytes) = files.read(path)? {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let has = |target: &&&str| text.lines().any(|line| makes(line, target));
            let check = |target: &&str| DetectedCheck::new(target, &format!("make {target}")).needs("make");
            return Ok(TARGETS.iter().filter(has).map(check).collect());
        }
    }
    Ok(vec![])
}

/// Tells whether a line is a rule for a target.
fn makes(line: &str, target: &str) -> bool {
    let Some((targets, rest)) = line.split_once(':') else { return false };
    let assigns = rest.starts_with('=') || rest.starts_with(":=");
    !line.starts_with(['\t', '#', '.']) && !assigns && targets.split_whitespace().any(|one| one == target)
}
