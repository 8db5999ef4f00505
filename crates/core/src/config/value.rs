//! Values of the file: how each type is read, and what is wrong with those that do not fit.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use semver::{Prerelease, Version, VersionReq};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::form::{Form, Type};
use super::place::{plain, shown};
use super::{Trigger, amount, duration, suggest, words};
use crate::problem::{Code, Problem};

/// A value that has been read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Flag(bool),
    Count(usize),
    Text(String),
    Version(Version),
    Range(VersionReq),
    Duration(Duration),
    Texts(Vec<String>),
    Variables(BTreeMap<String, String>),
    Ports([u16; 2]),
}

/// A problem and the span it is about.
pub(crate) type Bad = (Range<usize>, Problem);

impl Type {
    /// Reads a value of the file; `key` is how problems name it.
    pub(crate) fn read(self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Value, Vec<Bad>> {
        let one = |result: Result<Value, Problem>| result.map_err(|bad| vec![(value.span(), bad)]);
        match (self, value.get_ref()) {
            (Self::One, DeValue::Integer(_)) => one(integer(key, value.get_ref(), 1..=1)),
            (Self::Count, DeValue::Integer(_)) => one(integer(key, value.get_ref(), 1..=1024)),
            (Self::Number, DeValue::Integer(_)) => one(integer(key, value.get_ref(), 0..=1024)),
            (Self::Upto(most), DeValue::Integer(_)) => one(integer(key, value.get_ref(), 0..=most)),
            (Self::Ports, DeValue::Array(items)) => ports(key, items).map_err(|bad| {
                vec![bad.unwrap_or_else(|| (value.span(), unusable(key, "cannot be used", &self.name())))]
            }),
            (Self::Flag, DeValue::Boolean(flag)) => Ok(Value::Flag(*flag)),
            (Self::TextOrFalse(_), DeValue::Boolean(false)) => Ok(Value::Flag(false)),
            (Self::Text(form) | Self::TextOrFalse(form), DeValue::String(text)) => one(form.read(key, text)),
            (Self::List(form), DeValue::Array(items)) => list(key, form, items),
            (Self::Command, DeValue::String(text)) => one(split(key, text)),
            (Self::Command, DeValue::Array(items)) => match list(key, Form::Word, items)? {
                Value::Texts(words) if words.first().is_none_or(String::is_empty) => {
                    one(Err(unusable(key, "is empty", "a program and its arguments")))
                }
                vector => Ok(vector),
            },
            (Self::Variables, DeValue::Table(table)) => variables(key, table),
            (_, found) => one(Err(mismatch(key, found, &self.wanted()))),
        }
    }
}

impl Form {
    /// Reads a text of this form.
    fn read(self, key: &str, text: &str) -> Result<Value, Problem> {
        let fits = match self {
            Self::Word => !text.contains('\0'),
            Self::Any => !text.is_empty() && plain(text),
            Self::Of(words) => words.contains(&text),
            Self::Path => is_path(text),
            Self::Paths => is_path(&text.replace('*', "x")),
            Self::Branch | Self::Refs => is_ref(&text.replace('*', "x")),
            Self::Tag => {
                text.matches("{version}").count() == 1 && is_ref(&text.replacen("{version}", "1.0.0", 1))
            }
            Self::Suffix => {
                text.matches("{n}").count() == 1 && Prerelease::new(&text.replacen("{n}", "1", 1)).is_ok()
            }
            Self::Variable => is_variable(text),
            Self::Address => is_address(text),
            Self::Host => is_host(text),
            Self::Share => amount::share(text).is_some(),
            Self::Percent => amount::percent(text).is_some(),
            Self::Size => amount::bytes(text).is_some(),
            Self::Event => match Trigger::parse(text) {
                Some(Trigger::Change(name) | Trigger::Tag(name)) => is_ref(&name.replace('*', "x")),
                other => other.is_some(),
            },
            Self::Version => {
                return Version::parse(text)
                    .map(Value::Version)
                    .map_err(|e| self.bad(key, text).details([shown(&e.to_string())]));
            }
            Self::Range => {
                return VersionReq::parse(text)
                    .map(Value::Range)
                    .map_err(|e| self.bad(key, text).details([shown(&e.to_string())]));
            }
            Self::Duration => {
                return duration::parse(text).map(Value::Duration).ok_or_else(|| self.bad(key, text));
            }
        };
        if fits { Ok(Value::Text(text.to_owned())) } else { Err(self.bad(key, text)) }
    }

