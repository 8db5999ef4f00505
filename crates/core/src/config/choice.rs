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
    /// The weakest grade of an approval that counts.
    Grade {
        /// Typed at a terminal.
        P0 = "P0",
        /// Signed with a key that a passphrase opens.
        P1 = "P1",
        /// Signed on a device that was touched.
        P2 = "P2",
        /// Signed by another person, over another login.
        P3 = "P3",
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

choice! {
    /// How the hosts of an environment follow each other.
    Strategy {
        /// All at once.
        Recreate = "recreate",
        /// In batches.
        Rolling = "rolling",
        /// All at once, each with old and new side by side.
        BlueGreen = "blue-green",
        /// Some first, which are watched, then the others in batches.
        Canary = "canary",
    }
}

choice! {
    /// What is made ready on a host before the switch.
    RuntimeKind {
        /// Nothing.
        None = "none",
        /// A virtual environment.
        Python = "python",
        /// `npm ci`.
        Node = "node",
    }
}

choice! {
    /// What keeps a service running.
    KeeperKind {
        /// Nothing: a process of its own.
        Process = "process",
        /// systemd.
        Systemd = "systemd",
        /// The systemd of the user.
        SystemdUser = "systemd-user",
        /// s6.
        S6 = "s6",
        /// runit.
        Runit = "runit",
        /// supervisord.
        Supervisor = "supervisor",
        /// A container.
        Container = "container",
        /// A compose file.
        Compose = "compose",
        /// A quadlet unit of the system.
        Quadlet = "quadlet",
        /// A quadlet unit of the user.
        QuadletUser = "quadlet-user",
        /// Commands of the user.
        Command = "command",
    }
}

choice! {
    /// How traffic goes from the old release to the new one.
    SwitchKind {
        /// The service is restarted.
        Restart = "restart",
        /// systemd holds the socket meanwhile.
        Socket = "socket",
        /// The built-in proxy.
        Proxy = "proxy",
        /// The runtime interface of `HAProxy`.
        Haproxy = "haproxy",
        /// A file that a server reads again.
        Reload = "reload",
    }
}

choice! {
    /// When a change to a database is made.
    Phase {
        /// Before the switch; it only adds.
        Expand = "expand",
        /// After the release is confirmed; it takes away.
        Contract = "contract",
    }
}
