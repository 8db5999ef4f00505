//! One line of the allowed signers, and one of the keys that count no more.

use super::key::PublicKey;
use super::pattern;
use crate::statement::Revocation;
use crate::time::Time;

/// Kinds of keys that ssh knows and that count for nothing here.
const REFUSED: [&str; 2] = ["ssh-dss", "ecdsa-sha2-nistp521"];
/// Kinds of keys that count.
const KINDS: [&str; 6] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// A key, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number of the line, from 1.
    pub number: usize,
    /// Whose it is: patterns between commas.
    pub principals: String,
    /// What it may sign: patterns between commas; anything if there are none.
    pub namespaces: Option<String>,
    /// From when on it counts.
    pub after: Option<Time>,
    /// Until when it counts, including that second.
    pub before: Option<Time>,
    /// Whether one of the times had no zone, so that other programs take it for a local one.
    pub zoneless: bool,
    /// The key.
    pub key: PublicKey,
}

impl Line {
    /// Tells whether a principal is meant.
    pub fn fits(&self, principal: &str) -> bool {
        pattern::list(&self.principals, principal)
    }

    /// Returns the person whose key it is: the first principal that is a plain name.
    pub fn person(&self) -> Option<&str> {
        self.names().next()
    }

    /// Returns the principals that are plain names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.principals.split(',').filter(|one| pattern::is_plain(one) && self.fits(one))
    }

    /// Tells why the key does not count at a time, if so.
    pub(super) fn timely(&self, at: Time) -> Result<(), String> {
        match (self.after, self.before) {
            (Some(after), _) if at.seconds() < after.seconds() => {
                Err(format!("it counts from {after} on, and it was {at}"))
            }
            (_, Some(before)) if at.seconds() > before.seconds() => {
                Err(format!("it counted until {before}, and it was {at}"))
            }
            (_, _) => Ok(()),
        }
    }

    /// Tells why the key may not sign for a namespace, if so.
    pub(super) fn serves(&self, namespace: &str) -> Result<(), String> {
        match &self.namespaces {
            Some(list) if !pattern::list(list, namespace) => {
                Err(format!("it signs for {list}, not for {namespace}"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Reads a line; nothing for one that is empty or a comment.
pub(super) fn read(number: usize, text: &str) -> Result<Option<Line>, String> {
    let text = text.trim_start_matches([' ', '\t']);
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let (principals, rest) = first_word(text)?;
    if principals.is_empty() {
        return Err("a line begins with the names of whose key it is".into());
    }
    let (options, key) = if is_kind(word(rest)) { ("", rest) } else { past_options(rest)? };
    let options = Options::read(options)?;
    let key = public_key(key)?;
    let Options { namespaces, after, before, zoneless } = options;
    Ok(Some(Line { number, principals, namespaces, after, before, zoneless, key }))
}

/// Takes the first word, in which a part between quotation marks may hold spaces.
fn first_word(text: &str) -> Result<(String, &str), String> {
    let end = text.find([' ', '\t', '"']).ok_or("there is no key on this line")?;
    let (word, rest) = text.split_at(end);
    let Some(quoted) = rest.strip_prefix('"') else { return Ok((word.to_owned(), blank(rest))) };
    let (inner, rest) = quoted.split_once('"').ok_or("a quotation mark is not closed")?;
    Ok((format!("{word}{inner}"), blank(rest)))
}

fn blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

fn word(text: &str) -> &str {
    text.split([' ', '\t']).next().unwrap_or_default()
}

fn is_kind(word: &str) -> bool {
    KINDS.contains(&word) || REFUSED.contains(&word) || word.contains("-cert-v0")
}

/// Parts options from the key behind them. Spaces between quotation marks belong to the options.
fn past_options(text: &str) -> Result<(&str, &str), String> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, sign) in text.char_indices() {
        match sign {
            ' ' | '\t' if !quoted => return Ok((&text[..at], blank(&text[at..]))),
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = sign == '\\';
    }
    Err(if quoted { "a quotation mark is not closed".into() } else { "there is no key on this line".into() })
}

fn public_key(text: &str) -> Result<PublicKey, String> {
    let kind = word(text);
    if REFUSED.contains(&kind) || kind.contains("-cert-v0") {
        return Err(format!("keys of the kind {kind} count for nothing; make one: ssh-keygen -t ed25519"));
    }
    if !KINDS.contains(&kind) {
        return Err(format!("`{kind}` is neither an option nor a kind of key"));
    }
    let base64 = word(blank(&text[kind.len()..])).trim_end();
    PublicKey::parse(kind, base64).ok_or_else(|| format!("the text behind {kind} is no such key"))
}

#[derive(Default)]
struct Options {
    namespaces: Option<String>,
    after: Option<Time>,
    before: Option<Time>,
    zoneless: bool,
}

impl Options {
    fn read(mut text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        while !text.is_empty() {
            let end = text.find(['=', ',']).unwrap_or(text.len());
            let (name, rest) = text.split_at(end);
            text = match rest.strip_prefix('=') {
                Some(value) => options.set(&name.to_lowercase(), value)?,
                None if name.eq_ignore_ascii_case("cert-authority") => {
                    return Err("keys that sign other keys are not accepted: name each key by itself".into());
                }
                None => return Err(format!("there is no option `{name}`")),
            };
            if let Some(more) = text.strip_prefix(',') {
                if more.is_empty() {
                    return Err("an option is missing behind the comma".into());
                }
                text = more;
            } else if !text.is_empty() {
                return Err(format!("there is no option `{text}`"));
            }
        }
        Ok(options)
    }

    /// Sets an option from the text behind its `=`, and returns what is behind that.
    fn set<'a>(&mut self, name: &str, text: &'a str) -> Result<&'a str, String> {
        let (value, rest) =
            quoted(text).ok_or_else(|| format!("the value of {name} stands in quotation marks"))?;
        let twice = match name {
            "namespaces" => self.namespaces.replace(value).is_some(),
            "valid-after" => self.time(&value).map(|time| self.after.replace(time))?.is_some(),
            "valid-before" => self.time(&value).map(|time| self.before.replace(time))?.is_some(),
            _ => return Err(format!("there is no option `{name}`")),
        };
        if twice { Err(format!("{name} is there twice")) } else { Ok(rest) }
    }

    fn time(&mut self, text: &str) -> Result<Time, String> {
        let (time, zoneless) = time(text).ok_or_else(|| {
            format!("`{text}` is not a time such as 20261120Z, 202611201243Z or 20261120124308Z")
        })?;
        self.zoneless |= zoneless;
        Ok(time)
    }
}

/// Takes a text between quotation marks, in which `\"` is one.
fn quoted(text: &str) -> Option<(String, &str)> {
    let text = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return Some((value, &text[at + 1..])),
            '\\' if text[at + 1..].starts_with('"') => {
                value.push('"');
                signs.next();
            }
            _ => value.push(sign),
        }
    }
    None
}

