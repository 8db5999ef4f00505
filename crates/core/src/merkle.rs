//! Merkle trees as in RFC 6962, section 2.1: one hash over a list that only grows, so that a list that was cut or
//! changed below a known size is seen.

use sha2::{Digest as _, Sha256};

use crate::id::{Digest, hex};

/// A hash of the tree.
type Hash = [u8; 32];

/// The tree over a list that is read from its beginning. It holds one hash for each bit of its size.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The roots of the complete subtrees, the largest first, each with how many leaves it has.
    peaks: Vec<(u64, Hash)>,
    size: u64,
}

impl Tree {
    /// Adds a leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        let mut hash = hashed(&[&[0], leaf]);
        let mut leaves = 1;
        while let Some((_, left)) = self.peaks.pop_if(|(count, _)| *count == leaves) {
            hash = hashed(&[&[1], &left, &hash]);
            leaves *= 2;
        }
        self.peaks.push((leaves, hash));
        self.size += 1;
    }

    /// Returns how many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the hash over all leaves; that of an empty text for none of them.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev().map(|(_, hash)| *hash);
        let Some(last) = peaks.next() else { return Digest::of(b"") };
        Digest::new(hex(&peaks.fold(last, |right, left| hashed(&[&[1], &left, &right]))))
    }
}

fn hashed(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list of the test vectors that implementations of RFC 6962 share.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    /// The hash as the text of the standard defines it: by the largest power of two below the size.
    fn defined(leaves: &[&[u8]]) -> Hash {
        match leaves {
            [] => hashed(&[]),
            [leaf] => hashed(&[&[0], leaf]),
            _ => {
                let mut left = 1;
                while left * 2 < leaves.len() {
                    left *= 2;
                }
                hashed(&[&[1], &defined(&leaves[..left]), &defined(&leaves[left..])])
            }
        }
    }

    #[test]
    fn known_roots_are_met() {
        let mut tree = Tree::default();
        let mut roots = vec![tree.root().to_string()];
        for leaf in LEAVES {
            tree.push(leaf);
            roots.push(tree.root().to_string());
        }
        let known = [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ];
        for (size, root) in known {
            assert_eq!(roots[size], root, "{size} leaves");
        }
    }

    #[test]
    fn every_size_has_the_root_of_the_definition() {
        let texts: Vec<String> = (0..100).map(|n| format!("entry {n}")).collect();
        let leaves: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        let mut tree = Tree::default();
        for size in 0..=leaves.len() {
            assert_eq!(
                (tree.size(), tree.root()),
                (size as u64, Digest::new(hex(&defined(&leaves[..size]))))
            );
            leaves.get(size).iter().for_each(|leaf| tree.push(leaf));
        }
    }
}
