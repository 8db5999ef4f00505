//! The places where a Python project states its version.

use std::ops::Range;

use semver::Version;
use shipway_core::problem::Problem;
use toml_edit::Item;

use super::super::place::{missing, normal as normal_path, unreadable};
use super::super::toml::Toml;
use super::super::{Files, pep440};

/// One place that states a version.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
    /// Where the text of the version stands, without quotes.
    pub(super) span: Range<usize>,
    pub(super) version: Version,
}

/// Returns the version at a path of keys, or none if there is none.
pub(super) fn of_toml(toml: &Toml, keys: &[&str]) -> Result<Option<Source>, Problem> {
    let Some(item) = toml.get(keys) else { return Ok(None) };
    let text = toml.must_be_text(&keys.join("."), item)?;
    let replace = toml.replace(item, text);
    let version = parsed(&toml.path, toml.bytes(), replace.start, text)?;
    Ok(Some(Source {
        path: toml.path.clone(),
        bytes: toml.bytes().to_vec(),
        span: replace.start..replace.end,
        version,
    }))
}

/// Returns the `__version__` of the package of that name, in the layouts `src/NAME/` and `NAME/`, or none if it has
/// none that is written out as a version.
pub(super) fn of_module(files: &dyn Files, name: &str) -> Result<Option<Source>, Problem> {
    let module = normal(name).replace('-', "_");
    for dir in ["src/", ""] {
        for file in ["__init__.py", "__about__.py", "_version.py", "version.py"] {
            let path = format!("{dir}{module}/{file}");
            if let Some(source) = of_assignment(files, &path, "__version__")?.filter(|_| !module.is_empty()) {
                return Ok(Some(source));
            }
        }
    }
    Ok(None)
}

/// Returns where a dynamic version comes from: the place that the build tool is told, else the package itself; none
/// where the build tool takes it from the tag.
pub(super) fn dynamic(
    files: &dyn Files,
    toml: &Toml,
    module: Option<Source>,
) -> Result<Option<Source>, Problem> {
    let from_tag: [&[&str]; 5] = [
        &["tool", "setuptools_scm"],
        &["tool", "setuptools-scm"],
        &["tool", "poetry-dynamic-versioning"],
        &["tool", "versioningit"],
        &["tool", "versioneer"],
    ];
    let source = |tool: &str| toml.text(&["tool", tool, "version", "source"]);
    let told =
        [source("hatch"), source("pdm")].into_iter().flatten().any(|source| matches!(source, "vcs" | "scm"));
    if told || from_tag.iter().any(|keys| toml.get(keys).is_some()) {
        return Ok(None);
    }
    for tool in ["hatch", "pdm"] {
        if let Some(path) = toml.text(&["tool", tool, "version", "path"]) {
            return named(files, path).map(Some);
        }
    }
    let setuptools = ["tool", "setuptools", "dynamic", "version"];
    if let Some(attribute) = toml.text(&[&setuptools[..], &["attr"]].concat()) {
        return attribute_of(files, attribute);
    }
    let file = toml.get(&[&setuptools[..], &["file"]].concat());
    let file = file.and_then(|item| item.as_str().or_else(|| item.as_array()?.get(0)?.as_str()));
    match file {
        Some(path) => named(files, path).map(Some),
        None => Ok(module.filter(|_| toml.get(&["project", "dynamic"]).and_then(Item::as_array).is_some())),
    }
}

/// Returns the version in a file that the configuration names: an assignment, or nothing but the version.
fn named(files: &dyn Files, path: &str) -> Result<Source, Problem> {
    let path = normal_path(path).unwrap_or_default();
    let Some(bytes) = files.read(&path)? else { return Err(missing(&path, super::FILE)) };
    for name in ["__version__", "VERSION", "version"] {
        if let Some(source) = of_assignment(files, &path, name)? {
            return Ok(source);
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let start = text.len() - text.trim_start().len();
    let version = parsed(&path, &bytes, start, text.trim())?;
    Ok(Source { span: start..start + text.trim().len(), path, version, bytes })
}

/// Returns the version of an attribute such as `package.module.__version__`, or none if it is not written out.
fn attribute_of(files: &dyn Files, attribute: &str) -> Result<Option<Source>, Problem> {
    let Some((module, name)) = attribute.rsplit_once('.') else { return Ok(None) };
    let module = module.replace('.', "/");
    for dir in ["src/", ""] {
        for path in [format!("{dir}{module}.py"), format!("{dir}{module}/__init__.py")] {
            if let Some(source) = of_assignment(files, &path, name)? {
                return Ok(Some(source));
            }
        }
    }
    Ok(None)
}

/// Returns the version in `NAME = "…"` at the beginning of a line, or none if no line assigns a version to the name.
fn of_assignment(files: &dyn Files, path: &str, name: &str) -> Result<Option<Source>, Problem> {
    let Some(bytes) = files.read(path)? else { return Ok(None) };
    let mut start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while start < bytes.len() {
        let line = &bytes[start..];
        let line = &line[..line.iter().position(|&byte| byte == b'\n').map_or(line.len(), |at| at + 1)];
        if let Some((at, text)) = assigned(line, name)
            && let Some(version) = pep440::read(text)
        {
            let span = start + at..start + at + text.len();
            return Ok(Some(Source { path: path.into(), bytes, span, version }));
        }
        start += line.len();
    }
    Ok(None)
}

/// Returns the quoted text that a line assigns to a name, and where it begins in the line.
fn assigned<'a>(line: &'a [u8], name: &str) -> Option<(usize, &'a str)> {
    let rest = line.strip_prefix(name.as_bytes())?;
    let equals = rest.iter().position(|&byte| byte == b'=')?;
    let annotation = rest[..equals].trim_ascii();
    if !(annotation.is_empty() || annotation.starts_with(b":")) {
        return None;
    }
    let value = rest[equals + 1..].trim_ascii_start();
    let quote = *value.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let text = &value[1..];
    let text = &text[..text.iter().position(|&byte| byte == quote)?];
    Some((line.len() - value.len() + 1, str::from_utf8(text).ok()?))
}

fn parsed(path: &str, bytes: &[u8], offset: usize, text: &str) -> Result<Version, Problem> {
    pep440::read(text).ok_or_else(|| {
        let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
        let what = format!("`{shown}` is not a Python version that has a semantic counterpart");
        unreadable(path, bytes, offset, what).wanted("a version such as 1.2.3 or 1.2.3rc1")
    })
}

/// Returns a project name in its normal form (PEP 503).
pub(super) fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normal.is_empty() {
            normal.push('-');
        }
        normal.push_str(&part.to_ascii_lowercase());
    }
    normal
}
