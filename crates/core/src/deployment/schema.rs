//! What releases have taken away from databases, and which releases can therefore not be gone back to as they are.
//!
//! A release works with a database from which nothing was taken but what its own contracting migrations take. What
//! later releases have taken must be put back before it runs again, or it cannot run again.

use serde::{Deserialize, Serialize};

use super::Deployment;
use crate::problem::{Code, Problem};

/// How a release changes the schema of databases for those before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// What it takes away, in order.
    pub contracts: Vec<Contract>,
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
    pub fn contracted_since<'a>(&self, later: &[&'a Deployment]) -> Vec<Since<'a>> {
        let own: &[Contract] = self.schema.as_ref().map_or(&[], |schema| &schema.contracts);
        let mut since: Vec<Since<'a>> = vec![];
        for &by in later {
            for contract in by.schema.iter().flat_map(|schema| &schema.contracts) {
                let known = own.iter().chain(since.iter().map(|since| since.contract));
                // Later releases that keep a migration in their configuration make it no second time.
                if known.into_iter().all(|known| known.name != contract.name) {
                    since.push(Since { by, contract });
                }
            }
        }
        since.reverse();
        since
    }
}

/// Returns those migrations that are to be taken back before a release can run again, or why it cannot. `restored` says
/// that the database was restored; what a migration itself tells counts more.
pub fn to_undo<'a>(
    target: &Deployment,
    since: &[(Since<'a>, Stands)],
    restored: bool,
) -> Result<Vec<Since<'a>>, Problem> {
    let mut undo = vec![];
    for (since, stands) in since {
        match stands {
            Stands::No => {}
            Stands::Yes | Stands::Unknown if !since.contract.undo.is_empty() => undo.push(*since),
            Stands::Unknown if restored => {}
            Stands::Yes | Stands::Unknown => return Err(outgrown(target, since)),
        }
    }
    Ok(undo)
}

/// Returns the problem of a release that the database has left behind.
pub fn outgrown(target: &Deployment, since: &Since<'_>) -> Problem {
    let Since { by, contract } = since;
    let (version, environment) = (&target.version, &target.environment);
    let what = format!("the database has left release {version} behind");
    let problem = Problem::new(Code::SchemaContracted, what)
        .found(format!("migration {} of release {} was made, and has no undo", contract.name, by.version))
        .wanted("a release that works with the database as it is now");
    let problem = match &contract.backup {
        Some(backup) => problem.hint(format!("see the backups from before it: shipway backup list {backup}")),
        None => problem,
    };
    let told = if contract.done.is_empty() { " --restored" } else { "" };
    problem
        .hint(format!("when one is restored by hand: shipway rollback {environment} --to {version}{told}"))
        .hint(format!("or roll forward, with a release that is mended: shipway push --to {environment}"))
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
            schema: (!contracts.is_empty()).then(|| Schema { contracts: contracts.to_vec() }),
        }
    }

    /// Asserts what must be undone to go back from the last of these releases to the first.
    #[track_caller]
    fn check(releases: &[Deployment], stands: Stands, restored: bool, expect: Result<&[&str], &str>) {
        let later: Vec<&Deployment> = releases[1..].iter().collect();
        let since = releases[0].contracted_since(&later);
        let since: Vec<_> = since.into_iter().map(|since| (since, stands)).collect();
        let found = to_undo(&releases[0], &since, restored);
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
        let by = release("2", &[]);
        let hints = |done: bool| {
            let contract = contract("drop", false, done);
            outgrown(&target, &Since { by: &by, contract: &contract }).hints.join("\n")
        };
        assert!(hints(false).contains("shipway rollback production --to 1 --restored"), "{}", hints(false));
        assert!(!hints(true).contains("--restored"), "{}", hints(true));
        assert!(hints(true).contains("shipway backup list db"), "{}", hints(true));
    }
}
