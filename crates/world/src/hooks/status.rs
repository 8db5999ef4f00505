//! Whether the hooks of a repository are in force: in every work tree, as they were written, and able to run.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use shipway_core::problem::{Code, Problem};

use super::Hook;
use super::install::{self, Site, is_executable};
use super::place::Asker;
use super::wrapper::{self, Kind};

/// How the hooks of one work tree stand.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The top of the work tree.
    pub top: PathBuf,
    /// Where git looks.
    pub dir: PathBuf,
    /// Each hook, and what is wrong with it.
    pub hooks: Vec<(Hook, Option<String>)>,
    /// The names of the hooks that run after ours.
    pub after: Vec<String>,
    /// What else is wrong.
    pub more: Vec<String>,
    /// Whether none is ours, and git was not told to look for ours either: nobody has installed them.
    pub without: bool,
}

impl Tree {
    /// Tells whether everything is in force.
    pub fn is_whole(&self) -> bool {
        self.more.is_empty() && self.hooks.iter().all(|(_, wrong)| wrong.is_none())
    }

    /// Returns what a user is told, if something is not in force.
    pub fn problem(&self) -> Option<Problem> {
        if self.is_whole() {
            return None;
        }
        let hooks = self.hooks.iter().filter_map(|(hook, wrong)| Some((hook, wrong.as_ref()?)));
        let lines = hooks.map(|(hook, wrong)| format!("{}: {wrong}", hook.name()));
        let lines: Vec<String> = lines.chain(self.more.iter().cloned()).collect();
        let what = format!("local hooks are not in force in {}", self.top.display());
        let problem = Problem::new(Code::HooksInert, what).at(self.dir.display().to_string());
        Some(problem.wanted("every hook, as it was installed").details(lines).hint("shipway guard install"))
    }
}

/// Looks at every work tree of the repository. `program` is where we are now.
pub fn look(asker: &Asker<'_>, program: &Path, hooks: &[Hook]) -> Result<Vec<Tree>, Problem> {
    let mut trees = vec![];
    for top in asker.work_trees()? {
        let mut repository = asker.repository.clone();
        if top != repository.top {
            repository = crate::facts::repository(&top, asker.shell, asker.stop)?;
        }
        let asker = Asker { repository: &repository, ..*asker };
        trees.push(tree(&asker, program, hooks)?);
    }
    Ok(trees)
}

fn tree(asker: &Asker<'_>, program: &Path, hooks: &[Hook]) -> Result<Tree, Problem> {
    let place = asker.place()?;
    let site = Site::of(asker, &place)?;
    let top = asker.repository.top.clone();
    let is_ours = |hook: &Hook| {
        fs::read(place.dir.join(hook.name())).is_ok_and(|text| wrapper::kind(&text) != Kind::Foreign)
    };
    let ours = hooks.iter().any(is_ours);
    let hooks: Vec<_> = hooks.iter().map(|hook| (*hook, wrong(&place.dir, *hook, &site, program))).collect();
    let mut more = vec![];
    if !place.dir.is_dir() {
        more.push(format!("git looks in {}, which is not there", place.dir.display()));
    }
    let next = site.next_in(&top);
    let after = install::there(&next);
    if site.setting.is_some() {
        let lost = after.iter().filter(|name| fs::symlink_metadata(place.dir.join(name)).is_err());
        more.extend(lost.map(|name| format!("{name} of {} is not run", next.display())));
    }
    let without = !ours && (more.is_empty() || site.setting.is_none());
    Ok(Tree { top, dir: place.dir, hooks, after, more, without })
}

/// Returns what is wrong with one hook.
fn wrong(dir: &Path, hook: Hook, site: &Site, program: &Path) -> Option<String> {
    let path = dir.join(hook.name());
    if fs::symlink_metadata(&path).is_err() {
        return Some("missing".into());
    }
    let Ok(bytes) = fs::read(&path) else { return Some("leads nowhere, and git passes over it".into()) };
    match wrapper::kind(&bytes) {
        Kind::Foreign => return Some("somebody else's".into()),
        Kind::Changed => return Some("changed since it was installed".into()),
        Kind::Ours => {}
    }
    if !is_executable(&path) {
        return Some("not executable, and git passes over it".into());
    }
    let named = wrapper::program(&bytes).map(|bytes| PathBuf::from(OsStr::from_bytes(&bytes)))?;
    if !is_executable(&named) {
        return Some(format!("{} is missing, so it refuses", named.display()));
    }
    if bytes != site.script(hook, &named) {
        return Some("written by another version of shipway".into());
    }
    (named != program).then(|| format!("starts another shipway: {}", named.display()))
}
