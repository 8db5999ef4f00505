//! Which releases fit the schema of a database as it is, and which it has left behind.
//!
//! A release fits every schema from its own on, until a later release takes something away with a contracting migration.
//! What was taken must be put back before it runs again, or it cannot run again.

use serde::{Deserialize, Serialize};

use super::Deployment;
use crate::problem::{Code, Problem};

/// How a release changes the schema of databases for those before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The names of the migrations that it adds to what there is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expands: Vec<String>,
    /// What it takes away, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contracts: Vec<Contract>,
}

impl Schema {
    /// Tells whether the release knows a migration that takes something away.
    pub fn contracts(&self, name: &str) -> bool {
        self.contracts.iter().any(|contract| contract.name == name)
    }
}

/// A contracting migration of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// The name of the host it runs on.
    pub host: String,
    /// The command.
    pub run: Vec<String>,
    /// Tells whether it is done; empty if nothing tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<String>,
    /// Takes it back; empty if there is no way back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undo: Vec<String>,
    /// The backup that was made before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
}

/// A migration that was made since a release was live, with the release that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since<'a> {
    /// The release.
    pub by: &'a Deployment,
    /// The migration.
    pub contract: &'a Contract,
    /// The last release before it: the end of the range that the older one fits.
    pub until: &'a Deployment,
}

/// What is known of whether a migration is still in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It is there.
    Yes,
    /// It is not: it was taken back, or a backup from before it was restored.
    No,
    /// Nothing tells.
    Unknown,
}

