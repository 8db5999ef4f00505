//! Packages that real installers have installed.

use std::path::PathBuf;

use shipway_core::deps::{Row, Verdict, cargo, compare, debian, npm_lock, pyproject, requirements};

use super::*;
use shipway_core::deps::{Declaration, Inventory, Place};

/// Writes small wheels; each is `name version requirement…`.
const WHEELS: &str = r#"
import sys, zipfile
for line in sys.argv[2:]:
    name, version, *needs = line.split(" ", 2)
    info = "%s-%s.dist-info" % (name, version)
    needs = [need for need in "".join(needs).split("|") if need]
    head = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
    head += "".join("Requires-Dist: %s\n" % need for need in needs) + "Provides-Extra: fast\n\nName: not this\n"
    with zipfile.ZipFile("%s/%s-%s-py3-none-any.whl" % (sys.argv[1], name, version), "w") as wheel:
        wheel.writestr(name + ".py", "import sys\nprint('noise')\nvalue = 1\n")
        wheel.writestr(info + "/METADATA", head)
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "/RECORD", "%s.py,,\n%s/METADATA,,\n%s/WHEEL,,\n%s/RECORD,,\n" % (name, info, info, info))
"#;

struct Venv {
    dir: tempfile::TempDir,
}

impl Venv {
    /// Returns a virtual environment with some of the wheels, or none where Python cannot make one.
    fn new(wheels: &[&str], install: &[&str]) -> Option<Self> {
        let venv = Self { dir: tempfile::tempdir().unwrap() };
        output(Command::new("python3").args(["-c", WHEELS, &text(venv.dir.path())]).args(wheels))?;
        output(Command::new("python3").args(["-m", "venv", &venv.path()]))?;
        venv.run(&format!("{}/bin/pip install --no-deps {}", venv.path(), install.join(" ")));
        Some(venv)
    }

    fn path(&self) -> String {
        text(&self.dir.path().join("venv"))
    }

    /// Runs a command line as a user pastes it; there is no index but the wheels of the test.
    fn run(&self, line: &str) {
        let mut command = Command::new("sh");
        command.args(["-c", line]).env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", self.dir.path());
        command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PIP_CONFIG_FILE", "/dev/null");
        assert!(output(&mut command).is_some(), "{line}");
    }

    fn compare(&self, declaration: &Declaration) -> Vec<Row> {
        let place = Place::Pip { venv: self.path() };
        compare(declaration, &seen(place.clone()), &place)
    }
}

fn seen(place: Place) -> Inventory {
    let want = Want::Packages { place, declaration: Declaration::default() };
    match see(want) {
        Seen::Packages(inventory) => inventory,
        other => panic!("{other:?}"),
    }
}

fn red(rows: &[Row]) -> Vec<(&str, Verdict)> {
    rows.iter().filter(|row| row.verdict != Verdict::Ok).map(|row| (row.name.as_str(), row.verdict)).collect()
}

#[test]
fn a_virtual_environment_is_compared_and_the_commands_set_it_right() {
    let wheels = [
        "Web_App 1.0 helper>=2|speed ; extra == 'fast'|gone ; python_version < '3'",
        "helper 1.0",
        "helper 2.0",
        "speed 1.0",
        "stray 1.0",
    ];
    let Some(venv) = Venv::new(&wheels, &["Web_App", "helper==1.0", "stray"]) else {
        return skip("python3 makes no virtual environment here");
    };
    let declared = requirements("requirements.txt", &mut |_| Ok("web.app[fast]==1.0\n".into()));
    let rows = venv.compare(&declared);
    assert_eq!(
        red(&rows),
        [("speed", Verdict::Missing), ("helper", Verdict::Mismatched), ("stray", Verdict::Extra)]
    );
    for row in &rows {
        if let Some(fix) = &row.fix {
            venv.run(fix);
        }
    }
    assert_eq!(red(&venv.compare(&declared)), []);
    let needs = |python: &str| {
        let text = format!("[project]\nname = 'web-app'\nrequires-python = '{python}'\n");
        venv.compare(&pyproject("pyproject.toml", &text).unwrap())
    };
    assert_eq!(red(&needs(">=3"))[..1], [("speed", Verdict::Extra)]);
    assert!(red(&needs(">=99")).contains(&("python", Verdict::Mismatched)));
    looks_inside(&venv);
}

