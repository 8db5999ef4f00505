//! `reference-transaction`: the backstop. It sees every ref that any command of git is about to move, under its real
//! name, whether or not a push asked for it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};

use shipway_core::policy::{Identity, Policy, Pushed, Rule, Verdict};
use shipway_core::problem::Problem;
use shipway_core::time::Time;

use super::Guard;
use super::receive::Push;
use super::see;
use crate::hooks::staged::InHook;
use crate::records;

/// The file to which every ref that moved is added.
pub const LEDGER: &str = "ledger";

/// What a transaction is about to do to one ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// What is there, as the caller says; zeros where it does not.
    pub old: String,
    /// What is to be there: an object id, or `ref:` and a name.
    pub new: String,
    /// The real name.
    pub name: Vec<u8>,
}

impl Move {
    fn is_symbolic(&self) -> bool {
        self.new.starts_with("ref:")
    }
}

/// Reads what git tells the hook.
pub fn moves(input: &[u8]) -> Vec<Move> {
    let line = |line: &[u8]| {
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        let text = |part: Option<&[u8]>| part.map(|part| String::from_utf8_lossy(part).into_owned());
        Some(Move { old: text(parts.next())?, new: text(parts.next())?, name: parts.next()?.to_vec() })
    };
    input.split(|byte| *byte == b'\n').filter(|bytes| !bytes.is_empty()).filter_map(line).collect()
}

/// Who is behind a transaction.
#[derive(Clone, Debug)]
pub struct Behind<'a> {
    /// Who.
    pub by: Option<Identity>,
    /// What the process has as the mark of our own hooks.
    pub token: Option<&'a str>,
    /// Now.
    pub now: Time,
}

impl Guard {
    /// Returns what is refused of a transaction that is prepared.
    pub fn transaction(
        &self,
        git: &InHook<'_>,
        behind: &Behind<'_>,
        moves: &[Move],
    ) -> Result<Vec<Verdict>, Vec<Problem>> {
        if self.is_ours(behind.token) {
            return Ok(vec![]);
        }
        let one = |problem| vec![problem];
        let really = self.really(git, moves).map_err(one)?;
        let mut refused: Vec<Verdict> = really.iter().filter_map(|line| of_ours(&line.name)).collect();
        refused.extend(
            moves.iter().filter(|found| found.is_symbolic()).filter_map(|found| of_ours(&found.name)),
        );
        refused.extend(head(git, moves).map_err(one)?);
        if really.is_empty() && !moves.iter().any(Move::is_symbolic) {
            return Ok(refused);
        }
        let base = self.base(git)?;
        refused.extend(moves.iter().filter_map(|found| symbolic(&base.policy, found)));
        refused.extend(really.iter().filter_map(|line| of_tag(&base.policy, line)));
        let lines: Vec<Pushed> =
            really.into_iter().filter(|line| is_protected(&base.policy, &line.name)).collect();
        if !lines.is_empty() {
            let push = Push { by: behind.by.clone(), lines: &lines, ticket: None, now: behind.now };
            refused.extend(self.judge_by(git, &base, &push).map_err(one)?);
        }
        if refused.is_empty() {
            self.note_moving(&lines, behind.now)?;
        }
        Ok(refused)
    }

    /// Returns the branches and refs of ours that are to be made, moved or deleted, and the tags that are to be moved or
    /// deleted, with what is really there. When git packs refs, it tells of each that it is made, and then that it is deleted.
    fn really(&self, git: &InHook<'_>, moves: &[Move]) -> Result<Vec<Pushed>, Problem> {
        let mut lines = vec![];
        for found in moves.iter().filter(|found| !found.is_symbolic()) {
            let tag = found.name.starts_with(b"refs/tags/");
            if !tag && !found.name.starts_with(b"refs/heads/") && !is_ours(&found.name) {
                continue;
            }
            let tip = records::tip(git, &String::from_utf8_lossy(&found.name))?;
            let same = tip.as_deref().is_some_and(|tip| tip == found.new);
            if same || (tag && tip.is_none()) || self.is_pruned(found, tip.as_deref()) {
                continue;
            }
            let old = tip.unwrap_or_else(|| "0".repeat(found.new.len()));
            lines.push(Pushed { old, new: found.new.clone(), name: found.name.clone() });
        }
        Ok(lines)
    }

    /// Tells whether a deletion only takes away the file of a ref that was just packed. Whoever deletes a packed ref for
    /// good holds the lock of the packed refs meanwhile, and whoever prunes does not.
    fn is_pruned(&self, found: &Move, tip: Option<&str>) -> bool {
        let (Some(tip), true) = (tip, see::is_none(&found.new)) else { return false };
        if self.repository.join("packed-refs.lock").exists() {
            return false;
        }
        let packed = fs::read(self.repository.join("packed-refs")).unwrap_or_default();
        let line = [tip.as_bytes(), b" ", &found.name].concat();
        packed.split(|byte| *byte == b'\n').any(|known| known == line)
    }

