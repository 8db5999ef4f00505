//! How branches come and go: where one starts, where it lands, and what a landing owes to other branches.
//!
//! All of it follows from the policy: the classes `main` and `develop` are the branches that stay, and the pairs of a
//! class say what is merged into it. What a repository has is handed in; nothing is looked at here.

mod name;
mod owed;
mod page;

use crate::policy::{BranchClass, Method, Policy, glob};
use crate::problem::{Code, Problem};

pub use name::slug;
pub use owed::{Landed, Owed, gates, open, owed, way_back};
pub use page::{diagram, page, word};

/// The branches of a policy, in the order in which a change comes through them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The branch that is released from.
    pub main: String,
    /// The branch that changes are gathered on, if there is one.
    pub develop: Option<String>,
    /// The kinds of branches that come and go.
    pub kinds: Vec<Kind>,
}

/// A kind of branches that come and go, such as `feature`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The name, such as `bugfix`: what its branches begin with.
    pub name: String,
    /// The name of its class in the policy, such as `feature`.
    pub class: String,
    /// What its branches begin with, such as `bugfix/`.
    pub prefix: String,
    /// The branch that it starts from.
    pub base: String,
    /// The branch that it lands on.
    pub target: String,
    /// How it is merged, the usual method first; empty for any.
    pub methods: Vec<Method>,
}

/// Kinds for a policy that names none, where any branch may land on the one that stays.
const USUAL: [&str; 4] = ["feature", "bugfix", "hotfix", "release"];

impl Kind {
    /// Tells whether its branches are releases that are being made ready.
    pub fn is_release(&self) -> bool {
        self.class == "release"
    }
}

impl Flow {
    /// Returns the flow of a policy in a repository with these branches.
    pub fn of(policy: &Policy, branches: &[String]) -> Self {
        let stays = |name: &str| policy.branches.get(name).and_then(|class| plain(class, branches));
        let main = stays("main").unwrap_or_else(|| "main".to_owned());
        let develop = stays("develop").filter(|develop| *develop != main);
        let mut flow = Self { main, develop, kinds: vec![] };
        for (class, of) in &policy.branches {
            for prefix in of.patterns.iter().filter_map(|pattern| prefix(pattern)) {
                flow.add(policy, class, prefix);
            }
        }
        if flow.kinds.is_empty() {
            for name in USUAL {
                flow.add(policy, name, format!("{name}/"));
            }
        }
        flow
    }

    /// Returns the flow of a repository without a policy: two branches that stay if there is a `develop`, else one.
    pub fn usual(branches: &[String]) -> Self {
        let is_there = |name: &&str| branches.iter().any(|branch| branch == name);
        let main = ["main", "master"].into_iter().find(is_there).unwrap_or("main").to_owned();
        let develop = Some("develop").filter(is_there).map(str::to_owned);
        let kind = |name: &str| {
            let (to_main, is_work) =
                (matches!(name, "hotfix" | "release"), matches!(name, "feature" | "bugfix"));
            let gathered = develop.clone().unwrap_or_else(|| main.clone());
            let target = if to_main { main.clone() } else { gathered.clone() };
            Kind {
                name: name.to_owned(),
                class: name.to_owned(),
                prefix: format!("{name}/"),
                base: if name == "release" { gathered } else { target.clone() },
                target,
                methods: if is_work { vec![Method::Squash, Method::Merge] } else { vec![Method::Merge] },
            }
        };
        Self { kinds: USUAL.map(kind).into(), main, develop }
    }

    fn add(&mut self, policy: &Policy, class: &str, prefix: String) {
        let Some((target, methods)) = self.target(policy, &prefix) else { return };
        // A release is made ready where changes are gathered; all else starts where it lands.
        let gathered = self.develop.clone().filter(|_| class == "release");
        let base = gathered.unwrap_or_else(|| target.clone());
        let name = prefix.trim_end_matches('/').to_owned();
        self.kinds.push(Kind { name, class: class.to_owned(), prefix, base, target, methods });
    }

