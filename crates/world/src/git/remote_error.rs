//! What went wrong between git and a remote, told from what git wrote.
//!
//! Git has one exit code for all of it, so its untranslated words (`LC_ALL=C`) are the only witness. Where they leave
//! doubt about the effect of a push, the doubt is kept.

mod words;

#[cfg(test)]
mod tests;

use shipway_core::problem::{Code, Problem};
use shipway_core::validate::quoted;

/// Why a remote did not do as it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteError {
    /// The kind of failure.
    pub code: Code,
    /// Whether it is certain that nothing changed on the remote; for a push of several refs, if it was `--atomic`.
    pub no_effect: bool,
    /// Whether the same attempt may succeed a little later.
    pub transient: bool,
}

impl RemoteError {
    const fn new(code: Code, no_effect: bool, transient: bool) -> Self {
        Self { code, no_effect, transient }
    }
}

/// Tells what went wrong from the text of a git command that talked to a remote and failed.
///
/// For `git push --porcelain` the text is standard output and standard error, in any order: the report on each ref is
/// on the first, the reasons are on the second.
pub fn classify(text: &str) -> RemoteError {
    let text = text.to_lowercase();
    let (theirs, ours): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("remote:"));
    let (theirs, ours) = (theirs.join("\n"), ours.join("\n"));
    reported(&ours, &theirs).unwrap_or_else(|| unreported(&ours, &theirs))
}

/// Returns what the report on the refs says, if there is one: then it is certain.
fn reported(ours: &str, theirs: &str) -> Option<RemoteError> {
    let refused = |line: &&str| {
        let line = line.trim_start();
        line.starts_with('!') && line.contains('[')
    };
    let lines: Vec<&str> = ours.lines().filter(refused).collect();
    if lines.iter().any(|line| line.contains("[remote failure]")) {
        return Some(RemoteError::new(Code::Network, false, true));
    }
    let reasons: Vec<&str> = lines
        .iter()
        .filter(|line| line.contains("[rejected]") || line.contains("[remote rejected]"))
        .filter_map(|line| line.rsplit_once("] ").map(|(_, reason)| reason))
        .collect();
    // The other refs of an atomic push only say that they went down with the one that has a reason.
    let told = reasons.iter().find(|reason| !reason.contains("(atomic ")).or(reasons.first())?;
    Some(reason(told, ours, theirs))
}

/// Judges the reason that a report gives for one ref.
fn reason(reason: &str, ours: &str, theirs: &str) -> RemoteError {
    let has = |needles: &[&str]| needles.iter().any(|needle| reason.contains(needle));
    let full = words::any(words::FULL, ours) || words::any(words::FULL, theirs);
    if full {
        RemoteError::new(Code::DiskFull, true, false)
    } else if has(&["already exists"]) {
        RemoteError::new(Code::TagTakenRemote, true, false)
    } else if has(words::MOVED) {
        RemoteError::new(Code::RemoteMoved, true, false)
    } else if has(words::FORBIDDEN) || (has(&["hook declined"]) && words::any(words::DENIED, theirs)) {
        RemoteError::new(Code::PushDenied, true, false)
    } else if has(&["hook declined"]) {
        RemoteError::new(Code::HookRefused, true, false)
    } else if theirs.contains("but expected") || theirs.contains("reference already exists") {
        RemoteError::new(Code::RemoteMoved, true, false)
    } else {
        // A lock that another push holds is free again in a moment.
        RemoteError::new(Code::GitFailed, true, theirs.contains(".lock'"))
    }
}

/// Judges the text of a command that ended without a report: most often it never came to speak of refs.
fn unreported(ours: &str, theirs: &str) -> RemoteError {
    // After a connection that broke off, the remote may have done what it was asked, whatever its hooks were saying.
    let cut = words::any(words::CUT, ours);
    let either = |needles: &[&str]| words::any(needles, ours) || (!cut && words::any(needles, theirs));
    let request = ours.contains("rpc failed");
    let lost = words::any(words::LOST, ours) && !request;
    if either(words::FULL) {
        RemoteError::new(Code::DiskFull, false, false)
    } else if either(words::UNKNOWN_USER) {
        RemoteError::new(Code::AuthenticationFailed, !cut, false)
    } else if either(words::ABSENT) {
        RemoteError::new(Code::RemoteUnreachable, !cut, false)
    } else if either(words::DENIED) {
        RemoteError::new(Code::PushDenied, !cut, false)
    } else if lost {
        RemoteError::new(Code::RemoteUnreachable, !cut || ours.contains("kex_exchange"), true)
    } else if cut {
        RemoteError::new(Code::Network, false, true)
    } else if ours.contains("does not match any") {
        RemoteError::new(Code::GitFailed, true, false)
    } else if ours.contains("failed to push some refs") && !ours.lines().any(|line| line.starts_with("to ")) {
        // Git says where it pushes as soon as it does; before that, only a pre-push hook can end it so.
        RemoteError::new(Code::HookRefused, true, false)
    } else {
        RemoteError::new(Code::GitFailed, false, false)
    }
}

/// Returns the lines that the remote or its hooks wrote, without git's mark, its padding and control characters.
pub fn remote_lines(text: &str) -> Vec<String> {
    let theirs = |line: &str| {
        line.strip_prefix("remote:").map(|line| words::clean(line.strip_prefix(' ').unwrap_or(line)))
    };
    let progress = |line: &String| words::PROGRESS.iter().any(|word| line.starts_with(word));
    let mut lines: Vec<String> =
        text.split(['\n', '\r']).filter_map(theirs).filter(|line| !progress(line)).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Returns the problem to show for a command that talked to a remote and failed; the text is as for [`classify`].
pub fn problem(text: &str, remote: &str) -> Problem {
    let code = classify(text).code;
    let saying = words::SAYINGS.iter().find(|saying| saying.code == code).unwrap_or(&words::UNSAID);
    let mut lines = remote_lines(text);
    if code != Code::HookRefused || lines.is_empty() {
        lines.extend(own_lines(text));
    }
    let problem = Problem::new(code, saying.what.replace("{}", remote))
        .found(saying.found)
        .wanted(saying.wanted)
        .details(lines.into_iter().take(words::SHOWN));
    saying.hints.iter().fold(problem, |problem, hint| problem.hint(hint.replace("{}", &quoted(remote))))
}

/// Returns the lines of git itself that tell something.
fn own_lines(text: &str) -> impl Iterator<Item = String> {
    let tells = |line: &&str| {
        let boring = ["remote:", "hint:", "To ", "Done", "Please make sure", "and the repository exists"];
        !line.trim().is_empty() && !boring.iter().any(|word| line.starts_with(word))
    };
    text.lines().filter(tells).map(|line| mask(&words::clean(line)))
}

/// Returns a text with the credentials of every address in it masked, such as `https://***@example.org/`.
///
/// A user name alone is no secret with ssh, and often a token with https.
pub fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        masked.push_str(before);
        let end = after.find(['/', '?', '#', '\'', '"', ' ', '\n']).unwrap_or(after.len());
        let ssh = before.ends_with("ssh://");
        rest = match after[..end].rfind('@') {
            Some(sign) if !ssh || after[..sign].contains(':') => {
                masked.push_str("***");
                &after[sign..]
            }
            Some(_) | None => after,
        };
    }
    masked + rest
}
