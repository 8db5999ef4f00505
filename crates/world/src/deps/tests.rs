//! What is found in directories.

use super::*;

fn names(found: &Found) -> Vec<&str> {
    found.declaration.packages.iter().map(|one| one.name.as_str()).collect()
}

fn dir(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

const PROJECT: (&str, &str) =
    ("pyproject.toml", "[project]\nname = 'App'\nrequires-python = '>=3.9'\ndependencies = ['p']\n");
const LOCK: (&str, &str) = ("uv.lock", "[[package]]\nname = 'l'\nversion = '1'\n");

#[test]
fn a_lock_file_comes_before_requirements_and_those_before_the_project() {
    let check = |files: &[(&str, &str)], source: &str, expect: &[&str]| {
        let dir = dir(files);
        let found = find(dir.path(), None);
        assert_eq!(found.len(), 1, "{files:?}");
        assert_eq!((found[0].declaration.source.as_str(), names(&found[0])), (source, expect.to_vec()));
        assert_eq!(found[0].declaration.own.as_deref(), Some("app"));
    };
    let requirements = [("requirements.txt", "-r more/base.txt\n"), ("more/base.txt", "r==1\n")];
    check(&[PROJECT], "pyproject.toml", &["p"]);
    check(&[PROJECT, requirements[0], requirements[1]], "requirements.txt", &["r"]);
    check(&[PROJECT, requirements[0], requirements[1], LOCK], "uv.lock", &["l"]);
    assert_eq!(find(dir(&[("Cargo.toml", "[package]")]).path(), None), vec![]);
    assert_eq!(find(dir(&[("pyproject.toml", "[tool.ruff]\n")]).path(), None), vec![]);
}

#[test]
fn the_virtual_environment_is_the_one_that_is_there_or_named() {
    let venv = |dir: &Path, named| match &find(dir, named)[0].place {
        Place::Pip { venv } => venv.clone(),
        other => panic!("{other:?}"),
    };
    let dir = dir(&[PROJECT, ("venv/pyvenv.cfg", "")]);
    assert_eq!(venv(dir.path(), None), dir.path().join("venv").to_str().unwrap());
    assert_eq!(venv(dir.path(), Some("/srv/v")), "/srv/v");
    fs::create_dir(dir.path().join(".venv")).unwrap();
    fs::write(dir.path().join(".venv/pyvenv.cfg"), "").unwrap();
    assert_eq!(venv(dir.path(), None), dir.path().join(".venv").to_str().unwrap());
}

#[test]
fn npm_is_found_by_its_lock_file_or_its_manifest() {
    let lock = r#"{"packages": {"node_modules/a": {"version": "1.0.0"}, "tools/x": {}}}"#;
    let manifest = r#"{"dependencies": {"b": "1"}}"#;
    let both = dir(&[("package-lock.json", lock), ("package.json", manifest)]);
    let found = find(both.path(), None);
    assert_eq!(names(&found[0]), ["node_modules/a"]);
    let workspaces = vec!["tools/x".to_owned()];
    assert_eq!(found[0].place, Place::Npm { dir: both.path().to_str().unwrap().into(), workspaces });
    assert_eq!(names(&find(dir(&[("package.json", manifest)]).path(), None)[0]), ["node_modules/b"]);
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    for (name, text) in
        [("uv.lock", "["), ("package-lock.json", "{"), ("package.json", ""), ("pyproject.toml", "=")]
    {
        let found = find(dir(&[(name, text)]).path(), None);
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].declaration.notes.len(), 1, "{name}");
        assert!(found[0].declaration.notes[0].starts_with(name), "{:?}", found[0].declaration.notes);
    }
}
