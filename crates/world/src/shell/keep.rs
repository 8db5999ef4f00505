//! The part of a command's output that is kept in memory.

use std::collections::VecDeque;

/// Keeps all of a stream, or its beginning and its end when it is longer than a limit.
#[derive(Debug)]
pub(super) struct Kept {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl Kept {
    /// Returns a keeper of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { half: limit / 2, head: vec![], tail: VecDeque::new(), left_out: 0 }
    }

    /// Takes bytes of the stream.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let (head, tail) = bytes.split_at(bytes.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(tail);
        let over = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..over);
        self.left_out += over as u64;
    }

    /// Returns how many bytes were not kept.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Returns what was kept; a line in its middle says how much is missing.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.head;
        if self.left_out > 0 {
            let note = format!("\n[{} bytes of output are left out here]\n", self.left_out);
            bytes.extend_from_slice(note.as_bytes());
        }
        let (first, second) = self.tail.as_slices();
        bytes.extend_from_slice(first);
        bytes.extend_from_slice(second);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&str], kept: &str) {
        let mut keep = Kept::new(8);
        for piece in pieces {
            keep.push(piece.as_bytes());
        }
        assert_eq!(String::from_utf8(keep.into_bytes()).unwrap(), kept);
    }

    #[test]
    fn long_output_keeps_its_beginning_and_its_end() {
        check(&[], "");
        check(&["abc", "def"], "abcdef");
        check(&["abcdefgh"], "abcdefgh");
        check(&["abcdefghi"], "abcd\n[1 bytes of output are left out here]\nfghi");
        check(&["abc", "defghijk", "lmnop"], "abcd\n[8 bytes of output are left out here]\nmnop");
    }
}
