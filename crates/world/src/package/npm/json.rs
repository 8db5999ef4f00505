//! JSON files whose values are replaced where they stand, so that indent, order and line ends stay as they are.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;
use serde_json::value::RawValue;
use shipway_core::edit::Replace;
use shipway_core::problem::Problem;

use super::super::Files;
use super::super::place::{unreadable, utf8};

/// A JSON file that was read (RFC 8259), with or without a byte order mark.
#[derive(Debug)]
pub(super) struct Json {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
    pub(super) value: Value,
}

impl Json {
    /// Returns the file at a path, or none if it is not tracked.
    pub(super) fn read(files: &dyn Files, path: &str) -> Result<Option<Self>, Problem> {
        let Some(bytes) = files.read(path)? else { return Ok(None) };
        let bytes = utf8(path, bytes)?.into_bytes();
        let start = mark(&bytes);
        match serde_json::from_slice::<Value>(&bytes[start..]) {
            Ok(value) => Ok(Some(Self { path: path.into(), bytes, value })),
            Err(error) => {
                let offset = start + offset(&bytes[start..], error.line(), error.column());
                let text = error.to_string();
                let reason = text.split(" at line ").next().unwrap_or_default();
                Err(unreadable(path, &bytes, offset, format!("{path} is not valid JSON: {reason}")))
            }
        }
    }

    /// Returns where a value stands, or none if there is none. Of equal keys the last counts, as in JavaScript.
    pub(super) fn span(&self, keys: &[&str]) -> Option<Range<usize>> {
        let whole = str::from_utf8(&self.bytes).ok()?;
        let mut text = &whole[mark(&self.bytes)..];
        for key in keys {
            let map: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).ok()?;
            text = map.get(*key)?.get();
        }
        // The raw value is a part of the text, so the distance of their addresses is its offset.
        let start = text.as_ptr().addr() - whole.as_ptr().addr();
        Some(start..start + text.len())
    }

    /// Returns the replacement of a text that is there by one that needs no escapes.
    pub(super) fn replace(&self, keys: &[&str], new: &str) -> Option<Replace> {
        let span = self.span(keys).filter(|span| self.bytes[span.start] == b'"')?;
        Some(Replace::new(span.start + 1..span.end - 1, new))
    }
}

/// Returns the length of the byte order mark.
fn mark(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
}

/// Returns the offset of a line and column, both from 1, the column in bytes.
fn offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let start: usize =
        bytes.split_inclusive(|&byte| byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    start + column.saturating_sub(1)
}
