//! Allowed signers: whose key is whose, for which namespaces and in which time. The form is that of ssh-keygen(1),
//! ALLOWED SIGNERS, so that git and ssh-keygen read the same file.
//!
//! Three things are narrower than there. A time without a zone is UTC, because a file must mean the same on every
//! machine. Authorities that sign keys are refused. And only a principal without `*` and `?` names a person.
//!
//! A key counts no more from a time on that [`REVOKED`] gives: one line for each key, with its fingerprint, the time, and
//! the reason. It stands beside the allowed signers and changes as they do, so no key that was stolen can hide it, and
//! whoever has a clone can judge without asking anybody.

mod key;
mod line;
mod pattern;
#[cfg(test)]
mod tests;

use crate::problem::{Code, Problem};
use crate::statement::Revocation;
use crate::time::Time;

pub use key::{Curve, Material, PublicKey, Wire, put_string};
pub use line::Line;

/// Where the keys stand that count no more, in a repository.
pub const REVOKED: &str = ".shipway/revoked_keys";

/// The keys that count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signers {
    lines: Vec<Line>,
    revoked: Vec<Revocation>,
}

impl Signers {
    /// Reads the keys and those that count no more. A line that cannot be understood allows nobody, and is a problem.
    pub fn read(allowed: &str, revoked: &str) -> (Self, Vec<Problem>) {
        let (mut signers, mut problems) = (Self::default(), vec![]);
        for (number, text) in (1..).zip(allowed.lines()) {
            match line::read(number, text) {
                Ok(None) => {}
                Ok(Some(line)) => {
                    problems.extend(signers.shared(&line));
                    signers.lines.push(line);
                }
                Err(why) => problems.push(bad(crate::policy::SIGNERS, number, text, &why)),
            }
        }
        for (number, text) in (1..).zip(revoked.lines()) {
            let (revocation, why) = line::revocation(text);
            signers.revoked.extend(revocation);
            problems.extend(why.map(|why| bad(REVOKED, number, text, &why)));
        }
        (signers, problems)
    }

    /// Returns the lines that can be used, in their order.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Adds the revocations of others. What is known of a theft today holds for what was signed since then, whatever was
    /// known at that time.
    #[must_use]
    pub fn revoked_also(mut self, others: &Self) -> Self {
        self.revoked.extend(others.revoked.iter().cloned());
        self
    }

    /// Tells whether nobody is allowed to sign.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Tells whether a principal may sign with a key for a namespace at a time, as `ssh-keygen -Y verify -I` does.
    pub fn check(&self, principal: &str, key: &PublicKey, namespace: &str, at: Time) -> Result<(), Problem> {
        self.first(key, namespace, at, |line| line.fits(principal).then_some(()))
    }

    /// Returns the name of the person whose key it is, if it may sign for a namespace at a time.
    pub fn person(&self, key: &PublicKey, namespace: &str, at: Time) -> Result<&str, Problem> {
        self.first(key, namespace, at, Line::person)
    }

    /// Returns all names that a person goes by, the given one first: the plain principals of the person's lines.
    pub fn names(&self, person: &str) -> Vec<String> {
        let mut names = vec![person.to_owned()];
        let lines = self.lines.iter().filter(|line| line.person() == Some(person));
        for name in lines.flat_map(Line::names) {
            if !names.iter().any(|other| other == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// Returns what makes a key of the list count no more, if something does, whatever the namespace is.
    pub fn flaw(&self, line: &Line, at: Time) -> Option<Problem> {
        self.revoked(&line.key, at).or_else(|| line.timely(at).err().map(|why| no(&line.key, why)))
    }

    /// Returns what the first line says that has the key and counts; else why the last one does not.
    fn first<'a, T>(
        &'a self,
        key: &PublicKey,
        namespace: &str,
        at: Time,
        say: impl Fn(&'a Line) -> Option<T>,
    ) -> Result<T, Problem> {
        if let Some(problem) = self.revoked(key, at) {
            return Err(problem);
        }
        let mut problem = unknown(key);
        for line in self.lines.iter().filter(|line| line.key == *key) {
            let Some(said) = say(line) else { continue };
            match line.timely(at).and_then(|()| line.serves(namespace)) {
                Ok(()) => return Ok(said),
                Err(why) => problem = no(key, why),
            }
        }
        Err(problem)
    }

    fn revoked(&self, key: &PublicKey, at: Time) -> Option<Problem> {
        let name = key.fingerprint();
        let revoked = self.revoked.iter().find(|revoked| revoked.key == name && revoked.from <= at)?;
        let why = if revoked.reason.is_empty() { String::new() } else { format!(": {}", revoked.reason) };
        Some(no(key, format!("it counts no more since {}{why}", revoked.from)))
    }

    /// Says that a key stands there already for somebody else: its signature would count for the first of them only.
    fn shared(&self, line: &Line) -> Option<Problem> {
        let first = self.lines.iter().find(|other| other.key == line.key)?;
        if first.person() == line.person() {
            return None;
        }
        let what = format!("a key is that of {} on line {} already", first.principals, first.number);
        Some(
            Problem::new(Code::SignersUnreadable, what)
                .at(format!("{}:{}", crate::policy::SIGNERS, line.number))
                .found(line.principals.clone())
                .wanted("one person for each key"),
        )
    }
}

fn bad(file: &str, number: usize, text: &str, why: &str) -> Problem {
    Problem::new(Code::SignersUnreadable, why).at(format!("{file}:{number}")).found(text.trim())
}

fn unknown(key: &PublicKey) -> Problem {
    Problem::new(
        Code::SignerUnknown,
        format!("the key {} is not among the allowed signers", key.fingerprint()),
    )
    .hint(format!("add the line to {}: NAME {}", crate::policy::SIGNERS, key.to_line()))
}

fn no(key: &PublicKey, why: impl Into<String>) -> Problem {
    Problem::new(Code::KeyInvalid, format!("the key {} does not count", key.fingerprint())).found(why)
}
