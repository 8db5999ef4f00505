//! Names and numbers: runs, steps, digests, actors, times.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a name as it is.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name! {
    /// The name of a run: eight lower-case hexadecimal digits.
    RunId
}
name! {
    /// The name of a step, unique in its plan, such as `push/tag`.
    StepId
}
name! {
    /// A SHA-256 content hash in 64 lower-case hexadecimal digits; the name of a plan or an entry.
    Digest
}

impl Digest {
    /// Returns the digest of some bytes (FIPS 180-4).
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)))
    }

    /// Returns the digest of a value's JSON form.
    ///
    /// Field order is the order of the declarations and maps are sorted, so equal values have equal digests.
    pub fn of_json(value: &impl Serialize) -> Self {
        Self::of(
            &serde_json::to_vec(value).expect("our own types have string keys and no failing serializer"),
        )
    }

    /// Returns the first eight digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

/// Returns bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a text cannot fail");
    }
    text
}

/// The position of an entry in its run; opaque and ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// The number of a lease: each new holder of a run gets a higher one, and older ones can append no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub u64);

/// What kind of being an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// A person at a terminal.
    Human,
    /// An AI agent; it may plan, run and verify, never approve.
    Agent,
    /// A machine identity, such as a CI job.
    Machine,
}

/// Who did something: a person, agent or machine identity, and on which host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Person, agent or machine.
    pub kind: ActorKind,
    /// The name, such as `Jane Doe <jane@example.org>`.
    pub name: String,
    /// The host name of the machine it acted on.
    pub host: String,
}

impl Actor {
    /// Returns the name with the kind, unless it is a person, as a host writes down who holds it.
    pub fn signature(&self) -> String {
        match self.kind {
            ActorKind::Human => self.name.clone(),
            ActorKind::Agent => format!("{}{AGENT}", self.name),
            ActorKind::Machine => format!("{}{MACHINE}", self.name),
        }
    }

    /// Returns who has such a signature; on which machine is not known.
    pub fn signed(signature: &str) -> Self {
        let kinds = [(AGENT, ActorKind::Agent), (MACHINE, ActorKind::Machine)];
        let found = kinds.into_iter().find_map(|(end, kind)| Some((signature.strip_suffix(end)?, kind)));
        let (name, kind) = found.unwrap_or((signature, ActorKind::Human));
        Self { kind, name: name.to_owned(), host: String::new() }
    }
}

const AGENT: &str = " (agent)";
const MACHINE: &str = " (machine)";

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}
