//! Lines that hold what looks like a secret: keys and tokens whose form says what they are.
//!
//! Only forms that their makers chose to be told apart are looked for, so that what is found is nearly always one. A
//! password in plain words has no form, and is not found.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// The most that is told of one file.
const MOST: usize = 10;

/// How a token looks: what it begins with, what it goes on with, and how long that is at least.
struct Form {
    what: &'static str,
    head: &'static str,
    rest: fn(u8) -> bool,
    least: usize,
}

const fn form(what: &'static str, head: &'static str, rest: fn(u8) -> bool, least: usize) -> Form {
    Form { what, head, rest, least }
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn dashed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

const FORMS: &[Form] = &[
    form("an access key of AWS", "AKIA", upper, 16),
    form("a temporary access key of AWS", "ASIA", upper, 16),
    form("a token of GitHub", "ghp_", word, 36),
    form("a token of GitHub", "gho_", word, 36),
    form("a token of GitHub", "ghu_", word, 36),
    form("a token of GitHub", "ghs_", word, 36),
    form("a token of GitHub", "ghr_", word, 36),
    form("a token of GitHub", "github_pat_", dashed, 50),
    form("a token of GitLab", "glpat-", dashed, 20),
    form("a token of Slack", "xoxb-", dashed, 20),
    form("a token of Slack", "xoxp-", dashed, 20),
    form("a live key of Stripe", "sk_live_", word, 20),
    form("a live key of Stripe", "rk_live_", word, 20),
    form("an API key of Google", "AIza", dashed, 35),
    form("a token of npm", "npm_", word, 36),
    form("a token of PyPI", "pypi-AgEIcHlwaS5vcmc", dashed, 40),
    form("a token of crates.io", "cio", word, 32),
    form("an API key of Anthropic", "sk-ant-", dashed, 40),
    form("an API key of OpenAI", "sk-proj-", dashed, 40),
    form("a key of SendGrid", "SG.", dashed, 20),
    form("an age secret key", "AGE-SECRET-KEY-1", upper, 50),
];

/// Returns the lines of a file that look like secrets, as `line: what`. A file with a zero byte is no text, and is not
/// looked at.
pub fn secrets(content: &[u8]) -> Vec<String> {
    if content.iter().take(8000).any(|byte| *byte == 0) {
        return vec![];
    }
    let (mut found, mut number, mut counted, mut done) = (vec![], 1, 0, 0);
    for head in HEADS.find_iter(content) {
        // The rest of a line that was looked at is no other line.
        if head.start() < done {
            continue;
        }
        let from = content[..head.start()].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let to = content[from..].iter().position(|byte| *byte == b'\n').map_or(content.len(), |at| from + at);
        number += content[counted..from].split(|byte| *byte == b'\n').count() - 1;
        (counted, done) = (from, to);
        if let Some(what) = secret(&content[from..to]) {
            found.push(format!("{number}: {what}"));
            if found.len() == MOST {
                break;
            }
        }
    }
    found
}

/// How everything begins that is looked for. A push may bring many files, and most have none of it.
static HEADS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let heads = FORMS.iter().map(|form| form.head).chain([BEGIN]);
    AhoCorasick::new(heads).expect("a few short words fit")
});

/// How a private key begins.
const BEGIN: &str = "-----BEGIN ";

/// Returns what a line holds, if it looks like a secret.
fn secret(line: &[u8]) -> Option<&'static str> {
    if is_private_key(line) {
        return Some("a private key");
    }
    FORMS.iter().find(|form| form.is_in(line)).map(|form| form.what)
}

/// Tells whether a line begins a private key (RFC 7468, and OpenSSH's and PGP's own).
fn is_private_key(line: &[u8]) -> bool {
    let begins = position(line, BEGIN.as_bytes()).is_some();
    begins
        && (position(line, b"PRIVATE KEY-----").is_some()
            || position(line, b"PRIVATE KEY BLOCK-----").is_some())
}

impl Form {
    fn is_in(&self, line: &[u8]) -> bool {
        let head = self.head.as_bytes();
        let mut from = 0;
        while let Some(at) = position(&line[from..], head) {
            let start = from + at;
            let rest = &line[start + head.len()..];
            let length = rest.iter().take_while(|byte| (self.rest)(**byte)).count();
            // In the middle of a longer word it is something else, such as a digest.
            let alone = start == 0 || !dashed(line[start - 1]);
            if alone && length >= self.least && varies(&rest[..length]) {
                return true;
            }
            from = start + head.len();
        }
        false
    }
}

/// Tells a secret from a placeholder such as `xxxxxxxx`: it has many different characters.
fn varies(text: &[u8]) -> bool {
    let mut seen = text.to_vec();
    seen.sort_unstable();
    seen.dedup();
    seen.len() >= 8
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters and digits as a token has them; put together here, so that this file holds no token itself.
    const BODY: &str = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6";

    #[test]
    fn tokens_are_found_with_their_lines() {
        for form in FORMS {
            let body: String = match form.least {
                // Those that take capitals only.
                _ if !(form.rest)(b'a') => BODY.to_uppercase(),
                _ => BODY.to_owned(),
            };
            let text = format!("first\nkey = \"{}{body}\"\n", form.head);
            assert_eq!(secrets(text.as_bytes()), [format!("2: {}", form.what)], "{}", form.head);
        }
        for kind in ["", "RSA ", "OPENSSH ", "ENCRYPTED "] {
            let text = format!("{}BEGIN {kind}PRIVATE KEY{}\n", "-----", "-----");
            assert_eq!(secrets(text.as_bytes()), ["1: a private key"]);
        }
    }

    #[test]
    fn what_only_resembles_a_token_is_left_alone() {
        let harmless = [
            format!("ghp_{}", "x".repeat(40)),
            "ghp_short".to_owned(),
            format!("sha512-ghp_{BODY}"),
            "-----BEGIN CERTIFICATE-----".to_owned(),
            "-----BEGIN PUBLIC KEY-----".to_owned(),
            format!("prefixAKIA{}", BODY.to_uppercase()),
            format!("\0ghp_{BODY}"),
            String::new(),
        ];
        for text in harmless {
            assert!(secrets(text.as_bytes()).is_empty(), "{text}");
        }
    }

    #[test]
    fn lines_are_counted_past_what_only_resembles() {
        let text = format!("ghp_no\n\nAKIA ghp_{BODY} glpat-\n{}\nglpat-{BODY}", "x\n".repeat(5));
        let found = secrets(text.as_bytes());
        assert_eq!(found, ["3: a token of GitHub", "10: a token of GitLab"]);
    }

    #[test]
    fn a_file_full_of_secrets_tells_a_few() {
        let text = format!("ghp_{BODY}\n").repeat(100);
        assert_eq!(secrets(text.as_bytes()).len(), MOST);
    }
}
