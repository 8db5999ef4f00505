//! What a guard says of itself, for whoever fetches: its name, the ref that its policy is read from, what holds until that
//! has one, and where the protected branches were when it came.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};
use shipway_core::policy::Policy;
use shipway_core::problem::{Code, Problem};

use super::{Guard, see};
use crate::hooks::staged::InHook;
use crate::policy::{BOOTSTRAP, texts};
use crate::records;

/// Where it stands.
pub const GUARD: &str = "refs/shipway/guard";
/// The file in it.
const FILE: &str = "about.json";

/// What a guard says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The name of the repository in everything that is signed for it.
    pub name: String,
    /// The ref that the policy is read from.
    pub policy: String,
    /// Where every branch was when the guard came, or when it was protected later: what is older is not its work.
    pub since: BTreeMap<String, String>,
}

impl Guard {
    /// Writes what is said of the guard: where the branches were when it came, as far as that is not said already.
    pub fn publish(&self, git: &InHook<'_>) -> Result<(), Problem> {
        let git = self.git_as_guard(git)?;
        let since = match about(&git)? {
            Some(known) => known.since,
            None => branches(&git)?,
        };
        self.say(&git, since)
    }

    /// Says of the branches that were not protected under an older policy where they were when that changed: nobody had
    /// to let in what they had by then.
    pub(super) fn publish_protected(
        &self,
        git: &InHook<'_>,
        older: &Policy,
        policy: &Policy,
    ) -> Result<(), Problem> {
        let is_new = |name: &str| {
            let branch = name.strip_prefix("refs/heads/").unwrap_or_default().as_bytes();
            policy.is_protected(branch) && !older.is_protected(branch)
        };
        let (mut since, before) = match about(git)? {
            Some(known) => (known.since.clone(), known.since),
            None => return Ok(()),
        };
        since.extend(branches(git)?.into_iter().filter(|(name, _)| is_new(name)));
        if since == before { Ok(()) } else { self.say(git, since) }
    }

    fn say(&self, git: &InHook<'_>, since: BTreeMap<String, String>) -> Result<(), Problem> {
        let about = About { name: self.settings.name.clone(), policy: self.settings.policy.clone(), since };
        let mut files = vec![(FILE, serde_json::to_string(&about).expect("texts have a JSON form"))];
        for name in BOOTSTRAP {
            files.extend(fs::read_to_string(self.dir().join(name)).ok().map(|text| (name, text)));
        }
        let mut tree = String::new();
        for (name, text) in files {
            let blob = git.expect(&git.git().args(["hash-object", "-w", "--stdin"]).stdin(text))?.text();
            tree.push_str(&format!("100644 blob {blob}\t{name}\n"));
        }
        let tree = git.expect(&git.git().arg("mktree").stdin(tree))?.text();
        let commit = records::commit(git, (&tree, "record"), &[], crate::shell::now())?;
        git.expect(&git.git().args(["update-ref", "-m", "guard", GUARD, &commit])).map(|_| ())
    }
}

/// Returns where all branches are.
fn branches(git: &InHook<'_>) -> Result<BTreeMap<String, String>, Problem> {
    let refs = see::refs(git)?.into_iter().filter(|found| found.name.starts_with(b"refs/heads/"));
    Ok(refs.map(|found| (String::from_utf8_lossy(&found.name).into_owned(), found.id)).collect())
}

/// Returns what the guard says of itself, where it was fetched.
pub fn about(git: &InHook<'_>) -> Result<Option<About>, Problem> {
    let Some(tip) = records::tip(git, GUARD)? else { return Ok(None) };
    let text = texts(git, &tip, &[FILE])?.pop().flatten().unwrap_or_default();
    let unreadable = |error| {
        Problem::new(Code::RecordUnreadable, format!("what the guard says of itself cannot be read: {error}"))
    };
    serde_json::from_str(&text).map(Some).map_err(unreadable)
}
