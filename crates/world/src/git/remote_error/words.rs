//! The words of git, ssh, curl and the forges, in lower case.

use shipway_core::problem::Code;

/// How a problem of one kind is told; `{}` stands for the remote.
pub(super) struct Saying {
    pub(super) code: Code,
    pub(super) what: &'static str,
    pub(super) found: &'static str,
    pub(super) wanted: &'static str,
    pub(super) hints: &'static [&'static str],
}

/// How the kinds of failure are told.
pub(super) const SAYINGS: &[Saying] = &[
    Saying {
        code: Code::RemoteUnreachable,
        what: "{} cannot be reached",
        found: "no answer from a repository",
        wanted: "a remote that answers",
        hints: &["git remote get-url {}", "git ls-remote {}"],
    },
    Saying {
        code: Code::AuthenticationFailed,
        what: "{} did not accept the credentials",
        found: "credentials that are missing or wrong",
        wanted: "credentials that the remote accepts without a prompt",
        hints: &["git ls-remote {}"],
    },
    Saying {
        code: Code::PushDenied,
        what: "{} does not allow this push",
        found: "a push that the remote denied",
        wanted: "the right to push",
        hints: &["git remote get-url --push {}"],
    },
    Saying {
        code: Code::RemoteMoved,
        what: "{} moved",
        found: "other commits on the remote than before",
        wanted: "the remote as it was when it was last seen",
        hints: &["git fetch {}"],
    },
    Saying {
        code: Code::TagTakenRemote,
        what: "the tag exists already on {}",
        found: "a tag of that name on the remote",
        wanted: "no tag of that name",
        hints: &["git ls-remote --tags {}"],
    },
    Saying {
        code: Code::HookRefused,
        what: "a hook refused the push to {}",
        found: "a hook that said no",
        wanted: "hooks that accept the push",
        hints: &[],
    },
    Saying {
        code: Code::DiskFull,
        what: "no space is left, here or on {}",
        found: "a full disk or quota",
        wanted: "room for the objects of the push",
        hints: &["df -h ."],
    },
    Saying {
        code: Code::Network,
        what: "the connection to {} broke off",
        found: "a connection that ended too early",
        wanted: "a connection that lasts until the remote has answered",
        hints: &["git ls-remote {}"],
    },
];

/// How a failure is told that is none of these.
pub(super) const UNSAID: Saying = Saying {
    code: Code::GitFailed,
    what: "git failed with {}",
    found: "an answer that says no more",
    wanted: "success",
    hints: &["git ls-remote {}"],
};

/// How many lines of a failed command a problem shows.
pub(super) const SHOWN: usize = 20;

/// There is no room, here or there.
pub(super) const FULL: &[&str] = &["no space left on device", "disk quota exceeded"];

/// Reasons of a report: the remote ref is not where it was thought to be.
pub(super) const MOVED: &[&str] = &[
    "fetch first",
    "incorrect old value",
    "needs force",
    "non-fast-forward",
    "remote ref updated since",
    "stale info",
];

/// Reasons of a report: this push is not allowed.
pub(super) const FORBIDDEN: &[&str] = &[
    "currently checked out",
    "denied",
    "deny",
    "not allowed",
    "not permitted",
    "permission",
    "prohibited",
    "protected",
    "refusing to allow",
    "rule violations",
];

/// The remote does not accept who is asking.
pub(super) const UNKNOWN_USER: &[&str] = &[
    "authentication failed",
    "bad credentials",
    "could not read password",
    "could not read username",
    "http basic: access denied",
    "invalid username or",
    "no supported authentication methods",
    "permission denied (",
    "returned error: 401",
    "terminal prompts disabled",
    "too many authentication failures",
];

/// The remote knows who is asking and says no.
pub(super) const DENIED: &[&str] = &[
    "denied to ",
    "gh006",
    "gh013",
    "insufficient permission",
    "marked as read only",
    "not allowed to push",
    "permission denied",
    "protected branch",
    "read-only",
    "returned error: 403",
    "service not enabled",
    "write access to repository not granted",
    "you are not allowed",
];

/// There is no repository at the address, or nothing that may be trusted to be it.
pub(super) const ABSENT: &[&str] = &[
    "access denied or repository not exported",
    "could not be found or you don't have permission",
    "does not appear to be a git repository",
    "host key verification failed",
    "is not a git command",
    "no such device or address",
    "repository not found",
    "returned error: 404",
    "server certificate verification failed",
    "ssl certificate problem",
    "unable to find remote helper",
    "' does not exist",
    "' not found",
];

/// The remote did not answer; a later attempt may reach it.
pub(super) const LOST: &[&str] = &[
    "connection refused",
    "connection timed out",
    "could not read from remote repository",
    "could not resolve host",
    "failed to connect",
    "hung up upon initial contact",
    "kex_exchange_identification",
    "network is unreachable",
    "no route to host",
    "operation timed out",
    "ssh: connect to host",
    "temporary failure in name resolution",
    "unable to access",
    "unable to connect to",
    "unable to look up",
];

/// The connection broke off while it was in use.
pub(super) const CUT: &[&str] = &[
    "broken pipe",
    "client_loop",
    "closed by remote host",
    "connection reset",
    "early eof",
    "error in sideband demultiplexer",
    "hung up unexpectedly",
    "rpc failed",
    "transfer closed",
    "unexpected disconnect",
    "unexpected eof",
];

/// Beginnings of lines in which a remote only counts.
pub(super) const PROGRESS: &[&str] = &[
    "Checking connectivity",
    "Compressing objects",
    "Counting objects",
    "Enumerating objects",
    "Resolving deltas",
    "Total ",
    "Unpacking objects",
];

/// Tells whether any of the words stands in a text.
pub(super) fn any(needles: &[&str], text: &str) -> bool {
    needles.iter().any(|needle| text.contains(needle))
}

/// Returns a line without the escape sequences and control characters that would reach a terminal.
pub(super) fn clean(line: &str) -> String {
    let mut cleaned = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' && chars.next_if_eq(&'[').is_some() {
            // A control sequence ends with its first byte from @ to ~ (ECMA-48 §5.4).
            while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
        } else if c == '\t' {
            cleaned.push(' ');
        } else if !c.is_control() {
            cleaned.push(c);
        }
    }
    cleaned.trim_end().to_owned()
}
