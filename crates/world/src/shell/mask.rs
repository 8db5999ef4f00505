//! Masking: secrets in output become `***`, also when they are encoded or split over writes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use super::forms;

const MASK: &[u8] = b"***";

/// What has to be masked; clones share it.
#[derive(Clone, Default)]
pub struct Masks(Option<Arc<Patterns>>);

struct Patterns {
    /// The secrets as they are, so that more can be added.
    secrets: Vec<Vec<u8>>,
    /// Every form of every secret, in order.
    forms: Vec<Vec<u8>>,
    search: AhoCorasick,
}

impl fmt::Debug for Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values are what must never be shown.
        write!(f, "Masks({})", self.0.as_ref().map_or(0, |patterns| patterns.secrets.len()))
    }
}

impl Masks {
    /// Returns the masks for declared secrets (name and value) and for variables whose names look secret.
    ///
    /// A declared secret is masked whatever its length; the value of a variable only if it is not plainly harmless.
    pub fn new(
        declared: &[(String, Vec<u8>)],
        env: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> io::Result<Self> {
        let mut secrets: Vec<_> = declared.iter().map(|(_, value)| value.clone()).collect();
        secrets.extend(forms::secrets_of(env));
        Self::of(secrets)
    }

    /// Returns these masks and those for further variables whose names look secret.
    pub fn and_env(&self, env: &[(OsString, OsString)]) -> io::Result<Self> {
        let more = forms::secrets_of(env.iter().cloned());
        let mut secrets = self.0.as_ref().map_or_else(Vec::new, |patterns| patterns.secrets.clone());
        if more.iter().all(|secret| secrets.contains(secret)) {
            return Ok(self.clone());
        }
        secrets.extend(more);
        Self::of(secrets)
    }

    fn of(secrets: Vec<Vec<u8>>) -> io::Result<Self> {
        let mut all = BTreeSet::new();
        for secret in &secrets {
            forms::add_forms(secret, &mut all);
        }
        if all.is_empty() {
            return Ok(Self(None));
        }
        let forms: Vec<_> = all.into_iter().collect();
        let search = AhoCorasick::new(&forms).map_err(io::Error::other)?;
        Ok(Self(Some(Arc::new(Patterns { secrets, forms, search }))))
    }

    /// Returns some bytes with every secret masked.
    pub fn mask(&self, bytes: &[u8]) -> Vec<u8> {
        let mut masking = self.start();
        let mut masked = masking.push(bytes);
        masked.extend(masking.end());
        masked
    }

    /// Returns a text with every secret masked.
    pub fn mask_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.mask(text.as_bytes())).into_owned()
    }

    /// Returns the masking of one stream.
    pub fn start(&self) -> Masking {
        Masking { masks: self.clone(), held: vec![], covered: 0, in_mask: false }
    }
}

impl Patterns {
    /// Returns where the longest end of `bytes` starts that is the beginning, but not all, of some form.
    fn open_end(&self, bytes: &[u8]) -> usize {
        let longest = self.search.max_pattern_len();
        let first = bytes.len().saturating_sub(longest.saturating_sub(1));
        (first..bytes.len()).find(|&start| self.is_beginning(&bytes[start..])).unwrap_or(bytes.len())
    }

    fn is_beginning(&self, bytes: &[u8]) -> bool {
        // In sorted order, the longer forms that begin with these bytes come right after them.
        let next = self.forms.partition_point(|form| form.as_slice() <= bytes);
        self.forms.get(next).is_some_and(|form| form.starts_with(bytes))
    }

    /// Returns the parts of `bytes` that secrets cover, in order; parts that overlap or touch are one.
    fn covered(&self, bytes: &[u8], from_before: usize) -> Vec<(usize, usize)> {
        let mut found: Vec<_> =
            self.search.find_overlapping_iter(bytes).map(|found| (found.start(), found.end())).collect();
        if from_before > 0 {
            found.push((0, from_before));
        }
        found.sort_unstable();
        let mut parts: Vec<(usize, usize)> = vec![];
        for (start, end) in found {
            match parts.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                Some(_) | None => parts.push((start, end)),
            }
        }
        parts
    }
}

/// The masking of one stream: holds back only what can still become a secret.
///
/// The result does not depend on how the stream was split.
#[derive(Debug)]
pub struct Masking {
    masks: Masks,
    held: Vec<u8>,
    /// How many of the held bytes belong to a secret that began before them.
    covered: usize,
    /// Whether the last byte given out belonged to a secret, whose mask is written already.
    in_mask: bool,
}

