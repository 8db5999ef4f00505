//! What is measured: repositories in a temporary directory, and the tool to compare with.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::measure::command;

/// The version of git-cliff to compare with.
const CLIFF: &str = "git-cliff==2.12.0";
/// How many commits the made repository has, and how many of them are tagged.
const COMMITS: u32 = 10_000;
const TAGS: u32 = 300;

/// A repository to measure in: a clone, whose remote is another clone.
pub(super) struct Site {
    /// What it is called in the table.
    pub(super) name: String,
    /// The work tree.
    pub(super) dir: PathBuf,
    /// Whether it is the made one, of which the number of commits is known.
    pub(super) made: bool,
}

impl Site {
    /// Clones a repository or a bundle; what is given is not touched.
    pub(super) fn of(source: &Path, scratch: &Path) -> io::Result<Self> {
        let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let source = fs::canonicalize(source)?;
        Self::cloned(&name, &source.to_string_lossy(), scratch)
    }

    /// Makes a repository of which everything is known.
    pub(super) fn made(scratch: &Path) -> io::Result<Self> {
        let dir = scratch.join("source.git");
        run(
            scratch,
            &["git", "init", "--quiet", "--bare", "--initial-branch=main", &dir.to_string_lossy()],
            "",
        )?;
        run(&dir, &["git", "fast-import", "--quiet"], &stream())?;
        let site = Self::cloned("made", &dir.to_string_lossy(), scratch)?;
        Ok(Self { made: true, ..site })
    }

    fn cloned(name: &str, source: &str, scratch: &Path) -> io::Result<Self> {
        let (remote, dir) = (scratch.join(format!("{name}.git")), scratch.join(name));
        let (bare, tree) = (remote.to_string_lossy(), dir.to_string_lossy());
        // A bundle is cloned through a new repository, and git gives advice on the name of its branch.
        let silent = "init.defaultBranch=main";
        run(scratch, &["git", "-c", silent, "clone", "--quiet", "--bare", source, &bare], "")?;
        run(scratch, &["git", "clone", "--quiet", &bare, &tree], "")?;
        Ok(Self { name: name.to_owned(), dir, made: false })
    }
}

/// Returns the history for `git fast-import`: features, fixes and others, every so many of them tagged.
fn stream() -> String {
    let mut text = String::new();
    let every = COMMITS / TAGS;
    for number in 1..=COMMITS {
        let kind = ["feat", "fix", "docs", "refactor(parser)", "test"][number as usize % 5];
        let message = format!(
            "{kind}: change number {number}\n\nThis is why it was changed, in a sentence or two, so that messages are as\n\
             long as they are elsewhere.\n\nRefs: #{number}\n"
        );
        let seconds = 1_600_000_000 + u64::from(number) * 3600;
        let who = format!("Bench <bench@example.org> {seconds} +0000");
        let _ = write!(text, "commit refs/heads/main\ncommitter {who}\ndata {}\n{message}", message.len());
        let body = format!("{number}\n");
        let _ = write!(text, "M 100644 inline file-{}\ndata {}\n{body}\n", number % 100, body.len());
        if number % every == 0 && number / every <= TAGS {
            let tag = format!("0.{}.0", number / every);
            let _ =
                write!(text, "tag v{tag}\nfrom refs/heads/main\ntagger {who}\ndata {}\n{tag}\n", tag.len());
        }
    }
    text
}

/// Returns the program git-cliff, installed below `cache` if it was not yet, or why there is none.
pub(super) fn cliff(cache: &Path) -> Result<PathBuf, String> {
    let venv = cache.join("git-cliff");
    let program = venv.join("bin/git-cliff");
    if !program.exists() {
        fs::create_dir_all(cache).map_err(|error| error.to_string())?;
        let (dir, pip) = (venv.to_string_lossy().into_owned(), venv.join("bin/pip"));
        run(cache, &["python3", "-m", "venv", &dir], "").map_err(|error| error.to_string())?;
        run(cache, &[&pip.to_string_lossy(), "install", "--quiet", CLIFF], "")
            .map_err(|error| error.to_string())?;
    }
    Ok(program)
}

/// Returns where a program is; administrators' programs are not on everybody's path.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs =
        std::env::split_paths(&path).chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    dirs.map(|dir| dir.join(name)).find(|path| path.is_file())
}

/// Runs a command with an input and returns its standard output.
pub(super) fn run(dir: &Path, words: &[&str], input: &str) -> io::Result<String> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let mut child = command(dir, &words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{} {}", words.join(" "), output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}
