//! Texts that a test expects, in a file or in the test itself, with everything masked that changes from run to run.

use std::borrow::Cow;
use std::env;
use std::fs;
use std::path::Path;

use crate::diff;

/// The variable that has expected files written anew when it is `1`.
const UPDATE: &str = "UPDATE";

/// Where an expected text is.
#[derive(Clone, Copy, Debug)]
pub enum Expected<'a> {
    /// In this file, which `UPDATE=1` writes anew.
    File(&'a Path),
    /// Here.
    Inline(&'a str),
}

impl<'a> From<&'a Path> for Expected<'a> {
    fn from(path: &'a Path) -> Self {
        Self::File(path)
    }
}

impl<'a> From<&'a str> for Expected<'a> {
    fn from(text: &'a str) -> Self {
        Self::Inline(text)
    }
}

/// Panics with the difference unless a text is the expected one. With `UPDATE=1` an expected file is written instead.
#[track_caller]
pub fn assert_text<'a>(expected: impl Into<Expected<'a>>, actual: &str) {
    let update = env::var_os(UPDATE).is_some_and(|value| value == "1");
    if let Err(difference) = compare(expected.into(), actual, update) {
        panic!("{difference}");
    }
}

fn compare(expected: Expected<'_>, actual: &str, update: bool) -> Result<(), String> {
    let (place, text) = match expected {
        Expected::Inline(text) => ("the text in the test".to_owned(), text.to_owned()),
        // A file that is not there expects nothing yet.
        Expected::File(path) => (path.display().to_string(), fs::read_to_string(path).unwrap_or_default()),
    };
    if text == actual && !(actual.is_empty() && update) {
        return Ok(());
    }
    match expected {
        Expected::File(path) if update => write(path, actual).map_err(|error| format!("{place}: {error}")),
        Expected::File(_) => {
            Err(format!("{place} differs; {UPDATE}=1 writes it anew\n{}", shown(&text, actual)))
        }
        Expected::Inline(_) => Err(format!("{place} differs\n{}", shown(&text, actual))),
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, text)
}

fn shown(expected: &str, actual: &str) -> String {
    if expected.trim_end_matches('\n') == actual.trim_end_matches('\n') {
        return "only in the line feeds at its end\n".into();
    }
    diff::lines(expected, actual)
}

/// Puts placeholders where a text changes from run to run.
///
/// | placeholder | stands for |
/// |---|---|
/// | `[DIGEST]`, `[COMMIT]`, `[ID]` | 64, 40, and 7 to 12 hexadecimal digits, such as run ids and short commit ids |
/// | `[TIME]`, `[DATE]` | `2026-11-20T12:43:08.123Z`, `12:43:08`; `2026-11-20` |
/// | `[SPAN]` | `340ms`, `1.2s`, `3m`, and the value of `took_ms` in JSON |
/// | `[TEMP]` | a temporary directory |
#[derive(Clone, Debug, Default)]
pub struct Filters {
    literals: Vec<(String, String)>,
    masks: Vec<Mask>,
}

