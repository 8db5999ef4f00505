//! The tracked files of this repository, read once.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::mask;

/// The repository as the checks see it.
pub(crate) struct Repository {
    /// The top directory of the work tree.
    pub(crate) root: PathBuf,
    /// All tracked files that are there, in the order of their paths.
    pub(crate) sources: Vec<Source>,
}

impl Repository {
    /// Reads the repository that holds the current directory.
    pub(crate) fn open() -> io::Result<Self> {
        let top = git(Path::new("."), &["rev-parse", "--show-toplevel"])?;
        let root = PathBuf::from(top.trim_end_matches('\n'));
        let mut sources = vec![];
        for path in git(&root, &["ls-files", "-z"])?.split_terminator('\0') {
            let file = root.join(path);
            // A file that was deleted but not yet committed is still listed, and a link has no text of its own.
            if file.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
                sources.push(Source::new(path, std::fs::read(&file)?));
            }
        }
        Ok(Self { root, sources })
    }

    /// Returns the file of a path.
    pub(crate) fn source(&self, path: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.path == path)
    }

    /// Returns the text of a path.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.source(path)?.text.as_deref()
    }

    /// Returns the Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.is_rust())
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let sources = files.iter().map(|(path, text)| Source::new(path, text.as_bytes().to_vec())).collect();
        Self { root: PathBuf::new(), sources }
    }
}

/// A tracked file.
pub(crate) struct Source {
    /// The path from the top directory, with `/` between its parts.
    pub(crate) path: String,
    /// The size in bytes.
    pub(crate) size: usize,
    /// The text; nothing if the file is not UTF-8 or holds a NUL.
    pub(crate) text: Option<String>,
    /// The code of a Rust file without comments and literals; offsets are those of the text.
    pub(crate) code: String,
    /// The code without inline test modules.
    pub(crate) product: String,
    /// Where the inline test modules are.
    pub(crate) tests: Vec<Range<usize>>,
}

impl Source {
    fn new(path: &str, bytes: Vec<u8>) -> Self {
        let size = bytes.len();
        let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        let rust = text.as_deref().filter(|_| has_extension(path, "rs"));
        let code = rust.map(mask::mask).unwrap_or_default();
        let tests = mask::test_modules(&code);
        let mut product = code.clone().into_bytes();
        for range in &tests {
            mask::blank(&mut product, range.clone());
        }
        let product = String::from_utf8(product).expect("whole modules are replaced by ASCII");
        Self { path: path.to_owned(), size, text, code, product, tests }
    }

    /// Tells whether this is a Rust file.
    pub(crate) fn is_rust(&self) -> bool {
        has_extension(&self.path, "rs")
    }

    /// Tells whether this is Rust, Markdown or a shell script.
    pub(crate) fn is_written_by_hand(&self) -> bool {
        let script = self.text.as_deref().is_some_and(|text| text.starts_with("#!"));
        script || ["rs", "md", "sh"].iter().any(|extension| has_extension(&self.path, extension))
    }

    /// Returns `path:line` of an offset.
    pub(crate) fn place(&self, offset: usize) -> String {
        let text = self.text.as_deref().unwrap_or_default();
        let line = text[..offset.min(text.len())].matches('\n').count() + 1;
        format!("{}:{line}", self.path)
    }
}

/// Tells whether a path has an extension.
pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

fn git(directory: &Path, args: &[&str]) -> io::Result<String> {
    // Containers often build as another user than the owner of the checkout.
    let output =
        Command::new("git").args(["-c", "safe.directory=*"]).args(args).current_dir(directory).output()?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(io::Error::other(format!("git {}: {stderr}", args.join(" "))));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_code_has_no_test_modules() {
        let source = Source::new("a.rs", b"fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }\n".to_vec());
        assert!(source.code.contains("fn b"));
        assert!(!source.product.contains("fn b"));
        assert_eq!(source.place(source.code.find("fn b").unwrap()), "a.rs:3");
    }

    #[test]
    fn binary_files_have_no_text() {
        assert!(Source::new("a.png", vec![0xFF, 0]).text.is_none());
        assert!(Source::new("a.rs", vec![b'a', 0]).text.is_none());
    }

    #[test]
    fn scripts_are_known_by_their_first_line() {
        assert!(Source::new("test", b"#!/bin/sh\n".to_vec()).is_written_by_hand());
        assert!(!Source::new("LICENSE", b"Apache\n".to_vec()).is_written_by_hand());
    }
}
