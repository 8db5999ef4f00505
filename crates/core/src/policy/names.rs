//! Names of refs: which namespaces are open, and which names are foul.

use std::collections::HashMap;

use super::Facts;
use super::evaluate::{Case, Place, Step, Verdicts, branch_text, shown};
use super::glob;
use super::look::{folded, is_invisible, skeleton};
use super::verdict::{Rule, Verdict};

/// Names that git gives to refs of its own, apart from further ones that end in `_HEAD`.
const RESERVED: &[&str] = &[
    "HEAD",
    "FETCH_HEAD",
    "ORIG_HEAD",
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "BISECT_HEAD",
    "AUTO_MERGE",
    "stash",
    "@",
];

/// Directories that git tries when it is given a short name, so that a name below them can be taken for another.
const PREFIXES: &[&str] = &["refs", "heads", "tags", "remotes"];

/// Judges the name of a ref that is made or moved.
pub(super) fn judge(case: &Case<'_>, taken: &mut Taken, out: &mut Verdicts) {
    let (Place::Branch(short) | Place::Tag(short) | Place::For(short)) = case.place else {
        return space(case, out);
    };
    if case.step == Step::Delete {
        return;
    }
    let Ok(text) = std::str::from_utf8(short) else {
        out.add(foul(Rule::NameInvalid, "the name is not UTF-8", short, case));
        return;
    };
    if let Some(flaw) = malformed(text) {
        out.add(foul(Rule::NameInvalid, flaw, short, case));
    }
    if text.starts_with('-') {
        let what = "the name begins with a dash, and commands take it for an option";
        out.add(foul(Rule::NameDash, what, short, case));
    }
    if let Some(why) = reserved(text) {
        out.add(foul(Rule::ReservedName, why, short, case));
    }
    let invisible = text.chars().find(|c| is_invisible(*c));
    if let Some(c) = invisible {
        let what = format!("the name has the invisible character U+{:04X}", u32::from(c));
        out.add(foul(Rule::Confusable, &what, short, case));
    } else if !matches!(case.place, Place::For(_)) {
        likeness(case, text, out);
    }
    if case.step == Step::Create && !matches!(case.place, Place::For(_)) {
        beside_others(case, text, taken, out);
        pattern(case, text, out);
    }
}

/// Refuses what is neither a branch, a tag nor a change request.
fn space(case: &Case<'_>, out: &mut Verdicts) {
    if case.place != Place::Foreign {
        return;
    }
    let name = String::from_utf8_lossy(case.name);
    if !name.starts_with("refs/") && reserved(&name).is_some() {
        out.add(foul(Rule::ReservedName, "this is one of git's own names", case.name, case));
        return;
    }
    out.add(
        Verdict::new(Rule::RefNamespace, format!("{} is not open for pushes", shown(case.name)))
            .wanted("refs/heads/…, refs/tags/…, or refs/for/BRANCH")
            .hint("git push origin HEAD:refs/for/BRANCH asks that something lands on a branch"),
    );
}

fn foul(rule: Rule, what: &str, name: &[u8], case: &Case<'_>) -> Verdict {
    let verdict = Verdict::new(rule, what).found(shown(name));
    match case.place {
        Place::Tag(_) => verdict.hint("git push origin COMMIT:refs/tags/ANOTHER-NAME"),
        Place::Branch(_) | Place::For(_) | Place::Event(_) | Place::Foreign => {
            verdict.hint("git push origin HEAD:refs/heads/ANOTHER-NAME")
        }
    }
}

/// Returns why git would refuse a name (git-check-ref-format(1)).
fn malformed(text: &str) -> Option<&'static str> {
    let bad = |c: char| c.is_ascii_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    let ends_in_lock = |part: &str| part.to_ascii_lowercase().ends_with(".lock");
    if text.split('/').any(str::is_empty) {
        Some("a part of the name is empty")
    } else if text.contains(bad) {
        Some("the name has a character that git does not take")
    } else if text.split('/').any(|part| part.starts_with('.') || ends_in_lock(part)) {
        Some("a part of the name begins with a dot or ends in .lock")
    } else if text.contains("..") || text.contains("@{") || text.ends_with('.') {
        Some("the name has `..` or `@{`, or ends in a dot")
    } else {
        None
    }
}

