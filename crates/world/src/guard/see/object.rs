//! Commits and tags as they are stored, and whether their signatures count.

use shipway_core::policy::{Commit, Signature};
use shipway_core::signers::Signers;
use shipway_core::time::Time;
use shipway_core::version::excerpt;

use crate::keys;

/// Reads a commit as it is stored (git's object format).
pub(super) fn commit(id: &str, raw: &[u8], signatures: Option<(&Signers, Time)>) -> Commit {
    let (head, message) = halves(raw);
    let mut commit = Commit { id: id.to_owned(), message: message.to_vec(), ..Commit::default() };
    for line in head.split(|byte| *byte == b'\n') {
        let word = |prefix: &str| line.strip_prefix(prefix.as_bytes());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if let Some(tree) = word("tree ") {
            commit.tree = text(tree);
        } else if let Some(parent) = word("parent ") {
            commit.parents.push(text(parent));
        } else if let Some(author) = word("author ") {
            commit.author = address(author);
        } else if let Some(committer) = word("committer ") {
            commit.committer = address(committer);
        }
    }
    commit.signature = signatures.map(|(signers, at)| signature_of_commit(raw, signers, at));
    commit
}

fn halves(raw: &[u8]) -> (&[u8], &[u8]) {
    let gap = raw.windows(2).position(|two| two == b"\n\n");
    gap.map_or((raw, &[][..]), |at| (&raw[..at], &raw[at + 2..]))
}

/// Returns the address of `Name <address> time zone`.
fn address(line: &[u8]) -> Vec<u8> {
    let from = line.iter().rposition(|byte| *byte == b'<').map_or(0, |at| at + 1);
    let to = line.iter().rposition(|byte| *byte == b'>').unwrap_or(line.len());
    line.get(from..to).unwrap_or_default().to_ascii_lowercase()
}

/// What a commit's signature is over is the commit without the header that holds it.
fn signature_of_commit(raw: &[u8], signers: &Signers, at: Time) -> Signature {
    let (head, _) = halves(raw);
    let (mut signed, mut signature, mut inside) = (vec![], String::new(), false);
    for line in head.split(|byte| *byte == b'\n') {
        inside = match line {
            [b' ', more @ ..] if inside => {
                signature.push('\n');
                signature.push_str(&String::from_utf8_lossy(more));
                continue;
            }
            _ => line.starts_with(b"gpgsig ") || line.starts_with(b"gpgsig-sha256 "),
        };
        if inside {
            let at = line.iter().position(|byte| *byte == b' ').unwrap_or_default() + 1;
            signature.push_str(&String::from_utf8_lossy(&line[at..]));
        } else {
            signed.extend_from_slice(line);
            signed.push(b'\n');
        }
    }
    signed.extend_from_slice(raw.get(head.len() + 1..).unwrap_or_default());
    judged(&signed, &signature, signers, at)
}

/// A tag's signature stands at the end of its message. It is signed with its name: under another one, the signature is
/// for something else.
pub(super) fn signature_of_tag(raw: &[u8], name: &[u8], signers: &Signers, at: Time) -> Signature {
    let (head, _) = halves(raw);
    let mut named = head.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"tag "));
    let named = named.next().unwrap_or_default();
    if name.strip_prefix(b"refs/tags/") != Some(named) {
        let named = String::from_utf8_lossy(named);
        return Signature::Bad(format!("what is signed there is the tag {}", excerpt(&named, 60)));
    }
    let begin = b"-----BEGIN ";
    let Some(start) = raw.windows(begin.len()).position(|window| window == begin) else {
        return Signature::None;
    };
    judged(&raw[..start], &String::from_utf8_lossy(&raw[start..]), signers, at)
}

fn judged(signed: &[u8], signature: &str, signers: &Signers, at: Time) -> Signature {
    if signature.is_empty() {
        return Signature::None;
    }
    match keys::verify_bytes(signers, "git", signed, (signature, at)) {
        Ok(found) => Signature::Good(found.person),
        Err(problem) => Signature::Bad(problem.what),
    }
}
