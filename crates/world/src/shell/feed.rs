//! From what a command writes to the chunks of its log: masked, and cut at line ends where possible.

use std::sync::Arc;

use shipway_core::action::LogKey;

use super::log::{Logs, Stream};
use super::mask::{Masking, Masks};

/// The most bytes of a chunk.
const LONGEST: usize = 64 * 1024;

/// Feeds the two streams of one command into its log.
#[derive(Debug)]
pub(super) struct Feed {
    logs: Arc<Logs>,
    key: LogKey,
    out: Pending,
    err: Pending,
}

#[derive(Debug)]
struct Pending {
    masking: Masking,
    bytes: Vec<u8>,
}

impl Pending {
    fn new(masks: &Masks) -> Self {
        Self { masking: masks.start(), bytes: vec![] }
    }

    /// Returns the next chunk that is ready: whole lines, or a piece of a line that is too long.
    fn next(&mut self) -> Option<String> {
        let most = self.bytes.len().min(LONGEST);
        let lines = self.bytes[..most].iter().rposition(|&byte| byte == b'\n').map(|end| end + 1);
        match lines {
            Some(end) => Some(self.take(end)),
            None if most == LONGEST => Some(self.take(whole_characters(&self.bytes[..most]))),
            None => None,
        }
    }

    fn take(&mut self, len: usize) -> String {
        let rest = self.bytes.split_off(len);
        let taken = std::mem::replace(&mut self.bytes, rest);
        String::from_utf8_lossy(&taken).into_owned()
    }
}

/// Returns how many bytes to take so that no character is cut; bytes that are not UTF-8 count as characters.
fn whole_characters(bytes: &[u8]) -> usize {
    // A character has at most four bytes, so it can begin at most three before the end.
    let last = bytes.iter().rev().take(4).position(|&byte| byte & 0b1100_0000 != 0b1000_0000);
    let Some(start) = last.map(|back| bytes.len() - 1 - back) else { return bytes.len() };
    match std::str::from_utf8(&bytes[start..]) {
        Err(error) if error.error_len().is_none() => start,
        Ok(_) | Err(_) => bytes.len(),
    }
}

impl Feed {
    /// Returns the feed of one command.
    pub(super) fn new(logs: Arc<Logs>, key: LogKey, masks: &Masks) -> Self {
        Self { logs, key, out: Pending::new(masks), err: Pending::new(masks) }
    }

    /// Takes bytes of a stream.
    pub(super) fn push(&mut self, from: Stream, bytes: &[u8]) {
        let pending = self.pending(from);
        let shown = pending.masking.push(bytes);
        pending.bytes.extend(shown);
        self.write_ready(from);
    }

    /// Writes lines that have begun, because the command has paused.
    pub(super) fn pause(&mut self) {
        for from in [Stream::Out, Stream::Err] {
            let pending = self.pending(from);
            let len = whole_characters(&pending.bytes);
            if len > 0 {
                let text = pending.take(len);
                self.logs.add(&self.key, from, text);
            }
        }
    }

    /// Writes all that is left.
    pub(super) fn end(mut self) {
        for from in [Stream::Out, Stream::Err] {
            let pending = self.pending(from);
            let shown = pending.masking.end();
            pending.bytes.extend(shown);
            self.write_ready(from);
            let pending = self.pending(from);
            if !pending.bytes.is_empty() {
                let text = pending.take(pending.bytes.len());
                self.logs.add(&self.key, from, text);
            }
        }
    }

    fn write_ready(&mut self, from: Stream) {
        while let Some(text) = self.pending(from).next() {
            self.logs.add(&self.key, from, text);
        }
    }

    fn pending(&mut self, from: Stream) -> &mut Pending {
        match from {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], whole: usize) {
        assert_eq!(whole_characters(bytes), whole, "{bytes:x?}");
    }

    #[test]
    fn characters_are_not_cut() {
        check(b"abc", 3);
        check("aä".as_bytes(), 3);
        check(&"aä".as_bytes()[..2], 1);
        check(&"a𝄞".as_bytes()[..4], 1);
        check(b"a\xff", 2);
        check(b"\x80\x80\x80\x80\x80", 5);
        check(b"\xc3", 0);
    }
}