    /// Adds what has moved to the ledger.
    pub fn ledger(&self, git: &InHook<'_>, moves: &[Move], (login, now): (&str, Time)) -> io::Result<()> {
        let kept = |found: &&Move| {
            (found.name.starts_with(b"refs/heads/") || found.name.starts_with(b"refs/tags/"))
                && has_happened(git, found)
        };
        let login = login.replace([' ', '\n'], "_");
        let lines: String = moves.iter().filter(kept).fold(String::new(), |all, found| {
            let name = String::from_utf8_lossy(&found.name);
            all + &format!("{} {} {} {name} {login}\n", now.0, found.old, found.new)
        });
        if lines.is_empty() {
            return Ok(());
        }
        OpenOptions::new().append(true).open(self.dir().join(LEDGER))?.write_all(lines.as_bytes())
    }
}

/// Tells whether a ref is now what git says it was made. What packing says is not so, or is not news: then others may
/// have moved it since, and have said so themselves.
fn has_happened(git: &InHook<'_>, found: &Move) -> bool {
    if !see::is_none(&found.old) && !see::is_none(&found.new) {
        return true;
    }
    let tip = records::tip(git, &String::from_utf8_lossy(&found.name)).ok().flatten();
    match tip {
        Some(tip) => tip == found.new || found.is_symbolic(),
        None => see::is_none(&found.new),
    }
}

/// Tells whether only landings move a ref.
pub(in crate::guard) fn is_protected(policy: &Policy, name: &[u8]) -> bool {
    name.strip_prefix(b"refs/heads/").is_some_and(|branch| policy.is_protected(branch))
}

/// Refuses aliases: HEAD stays where it is, and a protected branch neither is one nor has one.
fn symbolic(policy: &Policy, found: &Move) -> Option<Verdict> {
    let target = found.new.strip_prefix("ref:")?;
    let refused =
        found.name == b"HEAD" || is_protected(policy, &found.name) || is_protected(policy, target.as_bytes());
    refused.then(|| {
        let what = format!("{} is not to stand for {target}", String::from_utf8_lossy(&found.name));
        let verdict = Verdict::new(Rule::Symref, what).wanted("a branch of its own");
        verdict.hint("git push origin COMMIT:refs/heads/ANOTHER-NAME")
    })
}

/// Refuses that HEAD stands for no branch any more. Where it stands for one that moves, git names both.
fn head(git: &InHook<'_>, moves: &[Move]) -> Result<Option<Verdict>, Problem> {
    let own = |found: &&Move| found.name == b"HEAD" && !found.is_symbolic();
    let Some(found) = moves.iter().find(own) else { return Ok(None) };
    let target = git.run(&git.git().args(["symbolic-ref", "--quiet", "HEAD"]))?.text();
    let follows = moves.iter().any(|other| other.name == target.as_bytes() && other.new == found.new);
    let verdict = Verdict::new(Rule::Symref, "HEAD is not to stand for a commit alone").wanted(target);
    Ok((!follows).then(|| verdict.hint("git push origin COMMIT:refs/heads/ANOTHER-NAME")))
}

/// Tells whether a ref is a tag that is there for good.
pub(in crate::guard) fn is_immutable_tag(policy: &Policy, name: &[u8]) -> bool {
    name.strip_prefix(b"refs/tags/")
        .is_some_and(|tag| policy.tag_classes_of(tag).iter().any(|(_, class)| class.immutable))
}

fn of_tag(policy: &Policy, line: &Pushed) -> Option<Verdict> {
    let name = String::from_utf8_lossy(&line.name).into_owned();
    is_immutable_tag(policy, &line.name).then(|| {
        let verdict = Verdict::new(Rule::TagImmutable, format!("{name} is there for good"));
        verdict.hint("git tag ANOTHER-NAME COMMIT")
    })
}

/// Tells whether a ref is one that nobody but the guard writes, or one that would make git show one object for another.
fn is_ours(name: &[u8]) -> bool {
    name.starts_with(b"refs/shipway/") || name.starts_with(b"refs/replace/")
}

/// Refuses those.
fn of_ours(name: &[u8]) -> Option<Verdict> {
    if !is_ours(name) {
        return None;
    }
    let ours = name.starts_with(b"refs/shipway/");
    let name = String::from_utf8_lossy(name).into_owned();
    let what = if ours { "is written by the guard alone" } else { "would show one object for another" };
    let mut verdict = Verdict::new(Rule::RefNamespace, format!("{name} {what}"));
    verdict.reference = Some(name);
    Some(verdict.hint("git push origin HEAD:refs/for/BRANCH"))
}
