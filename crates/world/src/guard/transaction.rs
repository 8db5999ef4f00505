//! `reference-transaction`: the backstop. It sees every ref that any command of git is about to move, under its real
//! name, whether or not a push asked for it.

use std::fs::OpenOptions;
use std::io::{self, Write as _};

use shipway_core::policy::{Identity, Rule, Verdict};
use shipway_core::problem::Problem;
use shipway_core::time::Time;

use super::Guard;
use super::receive::Push;
use super::see::Line;
use crate::hooks::staged::InHook;

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

/// Reads what git tells the hook.
pub fn moves(input: &[u8]) -> Vec<Move> {
    let line = |line: &[u8]| {
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        let text = |part: Option<&[u8]>| part.map(|part| String::from_utf8_lossy(part).into_owned());
        Some(Move { old: text(parts.next())?, new: text(parts.next())?, name: parts.next()?.to_vec() })
    };
    input.split(|byte| *byte == b'\n').filter(|bytes| !bytes.is_empty()).filter_map(line).collect()
}

impl Guard {
    /// Returns what is refused of a transaction that is prepared.
    pub fn transaction(
        &self,
        git: &InHook<'_>,
        by: Option<Identity>,
        moves: &[Move],
        (token, now): (Option<&str>, Time),
    ) -> Result<Vec<Verdict>, Vec<Problem>> {
        if self.is_ours(token) {
            return Ok(vec![]);
        }
        let mut refused: Vec<Verdict> = moves.iter().filter_map(of_ours).collect();
        let branches: Vec<&Move> =
            moves.iter().filter(|found| found.name.starts_with(b"refs/heads/")).collect();
        if branches.is_empty() && !moves.iter().any(|found| found.new.starts_with("ref:")) {
            return Ok(refused);
        }
        let base = self.base(git)?;
        let protected = |name: &[u8]| {
            name.strip_prefix(b"refs/heads/").is_some_and(|branch| base.policy.is_protected(branch))
        };
        for found in moves {
            let Some(target) = found.new.strip_prefix("ref:") else { continue };
            if found.name == b"HEAD" || protected(target.as_bytes()) {
                let what = format!("{} is not to stand for {target}", String::from_utf8_lossy(&found.name));
                let verdict = Verdict::new(Rule::Symref, what).wanted("a branch of its own");
                refused.push(verdict.hint("git push origin COMMIT:refs/heads/ANOTHER-NAME"));
            }
        }
        let lines: Vec<Line> = branches
            .into_iter()
            .filter(|found| protected(&found.name) && !found.new.starts_with("ref:"))
            .map(|found| {
                let name = String::from_utf8_lossy(&found.name).into_owned();
                // A caller that does not say what is there means whatever is.
                let old = crate::records::tip(git, &name).ok().flatten().unwrap_or_default();
                Line { old, new: found.new.clone(), name: found.name.clone() }
            })
            .collect();
        if !lines.is_empty() {
            let push = Push { by, lines: &lines, ticket: None, now };
            refused.extend(self.judge_by(git, &base, &push).map_err(|problem| vec![problem])?);
        }
        Ok(refused)
    }

    /// Adds what has moved to the ledger.
    pub fn ledger(&self, moves: &[Move], login: &str, now: Time) -> io::Result<()> {
        let lines: String = moves
            .iter()
            .filter(|found| found.name.starts_with(b"refs/heads/") || found.name.starts_with(b"refs/tags/"))
            .map(|found| {
                let name = String::from_utf8_lossy(&found.name);
                format!("{} {} {} {name} {}\n", now.0, found.old, found.new, login.replace([' ', '\n'], "_"))
            })
            .fold(String::new(), |all, line| all + &line);
        if lines.is_empty() {
            return Ok(());
        }
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.dir().join(LEDGER))?
            .write_all(lines.as_bytes())
    }
}

/// Refuses what nobody but the guard writes, and what would make git show one object for another.
fn of_ours(found: &Move) -> Option<Verdict> {
    let name = String::from_utf8_lossy(&found.name).into_owned();
    let ours = found.name.starts_with(b"refs/shipway/");
    if !ours && !found.name.starts_with(b"refs/replace/") {
        return None;
    }
    let what = if ours { "is written by the guard alone" } else { "would show one object for another" };
    let mut verdict = Verdict::new(Rule::RefNamespace, format!("{name} {what}"));
    verdict.reference = Some(name);
    Some(verdict.hint("git push origin HEAD:refs/for/BRANCH"))
}
