//! Directories, as archives of `tar`.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use shipway_core::action::{Cmd, Ended};
use shipway_core::backup::{Content, Made};
use shipway_core::problem::{Code, Problem};

use super::hand::{self, Hand};
use super::tree::{self, Error, Seen};
use super::work::Work;

/// How often a directory that does not hold still is tried.
const TRIES: usize = 3;
/// How many paths that moved are named.
const NAMED: usize = 5;

/// Writes the directory to an archive, which holds one state of it and not a mix of several.
pub(super) fn save(hand: &Hand<'_>, source: &Path, keep: &Path, file: &Path) -> Result<Content, Problem> {
    let refuse =
        |what: String| Problem::new(Code::BackupFailed, what).at(format!("[backup.{}]", hand.spec.name));
    if !source.is_dir() {
        return Err(refuse(format!("{} is not a directory", source.display())));
    }
    let inside = source.canonicalize().and_then(|source| Ok(keep.canonicalize()?.starts_with(source)));
    if inside.map_err(|error| hand.io(&error, source))? {
        let problem = refuse(format!("the backups of {} would save themselves", source.display()));
        return Err(problem.hint(format!("keep them elsewhere: [backup.{}] to", hand.spec.name)));
    }
    let mut moved = vec![];
    for _ in 0..TRIES {
        match attempt(hand, source, file)? {
            Ok(content) => return Ok(content),
            Err(paths) => moved = paths,
        }
    }
    let what =
        format!("{} does not hold still: it was written to in each of {TRIES} tries", source.display());
    let named = moved.into_iter().take(NAMED);
    Err(Problem::new(Code::BackupMoving, what).at(format!("[backup.{}]", hand.spec.name)).details(named))
}

/// Returns what was saved, or the paths that moved meanwhile.
fn attempt(hand: &Hand<'_>, source: &Path, file: &Path) -> Result<Result<Content, Vec<String>>, Problem> {
    let seen = |looked: Result<Seen, Error>| match looked {
        Ok(seen) => Ok(Ok(seen)),
        Err(Error::Gone(path)) => Ok(Err(vec![path.display().to_string()])),
        Err(error) => Err(error.problem(hand)),
    };
    let before = match seen(tree::look(source, || hand.check()))? {
        Ok(before) => before,
        Err(gone) => return Ok(Err(gone)),
    };
    let cmd = Cmd::new("tar").args(["--create", "--format=pax", "--sparse", "--numeric-owner", "--file"]);
    let output = hand.look(cmd.arg(file).arg("--directory").arg(source).arg("."), Code::BackupFailed)?;
    let after = match seen(tree::glance(source, || hand.check()))? {
        Ok(after) => after,
        Err(gone) => return Ok(Err(gone)),
    };
    let moved = before.moved(&after);
    match (output.ended, moved.is_empty()) {
        (Ended::Exit(0), true) => Ok(Ok(before.content())),
        // It also says 2 for a file that went away.
        (Ended::Exit(_), false) => Ok(Err(moved)),
        _ => Err(hand.failed("tar", &output, Code::BackupFailed)),
    }
}

/// Unpacks the archive into a scratch directory, compares, and lets the project look at it.
pub(super) fn prove(hand: &Hand<'_>, file: &Path, work: &Work, made: &Made) -> Result<String, Problem> {
    let scratch = work.path("scratch");
    DirBuilder::new().mode(0o700).create(&scratch).map_err(|error| hand.io(&error, &scratch))?;
    restore(hand, file, &scratch, made)?;
    hand::verify(hand, &scratch.to_string_lossy(), &[])?;
    Ok(tree::words(&made.content.counts))
}

/// Unpacks the archive into an empty directory and compares.
pub(super) fn restore(hand: &Hand<'_>, file: &Path, dir: &Path, made: &Made) -> Result<(), Problem> {
    let cmd = Cmd::new("tar").args(["--extract", "--preserve-permissions", "--numeric-owner", "--file"]);
    hand.run(cmd.arg(file).arg("--directory").arg(dir), Code::RestoreFailed)?;
    let found = tree::look(dir, || hand.check()).map_err(|error| error.problem(hand))?.content();
    compare(made, &found)
}

/// Returns the problem of a content that is not that of the source.
pub(super) fn compare(made: &Made, found: &Content) -> Result<(), Problem> {
    let differences = made.content.differences(found);
    if differences.is_empty() {
        return Ok(());
    }
    let what = format!("what was restored from {} is not what was saved", made.file);
    Err(Problem::new(Code::BackupBroken, what).details(differences.into_iter().take(NAMED)))
}