fn looks_inside(venv: &Venv) {
    let python = format!("{}/bin/python", venv.path());
    let import = |module: &str| row(Want::Import { interpreter: python.clone(), module: module.into() });
    assert_eq!(import("helper").state, State::Ok);
    let missing = import("no_such_module");
    assert_eq!(missing.found, "ModuleNotFoundError: No module named 'no_such_module'");
    assert_eq!(missing.state, State::Bad);
    let wanted =
        |wanted: &str| Want::Venv { path: venv.path(), interpreter: "python3".into(), wanted: wanted.into() };
    assert_eq!(row(wanted(">=3.3")).state, State::Ok);
    assert_eq!(row(wanted(">=99")).state, State::Bad);
    let python = row(Want::Python { interpreter: python.clone(), wanted: "<99".into() });
    assert_eq!(python.state, State::Ok, "{python:?}");
}

/// Returns the directory of a project whose packages npm has installed from archives of the test.
fn npm_project(dir: &Path) -> Option<PathBuf> {
    let write = |path: &str, text: &str| {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("inner/package.json", r#"{"name": "@test/inner", "version": "2.0.0"}"#);
    write("outer/package.json", r#"{"name": "outer", "version": "1.2.3"}"#);
    write("app/package.json", r#"{"name": "app", "version": "0.1.0", "private": true}"#);
    let npm = |dir: &Path, args: &[&str]| {
        let mut command = Command::new("npm");
        command
            .args(args)
            .current_dir(dir)
            .env("npm_config_offline", "true")
            .env("npm_config_audit", "false");
        command.env("npm_config_cache", dir.join("../cache")).env("npm_config_fund", "false");
        output(&mut command)
    };
    let app = dir.join("app");
    npm(&app, &["pack", "../inner", "../outer"])?;
    npm(&app, &["install", "./test-inner-2.0.0.tgz", "./outer-1.2.3.tgz"])?;
    Some(app)
}

#[test]
fn packages_of_npm_are_compared_with_the_lock_file() {
    let dir = tempfile::tempdir().unwrap();
    let Some(app) = npm_project(dir.path()) else { return skip("npm does not install here") };
    let lock = fs::read_to_string(app.join("package-lock.json")).unwrap();
    let (declared, workspaces) = npm_lock("package-lock.json", &lock).unwrap();
    let place = Place::Npm { dir: text(&app), workspaces };
    let rows = || compare(&declared, &seen(place.clone()), &place);
    assert_eq!(rows().len(), 2);
    assert_eq!(red(&rows()), []);
    fs::remove_dir_all(app.join("node_modules/@test")).unwrap();
    fs::write(app.join("node_modules/outer/package.json"), r#"{"name": "outer", "version": "9.0.0"}"#)
        .unwrap();
    fs::create_dir_all(app.join("node_modules/outer/node_modules/stray")).unwrap();
    fs::write(app.join("node_modules/outer/node_modules/stray/package.json"), "{}").unwrap();
    symlink(&app, app.join("node_modules/loop")).unwrap();
    let found = rows();
    assert_eq!(
        red(&found),
        [
            ("@test/inner", Verdict::Missing),
            ("outer", Verdict::Mismatched),
            ("loop", Verdict::Extra),
            ("outer > stray", Verdict::Extra),
        ]
    );
    assert_eq!(found[0].fix, Some(format!("npm --prefix {} ci", text(&app))));
}

#[test]
fn packages_of_debian_are_asked_of_dpkg() {
    let Some(version) = output(Command::new("dpkg-query").args(["-W", "-f", "${Version}", "dpkg"])) else {
        return skip("there is no dpkg-query");
    };
    let list =
        ["dpkg".into(), format!("dpkg={version}"), "dpkg>>9999:1".into(), "shipway-no-such-package".into()];
    let declared = debian("list", &list);
    let names = declared.packages.iter().map(|one| one.name.clone()).collect();
    let place = Place::Debian { names };
    let rows = compare(&declared, &seen(place.clone()), &place);
    assert_eq!(red(&rows), [("shipway-no-such-package", Verdict::Missing), ("dpkg", Verdict::Mismatched)]);
    assert_eq!(rows.iter().filter(|row| row.installed == version).count(), 3);
}

#[test]
fn programs_of_cargo_are_read_from_its_own_list() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::Cargo { root: text(dir.path()) };
    let declared = cargo("list", &["just@1.36.0".into()]);
    let rows = || compare(&declared, &seen(place.clone()), &place);
    let fix = format!("cargo install --locked --root {} just@1.36.0", text(dir.path()));
    assert_eq!((red(&rows()), rows()[0].fix.clone()), (vec![("just", Verdict::Missing)], Some(fix)));
    let list = r#"{"installs":{"just 1.36.0 (registry+https://github.com/rust-lang/crates.io-index)":{"bins":["just"]}}}"#;
    fs::write(dir.path().join(".crates2.json"), list).unwrap();
    assert_eq!(red(&rows()), []);
    fs::write(dir.path().join(".crates2.json"), "{").unwrap();
    let want = Want::Packages { place: place.clone(), declaration: declared.clone() };
    assert_eq!(row(want).state, State::Unknown);
}
