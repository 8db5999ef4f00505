//! Putting hooks where git looks for them, in front of those that are there, and taking them out again.
//!
//! Without `core.hooksPath` they go into the directory of hooks itself, and what stood there moves into `chained`
//! beside it, under its own name, because many hooks look at theirs. With a `core.hooksPath`, which is somebody else's
//! or a part of the work tree, ours get a directory of their own, and run that one's afterwards.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use shipway_core::problem::{Code, Problem};

use super::Hook;
use super::place::{Asker, CHAINED, Place};
use super::wrapper::{self, Kind};
use crate::git::cmd::git;

/// The directory beside hooks of ours that holds those that stood there before.
pub const ASIDE: &str = "chained";

/// Hooks that we only pass on, where ours have a directory of their own. Those that git runs very often, or whose mere
/// presence changes what git does, are passed on only if they are there.
const PASSED: [&str; 8] = [
    "applypatch-msg",
    "pre-applypatch",
    "post-applypatch",
    "pre-rebase",
    "post-checkout",
    "post-rewrite",
    "pre-auto-gc",
    "sendemail-validate",
];

/// One thing that installing or taking out changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A script is written.
    Write(PathBuf, Vec<u8>),
    /// A hook moves.
    Move(PathBuf, PathBuf),
    /// A script of ours is removed.
    Remove(PathBuf),
    /// A setting of git is set, or unset: scope, key, value.
    Config(&'static str, &'static str, Option<PathBuf>),
}

/// Where our scripts are, or will be, and what they run afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The directory of our scripts.
    pub dir: PathBuf,
    /// The directory of those that run afterwards; a relative one counts from the top of each work tree.
    pub next: PathBuf,
    /// The scope and the value of the `core.hooksPath` that must be set for git to look here.
    pub setting: Option<(&'static str, PathBuf)>,
}

impl Site {
    /// Returns where our scripts belong, as the repository is set up.
    pub fn of(asker: &Asker<'_>, place: &Place) -> Result<Self, Problem> {
        let repository = asker.repository;
        let Some(setting) = &place.setting else {
            let dir = repository.common_dir.join("hooks");
            return Ok(Self { next: dir.join(ASIDE), dir, setting: None });
        };
        let tree = setting.scope == "worktree";
        let (scope, base) =
            if tree { ("--worktree", &repository.git_dir) } else { ("--local", &repository.common_dir) };
        let dir = base.join("shipway/hooks");
        let next = if setting.value == dir {
            let chained = asker.setting(&repository.top, CHAINED)?;
            chained.map_or_else(|| repository.common_dir.join("hooks"), |chained| chained.value)
        } else {
            setting.value.clone()
        };
        Ok(Self { setting: Some((scope, dir.clone())), dir, next })
    }

    /// Returns the script of one of our hooks here.
    pub(crate) fn script(&self, hook: Hook, program: &Path) -> Vec<u8> {
        wrapper::script(hook, program, &self.next.join(hook.name()))
    }

    /// Returns where the hooks that run afterwards are for a work tree.
    pub(crate) fn next_in(&self, top: &Path) -> PathBuf {
        top.join(&self.next)
    }
}

/// Returns what installing changes; nothing if all is in place.
pub fn install(asker: &Asker<'_>, program: &Path, hooks: &[Hook]) -> Result<Vec<Step>, Problem> {
    let place = asker.place()?;
    let site = Site::of(asker, &place)?;
    let mut steps = vec![];
    for hook in hooks {
        put(&site, hook.name(), site.script(*hook, program), &mut steps)?;
    }
    if site.setting.is_some() {
        for name in passed(&site, &asker.repository.top, hooks) {
            put(&site, &name, wrapper::pass(&site.next.join(&name)), &mut steps)?;
        }
    }
    if let Some((scope, dir)) = &site.setting
        && place.setting.as_ref().is_none_or(|setting| setting.value != *dir)
    {
        steps.push(Step::Config(scope, CHAINED, Some(site.next.clone())));
        steps.push(Step::Config(scope, "core.hooksPath", Some(dir.clone())));
    }
    Ok(steps)
}

/// Returns the names of the hooks that are only passed on.
pub(crate) fn passed(site: &Site, top: &Path, ours: &[Hook]) -> Vec<String> {
    let mut names: Vec<String> = PASSED.iter().map(ToString::to_string).collect();
    names.extend(there(&site.next_in(top)));
    names.retain(|name| !ours.iter().any(|hook| hook.name() == name));
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the names of the hooks in a directory that git would run.
pub(crate) fn there(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return vec![] };
    let names = entries.flatten().filter(|entry| is_executable(&entry.path()));
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let known = |name: &String| name.contains('-') && !name.contains('.');
    names.filter(known).collect()
}

