//! Project adapters: what kind of project a commit holds, which version it states, and the edits for a new one.
//!
//! Pure over the files of a commit, which the caller hands in. No adapter runs a program or publishes anything.

mod cargo;
mod checks;
mod npm;
mod pep440;
mod place;
mod plain;
mod python;
mod tagged;
mod toml;

#[cfg(test)]
mod tests;

use std::fmt;

use semver::Version;
use shipway_core::edit::Edit;
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

/// The files of a commit.
pub trait Files {
    /// Returns the tracked paths in any order, with `/` between their parts; paths that are not UTF-8 are left out.
    fn paths(&self) -> &[String];
    /// Returns the bytes of a tracked path, or none if there is no such file.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem>;
}

/// What an adapter found in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The name of the project, if its root states one.
    pub name: Option<String>,
    /// The names of the packages that get the new version.
    pub names: Vec<String>,
    /// The version that the files state; none where it is taken from the tag.
    pub version: Option<Version>,
    /// The file that states the version, or that marks the project where none does.
    pub file: String,
    /// Whether the version may mean nothing, because the file is the private root of a workspace.
    pub is_root_only: bool,
    /// What a reader of the plan must know, such as packages that keep their own version.
    pub notes: Vec<String>,
}

/// A command that a project is checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectedCheck {
    /// The name, such as `test`; unique in what [`Projects::checks`] returns.
    pub name: String,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// A program that must be installed; without it the check is passed over.
    pub needs: Option<String>,
}

impl DetectedCheck {
    /// Returns a check from a name and a command line whose words hold no spaces.
    fn new(name: &str, command: &str) -> Self {
        Self { name: name.into(), argv: command.split(' ').map(Into::into).collect(), needs: None }
    }

    fn needs(mut self, program: &str) -> Self {
        self.needs = Some(program.into());
        self
    }
}

/// A kind of project. A new ecosystem is one implementation in one file, and one line in [`KINDS`].
pub trait Package: fmt::Debug + Send + Sync {
    /// Returns the name of the kind, such as `cargo`.
    fn kind(&self) -> &'static str;
    /// Returns what the root of the commit holds of this kind, or none if it holds nothing of it.
    ///
    /// A file that is named but not tracked is [`Code::VersionFileMissing`]; one that cannot be understood is
    /// [`Code::VersionFileUnreadable`] with its line and column.
    fn find(&self, files: &dyn Files) -> Result<Option<Found>, Problem>;
    /// Returns the edits that give the project a new version, ordered by path; each path once.
    fn edit(&self, files: &dyn Files, to: &Version) -> Result<Vec<Edit>, Problem>;
    /// Returns the commands that this kind of project is checked with when nothing is configured.
    fn checks(&self, files: &dyn Files) -> Result<Vec<DetectedCheck>, Problem>;
    /// Returns how the package manager is asked for outdated dependencies, if a lock file pins any.
    fn outdated(&self, _files: &dyn Files) -> Option<kinds::Outdated> {
        None
    }
    /// Tells whether a pushed tag is the publication itself, so that it cannot be taken back.
    fn tag_publishes(&self) -> bool {
        false
    }
}

/// All adapters, in the order in which they name a project and in which their edits take precedence.
pub const KINDS: [&dyn Package; 8] = [
    &cargo::Cargo,
    &npm::Npm,
    &python::Python,
    &tagged::GO,
    &tagged::ACTION,
    &tagged::COMPOSER,
    &tagged::SWIFT,
    &plain::Plain,
];

/// All that was found in one commit; nothing found means that the tag alone carries the version.
#[derive(Clone, Debug, Default)]
pub struct Projects {
    found: Vec<(&'static dyn Package, Found)>,
}

impl Projects {
    /// Returns what the commit holds of some kinds, or of all of them, or all problems at once.
    pub fn detect(files: &dyn Files, kinds: Option<&[&str]>) -> Result<Self, Vec<Problem>> {
        let (mut found, mut problems) = (vec![], vec![]);
        for kind in KINDS.into_iter().filter(|kind| kinds.is_none_or(|kinds| kinds.contains(&kind.kind()))) {
            match kind.find(files) {
                Ok(Some(project)) => found.push((kind, project)),
                // A kind that is asked for and not there would be released without its version.
                Ok(None) if kinds.is_some() => problems.push(place::no_kind(kind.kind())),
                Ok(None) => {}
                Err(problem) => problems.push(problem.hint(without(kind.kind()))),
            }
        }
        if problems.is_empty() { Ok(Self { found }) } else { Err(problems) }
    }

    /// Returns the kinds with what was found of each.
    pub fn found(&self) -> impl Iterator<Item = (&'static str, &Found)> {
        self.found.iter().map(|(kind, found)| (kind.kind(), found))
    }

    /// Returns the name of the project, if a file states one.
    pub fn name(&self) -> Option<&str> {
        self.found.iter().find_map(|(_, found)| found.name.as_deref())
    }

