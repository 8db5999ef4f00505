//! The table of keys as a JSON Schema (draft 2020-12), for editors, and as the reference page, for people.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::keys::{Absent, Key, ROOT, Section, Shape};
use super::read::{header, join};

/// Returns the JSON Schema of `shipway.toml`.
pub fn schema() -> Json {
    of(&ROOT)
}

/// Returns the JSON Schema of a file with this table of keys.
pub(crate) fn of(root: &Section) -> Json {
    let mut schema = table(root);
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!(root.name));
    Json::Object(schema)
}

fn table(section: &Section) -> Map<String, Json> {
    let mut properties: Map<String, Json> =
        section.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    for inner in section.sections {
        let table = Json::Object(table(inner));
        let shaped = match inner.shape {
            Shape::One => table,
            Shape::Named => json!({"type": "object", "additionalProperties": table}),
            Shape::Many => json!({"type": "array", "items": table}),
        };
        properties.insert(inner.name.to_owned(), shaped);
    }
    let required: Vec<&str> = section
        .keys
        .iter()
        .filter(|key| matches!(key.default, Absent::Required))
        .map(|key| key.name)
        .collect();
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("description".into(), json!(section.doc));
    schema.insert("properties".into(), Json::Object(properties));
    schema.insert("additionalProperties".into(), json!(false));
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema
}

fn property(key: &Key) -> Json {
    let mut schema = key.of.schema();
    schema["description"] = json!(key.doc);
    if let Absent::Value(text) = key.default {
        let file: toml::Table =
            toml::from_str(&format!("x = {text}")).expect("every default in the table of keys is TOML");
        schema["default"] = json!(file["x"]);
    }
    schema
}

/// Returns the reference page of `shipway.toml` in Markdown: every key with its type, default and meaning.
pub fn reference() -> String {
    let mut page = format!(
        "# Configuration\n\n{} It is called `shipway.toml` and stands in the root of the repository.\n\n\
         Editors complete and check it with the JSON Schema that `shipway schema config` prints.\n",
        ROOT.doc
    );
    chapter(&ROOT, "", &mut page);
    page
}

/// Adds the keys of a table, and of the tables inside it, to a page.
pub(crate) fn chapter(section: &Section, path: &str, page: &mut String) {
    if !path.is_empty() {
        let _ = write!(page, "\n## `{}`\n\n{}\n", header(section.shape, path), section.doc);
    }
    page.push_str("\n| key | type | default | meaning |\n|---|---|---|---|\n");
    for key in section.keys {
        let default = match key.default {
            Absent::Required => "required".to_owned(),
            Absent::Value(text) => format!("`{text}`"),
            Absent::Detected(place) => format!("detected: {place}"),
        };
        let _ = writeln!(page, "| `{}` | {} | {default} | {} |", key.name, key.of.name(), key.doc);
    }
    for inner in section.sections {
        chapter(inner, &join(path, inner.name), page);
    }
}
