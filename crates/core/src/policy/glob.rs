//! Patterns of names and paths, over bytes: `*` stands for any characters but `/`, `**` for any at all, and `**/` also
//! for nothing. Everything else stands for itself.

/// Tells whether a name fits a pattern.
pub fn fits(pattern: &str, name: &[u8]) -> bool {
    let pattern = pattern.as_bytes();
    let literal = pattern.iter().position(|byte| *byte == b'*').unwrap_or(pattern.len());
    if literal == pattern.len() {
        return pattern == name;
    }
    let Some(rest) = name.strip_prefix(&pattern[..literal]) else { return false };
    wild(&pattern[literal..], rest, literal == 0 || pattern[literal - 1] == b'/')
}

/// Returns what a pattern begins with up to the last `/` before its first `*`; nothing for one without a `*`.
pub(super) fn directory(pattern: &str) -> Option<&str> {
    let star = pattern.find('*')?;
    pattern[..star].rfind('/').map(|slash| &pattern[..=slash])
}

/// Goes through the pattern once for each of its pieces, and keeps all positions of the name that fit so far: no
/// pattern takes more than the product of both lengths.
fn wild(mut pattern: &[u8], name: &[u8], mut at_start: bool) -> bool {
    let mut open = vec![false; name.len() + 1];
    open[0] = true;
    while !pattern.is_empty() {
        if pattern.starts_with(b"**/") && at_start {
            // Any number of whole directories.
            let mut reached = false;
            for at in 0..open.len() {
                reached |= open[at];
                open[at] |= reached && at > 0 && name[at - 1] == b'/';
            }
            pattern = &pattern[3..];
        } else if pattern.starts_with(b"**") {
            let mut reached = false;
            for at in &mut open {
                reached |= *at;
                *at = reached;
            }
            pattern = &pattern[2..];
            at_start = false;
        } else if pattern[0] == b'*' {
            let mut reached = false;
            for at in 0..open.len() {
                reached = open[at] || (reached && name[at - 1] != b'/');
                open[at] = reached;
            }
            pattern = &pattern[1..];
            at_start = false;
        } else {
            for at in (0..open.len()).rev() {
                open[at] = at > 0 && open[at - 1] && name[at - 1] == pattern[0];
            }
            at_start = pattern[0] == b'/';
            pattern = &pattern[1..];
        }
    }
    open[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_star_stays_between_slashes_and_two_cross_them() {
        for (pattern, name, expected) in [
            ("main", "main", true),
            ("main", "mains", false),
            ("main", "mai", false),
            ("", "", true),
            ("*", "main", true),
            ("*", "", true),
            ("*", "a/b", false),
            ("**", "a/b", true),
            ("**", "", true),
            ("release/*", "release/1", true),
            ("release/*", "release/a/b", false),
            ("release/**", "release/a/b", true),
            ("release/**", "release", false),
            ("**/x", "x", true),
            ("**/x", "a/b/x", true),
            ("**/x", "ax", false),
            ("a/**/x", "a/x", true),
            ("a/**/x", "a/b/c/x", true),
            ("a/**/x", "a/bx", false),
            ("*.rs", "a.rs", true),
            ("*.rs", "a/b.rs", false),
            ("**.rs", "a/b.rs", true),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("*b*b*", "abcb", true),
            ("*b*b*", "abc", false),
            ("a?c", "abc", false),
            ("a**/b", "ax/y/b", true),
            ("v*", "v1.0", true),
        ] {
            assert_eq!(fits(pattern, name.as_bytes()), expected, "{pattern} {name}");
        }
        assert!(fits("a*", b"a\xff\n"));
    }

    #[test]
    fn no_pattern_takes_for_ever() {
        assert!(!fits(&"*a".repeat(500), &[b'a'; 400]));
        assert!(fits(&"**/".repeat(300), b"a/b/"));
    }
}