    /// Returns all notes.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.found.iter().flat_map(|(_, found)| &found.notes).map(String::as_str)
    }

    /// Forgets the versions of private roots of workspaces that are none of the known ones: nobody keeps them up to date.
    pub fn forget_idle(&mut self, known: &dyn Fn(&Version) -> bool) {
        for (_, found) in self.found.iter_mut().filter(|(_, found)| found.is_root_only) {
            if let Some(idle) = found.version.take_if(|version| !known(version)) {
                let note =
                    format!("{} keeps version {idle}: it is the private root of a workspace", found.file);
                found.notes.push(note);
            }
        }
    }

    /// Returns the version that all files agree on, or none if no file states one.
    ///
    /// Two files that state different versions are [`Code::VersionsDisagree`], which names both.
    pub fn version(&self) -> Result<Option<&Version>, Problem> {
        let mut stated =
            self.found.iter().filter_map(|(_, found)| Some((&found.file, found.version.as_ref()?)));
        let Some((file, version)) = stated.next() else { return Ok(None) };
        match stated.find(|(_, other)| *other != version) {
            None => Ok(Some(version)),
            Some((other_file, other)) => Err(disagree((file, version), (other_file, other))),
        }
    }

    /// Returns the edits that give all projects a new version, or all problems at once.
    ///
    /// Where two kinds want to edit the same file, the kind that comes first in [`KINDS`] does it.
    pub fn edits(&self, files: &dyn Files, to: &Version) -> Result<Vec<Edit>, Vec<Problem>> {
        let (mut edits, mut problems) = (Vec::<Edit>::new(), vec![]);
        for (kind, _) in self.found.iter().filter(|(_, found)| found.version.is_some()) {
            match kind.edit(files, to) {
                Ok(more) => {
                    let fresh: Vec<Edit> =
                        more.into_iter().filter(|edit| !edits.iter().any(|e| e.path == edit.path)).collect();
                    edits.extend(fresh);
                }
                Err(problem) => problems.push(problem.hint(without(kind.kind()))),
            }
        }
        if problems.is_empty() { Ok(edits) } else { Err(problems) }
    }

    /// Returns the commands that the projects are checked with when nothing is configured.
    ///
    /// Where two kinds have a check of the same name, both names say their kind, such as `npm-test`. Targets of a
    /// Makefile count only where no kind has a check.
    pub fn checks(&self, files: &dyn Files) -> Result<Vec<DetectedCheck>, Problem> {
        let mut all: Vec<(&str, DetectedCheck)> = vec![];
        for (kind, _) in &self.found {
            all.extend(kind.checks(files)?.into_iter().map(|check| (kind.kind(), check)));
        }
        if all.is_empty() {
            return checks::make(files);
        }
        let names: Vec<String> = all.iter().map(|(_, check)| check.name.clone()).collect();
        for (kind, check) in &mut all {
            if names.iter().filter(|name| **name == check.name).count() > 1 {
                check.name = format!("{kind}-{}", check.name);
            }
        }
        Ok(all.into_iter().map(|(_, check)| check).collect())
    }

    /// Returns how the package managers are asked for outdated dependencies, each with its kind.
    pub fn outdated(&self, files: &dyn Files) -> Vec<(&'static str, kinds::Outdated)> {
        self.found.iter().filter_map(|(kind, _)| Some((kind.kind(), kind.outdated(files)?))).collect()
    }

    /// Returns the first kind for which a pushed tag is the publication itself, so that it cannot be taken back.
    pub fn tag_publishes(&self) -> Option<&'static str> {
        self.found.iter().find(|(kind, _)| kind.tag_publishes()).map(|(kind, _)| kind.kind())
    }
}

/// Returns how a package manager is asked, from a command line whose words hold no spaces.
fn ask(command: &str, mark: &str, update: &str) -> kinds::Outdated {
    let argv = command.split(' ').map(Into::into).collect();
    kinds::Outdated { argv, mark: mark.into(), update: update.into() }
}

/// Returns what lets a release do without the files of a kind.
fn without(kind: &str) -> String {
    format!(
        "leave {kind} files as they are: list other kinds, or none, in shipway.toml: [release] packages = []"
    )
}

/// Returns the problem that two files state different versions.
fn disagree(one: (&str, &Version), other: (&str, &Version)) -> Problem {
    let what = format!("{} and {} state different versions", one.0, other.0);
    let line = |(file, version): (&str, &Version)| format!("{file} states {version}");
    Problem::new(Code::VersionsDisagree, what)
        .at(one.0)
        .details([line(one), line(other)])
        .hint("write the same version into both and commit that: git commit --all")
}

/// Returns the summary of an edit that changes the version, for the plan.
fn summary(from: &Version, to: &Version) -> String {
    format!("version {from} → {to}")
}
