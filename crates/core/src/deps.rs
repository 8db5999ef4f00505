//! Dependencies: what a project declares, what is installed, and how the two differ.
//!
//! Everything here is decided from texts and lists; whoever can read files and ask hosts hands them in.

mod cargo;
mod compare;
mod debian;
mod locked;
mod npm;
pub mod pep440;
pub mod pep508;
mod python;
mod reach;
mod requirements;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use cargo::{cargo, crates};
pub use compare::{Row, Verdict, compare};
pub use debian::{debian, order as debian_order, packages};
pub use locked::{LOCKS, locked_requirements};
pub use npm::{lock as npm_lock, manifest as npm_manifest, satisfies as npm_satisfies};
pub use pep508::{Markers, normal};
pub use python::{metadata, poetry_lock, pylock, pyproject, uv_lock};
pub use requirements::requirements;

/// Who installs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// pip, in a virtual environment.
    Pip,
    /// npm, below `node_modules`.
    Npm,
    /// `cargo install`.
    Cargo,
    /// apt and dpkg.
    Debian,
    /// An installer of a newer shipway.
    #[serde(other)]
    Unknown,
}

impl Kind {
    /// Returns the name, as programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pip => "pip",
            Self::Npm => "npm",
            Self::Cargo => "cargo",
            Self::Debian => "debian",
            Self::Unknown => "unknown",
        }
    }
}

/// Where installed packages are looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Place {
    /// A virtual environment of Python.
    Pip {
        /// Its directory.
        venv: String,
    },
    /// The packages below `node_modules`.
    Npm {
        /// The directory of `package.json`.
        dir: String,
        /// Workspaces in it, which may have packages of their own.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        workspaces: Vec<String>,
    },
    /// What `cargo install` has installed.
    Cargo {
        /// Its root; `~/.cargo` if empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        root: String,
    },
    /// Debian packages by name.
    Debian {
        /// The names that are asked about.
        names: Vec<String>,
    },
    /// A place of a newer shipway.
    #[serde(other)]
    Unknown,
}

impl Place {
    /// Returns who installs there.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Pip { .. } => Kind::Pip,
            Self::Npm { .. } => Kind::Npm,
            Self::Cargo { .. } => Kind::Cargo,
            Self::Debian { .. } => Kind::Debian,
            Self::Unknown => Kind::Unknown,
        }
    }
}

/// One package that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The name; for npm the path below its directory, such as `node_modules/a/node_modules/b`.
    pub name: String,
    /// The version, as its installer states it.
    pub version: String,
    /// What it needs itself, as requirements of PEP 508.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Whether a virtual environment only sees it, from the system's Python.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inherited: bool,
}

/// All that is installed at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The packages.
    pub packages: Vec<Installed>,
    /// What the interpreter says of itself, for markers.
    #[serde(default, skip_serializing_if = "Markers::is_empty")]
    pub markers: Markers,
}

/// One package that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The name, in the form of [`Installed::name`].
    pub name: String,
    /// The versions that will do, as the installer writes them; any if empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub want: String,
    /// When it is asked for at all (PEP 508); always if empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub marker: String,
    /// The extras that are asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<String>,
    /// Where it says so, such as `requirements.txt:3`.
    pub from: String,
    /// Whether it may be missing: packages for development, constraints.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

/// What a file, with all that it includes, asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// The file, or what else says so.
    pub source: String,
    /// The packages.
    pub packages: Vec<Declared>,
    /// Whether nothing but these may be there, as a lock file says.
    pub whole: bool,
    /// The versions of the interpreter that will do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub python: String,
    /// The name of the project itself, which may be installed too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<String>,
    /// What could not be read, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Declaration {
    /// Returns a declaration without packages.
    pub fn new(source: &str) -> Self {
        Self { source: source.into(), ..Self::default() }
    }
}

/// Tells whether a version is one of those that will do; none if one of the two cannot be read.
pub fn satisfies(kind: Kind, version: &str, want: &str) -> Option<bool> {
    if want.is_empty() {
        return Some(true);
    }
    match kind {
        Kind::Pip => pep440::satisfies(version, want),
        Kind::Npm => npm::satisfies(version, want),
        Kind::Cargo => cargo::satisfies(version, want),
        Kind::Debian => debian::satisfies(version, want),
        Kind::Unknown => None,
    }
}

/// Returns a word as a shell reads it back, so that a command can be pasted.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=+,%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    // In quotes a shell would not know the home directory.
    if let Some(rest) = word.strip_prefix("~/") {
        return format!("~/{}", quote(rest));
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
