//! Requirements as Python writes them (PEP 508): a name, extras, specifiers, an address, a marker.

use std::collections::BTreeMap;

use super::pep440;

/// One requirement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirement {
    /// The name in its normal form (PEP 503).
    pub name: String,
    /// The extras that are asked for, in their normal form.
    pub extras: Vec<String>,
    /// The specifiers, such as `>=1.2,<2`; empty for any version.
    pub specifiers: String,
    /// The address it comes from, if it names one; its version is then not known from the text.
    pub address: Option<String>,
    /// The marker; empty if it always applies.
    pub marker: String,
}

/// What markers are evaluated against, such as `python_version`.
pub type Markers = BTreeMap<String, String>;

/// How deep a marker may be nested.
const DEEPEST: usize = 50;

/// Returns the normal form of a name: lower case, with `-` for every run of `-`, `_` and `.` (PEP 503).
pub fn normal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

/// Returns the requirement that a text states, or none if it is not one.
pub fn parse(text: &str) -> Option<Requirement> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(text.len());
    let name = &text[..end];
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let mut found = Requirement { name: normal(name), ..Requirement::default() };
    let mut rest = text[end..].trim_start();
    if let Some(inner) = rest.strip_prefix('[') {
        let (extras, after) = inner.split_once(']')?;
        found.extras = extras.split(',').map(normal).filter(|extra| !extra.is_empty()).collect();
        rest = after.trim_start();
    }
    if let Some(address) = rest.strip_prefix('@') {
        // A marker behind an address is set off by a space, since addresses may hold semicolons.
        let (address, marker) = address.split_once(" ;").unwrap_or((address, ""));
        found.address = Some(address.trim().to_owned()).filter(|address| !address.is_empty());
        marker.trim().clone_into(&mut found.marker);
        return found.address.is_some().then_some(found);
    }
    let (specifiers, marker) = rest.split_once(';').unwrap_or((rest, ""));
    let specifiers = specifiers.trim();
    let inner = specifiers.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
    inner.unwrap_or(specifiers).trim().clone_into(&mut found.specifiers);
    marker.trim().clone_into(&mut found.marker);
    // A version that satisfies nothing still shows whether the text can be read.
    pep440::satisfies("0", &found.specifiers)?;
    Some(found)
}

/// Tells whether a marker applies; none if it cannot be read. `extras` are those that are asked for.
pub fn applies(marker: &str, markers: &Markers, extras: &[String]) -> Option<bool> {
    if marker.trim().is_empty() {
        return Some(true);
    }
    let mut reader = Reader { words: words(marker)?.into_iter().peekable(), markers, extras };
    let value = reader.or(0)?;
    reader.words.next().is_none().then_some(value)
}

/// One word of a marker.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Text(String),
    Name(String),
    Sign(String),
}

fn words(marker: &str) -> Option<Vec<Word>> {
    let mut rest = marker.trim_start();
    let mut found = vec![];
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\'' | '"' => {
                let end = rest[1..].find(first)?;
                found.push(Word::Text(rest[1..=end].to_owned()));
                end + 2
            }
            '(' | ')' => {
                found.push(Word::Sign(first.into()));
                1
            }
            '<' | '>' | '=' | '!' | '~' => {
                let end = rest.find(|c: char| !"<>=!~".contains(c)).unwrap_or(rest.len());
                found.push(Word::Sign(rest[..end].to_owned()));
                end
            }
            c if c.is_ascii_alphanumeric() || c == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_.".contains(c));
                let end = end.unwrap_or(rest.len());
                found.push(Word::Name(rest[..end].to_owned()));
                end
            }
            _ => return None,
        };
        rest = rest[taken..].trim_start();
    }
    Some(found)
}

struct Reader<'a> {
    words: std::iter::Peekable<std::vec::IntoIter<Word>>,
    markers: &'a Markers,
    extras: &'a [String],
}

