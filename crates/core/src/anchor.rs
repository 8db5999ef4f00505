//! Anchors: checkpoints of a journal that stand elsewhere, and what they say of the journal that is here.
//!
//! A chain of hashes shows what was changed in the middle, and not what was cut off at the end, nor a journal that was
//! written anew as a whole. A checkpoint that somebody else keeps shows both.

use std::collections::BTreeMap;
use std::fmt;

use crate::id::Digest;
use crate::time::Time;

/// The trailer in the message of a release tag.
pub const TRAILER: &str = "Shipway-Checkpoint";
/// Where checkpoints are kept besides: one ref for each journal.
pub const REFS: &str = "refs/shipway/checkpoints";

/// How long a journal is and what it holds, in the sense of a Merkle tree as in RFC 6962, section 2.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the journal: its public key in hexadecimal digits.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
    /// When.
    pub at: Time,
}

/// A checkpoint with the signature of its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The signature (RFC 8032, Ed25519) in hexadecimal digits.
    pub signature: String,
}

impl Seal {
    /// Returns the bytes that are signed.
    pub fn signed(checkpoint: &Checkpoint) -> String {
        let Checkpoint { origin, size, root, at } = checkpoint;
        format!("checkpoint@shipway\n{origin}\n{size}\n{root}\n{}\n", at.0)
    }

    /// Reads one line as [`fmt::Display`] writes it.
    pub fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [origin, size, root, at, signature] = words[..] else { return None };
        let hex = |text: &str, digits| text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex(origin, 64) || !hex(root, 64) || !hex(signature, 128) {
            return None;
        }
        let checkpoint = Checkpoint {
            origin: origin.into(),
            size: size.parse().ok()?,
            root: Digest::new(root),
            at: Time(at.parse().ok()?),
        };
        Some(Self { checkpoint, signature: signature.into() })
    }

    /// Reads the trailers of a message; others have lines of their own there.
    pub fn in_message(message: &str) -> impl Iterator<Item = Self> {
        message
            .lines()
            .filter_map(|line| Self::read(line.strip_prefix(TRAILER)?.strip_prefix(": ")?.trim_end()))
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checkpoint { origin, size, root, at } = &self.checkpoint;
        write!(f, "{origin} {size} {root} {} {}", at.0, self.signature)
    }
}

/// A checkpoint of this journal, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Where, such as `tag v1.2.0`.
    pub place: String,
    /// What it says.
    pub checkpoint: Checkpoint,
}

/// What the anchors say of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many entries there are.
    pub entries: u64,
    /// Up to which entry they are what an anchor says; 0 for none.
    pub anchored: u64,
    /// The anchors that say so of that entry.
    pub by: Vec<String>,
    /// What is wrong, if anything is.
    pub trouble: Option<Trouble>,
}

/// What is wrong with a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is shorter than this anchor says, and what is left is what it was.
    Truncated(Anchor),
    /// What stands below this anchor is not what stood there.
    Rewritten(Anchor),
    /// Two anchors belong to two histories: this one fits no journal that the other fits.
    Forked(Anchor, Anchor),
}

/// Returns the sizes at which the root of a journal must be known for [`judge`].
pub fn sizes(anchors: &[Anchor]) -> impl Iterator<Item = u64> {
    anchors.iter().map(|anchor| anchor.checkpoint.size)
}

/// Judges a journal of a size by its anchors; `roots` has its root at each of their sizes that it reaches.
pub fn judge(entries: u64, roots: &BTreeMap<u64, Digest>, anchors: &[Anchor]) -> Standing {
    let fits = |anchor: &&Anchor| roots.get(&anchor.checkpoint.size) == Some(&anchor.checkpoint.root);
    let anchored = anchors.iter().filter(fits).map(|anchor| anchor.checkpoint.size).max().unwrap_or(0);
    let at = |anchor: &&Anchor| anchor.checkpoint.size == anchored && fits(anchor);
    let mut by: Vec<String> = anchors.iter().filter(at).map(|anchor| anchor.place.clone()).collect();
    by.dedup();
    let differs = |anchor: &&Anchor| anchor.checkpoint.size <= entries && !fits(anchor);
    let beyond = |anchor: &&Anchor| anchor.checkpoint.size > entries;
    let first = anchors.iter().filter(differs).min_by_key(|anchor| anchor.checkpoint.size);
    let longest = anchors.iter().filter(beyond).max_by_key(|anchor| anchor.checkpoint.size);
    let trouble = match (forked(anchors, anchored, first), first, longest) {
        (Some((one, other)), _, _) => Some(Trouble::Forked(one, other)),
        (None, Some(anchor), _) => Some(Trouble::Rewritten(anchor.clone())),
        (None, None, Some(anchor)) => Some(Trouble::Truncated(anchor.clone())),
        (None, None, None) => None,
    };
    Standing { entries, anchored, by, trouble }
}

