//! The script that becomes a service, for managers that start a program without variables of their own.
//!
//! It is a file that only its owner may read, since it holds the secrets. Whatever a user wrote stands in single quotes.

use std::fmt::Write as _;
use std::path::Path;

use shipway_core::problem::{Code, Problem};

use crate::live::{Instance, files};

/// Writes the script of a copy and tells whether it changed.
pub(super) fn write(instance: &Instance<'_>, path: &Path) -> Result<bool, Problem> {
    files::write(path, &text(instance)?, 0o700)
}

/// Returns the script of a copy.
fn text(instance: &Instance<'_>) -> Result<String, Problem> {
    let mut text = "#!/bin/sh\nexec 2>&1\n".to_owned();
    for (name, value) in instance.env()? {
        if !is_name(&name) {
            let what = format!("{} cannot be given a variable of the name `{name}`", instance.name());
            return Err(Problem::new(Code::ServiceFailed, what));
        }
        let _ = writeln!(text, "export {name}={}", quoted(&value));
    }
    let _ = writeln!(text, "cd {} || exit 111", quoted(&instance.release().to_string_lossy()));
    let words = instance.fill_all(&instance.service.run);
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    let _ = writeln!(text, "exec {}", words.join(" "));
    Ok(text)
}

/// Returns a text as one word of the shell (POSIX.1-2024, 2.2.2): everything stands for itself between single quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn every_text_is_one_word() {
        for text in ["", "a b", "it's", "$HOME `id` \\ \" \n ; & *", "''", "-n", "ä"] {
            let script = format!("printf %s {}", quoted(text));
            let output = Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }

    #[test]
    fn names_that_the_shell_would_not_take_are_found() {
        assert!(is_name("A_b1") && is_name("_"));
        assert!(!is_name("") && !is_name("1A") && !is_name("A.B") && !is_name("A B") && !is_name("A;id"));
    }
}