    fn bad(self, key: &str, text: &str) -> Problem {
        let problem = unusable(key, "cannot be used", &self.name()).found(format!("\"{}\"", shown(text)));
        let near =
            if let Self::Of(words) = self { suggest::nearest(text, words.iter().copied()) } else { None };
        match near {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem,
        }
    }
}

fn unusable(key: &str, what: &str, wanted: &str) -> Problem {
    Problem::new(Code::ConfigValue, format!("`{key}` {what}")).wanted(wanted)
}

/// Returns the problem of a value whose TOML type is another than the wanted one.
pub(crate) fn mismatch(key: &str, found: &DeValue<'_>, wanted: &str) -> Problem {
    let found = match found {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "float",
        DeValue::Boolean(true) => "true",
        DeValue::Boolean(false) => "false",
        DeValue::Datetime(_) => "date or time",
        DeValue::Array(_) => "list",
        DeValue::Table(_) => "table",
    };
    Problem::new(Code::ConfigType, format!("`{key}` has the wrong type")).found(found).wanted(wanted)
}

fn integer(key: &str, value: &DeValue<'_>, range: RangeInclusive<usize>) -> Result<Value, Problem> {
    let integer = value.as_integer();
    let number = integer.and_then(|i| usize::from_str_radix(i.as_str(), i.radix()).ok());
    let shown = integer.map(ToString::to_string).unwrap_or_default();
    number.filter(|number| range.contains(number)).map(Value::Count).ok_or_else(|| {
        let wanted = if range.end() == range.start() {
            "1".to_owned()
        } else {
            format!("{} to {}", range.start(), range.end())
        };
        unusable(key, "cannot be used", &wanted).found(shown)
    })
}

fn list(key: &str, form: Form, items: &[Spanned<DeValue<'_>>]) -> Result<Value, Vec<Bad>> {
    let (mut texts, mut bad) = (vec![], vec![]);
    for item in items {
        match item.get_ref() {
            DeValue::String(text) => match form.read(key, text) {
                Ok(_) => texts.push(text.to_string()),
                Err(problem) => bad.push((item.span(), problem)),
            },
            found => bad.push((item.span(), mismatch(key, found, &form.wanted()))),
        }
    }
    if bad.is_empty() { Ok(Value::Texts(texts)) } else { Err(bad) }
}

/// Reads two ports; an error without a place is about the list.
fn ports(key: &str, items: &[Spanned<DeValue<'_>>]) -> Result<Value, Option<Bad>> {
    let port = |item: &Spanned<DeValue<'_>>| match integer(key, item.get_ref(), 1..=65535) {
        Ok(Value::Count(port)) => u16::try_from(port).map_err(|_| None),
        Ok(_) => Err(None),
        Err(problem) if item.get_ref().as_integer().is_some() => Err(Some((item.span(), problem))),
        Err(_) => Err(Some((item.span(), mismatch(key, item.get_ref(), "port")))),
    };
    let ports = items.iter().map(port).collect::<Result<Vec<u16>, _>>()?;
    match ports[..] {
        [one, other] if one != other => Ok(Value::Ports([one, other])),
        _ => Err(None),
    }
}

fn split(key: &str, text: &str) -> Result<Value, Problem> {
    let wanted = "a program and its arguments";
    let words = words::split(text).map_err(|error| {
        let problem = unusable(key, "cannot be split into words", wanted).found(error.to_string());
        if let words::Error::Shell(_) = error {
            problem.hint(format!("run = [\"sh\", \"-c\", {}]", toml::Value::from(shown(text))))
        } else {
            problem
        }
    })?;
    match words.first() {
        None => Err(unusable(key, "is empty", wanted)),
        Some(first) if first.is_empty() => Err(unusable(key, "is empty", wanted)),
        Some(first) if first.split_once('=').is_some_and(|(name, _)| is_variable(name)) => {
            Err(unusable(key, "sets a variable before the program", wanted)
                .found(shown(first))
                .hint("env = { NAME = \"value\" }"))
        }
        Some(_) => Ok(Value::Texts(words)),
    }
}

fn variables(key: &str, table: &DeTable<'_>) -> Result<Value, Vec<Bad>> {
    let (mut variables, mut bad) = (BTreeMap::new(), vec![]);
    for (name, value) in table {
        let path = format!("{key}.{}", shown(name.get_ref()));
        if !is_variable(name.get_ref()) {
            bad.push((name.span(), Form::Variable.bad(key, name.get_ref())));
        } else if let DeValue::String(text) = value.get_ref() {
            if text.contains('\0') {
                bad.push((value.span(), unusable(&path, "holds a NUL character", "text")));
            }
            variables.insert(name.get_ref().to_string(), text.to_string());
        } else {
            bad.push((value.span(), mismatch(&path, value.get_ref(), "text")));
        }
    }
    if bad.is_empty() { Ok(Value::Variables(variables)) } else { Err(bad) }
}

fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && plain(text)
        && !text.contains(char::is_whitespace)
}

/// Tells whether a text can be handed to ssh as a host: nothing that it would take for an option or a command.
fn is_host(text: &str) -> bool {
    !text.starts_with('-') && !text.contains(char::is_whitespace) && plain(text) && !text.is_empty()
}

/// Tells whether a path stays inside the repository and outside of `.git`, on every system.
fn is_path(text: &str) -> bool {
    let part = |part: &str| !matches!(part, "" | "." | "..") && !part.eq_ignore_ascii_case(".git");
    text.split('/').all(part) && !text.contains(['\\', ':']) && plain(text)
}

/// Tells whether git takes a text as a branch or tag (git-check-ref-format(1)).
fn is_ref(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && !part.to_ascii_lowercase().ends_with(".lock")
    };
    text.split('/').all(part)
        && !text.starts_with('-')
        && !text.ends_with('.')
        && text != "@"
        && !["..", "@{"].iter().any(|no| text.contains(no))
        && !text.contains([' ', '~', '^', ':', '?', '*', '[', '\\', '\u{7f}'])
        && plain(text)
}
