//! `lint`: a commit message, as a commit-msg hook hands it over. Opens no repository, because every commit waits for it.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use shipway_core::problem::{Code, Problem};
use shipway_core::version;

use super::{DONE, End};
use crate::view::View;

/// Checks a message.
pub fn run(file: &Path, view: &dyn View) -> End {
    let bytes = if file == Path::new("-") { standard_input() } else { fs::read(file) };
    let bytes = bytes.map_err(|error| {
        vec![Problem::new(Code::Io, format!("{} cannot be read: {error}", file.display()))]
    })?;
    let message = String::from_utf8_lossy(&bytes);
    let problems = version::lint(&version::without_comments(&message));
    if !problems.is_empty() {
        return Err(problems);
    }
    view.note("the message follows Conventional Commits");
    Ok(DONE)
}

fn standard_input() -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}
