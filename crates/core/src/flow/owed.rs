//! What a landing owes: a fix that went straight into the released branch must reach the others too.

use super::Flow;

/// A change that has landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Landed<'a> {
    /// The branch that it came from; empty if it named none.
    pub source: &'a str,
    /// The branch that it landed on.
    pub target: &'a str,
    /// The object id that the target has since.
    pub commit: &'a str,
}

/// A commit that must still arrive on a branch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owed {
    /// The branch that has it.
    pub from: String,
    /// The branch that must get it.
    pub into: String,
    /// Its object id.
    pub commit: String,
}

impl Owed {
    /// Returns the obligation in one line, for people.
    pub fn text(&self) -> String {
        let Self { from, into, commit } = self;
        format!("{from} must be merged back into {into}: {} is not there", commit.get(..12).unwrap_or(commit))
    }
}

/// Returns what the branches begin with on which one is merged back into another by hand, up to the object id.
fn by_hand(from: &str, into: &str) -> String {
    format!("back/{}-to-{}-", from.replace('/', "-"), into.replace('/', "-"))
}

/// Returns the branch on which a commit of one branch is merged back into another by hand.
pub fn way_back(from: &str, into: &str, commit: &str) -> String {
    format!("{}{}", by_hand(from, into), commit.get(..12).unwrap_or(commit))
}

impl Flow {
    /// Returns where a branch leads back to, if it is one on which the released branch is merged back by hand.
    pub fn back_to<'a>(&self, branch: &str, branches: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        let leads = |into: &&str| branch.starts_with(&by_hand(&self.main, into));
        branches.filter(leads).max_by_key(|into| into.len())
    }
}

/// Returns what a landing owes. `branches` are those that the repository has, without the releases that are over: see
/// [`Flow::is_release`].
///
/// What came from `develop` is there already. All else that lands on the released branch is owed to `develop`, and a
/// fix also to each release that is being made ready, which would otherwise go out without it.
pub fn owed(flow: &Flow, landed: Landed<'_>, branches: &[String]) -> Vec<Owed> {
    let Some(develop) = &flow.develop else { return vec![] };
    if landed.target != flow.main || landed.source == develop {
        return vec![];
    }
    let open = branches.iter().filter(|branch| flow.is_release(branch) && *branch != landed.source);
    // A release that lands says nothing about the next one.
    let open = open.filter(|_| !flow.is_release(landed.source));
    let into = [develop].into_iter().chain(open);
    into.map(|into| Owed { from: flow.main.clone(), into: into.clone(), commit: landed.commit.to_owned() })
        .collect()
}

/// Returns what is still owed: branches that are there and do not have the commit. `has` tells whether a branch is there
/// and whether it has a commit.
pub fn open(all: &[Owed], has: impl Fn(&str, &str) -> Option<bool>) -> Vec<Owed> {
    let mut open: Vec<Owed> =
        all.iter().filter(|owed| has(&owed.into, &owed.commit) == Some(false)).cloned().collect();
    open.sort_unstable();
    open.dedup();
    open
}

/// Returns the obligations that a landing waits for: a branch goes on only with all that it is owed.
pub fn gates(open: &[Owed], source: &str, target: &str) -> Vec<String> {
    // What pays the debt does not wait for it.
    let waits = |owed: &&Owed| owed.into == source && owed.from == target;
    open.iter().filter(waits).map(Owed::text).collect()
}