/// Returns two anchors that no journal fits both: of one size with two roots, or one that differs below one that fits.
fn forked(anchors: &[Anchor], anchored: u64, differs: Option<&Anchor>) -> Option<(Anchor, Anchor)> {
    let mut roots: BTreeMap<u64, &Anchor> = BTreeMap::new();
    for anchor in anchors {
        let other = roots.entry(anchor.checkpoint.size).or_insert(anchor);
        if other.checkpoint.root != anchor.checkpoint.root {
            return Some(((*other).clone(), anchor.clone()));
        }
    }
    let differs = differs.filter(|anchor| anchor.checkpoint.size < anchored)?;
    Some((differs.clone(), (*roots.get(&anchored)?).clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(place: &str, size: u64, root: &str) -> Anchor {
        let checkpoint = Checkpoint { origin: "a".into(), size, root: Digest::new(root), at: Time(1) };
        Anchor { place: place.into(), checkpoint }
    }

    fn judged(entries: u64, roots: &[(u64, &str)], anchors: &[Anchor]) -> Standing {
        let roots = roots.iter().map(|(size, root)| (*size, Digest::new(*root))).collect();
        judge(entries, &roots, anchors)
    }

    #[test]
    fn the_longest_fitting_anchor_counts_and_the_rest_is_unanchored() {
        let anchors = [anchor("tag v1", 3, "r3"), anchor("tag v2", 7, "r7"), anchor("origin", 7, "r7")];
        let standing = judged(9, &[(3, "r3"), (7, "r7")], &anchors);
        assert_eq!((standing.entries, standing.anchored, standing.trouble), (9, 7, None));
        assert_eq!(standing.by, ["tag v2", "origin"]);
        assert_eq!(judged(9, &[], &[]).anchored, 0);
    }

    #[test]
    fn what_is_shorter_or_other_than_its_anchors_is_named() {
        let anchors = [anchor("tag v1", 3, "r3"), anchor("tag v2", 7, "r7")];
        let standing = judged(5, &[(3, "r3")], &anchors);
        assert_eq!(standing.trouble, Some(Trouble::Truncated(anchors[1].clone())));
        assert_eq!(standing.anchored, 3);
        let standing = judged(9, &[(3, "r3"), (7, "x")], &anchors);
        assert_eq!(standing.trouble, Some(Trouble::Rewritten(anchors[1].clone())));
        let standing = judged(9, &[(3, "x"), (7, "y")], &anchors);
        assert_eq!((standing.anchored, standing.trouble), (0, Some(Trouble::Rewritten(anchors[0].clone()))));
    }

    #[test]
    fn two_histories_are_told_from_one_that_was_rewritten() {
        let two = [anchor("tag v1", 3, "r3"), anchor("origin", 3, "s3")];
        let forked = Some(Trouble::Forked(two[0].clone(), two[1].clone()));
        assert_eq!(judged(9, &[(3, "r3")], &two).trouble, forked);
        let below = [anchor("tag v1", 3, "r3"), anchor("origin", 7, "s7")];
        let forked = Some(Trouble::Forked(below[0].clone(), below[1].clone()));
        assert_eq!(judged(9, &[(3, "s3"), (7, "s7")], &below).trouble, forked);
    }

    #[test]
    fn a_seal_is_one_line_of_a_message() {
        let checkpoint =
            Checkpoint { origin: "ab".repeat(32), size: 12, root: Digest::of(b"x"), at: Time(5) };
        let seal = Seal { checkpoint, signature: "0f".repeat(64) };
        let message =
            format!("Release 1.0.0\n\nShipway-Run: 1\n{TRAILER}: {seal}\n{TRAILER}: nonsense 1 2\n");
        assert_eq!(Seal::in_message(&message).collect::<Vec<_>>(), std::slice::from_ref(&seal));
        assert_eq!(Seal::read(&seal.to_string().replace(' ', "  ")), None);
    }
}
