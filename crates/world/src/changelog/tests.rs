mod file;
mod forge;
mod markdown;
mod render;

use super::{Head, Item};

pub(super) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

pub(super) fn item<'a>(kind: &'a str, description: &'a str) -> Item<'a> {
    Item { kind, scope: None, description, breaking: None, commit: COMMIT, issues: &[] }
}

pub(super) fn head(previous_tag: Option<&str>) -> Head<'_> {
    Head { version: "1.2.0", tag: "v1.2.0", previous_tag, date: "2026-11-20" }
}
