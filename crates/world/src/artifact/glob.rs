//! Patterns of paths: `*` and `?` stay within one part of a path, `**` stands for any number of parts.

/// Tells whether a pattern names a path. A pattern that ends in a plain name also names all that is below it.
pub fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.trim_matches('/').split('/').filter(|part| *part != ".").collect();
    let path: Vec<&str> = path.split('/').collect();
    let plain = pattern.last().is_some_and(|last| !last.is_empty() && !last.contains(['*', '?']));
    let lengths = if plain { 1..=path.len() } else { path.len()..=path.len() };
    lengths.into_iter().any(|length| wild(&pattern, &path[..length], |part| *part == "**", part_matches))
}

fn part_matches(pattern: &&str, part: &&str) -> bool {
    let (pattern, part): (Vec<char>, Vec<char>) = (pattern.chars().collect(), part.chars().collect());
    wild(&pattern, &part, |sign| *sign == '*', |sign, found| *sign == '?' || sign == found)
}

/// Matches a whole row against a pattern in which some items stand for any number of things.
///
/// Only the last such item has to be tried again: an earlier one could give it nothing that it cannot take itself.
fn wild<P, T>(pattern: &[P], row: &[T], is_star: impl Fn(&P) -> bool, fits: impl Fn(&P, &T) -> bool) -> bool {
    let (mut at, mut seen, mut star) = (0, 0, None);
    while seen < row.len() {
        if pattern.get(at).is_some_and(&is_star) {
            star = Some((at, seen));
            at += 1;
        } else if pattern.get(at).is_some_and(|item| fits(item, &row[seen])) {
            (at, seen) = (at + 1, seen + 1);
        } else if let Some((place, taken)) = star {
            star = Some((place, taken + 1));
            (at, seen) = (place + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(is_star)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        for path in yes {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for path in no {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn patterns_name_paths() {
        check("app", &["app", "app/a/b"], &["apps", "x/app"]);
        check("*", &["a"], &["a/b"]);
        check("static/*", &["static/a"], &["static/a/b", "static"]);
        check("static/**", &["static/a", "static/a/b"], &["statics/a"]);
        check("**", &["a", "a/b/c"], &[]);
        check("**/*.js", &["a.js", "x/y/a.js"], &["a.css", "x/a.js/b.c"]);
        check("a/**/b/?.c", &["a/b/x.c", "a/q/r/b/x.c", "a/b/b/x.c"], &["a/b/xy.c", "b/x.c"]);
        check("*a*a*b", &["aaab", "xaxab"], &["aaa"]);
        check("./dist/", &["dist/x"], &["dis"]);
        check("", &[], &["a"]);
    }
}
