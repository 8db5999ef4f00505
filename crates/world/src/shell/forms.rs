//! Which values are secret, and the forms in which a secret can appear in output.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Shorter texts are too common in ordinary output to be taken for a secret.
const SHORTEST: usize = 6;

/// Parts of a name that make its value a secret, wherever they stand.
const SECRET_PARTS: [&str; 12] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "SIGNING_KEY",
    "ENCRYPTION_KEY",
];

/// Words that make a value a secret only where they stand alone, or `AUTHOR` would be one.
const SECRET_WORDS: [&str; 5] = ["AUTH", "OAUTH", "OAUTH2", "PASS", "JWT"];

/// Returns the values among some variables that look secret by their name, and the passwords inside addresses.
pub(super) fn secrets_of(env: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<Vec<u8>> {
    env.into_iter().filter_map(|(name, value)| secret_of(&name, &value)).collect()
}

fn secret_of(name: &OsStr, value: &OsStr) -> Option<Vec<u8>> {
    let secret = if has_secret_name(name) { Some(value.as_bytes()) } else { password_of(value.as_bytes()) };
    secret.filter(|secret| !is_harmless(secret)).map(<[u8]>::to_vec)
}

fn has_secret_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_uppercase().replace('-', "_");
    let mut words = name.split('_');
    SECRET_PARTS.iter().any(|part| name.contains(part))
        || words.any(|word| SECRET_WORDS.contains(&word))
        || name.ends_with("_PWD")
}

/// Returns the password of an address such as `https://user:password@host/` (RFC 3986 §3.2.1).
fn password_of(value: &[u8]) -> Option<&[u8]> {
    let start = value.windows(3).position(|part| part == b"://")? + 3;
    let authority = value[start..].split(|&byte| byte == b'/').next()?;
    let user = &authority[..authority.iter().rposition(|&byte| byte == b'@')?];
    Some(&user[user.iter().position(|&byte| byte == b':')? + 1..])
}

fn is_harmless(value: &[u8]) -> bool {
    let plain = value.trim_ascii();
    plain.len() < SHORTEST
        || plain.iter().all(|byte| byte.is_ascii_digit() || b".,:+-_".contains(byte))
        || [&b"disabled"[..], b"enabled", b"default"].iter().any(|word| plain.eq_ignore_ascii_case(word))
        || (plain.starts_with(b"/") && Path::new(OsStr::from_bytes(plain)).exists())
}

/// Adds every form of a secret: as it is, line by line, and encoded.
pub(super) fn add_forms(secret: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    let whole = secret.trim_ascii();
    if whole.is_empty() {
        return;
    }
    add_encodings(whole, forms);
    if secret.len() > whole.len() {
        add_base64(secret, forms);
    }
    if whole.contains(&b'\n') {
        for line in whole.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
            if line.len() >= SHORTEST {
                add_encodings(line, forms);
            }
        }
    }
}

fn add_encodings(secret: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    forms.insert(secret.to_vec());
    add_base64(secret, forms);
    add_url(secret, forms);
    if let Ok(text) = std::str::from_utf8(secret) {
        add_quoted(text, forms);
    }
}

/// Adds the base64 forms (RFC 4648 §4 and §5), also of a secret in the middle of longer data.
fn add_base64(secret: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    for ahead in 0..3 {
        let mut data = vec![0; ahead];
        data.extend_from_slice(secret);
        // These first characters also depend on what stands before the secret.
        let skip = [0, 2, 3][ahead];
        // And the last one depends on what follows, if the secret does not fill it.
        let sure = data.len() * 8 / 6;
        for padded in [STANDARD.encode(&data), URL_SAFE.encode(&data)] {
            add_long(&padded.as_bytes()[skip..], forms);
            add_long(&padded.as_bytes()[skip..sure], forms);
        }
        for bare in [STANDARD_NO_PAD.encode(&data), URL_SAFE_NO_PAD.encode(&data)] {
            add_long(&bare.as_bytes()[skip..], forms);
        }
    }
}

fn add_long(form: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    if form.len() >= SHORTEST {
        forms.insert(form.to_vec());
    }
}

/// Adds the percent-encoded forms (RFC 3986 §2.1) as the common encoders write them.
fn add_url(secret: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    // Strict; HTML forms; encodeURIComponent; paths.
    for safe in ["-_.~", "-_.*", "-_.!~*'()", "-_.~/"] {
        for space in ["%20", "+"] {
            for upper in [true, false] {
                forms.insert(url(secret, safe.as_bytes(), space, upper).into_bytes());
            }
        }
    }
}

fn url(secret: &[u8], safe: &[u8], space: &str, upper: bool) -> String {
    let mut text = String::with_capacity(secret.len() * 3);
    for &byte in secret {
        if byte.is_ascii_alphanumeric() || safe.contains(&byte) {
            text.push(char::from(byte));
        } else if byte == b' ' {
            text.push_str(space);
        } else if upper {
            let _ = write!(text, "%{byte:02X}");
        } else {
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}

/// Adds the forms inside quotes: JSON (RFC 8259 §7) in its three usual spellings, and the shell's single quotes.
fn add_quoted(secret: &str, forms: &mut BTreeSet<Vec<u8>>) {
    let json = serde_json::Value::from(secret).to_string();
    let json = &json[1..json.len() - 1];
    let mut ascii = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    forms.insert(json.replace('/', "\\/").into_bytes());
    forms.insert(json.as_bytes().to_vec());
    forms.insert(ascii.into_bytes());
    forms.insert(secret.replace('\'', "'\\''").into_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, secret: Option<&str>) {
        let found = secret_of(OsStr::new(name), OsStr::new(value));
        assert_eq!(found.as_deref(), secret.map(str::as_bytes), "{name}={value}");
    }

    #[test]
    fn secret_variables_are_known_by_their_names() {
        for name in ["GITHUB_TOKEN", "npm_config__auth", "DB_PASS", "aws-secret-access-key", "MYSQL_PWD"] {
            check(name, "hunter22", Some("hunter22"));
        }
        for name in ["GIT_AUTHOR_NAME", "PATH", "HOME", "COMPASS", "KEYBOARD"] {
            check(name, "hunter22", None);
        }
    }

    #[test]
    fn plainly_harmless_values_are_left_alone() {
        for value in ["", "short", "false", "disabled", "123456789", "2026-11-20", "/tmp", "/proc/self"] {
            check("MY_TOKEN", value, None);
        }
        check("MY_TOKEN", "/no/such/path", Some("/no/such/path"));
    }

    #[test]
    fn the_password_in_an_address_is_a_secret() {
        check("DATABASE_URL", "postgres://app:s3cr3t-pw@db/app", Some("s3cr3t-pw"));
        check("HTTPS_PROXY", "http://proxy:3128/a@b:c", None);
    }
}
