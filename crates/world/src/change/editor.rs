//! A text that a person writes in an editor.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use shipway_core::problem::{Code, Problem};

/// Opens a text in the editor that git would open, in a file of a name in a directory, and returns what was written.
pub fn write(editor: &str, dir: &Path, (name, text): (&str, &str)) -> Result<String, Problem> {
    let path = dir.join(name);
    let failed = |error: io::Error| {
        Problem::new(Code::Io, format!("{} could not be written in {editor}: {error}", path.display()))
            .hint("git config core.editor EDITOR")
    };
    fs::create_dir_all(dir).and_then(|()| fs::write(&path, text)).map_err(failed)?;
    // The setting is a command of the user's for a shell, as git has it; the path is no part of it.
    let script = format!("{editor} \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, editor]).arg(&path);
    let status = command.stdin(Stdio::inherit()).status().map_err(failed)?;
    if !status.success() {
        return Err(failed(io::Error::other(format!("it ended with {status}"))));
    }
    let written = fs::read_to_string(&path).map_err(failed)?;
    // What is left of it is in the change request.
    let _ = fs::remove_file(&path);
    Ok(written.trim_end().to_owned())
}
