//! TOML files whose values are replaced where they stand, so that everything else stays as it is.

use std::ops::Range;

use semver::Version;
use shipway_core::edit::{Edit, Replace};
use shipway_core::problem::Problem;
use toml_edit::{Document, Item, TableLike};

use super::Files;
use super::place::{semantic, unreadable, utf8};

/// A TOML file that was read (TOML 1.1).
#[derive(Debug)]
pub(super) struct Toml {
    pub(super) path: String,
    doc: Document<String>,
}

impl Toml {
    /// Returns the file at a path, or none if it is not tracked.
    pub(super) fn read(files: &dyn Files, path: &str) -> Result<Option<Self>, Problem> {
        let Some(bytes) = files.read(path)? else { return Ok(None) };
        let text = utf8(path, bytes)?;
        match Document::parse(text.clone()) {
            Ok(doc) => Ok(Some(Self { path: path.into(), doc })),
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                let what = format!("{path} is not valid TOML: {}", error.message().replace('\n', ", "));
                Err(unreadable(path, text.as_bytes(), offset, what))
            }
        }
    }

    /// Returns the root table.
    pub(super) fn root(&self) -> &dyn TableLike {
        self.doc.as_table()
    }

    /// Returns what stands at a path of keys.
    pub(super) fn get(&self, keys: &[&str]) -> Option<&Item> {
        keys.iter().try_fold(self.doc.as_item(), |item, key| item.as_table_like()?.get(key))
    }

    /// Returns the text at a path of keys, or none if there is none or it is no text.
    pub(super) fn text(&self, keys: &[&str]) -> Option<&str> {
        self.get(keys)?.as_str()
    }

    /// Returns the texts of the list at a path of keys.
    pub(super) fn texts(&self, keys: &[&str]) -> Vec<&str> {
        let list = self.get(keys).and_then(Item::as_array);
        list.map(|list| list.iter().filter_map(|value| value.as_str()).collect()).unwrap_or_default()
    }

    /// Returns the bytes of the file.
    pub(super) fn bytes(&self) -> &[u8] {
        self.doc.raw().as_bytes()
    }

    /// Returns the problem that an item cannot be understood.
    pub(super) fn unreadable(&self, item: &Item, what: impl Into<String>) -> Problem {
        let offset = item.span().map_or(0, |span| span.start);
        unreadable(&self.path, self.bytes(), offset, what)
    }

    /// Returns the text of an item that must be text.
    pub(super) fn must_be_text<'a>(&self, name: &str, item: &'a Item) -> Result<&'a str, Problem> {
        let problem = || self.unreadable(item, format!("{name} is a {}, not text", item.type_name()));
        item.as_str().ok_or_else(problem)
    }

    /// Returns the semantic version that an item states.
    pub(super) fn version(&self, name: &str, item: &Item) -> Result<Version, Problem> {
        let text = self.must_be_text(name, item)?;
        semantic(&self.path, self.bytes(), item.span().map_or(0, |span| span.start), text)
    }

    /// Returns the replacement that makes an item another text, in the quotes that it has.
    pub(super) fn replace(&self, item: &Item, text: &str) -> Replace {
        let span = item.span().expect("items of a parsed document have a span");
        replace(self.doc.raw(), span, item.as_str().unwrap_or_default(), text)
    }

    /// Returns the edit of some replacements, or none if they change nothing.
    pub(super) fn edit(&self, replace: Vec<Replace>, summary: &str) -> Result<Option<Edit>, Problem> {
        Edit::of(&self.path, self.bytes(), replace, summary)
    }
}

/// Returns the replacement of a quoted text by another one that needs no escapes.
fn replace(raw: &str, span: Range<usize>, old: &str, new: &str) -> Replace {
    let quoted = &raw[span.clone()];
    let plain = quoted.len() == old.len() + 2 && quoted[1..].starts_with(old);
    if plain {
        return Replace::new(span.start + 1..span.end - 1, new);
    }
    Replace::new(span, format!("\"{new}\""))
}