    /// Returns the branches that stay, the one that changes come to first in front.
    pub fn lasting(&self) -> Vec<&str> {
        self.develop.iter().chain([&self.main]).map(String::as_str).collect()
    }

    /// Returns where a kind of branches lands: where a pair names it, the released branch first, because a pair of the
    /// other one is then its way back; else where a pair is open to all.
    fn target(&self, policy: &Policy, prefix: &str) -> Option<(String, Vec<Method>)> {
        let sample = format!("{prefix}x");
        let class = |branch: &str| {
            policy.branches.values().find(|class| class.patterns.iter().any(|it| it == branch))
        };
        let named = |branch: &&str| {
            let pairs = class(branch).map_or(&[][..], |class| &class.pairs);
            let pair = pairs.iter().find(|pair| pair.from.iter().any(|from| names(from, &sample)));
            pair.map(|pair| ((*branch).to_owned(), pair.methods.clone()))
        };
        let any = |branch: &&str| {
            let pairs = class(branch).map_or(&[][..], |class| &class.pairs);
            if pairs.is_empty() {
                return Some(((*branch).to_owned(), vec![]));
            }
            let pair =
                pairs.iter().find(|pair| pair.from.iter().any(|from| matches!(from.as_str(), "*" | "**")));
            pair.map(|pair| ((*branch).to_owned(), pair.methods.clone()))
        };
        let lasting = self.lasting();
        lasting.iter().rev().find_map(named).or_else(|| lasting.iter().find_map(any))
    }

    /// Tells whether a branch is a release that is being made ready. One that the released branch has wholly is over, and
    /// is owed nothing, even if nobody has deleted it: whoever knows the history leaves it out.
    pub fn is_release(&self, branch: &str) -> bool {
        self.kinds.iter().any(|kind| kind.is_release() && branch.starts_with(&kind.prefix))
    }

    /// Returns the kind of a name, or a problem that lists those that there are.
    pub fn kind(&self, name: &str) -> Result<&Kind, Problem> {
        self.kinds
            .iter()
            .find(|kind| kind.name == name)
            .or_else(|| self.kinds.iter().find(|kind| kind.class == name))
            .ok_or_else(|| {
                let known: Vec<&str> = self.kinds.iter().map(|kind| kind.name.as_str()).collect();
                Problem::new(Code::FlowKind, format!("the policy has no branches of the kind `{name}`"))
                    .found(name)
                    .wanted(known.join(", "))
                    .hint("shipway flow status")
            })
    }

    /// Returns the kind that a branch is of.
    pub fn kind_of(&self, branch: &str) -> Option<&Kind> {
        self.kinds.iter().filter(|kind| branch.starts_with(&kind.prefix)).max_by_key(|kind| kind.prefix.len())
    }

    /// Returns where a branch lands: that of its kind, and for `develop` the branch that is released from.
    pub fn target_of(&self, branch: &str) -> Option<&str> {
        if self.develop.as_deref() == Some(branch) {
            return Some(&self.main);
        }
        self.kind_of(branch).map(|kind| kind.target.as_str())
    }
}

/// Returns the branch of a class of branches that stay: one that is there, else the first.
fn plain(class: &BranchClass, branches: &[String]) -> Option<String> {
    let plain = || class.patterns.iter().filter(|pattern| glob::is_name(pattern));
    plain().find(|pattern| branches.contains(pattern)).or_else(|| plain().next()).cloned()
}

/// Returns what the branches of a pattern begin with, if the pattern is open at its end, or goes on with a number there.
fn prefix(pattern: &str) -> Option<String> {
    let (head, rest) = pattern.split_at(glob::literal(pattern));
    let open = !rest.is_empty() && rest.bytes().all(|byte| byte == b'*');
    let numbered = rest.starts_with('{') && !rest.contains('/');
    (head.ends_with('/') && (open || numbered)).then(|| head.to_owned())
}

/// Tells whether a pattern of a pair names a branch, and not just any.
fn names(pattern: &str, branch: &str) -> bool {
    pattern == branch || prefix(pattern).is_some_and(|head| branch.starts_with(&head))
}

#[cfg(test)]
mod tests;
