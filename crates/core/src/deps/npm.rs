//! npm: `package-lock.json` (or `npm-shrinkwrap.json`), `package.json`, and ranges as npm reads them.

use semver::{Version, VersionReq};
use serde_json::{Map, Value};

use super::{Declaration, Declared};

/// How deep packages of a lock of the first version may be nested.
const DEEPEST: usize = 100;

/// Returns what a lock file asks for and the workspaces it names, or why it cannot be read.
pub fn lock(path: &str, text: &str) -> Result<(Declaration, Vec<String>), String> {
    let file = read(path, text)?;
    let mut found = Declaration { whole: true, ..Declaration::new(path) };
    let mut workspaces = vec![];
    if let Some(packages) = file.get("packages").and_then(Value::as_object) {
        for (place, package) in packages {
            if place.contains("node_modules/") {
                found.packages.push(package_of(path, place, package));
            } else if !place.is_empty() {
                workspaces.push(place.clone());
            }
        }
    } else if let Some(packages) = file.get("dependencies").and_then(Value::as_object) {
        nested(path, "", packages, &mut found.packages, DEEPEST);
    }
    Ok((found, workspaces))
}

fn package_of(path: &str, place: &str, package: &Value) -> Declared {
    let flag = |name: &str| package.get(name).and_then(Value::as_bool) == Some(true);
    // A link leads to a directory of the project, which has no version of its own in the lock.
    let want = if flag("link") { "" } else { text(package, "version") };
    Declared {
        name: place.to_owned(),
        want: want.to_owned(),
        from: path.into(),
        optional: flag("dev") || flag("optional") || flag("devOptional"),
        ..Declared::default()
    }
}

/// Reads a lock of the first version, in which packages stand inside one another.
fn nested(path: &str, above: &str, packages: &Map<String, Value>, found: &mut Vec<Declared>, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for (name, package) in packages {
        let place = format!("{above}node_modules/{name}");
        found.push(package_of(path, &place, package));
        if let Some(inner) = package.get("dependencies").and_then(Value::as_object) {
            nested(path, &format!("{place}/"), inner, found, depth);
        }
    }
}

/// Returns what a `package.json` asks for by itself, or why it cannot be read.
pub fn manifest(path: &str, text: &str) -> Result<Declaration, String> {
    let file = read(path, text)?;
    let mut found = Declaration::new(path);
    for (key, optional) in
        [("dependencies", false), ("optionalDependencies", true), ("devDependencies", true)]
    {
        let packages = file.get(key).and_then(Value::as_object);
        for (name, range) in packages.into_iter().flatten() {
            found.packages.push(Declared {
                name: format!("node_modules/{name}"),
                want: range.as_str().unwrap_or_default().into(),
                from: path.into(),
                optional,
                ..Declared::default()
            });
        }
    }
    Ok(found)
}

fn read(path: &str, text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{path} is not JSON: {error}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Tells whether a version is in a range as npm reads it; none if the version cannot be read.
///
/// What is no range, such as an address or a tag, says nothing of the version.
pub fn satisfies(version: &str, range: &str) -> Option<bool> {
    if version == range {
        return Some(true);
    }
    let found = Version::parse(version).ok()?;
    let mut any = false;
    for part in range.split("||") {
        let Some(wanted) = requirement(part.trim()) else { return Some(true) };
        any |= wanted.matches(&found);
    }
    Some(any)
}

/// Returns one alternative of a range in the words of Cargo, which mean the same but for a bare version.
fn requirement(part: &str) -> Option<VersionReq> {
    if part.is_empty() {
        return Some(VersionReq::STAR);
    }
    if let Some((low, high)) = part.split_once(" - ") {
        return VersionReq::parse(&format!(">={}, <={}", bare(low.trim()), bare(high.trim()))).ok();
    }
    let mut clauses: Vec<String> = vec![];
    let mut words = part.split_whitespace();
    while let Some(word) = words.next() {
        // An operator may stand apart from its version.
        let signs = word.chars().all(|c| "<>=~^".contains(c));
        let word = if signs { format!("{word}{}", words.next()?) } else { word.to_owned() };
        let end = word.find(|c: char| !"<>=~^".contains(c)).unwrap_or(word.len());
        let (operator, version) = word.split_at(end);
        let operator = match operator {
            "" => "=",
            "~>" => "~",
            operator => operator,
        };
        let version = bare(version);
        let star = matches!(version, "*" | "x" | "X");
        clauses.push(if star { "*".into() } else { format!("{operator}{version}") });
    }
    VersionReq::parse(&clauses.join(", ").replace("=*", "*")).ok()
}

fn bare(version: &str) -> &str {
    version.strip_prefix('v').unwrap_or(version)
}
