//! What must be true of a change when it lands: pairs and methods, approvals, owners, checks and obligations.

use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::{Case, Place, Verdicts, branch_text, is_none, shown};
use super::verdict::{Rule, Verdict};
use super::{BranchClass, Commit, Landing, Method, Policy, content, glob};
use crate::version::excerpt;

/// Judges a landing by all classes of its target.
pub(super) fn judge(case: &Case<'_>, landing: &Landing, lander: Option<&str>, out: &mut Verdicts) {
    let Place::Branch(short) = case.place else { return };
    if landing.target.as_bytes() != short {
        out.add(
            Verdict::new(Rule::TicketInvalid, format!("change {} is for another branch", landing.change))
                .found(excerpt(&landing.target, 60))
                .wanted(shown(short))
                .hint(format!("shipway change retarget {} {}", landing.change, branch_text(short))),
        );
    }
    for (name, class) in &case.classes {
        who(case, class, name, lander, out);
        pair(short, (name, class), landing, out);
        approvals(case, class, landing, out);
        owners(case, class, landing, out);
        checks(case, class, landing, lander, out);
    }
    if !case.classes.is_empty() {
        shape(case, landing, out);
        policy_owners(case, landing, out);
        waiting(landing, out);
    }
}

fn who(case: &Case<'_>, class: &BranchClass, name: &str, lander: Option<&str>, out: &mut Verdicts) {
    let may = match lander {
        Some(lander) if class.land.is_empty() => case.policy.is_person(lander),
        Some(_) | None => lander.is_some() && case.policy.names(&class.land, lander),
    };
    if !may {
        let wanted =
            if class.land.is_empty() { "a person of the policy".into() } else { class.land.join(", ") };
        let who = lander.unwrap_or("whoever is in no policy");
        out.add(
            Verdict::new(Rule::PushRestricted, format!("{who} may not land"))
                .wanted(format!("{wanted} (class {name})"))
                .hint("ask one of them to land it"),
        );
    }
}

/// Tells whether all that lands has been approved where it comes from: the guard knows that the source has this very head.
fn is_approved(case: &Case<'_>, class: &BranchClass, landing: &Landing) -> bool {
    let keeps = matches!(landing.method, Some(Method::Merge | Method::FastForward));
    keeps && case.policy.is_protected(landing.source.as_bytes()) && class.takes_approved(&landing.source)
}

impl BranchClass {
    fn takes_approved(&self, source: &str) -> bool {
        let fits = |pattern: &String| glob::fits(pattern, source.as_bytes());
        self.pairs.iter().any(|pair| pair.approved && pair.from.iter().any(fits))
    }
}

impl Policy {
    /// Tells whether what comes from one branch lands on another by a merge without being approved again.
    pub fn takes_approved(&self, source: &str, target: &str) -> bool {
        let classes = self.classes_of(target.as_bytes());
        self.is_protected(source.as_bytes()) && classes.iter().all(|(_, class)| class.takes_approved(source))
    }
}

/// Judges source and method. A change that names no source fits a pair from anywhere only.
fn pair(short: &[u8], (name, class): (&str, &BranchClass), landing: &Landing, out: &mut Verdicts) {
    if class.pairs.is_empty() {
        return;
    }
    let anywhere = |pattern: &String| matches!(pattern.as_str(), "*" | "**");
    let fits = |pattern: &String| {
        anywhere(pattern) || (!landing.source.is_empty() && glob::fits(pattern, landing.source.as_bytes()))
    };
    let pairs: Vec<_> = class.pairs.iter().filter(|pair| pair.from.iter().any(fits)).collect();
    let source =
        if landing.source.is_empty() { "no branch".to_owned() } else { excerpt(&landing.source, 60) };
    if pairs.is_empty() {
        let wanted: Vec<&str> = class.pairs.iter().flat_map(|pair| &pair.from).map(String::as_str).collect();
        let verdict =
            Verdict::new(Rule::SourceBranch, format!("{} gets nothing from {source}", shown(short)))
                .found(source)
                .wanted(wanted.join(", "));
        out.add(ways(verdict, short, name, landing));
        return;
    }
    let methods: BTreeSet<Method> = pairs.iter().flat_map(|pair| pair.methods.iter().copied()).collect();
    if landing.method.is_none_or(|method| !methods.contains(&method)) {
        let wanted: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
        let hint = pairs.iter().flat_map(|pair| &pair.methods).next();
        let hint = hint.map_or("shipway policy show".to_owned(), |method| {
            format!("shipway change land {} --method {}", landing.change, method.as_str())
        });
        out.add(
            Verdict::new(Rule::MergeMethod, format!("{source} does not go into {} like this", shown(short)))
                .found(landing.method.map_or("no method", Method::as_str))
                .wanted(wanted.join(" or "))
                .hint(hint),
        );
    }
}

