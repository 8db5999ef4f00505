//! Reports of directories and of hosts; the host is this machine.

use std::fs;

use shipway_core::deps::Verdict;

use super::*;

fn dir(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

#[expect(clippy::unnecessary_wraps, reason = "other looks fail")]
fn look(_: &Host, wants: &[Want]) -> Result<Vec<Seen>, Problem> {
    Ok(preflight::look(wants, &LocalShell::new(), &shipway_core::action::Stop::default()))
}

fn host(path: &Path) -> Host {
    let path = path.to_str().unwrap().to_owned();
    Host { name: "web".into(), address: String::new(), path, ssh: vec![], roles: vec![] }
}

#[test]
fn a_directory_without_an_environment_is_told_how_to_make_one() {
    let dir = dir(&[("requirements.txt", "six\n")]);
    let report = here(dir.path(), &Environment::default(), &DepsVerify::default()).unwrap();
    let trouble = report.places[0].trouble.as_ref().unwrap();
    let venv = dir.path().join(".venv");
    let venv = venv.to_str().unwrap();
    assert_eq!(trouble.what, format!("{venv} is no virtual environment"));
    let fix = format!("python3 -m venv {venv} && {venv}/bin/pip install -r requirements.txt");
    assert_eq!(trouble.fix, Some(fix));
    assert!(!report.is_met());
}

#[test]
fn the_environment_that_the_shell_has_activated_counts_where_there_is_no_own_one() {
    let dir = dir(&[("requirements.txt", "six\n")]);
    let environment = Environment { variables: vec![("VIRTUAL_ENV".into(), "/nowhere/venv".into())] };
    let place = |verify: &DepsVerify| here(dir.path(), &environment, verify).unwrap().places[0].place.clone();
    assert_eq!(place(&DepsVerify::default()), "/nowhere/venv");
    assert_eq!(place(&DepsVerify { venv: Some("v".into()), ..DepsVerify::default() }), "v");
    fs::create_dir(dir.path().join("venv")).unwrap();
    fs::write(dir.path().join("venv/pyvenv.cfg"), "").unwrap();
    assert!(place(&DepsVerify::default()).ends_with("/venv"));
    assert_ne!(place(&DepsVerify::default()), "/nowhere/venv");
}

#[test]
fn packages_on_hosts_are_looked_for_in_the_current_release() {
    let top = dir(&[
        (
            "package-lock.json",
            r#"{"packages": {"node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"version": "1.0.0"}}}"#,
        ),
        ("requirements.txt", "six\n"),
    ]);
    let there = dir(&[("current/node_modules/a/package.json", r#"{"version": "1.0.0"}"#)]);
    let require = Require { debian: vec!["shipway-no-such-package".into()], ..Require::default() };
    let asked = Asked {
        environment: "production".into(),
        hosts: vec![(host(there.path()), require.clone())],
        mirror: None,
    };
    let eyes = Eyes { look: &look, connection: &|_| vec![] };
    let report = of_hosts(&asked, top.path(), &DepsVerify::default(), eyes).unwrap();
    // Without a virtual environment in its table nothing is said of Python.
    let sources: Vec<&str> = report.places.iter().map(|place| place.source.as_str()).collect();
    assert_eq!(sources, ["package-lock.json", "shipway.toml"]);
    let rows = &report.places[0].rows;
    let verdicts: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.verdict)).collect();
    assert_eq!(verdicts, [("b", Verdict::Missing), ("a", Verdict::Ok)]);
    assert_eq!(rows[0].fix, Some(format!("npm --prefix {}/current ci", there.path().display())));
    let require = Require { venv: Some("/nowhere".into()), ..require };
    let asked = Asked { hosts: vec![(host(there.path()), require)], ..asked };
    let report = of_hosts(&asked, top.path(), &DepsVerify::default(), eyes).unwrap();
    assert_eq!(report.places[0].trouble.as_ref().unwrap().what, "/nowhere is no virtual environment");
}

#[test]
fn a_host_that_cannot_be_reached_is_its_problem() {
    let top = dir(&[("package.json", "{}")]);
    let asked =
        Asked { environment: "p".into(), hosts: vec![(host(top.path()), Require::default())], mirror: None };
    let gone = |_: &Host, _: &[Want]| Err(Problem::new(Code::Network, "web does not answer"));
    let eyes = Eyes { look: &gone, connection: &|_| vec![] };
    let problem = of_hosts(&asked, top.path(), &DepsVerify::default(), eyes).unwrap_err();
    assert_eq!(problem.what, "web does not answer");
}
