//! Interpreters, virtual environments, modules and commands.

use std::path::Path;

use shipway_core::action::Cmd;
use shipway_core::preflight::Seen;

use super::{Eyes, failed, first_line, missing, python};

/// Imports one module and tells how it went; what the module prints goes elsewhere.
const IMPORT: &str = r#"
import importlib, os, sys
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
try:
    importlib.import_module(sys.argv[1])
    out.write("imported")
except BaseException as error:
    out.write("%s: %s" % (type(error).__name__, error))
out.flush()
os._exit(0)
"#;

/// Looks for a program on the search path.
const LOOK: &str = r#"command -v -- "$1""#;

/// How commands are asked for their version that do not know `--version`.
const ASKED: [(&str, &str); 5] =
    [("ssh", "-V"), ("go", "version"), ("java", "-version"), ("openssl", "version"), ("nginx", "-v")];

pub(super) fn python(eyes: &Eyes<'_>, interpreter: &str) -> Result<Seen, Seen> {
    let found = python::ask(eyes, eyes.path(interpreter)?)?;
    Ok(Seen::Version { path: found.executable, version: found.version })
}

pub(super) fn venv(eyes: &Eyes<'_>, path: &Path) -> Result<Seen, Seen> {
    if !path.is_dir() {
        return Err(missing("not there"));
    }
    if !path.join("pyvenv.cfg").is_file() {
        return Err(Seen::Broken { why: "a directory, but no virtual environment".into() });
    }
    let found = python::ask(eyes, path.join("bin/python")).map_err(|seen| match seen {
        // The link leads to a Python that was removed or replaced.
        Seen::Missing { .. } => Seen::Broken { why: "its interpreter is gone".into() },
        seen => seen,
    })?;
    Ok(Seen::Venv { version: found.version, base: found.base })
}

pub(super) fn import(eyes: &Eyes<'_>, interpreter: &str, module: &str) -> Result<Seen, Seen> {
    let cmd = python::isolated(eyes.path(interpreter)?).args(["-c", IMPORT, module]);
    let output = eyes.run(cmd).map_err(|seen| match seen {
        Seen::Missing { .. } => Seen::Broken { why: "its interpreter is not installed".into() },
        seen => seen,
    })?;
    let text = first_line(&output.text());
    match text.as_str() {
        "imported" => Ok(Seen::Import { error: None }),
        "" => Ok(Seen::Import { error: Some(first_line(&output.error_text())) }),
        _ => Ok(Seen::Import { error: Some(text) }),
    }
}

pub(super) fn command(eyes: &Eyes<'_>, name: &str, version: bool) -> Result<Seen, Seen> {
    let output = eyes.run(Cmd::new("/bin/sh").args(["-c", LOOK, "sh", name]))?;
    let path = first_line(&output.text());
    if !output.ok() || path.is_empty() {
        return Err(missing("not installed"));
    }
    if !version {
        return Ok(Seen::Version { path, version: String::new() });
    }
    let base = name.rsplit('/').next().unwrap_or(name);
    let flag = ASKED.iter().find(|(known, _)| *known == base).map_or("--version", |(_, flag)| flag);
    let output = eyes.run(Cmd::new(name).arg(flag))?;
    // Some tell it on the standard error.
    let found = number(&output.text()).or_else(|| number(&output.error_text()));
    found.map_or_else(
        || Err(failed(format!("`{name} {flag}` tells no version"))),
        |version| Ok(Seen::Version { path, version }),
    )
}

/// Returns the first version in a text: numbers with dots between them, with a word in front at most.
fn number(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || ",;()/_\"'".contains(c));
    let mut whole = None;
    for word in words {
        let bare = word.trim_start_matches(['v', 'V']).trim_start_matches("go");
        let end = bare.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(bare.len());
        let digits = bare[..end].trim_matches('.');
        if digits.contains('.') {
            return Some(digits.to_owned());
        }
        if !digits.is_empty() && whole.is_none() {
            whole = Some(digits.to_owned());
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_what_commands_say() {
        for (text, expect) in [
            ("psql (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)", Some("15.8")),
            ("v20.19.2", Some("20.19.2")),
            ("git version 2.39.5", Some("2.39.5")),
            ("OpenSSH_9.2p1 Debian-2+deb12u3, OpenSSL 3.0.15", Some("9.2")),
            ("nginx version: nginx/1.22.1", Some("1.22.1")),
            ("go version go1.22.3 linux/amd64", Some("1.22.3")),
            ("openjdk version \"17.0.9\" 2023-10-17", Some("17.0.9")),
            ("less 590 (GNU regular expressions)", Some("590")),
            ("no number at all", None),
            ("", None),
        ] {
            assert_eq!(number(text).as_deref(), expect, "{text}");
        }
    }
}
