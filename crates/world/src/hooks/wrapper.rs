//! The scripts that git runs. A script, and never a link: git passes over a link that leads nowhere without a word,
//! while a script that finds our program missing can say so and refuse.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use shipway_core::id::Digest;

use super::Hook;

/// How the second line of every script of ours begins. The digest of all that follows it comes next.
const MARK: &str = "# shipway local hook 1 ";

/// Where a script hands over to, after ours has agreed.
pub(crate) type Next<'a> = &'a Path;

/// What a file in a directory of hooks is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A script of ours, as it was written.
    Ours,
    /// A script of ours that somebody has changed since.
    Changed,
    /// Somebody else's.
    Foreign,
}

/// Returns the script of a hook: our program first, which then runs what was there before.
pub(crate) fn script(hook: Hook, program: &Path, next: Next<'_>) -> Vec<u8> {
    let (name, mut body) = (hook.name(), vec![]);
    assign(&mut body, "shipway", program);
    assign(&mut body, "next", next);
    if hook == Hook::ReferenceTransaction {
        // One commit moves refs in several steps, a rebase in hundreds: all but the one that decides end here.
        body.extend_from_slice(
            b"if test \"$1\" != prepared; then\n  test ! -x \"$next\" || exec \"$next\" \"$@\"\n  exit 0\nfi\n",
        );
    }
    let missing = if hook.decides() {
        format!(
            "  echo \"shipway: $shipway is missing, so {name} cannot look, and refuses\" >&2\n  \
             echo '  where shipway is now: shipway guard install' >&2\n  \
             echo \"  or without it: rm '$0'\" >&2\n  exit 1\n"
        )
    } else {
        format!(
            "  echo \"shipway: $shipway is missing, so {name} does nothing; shipway guard install\" >&2\n  \
             test ! -x \"$next\" || exec \"$next\" \"$@\"\n  exit 0\n"
        )
    };
    body.extend_from_slice(format!("if test ! -x \"$shipway\"; then\n{missing}fi\n").as_bytes());
    body.extend_from_slice(format!("exec \"$shipway\" hook {name} --next \"$next\" -- \"$@\"\n").as_bytes());
    sealed(&body)
}

/// Returns the script of a hook that we have nothing to say in, and only pass on.
pub(crate) fn pass(next: Next<'_>) -> Vec<u8> {
    let mut body = vec![];
    assign(&mut body, "next", next);
    body.extend_from_slice(b"test -x \"$next\" || exit 0\nexec \"$next\" \"$@\"\n");
    sealed(&body)
}

/// Tells what a file is, by its bytes.
pub(crate) fn kind(bytes: &[u8]) -> Kind {
    let after = |bytes: &[u8], prefix: &[u8]| bytes.strip_prefix(prefix).map(<[u8]>::to_vec);
    let Some(rest) = after(bytes, b"#!/bin/sh\n").and_then(|rest| after(&rest, MARK.as_bytes())) else {
        return Kind::Foreign;
    };
    let mut parts = rest.splitn(2, |byte| *byte == b'\n');
    let (digest, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if Digest::of(body).as_str().as_bytes() == digest { Kind::Ours } else { Kind::Changed }
}

/// Returns the program that a script of ours starts, if it names one.
pub(crate) fn program(script: &[u8]) -> Option<Vec<u8>> {
    let line = script.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"shipway='"))?;
    // A quote inside is written as four characters; see `assign`.
    let text = line.strip_suffix(b"'")?;
    let mut out = vec![];
    let mut rest = text;
    while let Some(at) = rest.windows(4).position(|four| four == br"'\''") {
        out.extend_from_slice(&rest[..at]);
        out.push(b'\'');
        rest = &rest[at + 4..];
    }
    out.extend_from_slice(rest);
    Some(out)
}

fn sealed(body: &[u8]) -> Vec<u8> {
    let head = format!("#!/bin/sh\n{MARK}{}\n", Digest::of(body));
    [head.as_bytes(), body].concat()
}

/// Sets a variable of the shell to a path, whatever its bytes are.
fn assign(body: &mut Vec<u8>, name: &str, path: &Path) {
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(b"='");
    for byte in path.as_os_str().as_bytes() {
        if *byte == b'\'' { body.extend_from_slice(br"'\''") } else { body.push(*byte) }
    }
    body.extend_from_slice(b"'\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_knows_itself_and_notices_a_change() {
        let mut script = script(Hook::CommitMsg, Path::new("/opt/it's/shipway"), Path::new("next"));
        assert_eq!(kind(&script), Kind::Ours);
        assert_eq!(program(&script).unwrap(), b"/opt/it's/shipway");
        script.extend_from_slice(b"exit 0\n");
        assert_eq!(kind(&script), Kind::Changed);
        assert_eq!(kind(b"#!/bin/sh\nexit 0\n"), Kind::Foreign);
        assert_eq!(kind(b""), Kind::Foreign);
    }

    #[test]
    fn equal_paths_give_equal_bytes() {
        let make = |next: &str| script(Hook::PrePush, Path::new("/a"), Path::new(next));
        assert_eq!(make("b"), make("b"));
        assert_ne!(make("b"), make("c"));
    }
}
