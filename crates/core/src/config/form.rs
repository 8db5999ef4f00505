//! What a value of the file looks like: each type says its name and its JSON Schema.

use serde_json::{Value as Json, json};

use super::trigger;

/// What kind of TOML value a key takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Type {
    /// The version of the file's own form: the integer 1.
    One,
    /// An integer from 1 to 1024.
    Count,
    /// True or false.
    Flag,
    /// One text.
    Text(Form),
    /// One text, or false.
    TextOrFalse(Form),
    /// Several texts.
    List(Form),
    /// An argument vector, or one text to be split into words.
    Command,
    /// A table of environment variables.
    Variables,
    /// An integer from 0 to 1024.
    Number,
    /// Two different TCP ports.
    Ports,
    /// An integer from 0 to this one.
    Upto(usize),
}

/// What a text must look like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// Anything on one line.
    Any,
    /// An argument of a command, which may be empty and have several lines.
    Word,
    /// One of these words.
    Of(&'static [&'static str]),
    /// A path inside the repository.
    Path,
    /// A branch, with `*` for any characters but `/`.
    Branch,
    /// A tag with `{version}` in it.
    Tag,
    /// A prerelease part with `{n}` in it.
    Suffix,
    /// A version of `SemVer` 2.0.0.
    Version,
    /// A range of versions.
    Range,
    /// A duration.
    Duration,
    /// The name of an environment variable.
    Variable,
    /// An HTTP address.
    Address,
    /// A host: `local`, or what ssh takes.
    Host,
    /// A count such as `2`, or a share such as `25%`.
    Share,
    /// A share such as `0.5%`.
    Percent,
    /// A size such as `500MB`.
    Size,
    /// An event such as `change:develop`.
    Event,
    /// A pattern of paths, with `*` for any characters but `/`, and `**` for any.
    Paths,
    /// A pattern of refs, with `*` for any characters but `/`, and `**` for any.
    Refs,
}

impl Type {
    /// Returns the name of the type for people.
    pub(crate) fn name(self) -> String {
        match self {
            Self::One => "the integer 1".into(),
            Self::Count => "integer from 1 to 1024".into(),
            Self::Flag => "true or false".into(),
            Self::Text(form) => form.name(),
            Self::TextOrFalse(form) => format!("{}, or false", form.name()),
            Self::List(form) => format!("list: {}", form.name()),
            Self::Command => "list of texts, or text".into(),
            Self::Variables => "table of texts".into(),
            Self::Number => "integer from 0 to 1024".into(),
            Self::Ports => "list of two different ports".into(),
            Self::Upto(most) => format!("integer from 0 to {most}"),
        }
    }

    /// Returns what is wanted where a value of another TOML type stands.
    pub(crate) fn wanted(self) -> String {
        match self {
            Self::Text(form) => form.wanted(),
            Self::TextOrFalse(form) => format!("{}, or false", form.wanted()),
            Self::One
            | Self::Count
            | Self::Flag
            | Self::List(_)
            | Self::Command
            | Self::Variables
            | Self::Number
            | Self::Ports
            | Self::Upto(_) => self.name(),
        }
    }

    /// Returns the JSON Schema of the type.
    pub(crate) fn schema(self) -> Json {
        match self {
            Self::One => json!({"type": "integer", "const": 1}),
            Self::Count => json!({"type": "integer", "minimum": 1, "maximum": 1024}),
            Self::Flag => json!({"type": "boolean"}),
            Self::Text(form) => form.schema(),
            Self::TextOrFalse(form) => json!({"anyOf": [form.schema(), {"const": false}]}),
            Self::List(form) => json!({"type": "array", "items": form.schema()}),
            Self::Command => json!({"anyOf": [
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
                {"type": "string", "minLength": 1},
            ]}),
            Self::Variables => json!({
                "type": "object",
                "propertyNames": Form::Variable.schema(),
                "additionalProperties": {"type": "string"},
            }),
            Self::Number => json!({"type": "integer", "minimum": 0, "maximum": 1024}),
            Self::Upto(most) => json!({"type": "integer", "minimum": 0, "maximum": most}),
            Self::Ports => json!({
                "type": "array",
                "items": {"type": "integer", "minimum": 1, "maximum": 65535},
                "minItems": 2,
                "maxItems": 2,
                "uniqueItems": true,
            }),
        }
    }
}

impl Form {
    /// Returns the name of the form for people.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Any | Self::Word => "text".into(),
            Self::Of(words) => format!("one of {}", quoted(words)),
            Self::Path => "path inside the repository".into(),
            Self::Branch => "branch name, `*` for any characters but `/`".into(),
            Self::Tag => "tag name with `{version}` in it".into(),
            Self::Suffix => "prerelease with `{n}` in it".into(),
            Self::Version => "semantic version".into(),
            Self::Range => "range of versions".into(),
            Self::Duration => "duration such as `500ms`, `30s`, `10m` or `1h30m`".into(),
            Self::Variable => "name of an environment variable".into(),
            Self::Address => "address that starts with `https://` or `http://`".into(),
            Self::Host => "`local`, or a host as ssh takes it".into(),
            Self::Share => "count such as `2`, or share such as `25%`".into(),
            Self::Percent => "share such as `0.5%`".into(),
            Self::Size => "size such as `500MB` or `2GiB`".into(),
            Self::Event => trigger::FORMS.into(),
            Self::Paths => "pattern of paths, `*` within a directory, `**` across".into(),
            Self::Refs => "pattern of names, `*` between slashes, `**` across, `{number}` for digits".into(),
        }
    }

    /// Returns what is wanted where no text stands.
    pub(crate) fn wanted(self) -> String {
        let name = self.name();
        if name == "text" { name } else { format!("text: {name}") }
    }

    /// Returns the JSON Schema of the form. It accepts all that is read; the reader refuses a little more.
    fn schema(self) -> Json {
        match self {
            Self::Word => json!({"type": "string"}),
            Self::Of(words) => json!({"enum": words}),
            Self::Tag => json!({"type": "string", "pattern": "\\{version\\}"}),
            Self::Suffix => json!({"type": "string", "pattern": "\\{n\\}"}),
            Self::Version => json!({"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+"}),
            Self::Duration => {
                json!({"type": "string", "pattern": "^(?=.)([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"})
            }
            Self::Variable => json!({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}),
            Self::Address => json!({"type": "string", "pattern": "^https?://", "format": "uri"}),
            Self::Share => json!({"type": "string", "pattern": "^[0-9]+%?$"}),
            Self::Percent => json!({"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?%$"}),
            Self::Size => json!({"type": "string", "pattern": "^[0-9]+([kMGT]i?)?B$"}),
            Self::Event => {
                json!({"type": "string", "pattern": "^(commit|release|(change|tag|schedule):.+)$"})
            }
            Self::Any | Self::Path | Self::Branch | Self::Range | Self::Host | Self::Paths | Self::Refs => {
                json!({"type": "string", "minLength": 1})
            }
        }
    }
}

/// Returns words in backquotes with commas between them.
pub(crate) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