/// Returns why a name would be taken for something else.
fn reserved(text: &str) -> Option<&'static str> {
    let first = text.split('/').next().unwrap_or(text);
    let pseudo = text.ends_with("_HEAD") && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    if pseudo || RESERVED.iter().any(|known| text.eq_ignore_ascii_case(known)) {
        return Some("this is one of git's own names");
    }
    if PREFIXES.iter().any(|known| first.eq_ignore_ascii_case(known)) {
        return Some("git tries this directory itself when it is given a short name");
    }
    let hex = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then_some("the name looks like an object id")
}

/// Refuses names that a reader, or a disk without case, takes for a protected one.
fn likeness(case: &Case<'_>, text: &str, out: &mut Verdicts) {
    let protected = case.policy.branches.values().filter(|class| class.protected);
    for pattern in protected.flat_map(|class| &class.patterns) {
        // What nearly any name fits says nothing about likeness.
        if glob::fits(pattern, text.as_bytes()) || pattern.starts_with('*') {
            continue;
        }
        if glob::fits(&folded(pattern), folded(text).as_bytes()) {
            let what = format!("the name differs from the protected {pattern} in case only");
            out.add(foul(Rule::CaseAlias, &what, text.as_bytes(), case));
            return;
        }
        if glob::fits(&skeleton(pattern), skeleton(text).as_bytes()) {
            let what = format!("the name looks like the protected {pattern}");
            out.add(foul(Rule::Confusable, &what, text.as_bytes(), case));
            return;
        }
    }
}

/// Refuses a new name that others stand in the way of.
fn beside_others(case: &Case<'_>, text: &str, taken: &mut Taken, out: &mut Verdicts) {
    if let Some(other) = taken.alias(case.name) {
        let what = format!("{} is there already and differs in case only", shown(&other));
        out.add(foul(Rule::CaseAlias, &what, text.as_bytes(), case));
    }
    let (other, kind) = match case.place {
        Place::Tag(_) => (format!("refs/heads/{text}"), "a branch"),
        Place::Branch(_) => (format!("refs/tags/{text}"), "a tag"),
        Place::For(_) | Place::Event(_) | Place::Foreign => return,
    };
    let literal = matches!(case.place, Place::Tag(_))
        && case.policy.branches.values().flat_map(|class| &class.patterns).any(|p| folded(p) == folded(text));
    if literal || taken.has(&other) {
        let what = format!(
            "{kind} is called {} as well, and git does not ask which one is meant",
            shown(text.as_bytes())
        );
        out.add(foul(Rule::TagLikeBranch, &what, text.as_bytes(), case));
    }
    taken.insert(case.name);
}

/// Refuses a new branch whose name the policy does not list.
fn pattern(case: &Case<'_>, text: &str, out: &mut Verdicts) {
    let Place::Branch(short) = case.place else { return };
    if !case.policy.takes_name(short) {
        let wanted = case.policy.names.join(", ");
        out.add(
            Verdict::new(Rule::NamePattern, "the name fits no pattern of the policy")
                .found(shown(text.as_bytes()))
                .wanted(wanted.clone())
                .hint(format!("git branch -m {} NAME   where NAME is like {wanted}", branch_text(short))),
        );
    }
}

/// The names that are there, by their form without case, with every directory on the way.
#[derive(Default)]
pub(super) struct Taken {
    names: HashMap<String, (Vec<u8>, bool)>,
}

impl Taken {
    /// Returns the names of a repository.
    pub(super) fn of(facts: &Facts) -> Self {
        let mut taken = Self::default();
        facts.refs.iter().for_each(|name| taken.insert(name));
        taken
    }

    fn insert(&mut self, name: &[u8]) {
        for end in ends(name) {
            let part = &name[..end];
            let whole = end == name.len();
            let entry = self.names.entry(folded(&String::from_utf8_lossy(part)));
            entry.or_insert_with(|| (part.to_vec(), whole)).1 |= whole;
        }
    }

    /// Returns what a name, or a directory of it, differs from in case only.
    fn alias(&self, name: &[u8]) -> Option<Vec<u8>> {
        ends(name).find_map(|end| {
            let (known, _) = self.names.get(&folded(&String::from_utf8_lossy(&name[..end])))?;
            (known != &name[..end]).then(|| known.clone())
        })
    }

    fn has(&self, name: &str) -> bool {
        self.names.get(&folded(name)).is_some_and(|(_, whole)| *whole)
    }
}

/// Returns where each directory of a name ends, and where the name does.
fn ends(name: &[u8]) -> impl Iterator<Item = usize> {
    let slashes = name.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    slashes.chain([name.len()])
}