impl Deployment {
    /// Returns what was taken away since this deployment was confirmed that it does not take away itself, the newest
    /// first. `later` are the deployments that were confirmed after it, oldest first.
    pub fn contracted_since<'a>(&'a self, later: &[&'a Self]) -> Vec<Since<'a>> {
        let of = |deployment: &'a Self| deployment.schema.iter().flat_map(|schema| &schema.contracts);
        let mut known: Vec<&str> = of(self).map(|contract| &*contract.name).collect();
        let (mut since, mut until) = (vec![], self);
        for &by in later {
            for contract in of(by) {
                // Later releases that keep a migration in their configuration take nothing a second time.
                if !known.contains(&&*contract.name) {
                    known.push(&contract.name);
                    since.push(Since { by, contract, until });
                }
            }
            until = by;
        }
        since.reverse();
        since
    }
}

/// Returns those migrations that are to be taken back before a release can run again, or why it cannot. `restored` says
/// that the database was restored; what a migration itself tells counts more. `again` is the command that asks once more.
pub fn to_undo<'a>(
    target: &Deployment,
    since: &[(Since<'a>, Stands)],
    (restored, again): (bool, &str),
) -> Result<Vec<Since<'a>>, Problem> {
    let (mut undo, mut lost) = (vec![], vec![]);
    for (since, stands) in since {
        match stands {
            Stands::No => {}
            Stands::Yes | Stands::Unknown if !since.contract.undo.is_empty() => undo.push(*since),
            Stands::Unknown if restored => {}
            Stands::Yes | Stands::Unknown => lost.push(*since),
        }
    }
    match lost.last() {
        None => Ok(undo),
        Some(oldest) => Err(outgrown(target, &lost, oldest, again)),
    }
}

/// Returns the problem of a release that these migrations, the newest first, have left behind.
fn outgrown(target: &Deployment, lost: &[Since<'_>], oldest: &Since<'_>, again: &str) -> Problem {
    let (version, environment) = (&target.version, &target.environment);
    let named: Vec<String> = lost
        .iter()
        .rev()
        .map(|since| format!("migration {} of release {}", since.contract.name, since.by.version))
        .collect();
    let range = if oldest.until.version == *version {
        format!("the schema of release {version}, the only one that it fits")
    } else {
        format!("a schema of releases {version} to {}, which it fits", oldest.until.version)
    };
    let mut problem = Problem::new(
        Code::SchemaContracted,
        format!("release {version} does not fit the database of {environment} any more"),
    )
    .found(format!("a schema after {}, which cannot be undone", named.join(" and ")))
    .wanted(range)
    .hint(format!("roll forward, with a release that is mended: shipway push --to {environment}"));
    if let Some(backup) = &oldest.contract.backup {
        problem = problem.hint(format!("see the backups from before it: shipway backup list {backup}"));
    }
    let told = lost.iter().all(|since| !since.contract.done.is_empty());
    let restored = if told { "" } else { " --restored" };
    problem.hint(format!("when one is restored by hand, go back: {again}{restored}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::Runtime;
    use crate::id::{Digest, RunId};

    fn contract(name: &str, undo: bool, done: bool) -> Contract {
        let words = |there: bool, word: &str| if there { vec![word.to_owned()] } else { vec![] };
        Contract {
            name: name.into(),
            host: "a".into(),
            run: vec!["run".into()],
            done: words(done, "done"),
            undo: words(undo, "undo"),
            backup: Some("db".into()),
        }
    }

    fn release(version: &str, contracts: &[Contract]) -> Deployment {
        Deployment {
            run: RunId::new(version),
            project: "api".into(),
            environment: "production".into(),
            version: version.into(),
            artifact: Digest::new(version),
            services: vec![],
            runtime: Runtime::None,
            secrets: None,
            schema: (!contracts.is_empty())
                .then(|| Schema { expands: vec![], contracts: contracts.to_vec() }),
            back: false,
            mended: None,
            home: None,
        }
    }

    fn ranges(releases: &[Deployment]) -> String {
        let later: Vec<&Deployment> = releases[1..].iter().collect();
        let since: Vec<_> =
            releases[0].contracted_since(&later).into_iter().map(|since| (since, Stands::Unknown)).collect();
        let problem = to_undo(&releases[0], &since, (false, "again")).unwrap_err();
        format!("{}; not {}", problem.found.unwrap(), problem.wanted.unwrap())
    }

    /// Asserts what must be undone to go back from the last of these releases to the first.
    #[track_caller]
    fn check(releases: &[Deployment], stands: Stands, restored: bool, expect: Result<&[&str], &str>) {
        let later: Vec<&Deployment> = releases[1..].iter().collect();
        let since = releases[0].contracted_since(&later);
        let since: Vec<_> = since.into_iter().map(|since| (since, stands)).collect();
        let found = to_undo(&releases[0], &since, (restored, "again"));
        let names = found.as_ref().map(|undo| undo.iter().map(|of| &*of.contract.name).collect::<Vec<_>>());
        match (names, expect) {
            (Ok(found), Ok(wanted)) => assert_eq!(found, wanted),
            (Err(problem), Err(wanted)) => {
                assert_eq!(problem.code, Code::SchemaContracted);
                assert!(problem.found.as_ref().is_some_and(|found| found.contains(wanted)), "{problem:?}");
            }
            (found, wanted) => panic!("{found:?} is not {wanted:?}"),
        }
    }

    #[test]
    fn a_release_is_gone_back_to_only_where_nothing_it_needs_was_taken_for_good() {
        let drop = contract("drop", false, false);
        let undoable = contract("undoable", true, false);
        let plain = |version: &str| release(version, &[]);
        let with = |version: &str, of: &Contract| release(version, std::slice::from_ref(of));
        check(&[plain("1"), plain("2")], Stands::Unknown, false, Ok(&[]));
        check(&[plain("1"), with("2", &drop)], Stands::Unknown, false, Err("migration drop of release 2"));
        check(&[plain("1"), with("2", &undoable)], Stands::Unknown, false, Ok(&["undoable"]));
        // The release that made it, and later ones that still name it, live with it.
        check(&[with("2", &drop), with("3", &drop)], Stands::Yes, false, Ok(&[]));
        check(&[with("2", &drop), plain("3")], Stands::Yes, false, Ok(&[]));
        // However many came between.
        let far = [plain("1"), with("2", &drop), with("3", &drop), plain("4")];
        check(&far, Stands::Unknown, false, Err("migration drop of release 2"));
        // One with an undo does not make up for one without.
        let both = [plain("1"), with("2", &drop), with("3", &undoable)];
        check(&both, Stands::Unknown, false, Err("drop"));
    }

    #[test]
    fn the_range_that_a_release_fits_ends_before_the_first_that_takes_something_away() {
        let [one, two] = ["one", "two"].map(|name| contract(name, false, false));
        let plain = |version: &str| release(version, &[]);
        let later = release("4", &[one.clone(), two]);
        assert_eq!(
            ranges(&[plain("1"), plain("2"), release("3", std::slice::from_ref(&one)), later.clone()]),
            "a schema after migration one of release 3 and migration two of release 4, which cannot be undone; \
             not a schema of releases 1 to 2, which it fits"
        );
        assert_eq!(
            ranges(&[release("3", &[one]), later]),
            "a schema after migration two of release 4, which cannot be undone; \
             not the schema of release 3, the only one that it fits"
        );
    }

    #[test]
    fn the_newest_is_undone_first_and_each_once() {
        let [one, two] = ["one", "two"].map(|name| contract(name, true, false));
        let releases =
            [release("1", &[]), release("2", std::slice::from_ref(&one)), release("3", &[one, two])];
        check(&releases, Stands::Unknown, false, Ok(&["two", "one"]));
    }

    #[test]
    fn what_the_migration_tells_counts_more_than_what_a_person_says() {
        let told = [release("1", &[]), release("2", &[contract("drop", false, true)])];
        check(&told, Stands::No, false, Ok(&[]));
        check(&told, Stands::Yes, true, Err("drop"));
        let untold = [release("1", &[]), release("2", &[contract("drop", false, false)])];
        check(&untold, Stands::Unknown, true, Ok(&[]));
        // Who says that all was restored still gets what can be undone undone: it may be repeated.
        let undoable = [release("1", &[]), release("2", &[contract("drop", true, false)])];
        check(&undoable, Stands::Unknown, true, Ok(&["drop"]));
        check(&undoable, Stands::No, false, Ok(&[]));
    }

    #[test]
    fn the_problem_names_what_helps() {
        let target = release("1", &[]);
        let hints = |done: bool| {
            let by = release("2", &[contract("drop", false, done)]);
            let since: Vec<_> =
                target.contracted_since(&[&by]).into_iter().map(|since| (since, Stands::Yes)).collect();
            to_undo(&target, &since, (false, "shipway rollback production --to 1"))
                .unwrap_err()
                .hints
                .join("\n")
        };
        assert!(hints(false).contains("shipway rollback production --to 1 --restored"), "{}", hints(false));
        assert!(!hints(true).contains("--restored"), "{}", hints(true));
        assert!(hints(true).contains("shipway backup list db"), "{}", hints(true));
    }
}