/// Reads `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with `Z` or `UTC` behind it or without; tells whether it is
/// without.
fn time(text: &str) -> Option<(Time, bool)> {
    let upper = text.to_ascii_uppercase();
    let zoned = upper.strip_suffix("UTC").or_else(|| upper.strip_suffix('Z'));
    let digits = zoned.unwrap_or(&upper);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (date, clock) = digits.split_at_checked(8)?;
    let clock = match clock.len() {
        0 => "000000".to_owned(),
        4 => format!("{clock}00"),
        6 => clock.to_owned(),
        _ => return None,
    };
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    );
    let time: Time = text.parse().ok()?;
    // The first second of 1970 stands for no time at all.
    (time.seconds() > 0).then_some((time, zoned.is_none()))
}

/// Reads a line of the keys that count no more: what it says, and why it cannot be understood. One that names a key and
/// is not right in the rest ends that key from the beginning: a slip of the pen must not let a stolen key count.
pub(super) fn revocation(text: &str) -> (Option<Revocation>, Option<String>) {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return (None, None);
    }
    let mut words = text.splitn(3, [' ', '\t']);
    let key = words.next().unwrap_or_default();
    if !key.starts_with("SHA256:") || key.len() != "SHA256:".len() + 43 {
        return (None, Some("a line begins with the fingerprint of a key: ssh-keygen -l -f KEY.pub".into()));
    }
    let word = words.next().unwrap_or_default();
    let from = word.parse().ok().or_else(|| time(word).map(|(time, _)| time));
    let why = from.is_none().then(|| {
        format!("`{word}` is not a time such as 2026-11-20T12:43:08Z; the key counts for nothing until it is mended")
    });
    let reason = words.next().unwrap_or_default().trim().to_owned();
    (Some(Revocation { key: key.to_owned(), from: from.unwrap_or_default(), reason }), why)
}