/// Returns how many bytes at the beginning of a text are to be masked, and by what.
type Mask = fn(&str) -> Option<(usize, &'static str)>;

impl Filters {
    /// Returns filters that change nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Returns filters for everything that is known to change.
    pub fn all() -> Self {
        Self::none().temp_paths().times().spans().ids()
    }

    /// Masks this very text; it goes before everything else, longer texts before shorter ones.
    #[must_use]
    pub fn replace(mut self, text: impl Into<String>, placeholder: &str) -> Self {
        self.literals.push((text.into(), placeholder.to_owned()));
        self.literals.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        self
    }

    /// Masks digests, commit ids, run ids.
    #[must_use]
    pub fn ids(mut self) -> Self {
        self.masks.push(id);
        self
    }

    /// Masks times and dates.
    #[must_use]
    pub fn times(mut self) -> Self {
        self.masks.push(time);
        self
    }

    /// Masks how long something took.
    #[must_use]
    pub fn spans(mut self) -> Self {
        self.masks.push(span);
        self
    }

    /// Masks temporary directories.
    #[must_use]
    pub fn temp_paths(self) -> Self {
        let temp = env::temp_dir();
        let whole = temp.canonicalize().unwrap_or_else(|_| temp.clone());
        let mut filters = self;
        for dir in [temp, whole] {
            let dir = dir.to_string_lossy().trim_end_matches('/').to_owned();
            filters = filters.replace(format!("{dir}/.tmp"), TEMP);
        }
        filters
    }

    /// Returns a text with placeholders.
    pub fn apply(&self, text: &str) -> String {
        let literals = self.literals.iter().filter(|(literal, _)| !literal.is_empty());
        let mut text = Cow::Borrowed(text);
        for (literal, placeholder) in literals {
            if text.contains(literal) {
                text = Cow::Owned(replaced(&text, literal, placeholder));
            }
        }
        let (mut masked, mut rest) = (String::with_capacity(text.len()), &*text);
        while let Some(first) = rest.chars().next() {
            let begins = !goes_on(&masked);
            let found = self.masks.iter().filter(|_| begins).find_map(|mask| mask(rest));
            let (length, shown) =
                found.map_or((first.len_utf8(), None), |(length, shown)| (length, Some(shown)));
            masked += shown.unwrap_or(&rest[..length]);
            rest = &rest[length..];
        }
        masked
    }
}

/// Stands for a temporary directory, whose random end is masked with it.
const TEMP: &str = "[TEMP]";

fn replaced(text: &str, literal: &str, placeholder: &str) -> String {
    if placeholder != TEMP {
        return text.replace(literal, placeholder);
    }
    let mut parts = text.split(literal);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked += placeholder;
        masked += part.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    }
    masked
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Tells whether the next character belongs to a word or a dotted number that this text ends with.
fn goes_on(text: &str) -> bool {
    let number = text.strip_suffix('.').is_some_and(|text| text.ends_with(|c: char| c.is_ascii_digit()));
    number || text.ends_with(is_word)
}

/// Returns the length of the longest beginning of such characters, if no word goes on behind it.
fn token(text: &str, of: impl Fn(char) -> bool) -> Option<usize> {
    let length = text.find(|c| !of(c)).unwrap_or(text.len());
    (length > 0 && !text[length..].starts_with(is_word)).then_some(length)
}

fn id(text: &str) -> Option<(usize, &'static str)> {
    match token(text, |c| matches!(c, '0'..='9' | 'a'..='f'))? {
        64 => Some((64, "[DIGEST]")),
        40 => Some((40, "[COMMIT]")),
        // Numbers of that many digits are masked too: an id that happens to have no letter must not make a test fail.
        length @ 7..=12 => Some((length, "[ID]")),
        _ => None,
    }
}

fn time(text: &str) -> Option<(usize, &'static str)> {
    let stamp = token(text, |c| c.is_ascii_digit() || matches!(c, '-' | ':' | 'T' | '.' | 'Z' | '+'))?;
    let stamp = text[..stamp].trim_end_matches(['.', ':', '-']);
    let shape: String = stamp.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let is_time = |shape: &str| {
        let (clock, fraction) = shape.split_once('.').unwrap_or((shape, "0"));
        clock == "00:00:00" && fraction.trim_matches('0').is_empty()
    };
    let is_zoned = |shape: &str| {
        let clock = shape.strip_suffix('Z').or(shape.strip_suffix("+00:00")).unwrap_or(shape);
        is_time(clock)
    };
    match shape.split_once('T') {
        Some(("0000-00-00", clock)) if is_zoned(clock) => Some((stamp.len(), "[TIME]")),
        None if shape == "0000-00-00" => Some((stamp.len(), "[DATE]")),
        None if is_time(&shape) => Some((stamp.len(), "[TIME]")),
        Some(_) | None => None,
    }
}

fn span(text: &str) -> Option<(usize, &'static str)> {
    if let Some(value) = text.strip_prefix("took_ms\":") {
        let digits = value.trim_start();
        let begin = text.len() - digits.len();
        let length = token(digits, |c| c.is_ascii_digit())?;
        return Some((begin + length, "took_ms\": [SPAN]"));
    }
    let number = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let unit = token(&text[number..], char::is_alphabetic)?;
    let is_number = text[..number].parse::<f64>().is_ok();
    let is_unit = matches!(&text[number..number + unit], "ns" | "us" | "µs" | "ms" | "s" | "m" | "h");
    (is_number && is_unit).then_some((number + unit, "[SPAN]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(Filters::all().apply(text), expected);
    }

    #[test]
    fn ids_are_masked() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        check(commit, "[COMMIT]");
        check(&format!("{commit}..HEAD, run 7f3a9c01."), "[COMMIT]..HEAD, run [ID].");
        check(&format!("{commit}89abcdef01234567fedcba98"), "[DIGEST]");
        check("plan 12345678, at (9c2e1d0)", "plan [ID], at ([ID])");
        check("feature 1.4.0 in 123456 deadbeefs x7f3a9c01", "feature 1.4.0 in 123456 deadbeefs x7f3a9c01");
    }

    #[test]
    fn times_are_masked() {
        check("\"at\":\"2026-11-20T12:43:08.123Z\"", "\"at\":\"[TIME]\"");
        check("2026-11-20T12:43:08+00:00 and 2026-11-20T12:43:08Z.", "[TIME] and [TIME].");
        check("## 1.4.0 - 2026-11-20\n12:43:08: done", "## 1.4.0 - [DATE]\n[TIME]: done");
        check("1.2.3-4 2026-11 10:30", "1.2.3-4 2026-11 10:30");
    }

    #[test]
    fn spans_are_masked() {
        check("took 340ms, then 1.2s; 3m 12s", "took [SPAN], then [SPAN]; [SPAN] [SPAN]");
        check("{\"took_ms\": 17,\"timeout_ms\":600}", "{\"took_ms\": [SPAN],\"timeout_ms\":600}");
        check("{\"took_ms\":17}", "{\"took_ms\": [SPAN]}");
        check("3 steps, 4items, v1s, 1.2.3s", "3 steps, 4items, v1s, 1.2.3s");
    }

    #[test]
    fn temporary_directories_are_masked() {
        let dir = tempfile::tempdir().unwrap();
        check(&format!("in {}/widget: ok", dir.path().display()), "in [TEMP]/widget: ok");
    }

    #[test]
    fn a_given_text_is_masked_before_everything_else() {
        let filters = Filters::all().replace("7f3a9c01", "[RUN]").replace("7f3a9c01/a", "[STEP]");
        assert_eq!(filters.apply("7f3a9c01 7f3a9c01/a 7f3a9c02"), "[RUN] [STEP] [ID]");
        assert_eq!(Filters::none().apply("7f3a9c01 1.2s"), "7f3a9c01 1.2s");
    }

    #[test]
    fn an_unexpected_text_is_shown_by_its_difference() {
        assert_text("a\nb\n", "a\nb\n");
        let difference = compare("a\nb\nc\n".into(), "a\nx\nc\n", false).unwrap_err();
        assert!(difference.contains("  a\n- b\n+ x\n  c\n"), "{difference}");
        let difference = compare("a\n".into(), "a", false).unwrap_err();
        assert!(difference.contains("line feeds"), "{difference}");
        assert!(compare("a".into(), "b", true).is_err(), "a text in the test cannot be written anew");
    }

    #[test]
    fn an_expected_file_is_written_only_when_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("case/plan.txt");
        assert!(compare(path.as_path().into(), "new\n", false).unwrap_err().contains("UPDATE=1"));
        assert!(!path.exists());
        compare(path.as_path().into(), "new\n", true).unwrap();
        assert_text(path.as_path(), "new\n");
        assert!(compare(path.as_path().into(), "newer\n", false).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
    }
}