impl Masking {
    /// Takes bytes and returns what can be shown now.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(patterns) = self.masks.0.clone() else { return bytes.to_vec() };
        self.held.extend_from_slice(bytes);
        let ready = patterns.open_end(&self.held);
        self.give_out(&patterns, ready)
    }

    /// Returns what was still held back; the stream has ended.
    pub fn end(&mut self) -> Vec<u8> {
        let Some(patterns) = self.masks.0.clone() else { return vec![] };
        let shown = self.give_out(&patterns, self.held.len());
        self.in_mask = false;
        shown
    }

    fn give_out(&mut self, patterns: &Patterns, ready: usize) -> Vec<u8> {
        let mut shown = Vec::with_capacity(ready);
        let mut at = 0;
        let mut covered = self.covered.saturating_sub(ready);
        for (start, end) in patterns.covered(&self.held, self.covered) {
            if start >= ready {
                break;
            }
            if start > at {
                shown.extend_from_slice(&self.held[at..start]);
                self.in_mask = false;
            }
            if !self.in_mask {
                shown.extend_from_slice(MASK);
                self.in_mask = true;
            }
            at = end.min(ready);
            covered = covered.max(end - at);
        }
        if at < ready {
            shown.extend_from_slice(&self.held[at..ready]);
            self.in_mask = false;
        }
        self.held.drain(..ready);
        self.covered = covered;
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(secrets: &[&str]) -> Masks {
        let declared: Vec<_> =
            secrets.iter().map(|value| (String::from("S"), value.as_bytes().to_vec())).collect();
        Masks::new(&declared, []).unwrap()
    }

    fn check(secret: &str, text: &str, masked: &str) {
        let masks = masks(&[secret]);
        assert_eq!(masks.mask_text(text), masked, "{secret} in {text}");
        for split in 0..=text.len() {
            let mut masking = masks.start();
            let mut shown = masking.push(&text.as_bytes()[..split]);
            shown.extend(masking.push(&text.as_bytes()[split..]));
            shown.extend(masking.end());
            assert_eq!(String::from_utf8_lossy(&shown), masked, "{secret} in {text} split at {split}");
        }
    }

    #[test]
    fn secrets_are_masked_in_every_form() {
        check("hunter22", "a hunter22 b hunter2 c", "a *** b hunter2 c");
        check("hunter22", "hunter22hunter22", "***");
        check("pä ss/w\"x", "j: \"pä ss/w\\\"x\" p\\u00e4 ss/w\\\"x pä ss\\/w\\\"x", "j: \"***\" *** ***");
        check("pä ss/w\"x", "p%C3%A4%20ss%2Fw%22x p%c3%a4+ss%2fw%22x p%C3%A4%20ss/w%22x", "*** *** ***");
        check("it's me", "echo 'it'\\''s me'", "echo '***'");
        check("line one\nsecret two\nab\n", "x line one y secret two z ab", "x *** y *** z ab");
        check("xy", "xyz", "***z");
    }

    #[test]
    fn base64_is_masked_at_every_alignment() {
        use base64::Engine as _;
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        let secret = "correct horse?>~battery";
        let masks = masks(&[secret]);
        for ahead in 0..6 {
            for behind in 0..4 {
                let data = format!("{}{secret}{}", "u:pass"[..ahead].to_owned(), &"tail"[..behind]);
                for text in [STANDARD.encode(&data), URL_SAFE_NO_PAD.encode(&data)] {
                    let shown = masks.mask_text(&text);
                    assert!(shown.contains("***"), "{text}");
                    // What is left of the encoding is the surroundings and at most three shared characters.
                    assert!(shown.len() <= (ahead + behind) * 2 + 3 + 8, "{text} became {shown}");
                }
            }
        }
    }

    #[test]
    fn only_what_can_become_a_secret_is_held_back() {
        let mut masking = masks(&["hunter22"]).start();
        assert_eq!(masking.push(b"a line\n"), b"a line\n");
        assert_eq!(masking.push(b"and hunt"), b"and ");
        assert_eq!(masking.push(b"ing\n"), b"hunting\n");
        assert_eq!(masking.push(b"hunter"), b"");
        assert_eq!(masking.end(), b"hunter");
    }

    /// A small generator of pseudo-random numbers (Marsaglia's xorshift), so that a failure can be repeated.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % limit as u64).unwrap()
        }

        fn text(&mut self, len: usize) -> String {
            (0..len).map(|_| char::from(b"aab/ "[self.below(5)])).collect()
        }
    }

    #[test]
    fn a_stream_is_masked_the_same_however_it_is_split() {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for round in 0..500 {
            // Few letters, so that secrets overlap, repeat and begin one another.
            let lengths = [random.below(4) + 2, random.below(8) + 3, random.below(12) + 6];
            let secrets: Vec<_> = lengths
                .iter()
                .map(|&len| random.text(len).trim().to_owned())
                .filter(|secret| !secret.is_empty())
                .collect();
            let masks = masks(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
            let mut text = random.text(60);
            for secret in &secrets {
                text.insert_str(random.below(text.len()), secret);
            }
            let mut masking = masks.start();
            let mut shown = vec![];
            let mut rest = text.as_bytes();
            while !rest.is_empty() {
                let (piece, more) = rest.split_at(random.below(rest.len().min(7)) + 1);
                shown.extend(masking.push(piece));
                rest = more;
            }
            shown.extend(masking.end());
            let shown = String::from_utf8(shown).unwrap();
            assert_eq!(shown, masks.mask_text(&text), "round {round}: {secrets:?} in {text}");
            for secret in &secrets {
                assert!(!shown.contains(secret), "round {round}: {secret} is left in {shown}");
            }
        }
    }

    #[test]
    fn variables_set_for_one_command_are_masked_too() {
        let masks = masks(&["hunter22"]).and_env(&[("REGISTRY_TOKEN".into(), "tok-12345".into())]).unwrap();
        assert_eq!(masks.mask_text("hunter22 tok-12345"), "*** ***");
        assert_eq!(format!("{masks:?}"), "Masks(2)");
    }
}
