//! Plain version files at the root: `VERSION`, `VERSION.txt`, `version.txt`.

use std::ops::Range;

use semver::Version;
use shipway_core::edit::{Edit, Replace};
use shipway_core::problem::Problem;

use super::place::unreadable;
use super::{DetectedCheck, Files, Found, Package, disagree, pep440, summary};

const NAMES: [&str; 3] = ["VERSION", "VERSION.txt", "version.txt"];

/// Projects whose version is the only text of a file.
#[derive(Debug)]
pub(super) struct Plain;

impl Package for Plain {
    fn kind(&self) -> &'static str {
        "plain"
    }

    fn find(&self, files: &dyn Files) -> Result<Option<Found>, Problem> {
        let mut stated = vec![];
        for name in NAMES {
            if let Some(bytes) = files.read(name)? {
                stated.push((name, stated_in(name, &bytes)?.1));
            }
        }
        let Some((file, version)) = stated.first() else { return Ok(None) };
        if let Some((other_file, other)) = stated.iter().find(|(_, other)| other != version) {
            return Err(disagree((file, version), (other_file, other)));
        }
        let version = Some(version.clone());
        Ok(Some(Found {
            name: None,
            names: vec![],
            version,
            file: (*file).into(),
            is_root_only: false,
            notes: vec![],
        }))
    }

    fn edit(&self, files: &dyn Files, to: &Version) -> Result<Vec<Edit>, Problem> {
        let mut edits = vec![];
        for name in NAMES {
            if let Some(bytes) = files.read(name)? {
                let (span, from) = stated_in(name, &bytes)?;
                let replace = Replace::new(span, to.to_string());
                edits.extend(Edit::of(name, &bytes, vec![replace], &summary(&from, to))?);
            }
        }
        Ok(edits)
    }

    fn checks(&self, _: &dyn Files) -> Result<Vec<DetectedCheck>, Problem> {
        Ok(vec![])
    }
}

/// Returns where the version stands in a file, without a leading `v`, and which one it is.
///
/// Both ways of writing a prerelease are read, because Python projects keep their version in such files too.
fn stated_in(path: &str, bytes: &[u8]) -> Result<(Range<usize>, Version), Problem> {
    let from = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let start = from + bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let end = bytes.len() - bytes.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    let text = String::from_utf8_lossy(bytes.get(start..end).unwrap_or_default());
    let bare = text.strip_prefix('v').unwrap_or(&text);
    let version = Version::parse(bare).ok().or_else(|| pep440::read(bare)).ok_or_else(|| {
        let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
        let what = format!("`{shown}` is not a semantic version");
        unreadable(path, bytes, start, what).wanted("nothing but a version such as 1.2.3")
    })?;
    Ok((end - bare.len()..end, version))
}
