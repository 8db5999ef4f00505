//! The evaluator: a policy and what was seen, and all that the policy refuses of it.
//!
//! Nothing is decided anywhere else. Each update is judged by its name, by how it moves, by its ticket, by what lands,
//! and by what its commits hold; all rules must be met, so the strictest wins.

use std::collections::BTreeSet;

use super::names::{self, Taken};
use super::verdict::{Rule, Verdict};
use super::{BranchClass, Facts, Policy, Update, UpdateKind, content, refs};
use crate::version::excerpt;

/// How many refusals of one rule are told for one ref.
const MOST: usize = 10;

/// Returns everything that the policy refuses; nothing means that it is allowed.
///
/// An update of a protected branch passes with a good ticket only. Whoever is about to write one hands in the ticket as
/// it will be ([`super::TicketSeen`] without a flaw).
pub fn evaluate(policy: &Policy, facts: &Facts) -> Vec<Verdict> {
    let mut out = Verdicts::default();
    if facts.by.is_none() {
        out.add(
            Verdict::new(Rule::NoIdentity, "nobody knows who asks")
                .wanted("a login that the transport vouches for, or a signed push")
                .hint("git push --signed, or push through ssh with a key that the repository knows"),
        );
    }
    let cases = facts.updates.iter().flat_map(|update| cases(policy, facts, update));
    let cases: Vec<Case<'_>> = cases.collect();
    let makes = cases.iter().any(|case| case.step == Step::Create);
    let mut taken = if makes { Taken::of(facts) } else { Taken::default() };
    let mut moved = BTreeSet::new();
    for case in &cases {
        out.begin(&case.update.name);
        names::judge(case, &mut taken, &mut out);
        if !moved.insert(case.name) {
            out.add(
                Verdict::new(Rule::DuplicateRef, format!("{} is named twice in one push", shown(case.name)))
                    .wanted("each ref once")
                    .hint("push the updates one after another"),
            );
        }
        refs::judge(case, &mut out);
        content::judge(case, &mut out);
    }
    out.list
}

/// One ref that an update moves, with what follows from its name. An update of a symbolic ref has two: the ref that
/// was named, and the one that it stands for.
pub(super) struct Case<'a> {
    pub(super) policy: &'a Policy,
    pub(super) facts: &'a Facts,
    pub(super) update: &'a Update,
    /// The full name.
    pub(super) name: &'a [u8],
    pub(super) place: Place<'a>,
    pub(super) step: Step,
    /// The classes of the branch; for a change request, those of the branch that it is for.
    pub(super) classes: Vec<(&'a str, &'a BranchClass)>,
    /// Who asks, as a person or an agent of the policy.
    pub(super) actor: Option<&'a str>,
}

/// Where a ref is, and its name there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// `refs/heads/…`.
    Branch(&'a [u8]),
    /// `refs/tags/…`.
    Tag(&'a [u8]),
    /// `refs/for/…`: a change request for a branch.
    For(&'a [u8]),
    /// `refs/events/…`: an event for a log.
    Event(&'a [u8]),
    /// Anywhere else.
    Foreign,
}

/// How a ref moves, as its object ids say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Create,
    Forward,
    Rewind,
    Delete,
}

fn cases<'a>(policy: &'a Policy, facts: &'a Facts, update: &'a Update) -> impl Iterator<Item = Case<'a>> {
    let actor = facts.by.as_ref().and_then(|by| policy.person_of_login(&by.login));
    [Some(update.name.as_slice()), update.target.as_deref()].into_iter().flatten().map(move |name| {
        let place = place(name);
        let classes = match place {
            Place::Branch(short) | Place::For(short) => policy.classes_of(short),
            Place::Tag(_) | Place::Event(_) | Place::Foreign => vec![],
        };
        Case { policy, facts, update, name, place, step: step(update), classes, actor }
    })
}

fn place(name: &[u8]) -> Place<'_> {
    let below = |prefix: &str| name.strip_prefix(prefix.as_bytes()).filter(|rest| !rest.is_empty());
    below("refs/heads/")
        .map(Place::Branch)
        .or_else(|| below("refs/tags/").map(Place::Tag))
        .or_else(|| below("refs/for/").map(Place::For))
        .or_else(|| below("refs/events/").map(Place::Event))
        .unwrap_or(Place::Foreign)
}

/// Tells whether an object id stands for nothing.
pub(super) fn is_none(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

/// What an update is, by its object ids first: a kind that does not go with them counts as the worst.
fn step(update: &Update) -> Step {
    match (is_none(&update.current), is_none(&update.new), update.kind) {
        (_, true, _) => Step::Delete,
        (true, false, _) => Step::Create,
        (false, false, UpdateKind::Forward) => Step::Forward,
        (false, false, UpdateKind::Rewind | UpdateKind::Create | UpdateKind::Delete) => Step::Rewind,
    }
}

impl Case<'_> {
    /// Tells whether only landings move the branch.
    pub(super) fn is_protected(&self) -> bool {
        matches!(self.place, Place::Branch(_)) && self.classes.iter().any(|(_, class)| class.protected)
    }

    /// Tells whether a list of people and groups names whoever asks. Nobody is in no list.
    pub(super) fn may(&self, list: &[String]) -> bool {
        self.facts.by.is_some() && self.policy.names(list, self.actor)
    }

    /// Returns who asks, for people.
    pub(super) fn who(&self) -> String {
        let login = self.facts.by.as_ref().map(|by| excerpt(&by.login, 60));
        self.actor.map(str::to_owned).or(login).unwrap_or_else(|| "nobody that is known".to_owned())
    }
}

/// The refusals so far.
#[derive(Default)]
pub(super) struct Verdicts {
    list: Vec<Verdict>,
    reference: Option<String>,
    start: usize,
}

impl Verdicts {
    fn begin(&mut self, name: &[u8]) {
        self.reference = Some(shown(name));
        self.start = self.list.len();
    }

    /// Adds a refusal of the ref at hand, unless there are plenty of its rule.
    pub(super) fn add(&mut self, mut verdict: Verdict) {
        if self.list[self.start..].iter().filter(|known| known.rule == verdict.rule).count() < MOST {
            verdict.reference.clone_from(&self.reference);
            self.list.push(verdict);
        }
    }
}

/// Returns bytes as a harmless line for people.
pub(super) fn shown(bytes: &[u8]) -> String {
    excerpt(&String::from_utf8_lossy(bytes), 120)
}

/// Returns the name of a branch as a command takes it, or a word for it where it is not fit for one.
pub(super) fn branch_text(short: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'+');
    let fit = short.first() != Some(&b'-') && short.iter().all(plain);
    if fit { String::from_utf8_lossy(short).into_owned() } else { "BRANCH".to_owned() }
}
