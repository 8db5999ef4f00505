//! `requirements.txt`: requirements, includes, constraints. Hashes and options of the index are passed over.

use super::pep508;
use super::{Declaration, Declared};

/// How deep files may include one another.
const DEEPEST: usize = 20;

/// Reads a file by its path, or says why it cannot.
type Read<'a> = dyn FnMut(&str) -> Result<String, String> + 'a;

/// Returns what a requirements file and all that it includes ask for.
pub fn requirements(path: &str, read: &mut dyn FnMut(&str) -> Result<String, String>) -> Declaration {
    let mut found = Declaration::new(path);
    let mut reader = Reader { read, found: &mut found, seen: vec![] };
    reader.file(path, false);
    found
}

struct Reader<'a, 'b> {
    read: &'a mut Read<'b>,
    found: &'a mut Declaration,
    /// The files read so far: one that is included twice says nothing new.
    seen: Vec<(String, bool)>,
}

impl Reader<'_, '_> {
    fn file(&mut self, path: &str, constraint: bool) {
        let key = (path.to_owned(), constraint);
        if self.seen.len() >= DEEPEST || self.seen.contains(&key) {
            return;
        }
        self.seen.push(key);
        match (self.read)(path) {
            Ok(text) => {
                for (number, line) in logical(&text) {
                    self.line(path, number, &line, constraint);
                }
            }
            Err(why) => self.found.notes.push(format!("{path}: {why}")),
        }
    }

    fn line(&mut self, path: &str, number: usize, line: &str, constraint: bool) {
        let from = format!("{path}:{number}");
        if line.starts_with('-') {
            for (option, constrains) in
                [("-r", false), ("--requirement", false), ("-c", true), ("--constraint", true)]
            {
                if let Some(file) = value(line, option) {
                    return self.file(&beside(path, file), constraint || constrains);
                }
            }
            if let Some(place) = value(line, "-e").or_else(|| value(line, "--editable")) {
                self.found.notes.push(format!("{from}: the name of the editable `{place}` is not known"));
            }
            return;
        }
        let Some(found) = pep508::parse(without_options(line)) else {
            return self.found.notes.push(format!("{from}: `{line}` is no requirement with a name"));
        };
        self.found.packages.push(Declared {
            name: found.name,
            want: found.specifiers,
            marker: found.marker,
            extras: found.extras,
            from,
            optional: constraint,
        });
    }
}

/// Returns the lines without comments, those that go on joined, each with the number of its first line.
fn logical(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = vec![];
    let mut goes_on = false;
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let comment =
            if line.starts_with('#') { Some(0) } else { line.find(" #").or_else(|| line.find("\t#")) };
        let line = &line[..comment.unwrap_or(line.len())];
        let (line, more) = line.strip_suffix('\\').map_or((line, false), |line| (line, true));
        match found.last_mut().filter(|_| goes_on) {
            Some((_, last)) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            None => found.push((index + 1, line.trim().to_owned())),
        }
        goes_on = more;
    }
    found.retain(|(_, line)| !line.is_empty());
    found
}

/// Returns the value of an option at the start of a line.
fn value<'a>(line: &'a str, option: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(option)?;
    let long = option.starts_with("--");
    if long && !rest.starts_with([' ', '=', '\t']) {
        return None;
    }
    let value = rest.trim_start_matches([' ', '=', '\t']).trim();
    (!value.is_empty()).then_some(value)
}

/// Returns a requirement without the options behind it, such as `--hash`.
fn without_options(line: &str) -> &str {
    let end = line.find(" --").unwrap_or(line.len());
    line[..end].trim()
}

/// Returns the path of a file that another one includes.
fn beside(path: &str, included: &str) -> String {
    match path.rsplit_once('/') {
        Some((dir, _)) if !included.starts_with('/') => format!("{dir}/{included}"),
        _ => included.to_owned(),
    }
}
