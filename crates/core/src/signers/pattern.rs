//! Lists of patterns, as `ssh_config(5)`, PATTERNS, describes them.

/// Tells whether a text fits a list of patterns: one of them does, and none with a `!` in front.
pub(super) fn list(list: &str, text: &str) -> bool {
    let fits = |pattern: &str| one(pattern.as_bytes(), text.as_bytes());
    let refused = list.split(',').filter_map(|pattern| pattern.strip_prefix('!')).any(fits);
    !refused && list.split(',').filter(|pattern| !pattern.starts_with('!')).any(fits)
}

/// Tells whether a pattern is a plain name.
pub(super) fn is_plain(pattern: &str) -> bool {
    !pattern.is_empty() && !pattern.starts_with('!') && !pattern.contains(['*', '?'])
}

/// Tells whether all of a text fits a pattern, in time that grows with their product at most.
fn one(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut next) = (0, 0);
    // Where the last star stands, and what it has swallowed so far.
    let mut star: Option<(usize, usize)> = None;
    while next < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, next));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[next] => (at, next) = (at + 1, next + 1),
            Some(_) | None => {
                let Some((place, swallowed)) = star else { return false };
                star = Some((place, swallowed + 1));
                (at, next) = (place + 1, swallowed + 1);
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}
