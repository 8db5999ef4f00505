//! Kinds of projects whose published version is the tag itself: there is no file to edit, and a pushed tag is seen by
//! proxies and users at once.

use semver::Version;
use serde_json::Value;
use shipway_core::edit::Edit;
use shipway_core::problem::Problem;

use super::{DetectedCheck, Files, Found, Package};

/// Go modules: a module proxy keeps every version that it was asked for once.
pub(super) const GO: Tagged = Tagged {
    kind: "go",
    markers: &["go.mod"],
    checks: &[("build", "go build ./..."), ("test", "go test ./..."), ("lint", "go vet ./...")],
};
/// Actions of forge CI: workflows name them by tag.
pub(super) const ACTION: Tagged =
    Tagged { kind: "action", markers: &["action.yml", "action.yaml"], checks: &[] };
/// PHP libraries: Packagist reads the tags.
pub(super) const COMPOSER: Tagged = Tagged { kind: "composer", markers: &["composer.json"], checks: &[] };
/// Swift packages: the package manager reads the tags.
pub(super) const SWIFT: Tagged = Tagged {
    kind: "swift",
    markers: &["Package.swift"],
    checks: &[("build", "swift build"), ("test", "swift test")],
};

/// A kind that is known by a file at the root, and that has no version in its files.
#[derive(Debug)]
pub(super) struct Tagged {
    kind: &'static str,
    markers: &'static [&'static str],
    checks: &'static [(&'static str, &'static str)],
}

impl Package for Tagged {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn find(&self, files: &dyn Files) -> Result<Option<Found>, Problem> {
        for marker in self.markers {
            if let Some(bytes) = files.read(marker)? {
                let Some(name) = name(self.kind, &bytes) else { return Ok(None) };
                let names = name.iter().cloned().collect();
                return Ok(Some(Found {
                    name,
                    names,
                    version: None,
                    file: (*marker).into(),
                    is_root_only: false,
                    notes: vec![],
                }));
            }
        }
        Ok(None)
    }

    fn edit(&self, _: &dyn Files, _: &Version) -> Result<Vec<Edit>, Problem> {
        Ok(vec![])
    }

    fn checks(&self, _: &dyn Files) -> Result<Vec<DetectedCheck>, Problem> {
        let check = |(name, command): &(&str, &str)| {
            let program = command.split(' ').next().unwrap_or_default();
            DetectedCheck::new(name, command).needs(program)
        };
        Ok(self.checks.iter().map(check).collect())
    }

    fn tag_publishes(&self) -> bool {
        true
    }
}

/// Returns the name that a marker file states, if it states one; the outer none is an application, which nobody can
/// depend on.
#[expect(clippy::option_option, reason = "no project and no name are two answers")]
fn name(kind: &str, bytes: &[u8]) -> Option<Option<String>> {
    match kind {
        "go" => {
            let text = String::from_utf8_lossy(bytes);
            let module = text.lines().find_map(|line| line.trim().strip_prefix("module "));
            let path =
                module.map(|rest| rest.split("//").next().unwrap_or_default().trim().trim_matches('"'));
            let major = |part: &str| {
                part.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
            };
            let name = path.and_then(|path| path.rsplit('/').find(|part| !major(part)));
            Some(name.filter(|name| !name.is_empty()).map(Into::into))
        }
        "composer" => {
            let value: Value = serde_json::from_slice(bytes).ok()?;
            let name = value.get("name")?.as_str()?.to_owned();
            (value.get("type").and_then(Value::as_str) != Some("project")).then_some(Some(name))
        }
        _ => Some(None),
    }
}