/// Plans one script: in front of what is there, and not at all if it is there already.
fn put(site: &Site, name: &str, script: Vec<u8>, steps: &mut Vec<Step>) -> Result<(), Problem> {
    let path = site.dir.join(name);
    if fs::symlink_metadata(&path).is_ok() {
        let found = fs::read(&path).unwrap_or_default();
        if found == script && is_executable(&path) && !path.is_symlink() {
            return Ok(());
        }
        if wrapper::kind(&found) == Kind::Foreign {
            aside(site, name, &path, steps)?;
        }
    }
    steps.push(Step::Write(path, script));
    Ok(())
}

/// Plans that somebody else's hook moves aside.
fn aside(site: &Site, name: &str, path: &Path, steps: &mut Vec<Step>) -> Result<(), Problem> {
    let to = site.dir.join(ASIDE).join(name);
    if fs::symlink_metadata(&to).is_ok() {
        if fs::read(&to).ok() == fs::read(path).ok() {
            return Ok(());
        }
        let what = format!("two hooks want to be the {name} that runs after ours");
        let problem = Problem::new(Code::HooksBlocked, what).at(path.display().to_string());
        return Err(problem
            .found(format!("{} and {}", path.display(), to.display()))
            .wanted("one of them")
            .hint(format!("compare them, and remove one: diff {} {}", quoted(path), quoted(&to))));
    }
    // What pre-commit calls a legacy hook is ours, which runs first anyway.
    let legacy = path.with_file_name(format!("{name}.legacy"));
    if fs::read(&legacy).is_ok_and(|bytes| wrapper::kind(&bytes) != Kind::Foreign) {
        steps.push(Step::Remove(legacy));
    }
    steps.push(Step::Move(path.to_owned(), to));
    Ok(())
}

/// Returns what taking our hooks out changes; nothing if there are none.
pub fn uninstall(asker: &Asker<'_>) -> Result<Vec<Step>, Problem> {
    let place = asker.place()?;
    let site = Site::of(asker, &place)?;
    let mut steps = vec![];
    if let (Some((scope, dir)), Some(setting)) = (&site.setting, &place.setting)
        && setting.value == *dir
    {
        // First, so that git never looks into a directory that is half empty.
        let chained = asker.setting(&asker.repository.top, CHAINED)?.map(|chained| chained.value);
        // What another scope says holds again by itself.
        let back = chained.filter(|value| asker.beneath(scope).as_ref() != Some(value));
        steps.push(Step::Config(scope, "core.hooksPath", back));
        steps.push(Step::Config(scope, CHAINED, None));
    }
    let mut names: Vec<PathBuf> = fs::read_dir(&site.dir)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    names.sort_unstable();
    for path in names {
        if fs::read(&path).is_ok_and(|bytes| wrapper::kind(&bytes) != Kind::Foreign) {
            steps.push(Step::Remove(path.clone()));
            let from = site.dir.join(ASIDE).join(path.file_name().unwrap_or_default());
            if fs::symlink_metadata(&from).is_ok() {
                steps.push(Step::Move(from, path));
            }
        }
    }
    Ok(steps)
}

/// Carries steps out, in their order.
pub fn carry_out(asker: &Asker<'_>, steps: &[Step]) -> Result<(), Problem> {
    for step in steps {
        let done = match step {
            Step::Write(path, bytes) => write(path, bytes).map_err(|error| refused(path, &error)),
            Step::Move(from, to) => relocate(from, to).map_err(|error| refused(from, &error)),
            Step::Remove(path) => fs::remove_file(path).map_err(|error| refused(path, &error)),
            Step::Config(scope, key, value) => configure(asker, (scope, key), value.as_deref()),
        };
        done?;
    }
    Ok(())
}

fn configure(asker: &Asker<'_>, (scope, key): (&str, &str), value: Option<&Path>) -> Result<(), Problem> {
    let cmd = git(&asker.repository.top).args(["config", scope]);
    let cmd = match value {
        Some(value) => cmd.arg(key).arg(value),
        None => cmd.args(["--unset-all", key]),
    };
    asker.expect(&cmd).map(|_| ())
}

/// Writes a script so that git sees all of it or the one before.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let draft = dir.join(format!(".shipway-{}-{}", std::process::id(), name(path)));
    let written = fs::write(&draft, bytes)
        .and_then(|()| fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)))
        .and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Moves a hook; a link is made anew, so that it still leads where it did.
fn relocate(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir)?;
    }
    match fs::read_link(from) {
        Ok(target) => {
            let base = from.parent().unwrap_or(Path::new("."));
            symlink(base.join(target), to)?;
            fs::remove_file(from)
        }
        Err(_) => fs::rename(from, to),
    }
}

fn refused(path: &Path, error: &io::Error) -> Problem {
    let what = format!("{} cannot be changed: {error}", path.display());
    Problem::new(Code::HooksBlocked, what).at(path.display().to_string())
}

/// Tells whether git would run a file, as the system sees it: a file system without programs counts too.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn quoted(path: &Path) -> String {
    shipway_core::validate::quoted(&path.display().to_string())
}
