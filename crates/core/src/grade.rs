//! Grades: how much an approval proves about who gave it, and how much of that is only said.
//!
//! A signature shows that a key was used, not how. Only a device signs that it was touched; that a passphrase was typed
//! is what the signer's own shipway has written down before it signed. So a grade comes with words that part what is
//! proven from what is said, and reports print them.

use std::fmt;

use crate::statement::{Signer, Use};

/// The strongest grade that there is.
pub const HIGHEST: u8 = 3;

/// How much an approval proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grade {
    /// From 0, the weakest, to [`HIGHEST`].
    pub level: u8,
    /// Why, for people.
    pub why: String,
}

/// How far the signer is from whoever asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distance {
    /// Whether the signer is another person than the one who asks.
    pub person: bool,
    /// Whether it was brought over another login than that of the one who asks.
    pub login: bool,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", name(self.level), self.why)
    }
}

/// Returns the name of a grade, such as `P1`.
pub fn name(level: u8) -> String {
    format!("P{level}")
}

/// Returns what a grade means, in a few words.
pub fn words(level: u8) -> &'static str {
    match level {
        0 => "stops mistakes only",
        1 => "signed with a key that a passphrase opens, as the signer says",
        2 => "signed on a device that was touched",
        _ => "signed by another person, over another login",
    }
}

/// Returns what is to be done for a grade, in a few words.
pub fn wanted(level: u8) -> &'static str {
    match level {
        0 => "a yes that is typed at a terminal",
        1 => "a signature with a key that a passphrase opens, or on a device",
        2 => "a signature on a device that has to be touched",
        _ => {
            "a signature with a passphrase or on a device, by another person than the one who asks, from another login"
        }
    }
}

/// Returns the grade of a good signature.
///
/// A device that was touched is P2, whatever else is said. A passphrase is P1, and so is an agent that asks its owner:
/// no signature tells it from one that asks nobody. All others are P0: a program of the same user can use an unlocked
/// agent and an open file as well as its owner can. What is P1 at least becomes P3 when another person gave it and it
/// came over another login, because then one taken account is not enough.
pub fn grade(key_use: Use, signer: &Signer, distance: Distance) -> Grade {
    let (level, why) = alone(key_use, signer);
    match distance {
        Distance { person: true, login: true } if level >= 1 => {
            Grade { level: 3, why: format!("{why}, by another person and over another login") }
        }
        Distance { person: true | false, login: true | false } => Grade { level, why },
    }
}

fn alone(key_use: Use, signer: &Signer) -> (u8, String) {
    if signer.touched {
        let pin = if signer.verified { " and its owner has shown to be there" } else { "" };
        return (2, format!("a device was touched{pin}, which is proven"));
    }
    let on_device = signer.kind.starts_with("sk-");
    let (level, why) = match key_use {
        _ if on_device => (0, "the device says that it was not touched, which is proven"),
        Use::Device => (0, "a device is said, but the key is on none"),
        Use::Passphrase => (1, "a passphrase was typed, as the signer says"),
        Use::ConfirmedAgent => (1, "an agent has asked its owner, as the signer says"),
        Use::File => (0, "the file of the key is open to every program of its owner"),
        Use::Agent => (0, "an unlocked agent signs for every program of its owner"),
    };
    (level, why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key_use: Use, (kind, touched): (&str, bool), (person, login): (bool, bool), expected: &str) {
        let signer = Signer {
            person: "ann".into(),
            key: "SHA256:x".into(),
            kind: kind.into(),
            touched,
            verified: false,
        };
        let grade = grade(key_use, &signer, Distance { person, login }).to_string();
        assert!(grade.starts_with(expected), "{grade}");
    }

    #[test]
    fn what_is_proven_counts_more_than_what_is_said() {
        let (plain, touched, untouched) = (
            ("ssh-ed25519", false),
            ("sk-ssh-ed25519@openssh.com", true),
            ("sk-ssh-ed25519@openssh.com", false),
        );
        let near = (false, false);
        check(Use::Agent, plain, near, "P0: an unlocked agent");
        check(Use::File, plain, near, "P0: the file");
        check(Use::Passphrase, plain, near, "P1: a passphrase was typed, as the signer says");
        check(Use::ConfirmedAgent, plain, near, "P1: an agent has asked");
        check(Use::Device, plain, near, "P0: a device is said");
        check(Use::Device, touched, near, "P2: a device was touched, which is proven");
        check(Use::Agent, touched, near, "P2");
        check(Use::Device, untouched, near, "P0: the device says");
        check(Use::Passphrase, untouched, near, "P0: the device says");
    }

    #[test]
    fn another_person_over_another_login_makes_what_is_something_the_strongest() {
        let plain = ("ssh-ed25519", false);
        check(
            Use::Passphrase,
            plain,
            (true, true),
            "P3: a passphrase was typed, as the signer says, by another",
        );
        check(Use::Passphrase, plain, (true, false), "P1");
        check(Use::Passphrase, plain, (false, true), "P1");
        check(Use::Agent, plain, (true, true), "P0");
        check(Use::File, plain, (true, true), "P0");
        check(Use::Device, ("sk-ssh-ed25519@openssh.com", true), (true, true), "P3: a device was touched");
    }

    #[test]
    fn every_grade_has_words() {
        let all: Vec<_> = (0..=HIGHEST).map(|level| (name(level), words(level), wanted(level))).collect();
        assert_eq!(all.len(), 4);
        assert!(all.windows(2).all(|pair| pair[0].1 != pair[1].1 && pair[0].2 != pair[1].2));
    }
}
