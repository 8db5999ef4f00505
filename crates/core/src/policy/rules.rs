//! What no key of a policy can say alone: names that must be known, and rules that nobody could ever meet.

use std::collections::BTreeMap;

use super::{BranchClass, Policy, glob};
use crate::config::form::quoted;
use crate::config::place::{Problems, shown};
use crate::config::read::Found;
use crate::config::suggest;
use crate::config::value::Value;
use crate::problem::{Code, Problem};

/// The keys that list people, of the tables that have them.
const LISTS: &[(&str, &[&str])] = &[
    (
        "branch",
        &["create", "push", "delete", "force", "land", "release", "break-glass", "runners", "approvers"],
    ),
    ("tag", &["create"]),
    ("group", &["members"]),
];

/// Adds a problem for each rule that a file breaks whose keys are all right.
pub(super) fn check(root: &Found, policy: &Policy, problems: &mut Problems<'_>) {
    names(root, problems);
    people(root, problems);
    lists(root, policy, problems);
    for found in root.sections("branch") {
        if let Some(class) = policy.branches.get(&found.label) {
            branch(found, class, policy, problems);
        }
    }
    for found in root.sections("tag") {
        if policy.tags.get(&found.label).is_some_and(|class| class.patterns.is_empty()) {
            let what = format!("`{}` fits no tag", found.path);
            problems.add(&found.span_of("patterns"), wrong(what).wanted("at least one pattern"));
        }
    }
}

fn wrong(what: String) -> Problem {
    Problem::new(Code::PolicyRule, what)
}

/// People, agents and groups share one space of names, and `*` is taken.
fn names(root: &Found, problems: &mut Problems<'_>) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let tables = ["person", "agent", "group"];
    for found in tables.iter().flat_map(|name| root.sections(name)) {
        if found.label == "*" {
            problems.add(&found.span, wrong("`*` is no name: it stands for whoever is known".to_owned()));
        }
        if let Some(first) = seen.insert(&found.label, &found.path) {
            let what = format!("`{}` has the same name as `{first}`", found.path);
            problems.add(&found.span, wrong(what).wanted("another name"));
        }
    }
}

/// An address or a login is one person's.
fn people(root: &Found, problems: &mut Problems<'_>) {
    let mut seen: BTreeMap<(&str, String), &str> = BTreeMap::new();
    for found in ["person", "agent"].iter().flat_map(|name| root.sections(name)) {
        for key in ["email", "login"] {
            let itself = (key == "login" && texts(found, key).is_empty()).then_some(&found.label);
            for name in texts(found, key).iter().chain(itself) {
                let first = seen.insert((key, name.to_lowercase()), &found.path);
                if let Some(first) = first.filter(|first| *first != found.path) {
                    let what = format!("`{}` has the same {key} as `{first}`", found.path);
                    problems.add(
                        &found.span_of(key),
                        wrong(what).found(shown(name)).wanted(format!("another {key}")),
                    );
                }
            }
        }
    }
}

fn texts<'a>(found: &'a Found, key: &str) -> &'a [String] {
    if let Some(Value::Texts(texts)) = found.given(key) { texts } else { &[] }
}

/// Everybody who is named is somebody.
fn lists(root: &Found, policy: &Policy, problems: &mut Problems<'_>) {
    let mut list = |found: &Found, key: &str| {
        let in_group = key == "members";
        let known: Vec<&str> = policy
            .people
            .keys()
            .chain(policy.groups.keys().filter(|_| !in_group))
            .map(String::as_str)
            .chain((!in_group).then_some("*"))
            .collect();
        for name in texts(found, key).iter().filter(|name| !known.contains(&name.as_str())) {
            let place = if found.path.is_empty() { key.to_owned() } else { format!("{}.{key}", found.path) };
            let kind = if in_group { "no person or agent" } else { "no person, agent or group" };
            let problem = wrong(format!("`{}` in `{place}` is {kind} of the policy", shown(name)));
            let problem = match suggest::nearest(name, known.iter().copied()) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None if name.contains('@') => problem.hint("[person.NAME]  # with  email = [\"…\"]"),
                None => problem.hint(format!("[person.{}]", shown(name))),
            };
            problems.add(&found.span_of(key), problem);
        }
    };
    list(root, "policy-owners");
    for (table, keys) in LISTS {
        for found in root.sections(table) {
            keys.iter().for_each(|key| list(found, key));
        }
    }
    for found in root.sections("files").flat_map(|files| files.sections("restricted")) {
        list(found, "who");
    }
}

fn branch(found: &Found, class: &BranchClass, policy: &Policy, problems: &mut Problems<'_>) {
    if class.patterns.is_empty() {
        let what = format!("`{}` fits no branch", found.path);
        problems.add(&found.span_of("patterns"), wrong(what).wanted("at least one pattern"));
    }
    for key in ["release", "break-glass"] {
        for name in texts(found, key).iter().filter(|name| policy.people.get(*name).is_some_and(|p| p.agent))
        {
            let what = format!("agent `{}` cannot be in `{}.{key}`", shown(name), found.path);
            problems.add(&found.span_of(key), wrong(what).wanted("people and groups"));
        }
    }
    approvals(found, class, policy, problems);
    for pair in found.sections("merge") {
        if texts(pair, "method").is_empty() {
            let what = format!("`{}` has no method, so that nothing fits it", pair.path);
            problems.add(&pair.span_of("method"), wrong(what).wanted(quoted(super::Method::NAMES)));
        }
        for from in texts(pair, "from").iter().filter(|from| never(from, class, policy)) {
            let what = format!("`{}` can never go into `{}`", shown(from), found.path);
            let wanted = if policy.names.is_empty() {
                "another branch".to_owned()
            } else {
                format!("a branch that may be made, such as {}", policy.names.join(", "))
            };
            problems.add(&pair.span_of("from"), wrong(what).wanted(wanted));
        }
    }
}

/// Tells whether no branch that may be a source can have a name: it is the target itself, or may not be made.
fn never(from: &str, class: &BranchClass, policy: &Policy) -> bool {
    let literal = glob::is_name(from);
    let itself = literal && class.patterns.len() == 1 && class.patterns[0] == from;
    let made = policy.names.is_empty()
        || policy.names.iter().any(|name| glob::fits(name, from.as_bytes()))
        || !policy.classes_of(from.as_bytes()).is_empty();
    itself || (literal && !made)
}

/// Approvals that nobody can ever give are a rule that stops everything.
fn approvals(found: &Found, class: &BranchClass, policy: &Policy, problems: &mut Problems<'_>) {
    let count = class.approvals.count as usize;
    let people = |name: &&String| policy.is_person(name);
    let counts =
        |name: &&String| class.approvals.from.is_empty() || policy.names(&class.approvals.from, Some(name));
    let able: Vec<&String> = policy.people.keys().filter(people).filter(counts).collect();
    let everybody = policy.people.len();
    // Whoever is alone, without agents or others who write, could never land anything of their own.
    let alone = count > 0 && able.len() == 1 && everybody == 1 && !policy.solo;
    if count <= able.len() && !alone {
        return;
    }
    let what = format!("`{}` wants {count} approvals, which can never be given", found.path);
    let counted = if able.is_empty() {
        "nobody".to_owned()
    } else {
        quoted(&able.iter().map(|n| n.as_str()).collect::<Vec<_>>())
    };
    let problem = wrong(what).found(format!("{counted} may approve"));
    let problem = if alone {
        problem.wanted("somebody who is not the author").hint("solo = true")
    } else {
        problem.wanted(format!("at least {count} people who may")).hint("[person.NAME]")
    };
    problems.add(&found.span_of("approvals"), problem);
}