/// Adds what helps a change that comes from where its target gets nothing from.
fn ways(verdict: Verdict, short: &[u8], class: &str, landing: &Landing) -> Verdict {
    let (number, target) = (landing.change, branch_text(short));
    if landing.source.is_empty() {
        return verdict
            .hint("git push origin HEAD:refs/heads/BRANCH")
            .hint(format!("git push origin HEAD:refs/for/{target} -o source=BRANCH -o change={number}"));
    }
    if glob::fits("back/*", landing.source.as_bytes()) {
        // A policy that lists pairs of its own has none for the way back, and without one the debt is never paid.
        let class = branch_text(class.as_bytes());
        let pair = format!(r#"\n[[branch.{class}.merge]]\nfrom = ["back/*"]\nmethod = ["merge"]\n"#);
        return verdict.hint(format!("printf '{pair}' >>{}", super::PATH));
    }
    verdict.hint(format!("shipway change retarget {number} BRANCH   where BRANCH gets it"))
}

/// Holds the new commits to what the method says: nothing lands that was not approved.
fn shape(case: &Case<'_>, landing: &Landing, out: &mut Verdicts) {
    let (update, Some(method)) = (case.update, landing.method) else { return };
    let again = format!("shipway change land {}", landing.change);
    let Some(top) = update.commits.first().filter(|commit| commit.id == update.new) else {
        out.add(
            Verdict::new(Rule::Budget, "the commits that land were not read")
                .hint("land less at once, or raise the budget of the guard"),
        );
        return;
    };
    let (right, wanted) = form(method, top, case, landing);
    if !right {
        out.add(
            Verdict::new(
                Rule::SecondParent,
                "what lands is not the approved head by the method that is named",
            )
            .of(&update.new)
            .found(format!("{} commits, parents {}", update.commits.len(), top.parents.join(", ")))
            .wanted(wanted)
            .hint(again.clone()),
        );
    }
    let tree = match method {
        Method::Merge => top.clean_merge.or(landing.replayed),
        Method::Squash | Method::Rebase => landing.replayed,
        Method::FastForward => Some(true),
    };
    if tree != Some(true) {
        let found = tree.map_or("nobody has computed the merge again", |_| "another tree");
        out.add(
            Verdict::new(Rule::EvilMerge, "the commit does not hold what merging gives")
                .of(&update.new)
                .found(found)
                .wanted("the tree of git merge-tree, with nothing added or left out")
                .hint("resolve conflicts on the source branch, and land again")
                .hint(again),
        );
    }
}

/// Tells whether the commits have the form that a method gives, and what that is.
fn form(method: Method, top: &Commit, case: &Case<'_>, landing: &Landing) -> (bool, String) {
    let (current, commits) = (&case.update.current, case.update.commits.as_slice());
    let follows = |commit: &Commit| match commit.parents.as_slice() {
        [] => is_none(current),
        [parent] => parent == current,
        _ => false,
    };
    match method {
        Method::Merge => (
            top.parents == [current.clone(), landing.head.clone()],
            format!("a merge of {} into {current}", landing.head),
        ),
        Method::Squash => {
            (commits.len() == 1 && follows(top), format!("one commit with the parent {current}"))
        }
        Method::Rebase => {
            let chain = commits.windows(2).all(|pair| pair[0].parents == [pair[1].id.clone()]);
            (chain && commits.last().is_some_and(follows), format!("single commits on top of {current}"))
        }
        Method::FastForward => (case.update.new == landing.head, format!("the head {} itself", landing.head)),
    }
}

/// Returns the people whose approval counts: of the policy, no agents, with the grade, and with no part in the change.
pub(super) fn approvers<'a>(case: &Case<'a>, landing: &'a Landing, grade: u8) -> BTreeSet<&'a str> {
    let policy = case.policy;
    let took_part = |person: &str| {
        policy.is_called(person, &landing.author)
            || landing.contributors.iter().any(|name| policy.is_called(person, name))
    };
    landing
        .approvals
        .iter()
        .filter(|(name, given)| {
            policy.is_person(name) && *given >= grade && (policy.solo || !took_part(name))
        })
        .map(|(name, _)| name.as_str())
        .collect()
}

fn approvals(case: &Case<'_>, class: &BranchClass, landing: &Landing, out: &mut Verdicts) {
    if is_approved(case, class, landing) {
        return;
    }
    let wanted = &class.approvals;
    let from = |name: &&str| wanted.from.is_empty() || case.policy.names(&wanted.from, Some(name));
    let counted: Vec<&str> = approvers(case, landing, wanted.grade).into_iter().filter(from).collect();
    let count = u32::try_from(counted.len()).unwrap_or(u32::MAX);
    if count >= wanted.count {
        return;
    }
    let from = if wanted.from.is_empty() { "people".to_owned() } else { wanted.from.join(", ") };
    let apart = if case.policy.solo { "" } else { ", none of them an author" };
    let grade = if wanted.grade == 0 { String::new() } else { format!(" of grade P{}", wanted.grade) };
    let found = if counted.is_empty() { "none that counts".to_owned() } else { counted.join(", ") };
    let verdict = Verdict::new(Rule::Approvals, format!("{count} of {} approvals", wanted.count));
    let uncounted = landing.approvals.iter().map(|(name, _)| name.as_str()).filter(|n| !counted.contains(n));
    let uncounted: Vec<String> = uncounted.map(|name| excerpt(name, 60)).collect();
    let found = if uncounted.is_empty() { found } else { format!("{found}; not {}", uncounted.join(", ")) };
    out.add(
        verdict
            .found(found)
            .wanted(format!("{} from {from}{grade}{apart}", wanted.count))
            .hint(format!("shipway change approve {}", landing.change))
            .waits(),
    );
}

fn owners(case: &Case<'_>, class: &BranchClass, landing: &Landing, out: &mut Verdicts) {
    if !class.approvals.owners || is_approved(case, class, landing) {
        return;
    }
    let approvers = approvers(case, landing, class.approvals.grade);
    let mut wanted: BTreeMap<(&str, &[String]), usize> = BTreeMap::new();
    for (path, owners) in landing.owners.iter().filter(|(_, owners)| !owners.is_empty()) {
        *wanted.entry((path, owners)).or_default() += 1;
    }
    for ((path, owners), count) in wanted {
        let owns = |person: &&&str| owners.iter().any(|owner| case.policy.owns(owner, person));
        let given = approvers.iter().filter(owns).count();
        if given < count {
            let of = if count == 1 { "one".to_owned() } else { count.to_string() };
            out.add(
                Verdict::new(
                    Rule::Owners,
                    format!("{given} of {count} owners of {} approve", excerpt(path, 120)),
                )
                .wanted(format!("{of} of {}", owners.join(", ")))
                .hint(format!("shipway change approve {}   as one of them", landing.change))
                .waits(),
            );
        }
    }
}

/// The policy, the keys and the owners decide about all else, so they have owners of their own.
fn policy_owners(case: &Case<'_>, landing: &Landing, out: &mut Verdicts) {
    let owners = &case.policy.policy_owners;
    if owners.is_empty() || case.classes.iter().all(|(_, class)| is_approved(case, class, landing)) {
        return;
    }
    let grade = case.classes.iter().map(|(_, class)| class.approvals.grade).max().unwrap_or_default();
    let approved = approvers(case, landing, grade).iter().any(|who| case.policy.names(owners, Some(who)));
    let commits = case.update.commits.iter().filter(|commit| commit.parents.len() < 2);
    let mut files = commits.flat_map(|commit| &commit.files).chain(&case.update.total);
    if !approved && let Some(file) = files.find(|file| content::governs(&file.path)) {
        out.add(
            Verdict::new(Rule::Owners, format!("{} decides about others' work", shown(&file.path)))
                .wanted(format!("an approval of {}", owners.join(", ")))
                .hint(format!("shipway change approve {}   as one of them", landing.change))
                .waits(),
        );
    }
}

impl Policy {
    /// Tells whether somebody is a runner of a check for a branch: what that one signs of it counts there.
    pub fn is_runner(&self, person: &str, check: &str, target: &str) -> bool {
        let classes = self.classes_of(target.as_bytes());
        classes
            .iter()
            .any(|(_, class)| class.wants_of(self, person) && class.checks.iter().any(|c| c == check))
    }
}

impl BranchClass {
    /// Tells whether others than the lander run the checks here, and somebody is one of them.
    pub fn wants_of(&self, policy: &Policy, person: &str) -> bool {
        !self.runners.is_empty() && policy.names(&self.runners, Some(person))
    }
}

fn checks(case: &Case<'_>, class: &BranchClass, landing: &Landing, lander: Option<&str>, out: &mut Verdicts) {
    for check in &class.checks {
        let vouches = |by: &str| {
            if class.runners.is_empty() {
                lander == Some(by)
            } else {
                case.policy.names(&class.runners, Some(by))
            }
        };
        let failed = landing.failed.iter().find(|(name, _)| name == check);
        let passed: Vec<_> = landing.checks.iter().filter(|(name, _)| name == check).collect();
        if failed.is_none() && passed.iter().any(|(_, by)| vouches(by)) {
            continue;
        }
        let runners =
            if class.runners.is_empty() { "whoever lands".into() } else { class.runners.join(", ") };
        let verdict = match (failed, passed.first()) {
            (Some((_, what)), _) => Verdict::new(Rule::Checks, format!("check {check} has not passed"))
                .found(excerpt(what, 120))
                .wanted("passed; skipped is not passed"),
            (None, Some((_, by))) => {
                Verdict::new(Rule::Checks, format!("nobody who counts vouches for {check}"))
                    .found(excerpt(by, 60))
                    .wanted(runners)
            }
            (None, None) => Verdict::new(Rule::Checks, format!("check {check} is missing"))
                .found("no result for the very commit that lands")
                .wanted(format!("a pass, vouched for by {runners}"))
                .waits(),
        };
        let hint = if class.runners.is_empty() {
            format!("shipway change land {}   runs it", landing.change)
        } else {
            format!("shipway change check {}   as {}", landing.change, class.runners.join(" or "))
        };
        out.add(verdict.of(&case.update.new).hint(hint));
    }
}

fn waiting(landing: &Landing, out: &mut Verdicts) {
    for person in &landing.objections {
        out.add(
            Verdict::new(Rule::Objection, format!("{} asks for changes", excerpt(person, 60)))
                .hint(format!("shipway change show {}", landing.change))
                .waits(),
        );
    }
    if let Some((what, hint)) = &landing.unready {
        out.add(
            Verdict::new(Rule::Obligation, excerpt(what, 160))
                .wanted("a change request that is open and asks to land")
                .hint(hint.as_str())
                .waits(),
        );
    }
    for obligation in &landing.obligations {
        out.add(
            Verdict::new(Rule::Obligation, excerpt(obligation, 160))
                .wanted("what the landing before asks for, first")
                .hint("shipway flow status")
                .waits(),
        );
    }
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 4] = [Self::Merge, Self::Squash, Self::Rebase, Self::FastForward];
    /// The names as the policy writes them.
    pub const NAMES: &'static [&'static str] = &["merge", "squash", "rebase", "fast-forward"];

    /// Returns the method of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Returns the name as the policy writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
            Self::FastForward => "fast-forward",
        }
    }
}