impl Reader<'_> {
    fn take(&mut self, word: &str) -> bool {
        let is = |next: &Word| matches!(next, Word::Name(text) | Word::Sign(text) if text == word);
        self.words.next_if(is).is_some()
    }

    fn or(&mut self, depth: usize) -> Option<bool> {
        let mut value = self.and(depth)?;
        while self.take("or") {
            value |= self.and(depth)?;
        }
        Some(value)
    }

    fn and(&mut self, depth: usize) -> Option<bool> {
        let mut value = self.one(depth)?;
        while self.take("and") {
            value &= self.one(depth)?;
        }
        Some(value)
    }

    fn one(&mut self, depth: usize) -> Option<bool> {
        if depth > DEEPEST {
            return None;
        }
        if self.take("(") {
            let value = self.or(depth + 1)?;
            return self.take(")").then_some(value);
        }
        let left = self.words.next()?;
        let operator = match self.words.next()? {
            Word::Sign(sign) => sign,
            Word::Name(name) if name == "in" => name,
            Word::Name(name) if name == "not" && self.take("in") => "not in".into(),
            Word::Name(_) | Word::Text(_) => return None,
        };
        let right = self.words.next()?;
        self.compare(&left, &operator, &right)
    }

    fn compare(&self, left: &Word, operator: &str, right: &Word) -> Option<bool> {
        let is =
            |word: &Word, names: &[&str]| matches!(word, Word::Name(name) if names.contains(&name.as_str()));
        let (sets, one) = (["extras", "dependency_groups"], ["extra"]);
        if is(left, &one) || is(right, &one) || is(right, &sets) {
            let other = if is(left, &one) { right } else { left };
            let Word::Text(text) = other else { return None };
            let there = !is(right, &["dependency_groups"]) && self.extras.contains(&normal(text));
            return match operator {
                "==" | "in" => Some(there),
                "!=" | "not in" => Some(!there),
                _ => None,
            };
        }
        let (left, right) = (self.value(left)?, self.value(right)?);
        match operator {
            "in" => Some(right.contains(left)),
            "not in" => Some(!right.contains(left)),
            operator => {
                let versions = pep440::satisfies(left, &format!("{operator}{right}"));
                versions.or_else(|| as_texts(left, operator, right))
            }
        }
    }

    fn value<'b>(&'b self, word: &'b Word) -> Option<&'b str> {
        match word {
            Word::Text(text) => Some(text),
            Word::Name(name) => self.markers.get(name).map(String::as_str),
            Word::Sign(_) => None,
        }
    }
}

fn as_texts(left: &str, operator: &str, right: &str) -> Option<bool> {
    match operator {
        "==" | "===" => Some(left == right),
        "!=" => Some(left != right),
        "<" => Some(left < right),
        "<=" => Some(left <= right),
        ">" => Some(left > right),
        ">=" => Some(left >= right),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markers() -> Markers {
        let pairs = [
            ("python_version", "3.11"),
            ("python_full_version", "3.11.7"),
            ("sys_platform", "linux"),
            ("platform_machine", "x86_64"),
            ("os_name", "posix"),
            ("platform_release", "6.18.0-odd+x"),
        ];
        pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn names_have_one_normal_form() {
        for name in ["Foo.Bar", "foo_bar", "FOO--bar", "foo-_.bar", " foo-bar "] {
            assert_eq!(normal(name), "foo-bar");
        }
    }

    #[test]
    fn requirements_are_read_in_every_form() {
        let check = |text: &str, name: &str, extras: &[&str], specifiers: &str, marker: &str| {
            let found = parse(text).unwrap_or_else(|| panic!("{text}"));
            let extras: Vec<String> = extras.iter().map(ToString::to_string).collect();
            assert_eq!((found.name.as_str(), &found.extras), (name, &extras), "{text}");
            assert_eq!((found.specifiers.as_str(), found.marker.as_str()), (specifiers, marker), "{text}");
        };
        check("requests", "requests", &[], "", "");
        check(
            "Requests [Socks, use_chardet] >=2.8.1, ==2.8.*",
            "requests",
            &["socks", "use-chardet"],
            ">=2.8.1, ==2.8.*",
            "",
        );
        check("a (>=1,<2) ; python_version < '3'", "a", &[], ">=1,<2", "python_version < '3'");
        check("a~=1.2;os_name=='posix'", "a", &[], "~=1.2", "os_name=='posix'");
        let found = parse("pip @ https://example.org/pip-1.tgz;x#sha1=1 ; os_name == 'nt'").unwrap();
        assert_eq!(found.address.as_deref(), Some("https://example.org/pip-1.tgz;x#sha1=1"));
        assert_eq!(found.marker, "os_name == 'nt'");
        for text in ["", "-e .", "./a", "a b", "a[b", "a >", "a @", "é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn markers_are_evaluated_against_the_interpreter() {
        let check = |marker: &str, expect: Option<bool>| {
            assert_eq!(applies(marker, &markers(), &["socks".into()]), expect, "{marker}");
        };
        check("", Some(true));
        check("python_version >= '3.10'", Some(true));
        check("python_version < \"3.9\"", Some(false));
        check("'3.9' < python_version", Some(true));
        check("python_full_version == '3.11.*'", Some(true));
        check("sys_platform == 'win32' or os_name == 'posix' and platform_machine == 'x86_64'", Some(true));
        check("(sys_platform == 'win32' or os_name == 'posix') and platform_machine == 'arm64'", Some(false));
        check("platform_release >= '5'", Some(true));
        check("sys_platform in 'linux darwin'", Some(true));
        check("sys_platform not in 'linux darwin'", Some(false));
        check("extra == 'Socks'", Some(true));
        check("'dev' in extras or 'dev' in dependency_groups", Some(false));
        check("extra == 'other'", Some(false));
        for marker in [
            "python_version",
            "nobody == '1'",
            "os_name = 'x'",
            "(os_name == 'x'",
            "os_name == 'x",
            "os_name == 'x' 'y'",
            "not in",
        ] {
            check(marker, None);
        }
        check(&"(".repeat(100_000), None);
    }
}
