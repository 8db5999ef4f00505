//! Names of branches, from what a user says of them.

/// Returns the last part of a branch's name from some words: lower case, with single dashes between them.
///
/// Letters and digits of every script stay; whatever else stands between them becomes a dash. Dots stay inside of a
/// word, so that a release may be called `1.4.0`.
pub fn slug(words: &[String]) -> String {
    let text = words.join(" ").to_lowercase();
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || (c == '.' && slug.ends_with(char::is_alphanumeric)) {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_name() {
        let check = |words: &[&str], expected: &str| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            assert_eq!(slug(&words), expected, "{words:?}");
        };
        check(&["issue-123"], "issue-123");
        check(&["#123", "Log in,", "please!"], "123-log-in-please");
        check(&["1.4.0"], "1.4.0");
        check(&["--output=x"], "output-x");
        check(&["..", "a..b", "."], "a.-b");
        check(&["Größe ändern"], "größe-ändern");
        check(&["!!!"], "");
    }
}
