//! Values of which there are only a few.

use serde::{Deserialize, Serialize};

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$of])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// Every word of the choice, as the file writes it.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// Returns the word as the file writes it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// Returns the choice of a word.
            pub fn of(text: &str) -> Option<Self> {
                [$(Self::$variant),*].into_iter().find(|choice| choice.as_str() == text)
            }
        }
    };
}

choice! {
    /// What a breaking change raises below 1.0.0.
    BelowOne {
        /// The minor version.
        Minor = "minor",
        /// The major version, so that 1.0.0 follows.
        Major = "major",
    }
}

choice! {
    /// What a commit message does that almost marks a change.
    Ambiguous {
        /// It stops the release.
        Stop = "stop",
        /// It is shown, and the release goes on.
        Warn = "warn",
    }
}

choice! {
    /// Whether commits and tags are signed.
    Sign {
        /// As git is configured.
        Auto = "auto",
        /// Always; a key that cannot be used stops the release.
        Required = "required",
        /// Never, whatever git is configured to do.
        Never = "never",
    }
}

choice! {
    /// A kind of package, by the file that marks it.
    PackageKind {
        /// `Cargo.toml`.
        Cargo = "cargo",
        /// `package.json`.
        Npm = "npm",
        /// `pyproject.toml`.
        Python = "python",
        /// `go.mod`; the version is the tag.
        Go = "go",
        /// `action.yml`; the version is the tag.
        Action = "action",
        /// `composer.json`; the version is the tag.
        Composer = "composer",
        /// `Package.swift`; the version is the tag.
        Swift = "swift",
        /// A file that holds the version and nothing else, such as `VERSION`.
        Plain = "plain",
    }
}
