//! Declared against installed, in tables.

mod robust;

use super::*;

fn markers() -> Markers {
    [("python_version", "3.11"), ("python_full_version", "3.11.7"), ("sys_platform", "linux")]
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn installed(list: &[(&str, &str, &[&str])]) -> Inventory {
    let one = |(name, version, requires): &(&str, &str, &[&str])| Installed {
        name: (*name).into(),
        version: (*version).into(),
        requires: requires.iter().map(ToString::to_string).collect(),
        inherited: false,
    };
    Inventory { packages: list.iter().map(one).collect(), markers: markers() }
}

fn venv() -> Place {
    Place::Pip { venv: "/srv/app/venv".into() }
}

/// Returns what is not as declared: name, verdict, fix.
fn red(declaration: &Declaration, inventory: &Inventory, place: &Place) -> Vec<(String, Verdict, String)> {
    let rows = compare(declaration, inventory, place);
    let red = rows.into_iter().filter(|row| row.verdict != Verdict::Ok);
    red.map(|row| (row.name, row.verdict, row.fix.unwrap_or_default())).collect()
}

fn pip(text: &str) -> Declaration {
    requirements("requirements.txt", &mut |_| Ok(text.to_owned()))
}

#[test]
fn a_venv_that_is_as_declared_has_nothing_to_tell() {
    let declaration = pip("Flask==2.0.1  # web\nrequests[socks]>=2,<3\nwaitress ; sys_platform == 'win32'\n");
    let there = installed(&[
        ("pip", "24.0", &[]),
        ("Flask", "2.0.1", &["Werkzeug>=2.0", "x; extra == 'async'"]),
        ("werkzeug", "2.0.3", &[]),
        ("requests", "2.31.0", &["PySocks!=1.5.7,>=1.5.6; extra == 'socks'", "idna; python_version < '3'"]),
        ("pysocks", "1.7.1", &[]),
    ]);
    assert_eq!(red(&declaration, &there, &venv()), vec![]);
    assert_eq!(compare(&declaration, &there, &venv()).len(), 2);
}

#[test]
fn missing_mismatched_and_extra_come_with_their_commands() {
    let there =
        installed(&[("a", "1.3", &["needed>=2", "gone"]), ("needed", "1.0", &[]), ("stray", "1", &[])]);
    let pip = "/srv/app/venv/bin/pip";
    assert_eq!(
        red(&super::tests::pip("a==1.2\nB.b ~= 3.1\n"), &there, &venv()),
        [
            ("b-b".into(), Verdict::Missing, format!("{pip} install 'b-b~= 3.1'")),
            ("gone".into(), Verdict::Missing, format!("{pip} install 'gone'")),
            ("a".into(), Verdict::Mismatched, format!("{pip} install 'a==1.2'")),
            ("needed".into(), Verdict::Mismatched, format!("{pip} install 'needed>=2'")),
            ("stray".into(), Verdict::Extra, format!("{pip} uninstall --yes stray")),
        ]
    );
    let rows = compare(&super::tests::pip("a\n"), &there, &venv());
    assert_eq!(rows.iter().find(|row| row.name == "gone").unwrap().from, "a 1.3");
}

#[test]
fn what_the_system_brings_is_not_too_much() {
    let mut there = installed(&[("six", "1.16", &[])]);
    there.packages[0].inherited = true;
    assert_eq!(red(&pip("# nothing\n"), &there, &venv()), vec![]);
    assert_eq!(red(&pip("six<1\n"), &there, &venv())[0].1, Verdict::Mismatched);
}

#[test]
fn requirements_include_and_constrain_and_are_read_across_lines() {
    let mut read = |path: &str| match path {
        "deploy/all.txt" => Ok("\u{feff}-r base.txt\n-c limits.txt\n--index-url https://example.org\n\
                                c==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n-e ./here\n"
            .into()),
        "deploy/base.txt" => Ok("a==1\n-r all.txt\n-r ../other.txt\nwhat is this\n".into()),
        "deploy/limits.txt" => Ok("b<2\n".into()),
        path => Err(format!("no such file {path}")),
    };
    let found = requirements("deploy/all.txt", &mut read);
    let lines: Vec<_> = found
        .packages
        .iter()
        .map(|one| (one.name.as_str(), one.want.as_str(), one.from.as_str(), one.optional))
        .collect();
    assert_eq!(
        lines,
        [
            ("a", "==1", "deploy/base.txt:1", false),
            ("b", "<2", "deploy/limits.txt:1", true),
            ("c", "==1.0", "deploy/all.txt:4", false),
        ]
    );
    assert_eq!(found.notes.len(), 3, "{:?}", found.notes);
    let rows = compare(&found, &installed(&[("a", "1", &[]), ("c", "1.0", &[])]), &venv());
    assert_eq!(rows.iter().filter(|row| row.verdict == Verdict::Unknown).count(), 3);
}

#[test]
fn a_project_asks_by_its_metadata_and_for_its_interpreter() {
    let text = "[project]\nname = \"My_App\"\nrequires-python = \">=3.12\"\ndependencies = [\"a>=1\", \"b; extra == 'x'\"]\n";
    let found = pyproject("pyproject.toml", text).unwrap();
    let there = installed(&[("a", "1.1", &[]), ("my-app", "0.1", &["c"]), ("c", "1", &[])]);
    let red = red(&found, &there, &venv());
    assert_eq!(red, [("python".into(), Verdict::Mismatched, String::new())]);
    assert!(pyproject("pyproject.toml", "[project").is_err());
}

#[test]
fn lock_files_of_python_say_what_is_asked_for() {
    let names = |found: &Declaration| -> Vec<String> {
        let asked =
            |one: &&Declared| !one.optional && pep508::applies(&one.marker, &markers(), &[]) == Some(true);
        found.packages.iter().filter(asked).map(|one| format!("{}{}", one.name, one.want)).collect()
    };
    let pylock_text = "lock-version = '1.0'\nrequires-python = '>=3.9'\n\
        [[packages]]\nname = 'Attrs'\nversion = '25.1.0'\n\
        [[packages]]\nname = 'winonly'\nversion = '1'\nmarker = \"sys_platform == 'win32'\"\n\
        [[packages]]\nname = 'devonly'\nversion = '1'\nmarker = \"'dev' in dependency_groups\"\n";
    let found = pylock("pylock.toml", pylock_text).unwrap();
    assert_eq!((names(&found), found.python.as_str()), (vec!["attrs==25.1.0".to_owned()], ">=3.9"));
    let poetry = "[[package]]\nname = 'A'\nversion = '1.0'\noptional = false\ngroups = ['main', 'dev']\n\
        [[package]]\nname = 'tests'\nversion = '2'\noptional = false\ngroups = ['dev']\n\
        [[package]]\nname = 'b'\nversion = '2'\noptional = false\nmarkers = {main = \"sys_platform == 'darwin'\"}\n\
        [metadata]\npython-versions = '^3.9'\n";
    let found = poetry_lock("poetry.lock", poetry).unwrap();
    assert_eq!((names(&found), found.python.as_str()), (vec!["a==1.0".to_owned()], ""));
    let uv = "version = 1\nrequires-python = '>=3.11'\n\
        [[package]]\nname = 'app'\nversion = '0.1'\nsource = {virtual = '.'}\n\
        dependencies = [{name = 'a', extra = ['fast']}, {name = 'w', marker = \"sys_platform == 'win32'\"}]\n\
        [package.dev-dependencies]\ndev = [{name = 'pytest'}]\n\
        [[package]]\nname = 'a'\nversion = '1'\ndependencies = [{name = 'b'}]\n\
        [package.optional-dependencies]\nfast = [{name = 'c'}]\n\
        [[package]]\nname = 'b'\nversion = '2'\n[[package]]\nname = 'c'\nversion = '3'\n\
        [[package]]\nname = 'w'\nversion = '4'\n[[package]]\nname = 'pytest'\nversion = '5'\n";
    let found = uv_lock("uv.lock", uv).unwrap();
    assert_eq!(names(&found), ["a==1", "b==2", "c==3"]);
    assert_eq!(found.own.as_deref(), Some("app"));
}

#[test]
fn a_locked_set_becomes_requirements_with_hashes() {
    let of = |path: &str, text: &str| locked_requirements(path, text).unwrap();
    let uv = "version = 1\n[[package]]\nname = 'app'\nversion = '0.1'\nsource = {virtual = '.'}\n\
        dependencies = [{name = 'a'}, {name = 'w', marker = \"sys_platform == 'win32'\"}]\n\
        [package.dev-dependencies]\ndev = [{name = 'pytest'}]\n\
        [[package]]\nname = 'a'\nversion = '1'\ndependencies = [{name = 'app'}]\n\
        sdist = {url = 'u', hash = 'sha256:aa'}\nwheels = [{url = 'u', hash = 'sha256:bb'}, {hash = 'md5:cc'}]\n\
        [[package]]\nname = 'w'\nversion = '4'\nwheels = [{hash = 'sha256:dd'}]\n\
        dependencies = [{name = 'x', marker = \"python_version < '3.12'\"}]\n\
        [[package]]\nname = 'x'\nversion = '5'\nwheels = [{hash = 'sha256:ee'}]\n\
        [[package]]\nname = 'pytest'\nversion = '6'\n";
    // What only something for Windows needs is needed only there.
    let expect = "a==1 --hash=sha256:aa --hash=sha256:bb\n\
        w==4 ; sys_platform == 'win32' --hash=sha256:dd\n\
        x==5 ; (python_version < '3.12') and (sys_platform == 'win32') --hash=sha256:ee\n";
    assert_eq!(of("dir/uv.lock", uv).unwrap(), expect);
    let pylock = "lock-version = '1.0'\n[[packages]]\nname = 'A.b'\nversion = '1'\nmarker = \"os_name == 'nt'\"\n\
        wheels = [{name = 'w', hashes = {sha256 = 'aa', md5 = 'bb'}}]\nsdist = {hashes = {sha512 = 'cc'}}\n";
    let expect = "a-b==1 ; os_name == 'nt' --hash=sha256:aa --hash=sha512:cc\n";
    assert_eq!(of("pylock.web.toml", pylock).unwrap(), expect);
    let poetry = "[[package]]\nname = 'a'\nversion = '1'\noptional = false\ngroups = ['main']\n\
        files = [{file = 'f', hash = 'sha256:aa'}]\n\
        [[package]]\nname = 't'\nversion = '2'\noptional = false\ngroups = ['dev']\nfiles = []\n";
    assert_eq!(of("poetry.lock", poetry).unwrap(), "a==1 --hash=sha256:aa\n");
    // What cannot be proven, or chosen, is not installed.
    for (path, text, why) in [
        ("uv.lock", uv.replace("'sha256:dd'", "'md5:dd'"), "w==4 of uv.lock has no hash"),
        ("poetry.lock", poetry.replace("groups = ['main']\n", ""), "of a Poetry before 2"),
        ("pylock.toml", pylock.replace("os_name == 'nt'", "'d' in dependency_groups"), "belongs to a group"),
        ("pylock.toml", pylock.replace("'aa'", "'a --index-url x'").replace("'cc'", "''"), "has no hash"),
        ("uv.lock", "package = 1 2".to_owned(), "is not TOML"),
    ] {
        let found = of(path, &text).unwrap_err();
        assert!(found.contains(why), "{why}: {found}");
    }
    assert!(locked_requirements("requirements.txt", "a==1").is_none());
}

#[test]
fn packages_of_npm_are_compared_by_their_place() {
    let lock = r#"{"lockfileVersion": 3, "packages": {
        "": {"name": "app"}, "packages/tool": {"version": "0.1.0"},
        "node_modules/tool": {"link": true, "resolved": "packages/tool"},
        "node_modules/a": {"version": "1.2.3"}, "node_modules/@s/b": {"version": "2.0.0"},
        "node_modules/a/node_modules/c": {"version": "3.0.0"},
        "node_modules/d": {"version": "4.0.0", "dev": true}, "node_modules/e": {"version": "5.0.0", "optional": true}}}"#;
    let (found, workspaces) = npm_lock("package-lock.json", lock).unwrap();
    assert_eq!(workspaces, ["packages/tool"]);
    let there = installed(&[
        ("node_modules/tool", "0.1.0", &[]),
        ("node_modules/a", "1.2.4", &[]),
        ("node_modules/@s/b", "2.0.0", &[]),
        ("node_modules/stray", "1.0.0", &[]),
    ]);
    let place = Place::Npm { dir: ".".into(), workspaces };
    let ci = || "npm ci".to_owned();
    assert_eq!(
        red(&found, &there, &place),
        [
            ("a > c".into(), Verdict::Missing, ci()),
            ("a".into(), Verdict::Mismatched, ci()),
            ("stray".into(), Verdict::Extra, ci()),
        ]
    );
    let old = r#"{"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0", "dependencies": {"b": {"version": "2.0.0"}}}}}"#;
    let (found, _) = npm_lock("package-lock.json", old).unwrap();
    let names: Vec<&str> = found.packages.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["node_modules/a", "node_modules/a/node_modules/b"]);
    let manifest =
        npm_manifest("package.json", r#"{"dependencies": {"a": "^1.3"}, "devDependencies": {"x": "1"}}"#);
    let place = Place::Npm { dir: "/srv/my app".into(), workspaces: vec![] };
    let fix = "npm --prefix '/srv/my app' install".to_owned();
    assert_eq!(red(&manifest.unwrap(), &there, &place), [("a".into(), Verdict::Mismatched, fix)]);
}

#[test]
fn ranges_of_npm_are_read_as_npm_reads_them() {
    for (version, range, expect) in [
        ("1.2.3", "1.2.3", true),
        ("1.2.3", "1.2", true),
        ("1.3.0", "1.2", false),
        ("1.9.0", "^1.2.3", true),
        ("0.3.0", "^0.2.3", false),
        ("1.2.9", "~1.2.3", true),
        ("1.3.0", "~1.2", false),
        ("2.0.0", ">=1.2 <2", false),
        ("1.9.0", ">= 1.2.0 < 2.0.0", true),
        ("2.3.9", "1.2.3 - 2.3", true),
        ("3.1.0", "^1 || ^3.0.0", true),
        ("2.0.0", "1.x || >=2.5.0", false),
        ("1.4.0", "1.x", true),
        ("1.4.0", "*", true),
        ("1.4.0", "", true),
        ("1.4.0", "v1.4.0", true),
        ("2.0.0-rc.1", "^2.0.0", false),
        ("9.9.9", "latest", true),
        ("9.9.9", "git+https://example.org/x.git", true),
        ("9.9.9", "npm:other@^1", true),
    ] {
        assert_eq!(npm_satisfies(version, range), Some(expect), "{version} {range}");
    }
    assert_eq!(npm_satisfies("one", "^1"), None);
}

#[test]
fn programs_of_cargo_are_compared_with_a_list() {
    let text = r#"{"installs": {"ripgrep 14.1.0 (registry+https://github.com/rust-lang/crates.io-index)": {"bins": ["rg"]},
        "just 1.36.0 (path+file:///x y)": {}, "odd": {}}}"#;
    let inventory = Inventory { packages: crates(text).unwrap(), markers: Markers::new() };
    let list = ["ripgrep@14.1.1", "just@^1.30", "cargo-deny"].map(String::from);
    let place = Place::Cargo { root: String::new() };
    assert_eq!(
        red(&cargo("require.cargo", &list), &inventory, &place),
        [
            ("cargo-deny".into(), Verdict::Missing, "cargo install --locked cargo-deny".into()),
            ("ripgrep".into(), Verdict::Mismatched, "cargo install --locked ripgrep@14.1.1".into()),
        ]
    );
}

#[test]
fn packages_of_debian_are_compared_with_a_list() {
    let text = "libpq5\t15.8-0+deb12u1\tinstalled\ngone\t1.0\tconfig-files\nnginx\t1:1.22.1-9\tinstalled\n";
    let inventory = Inventory { packages: packages(text), markers: Markers::new() };
    let list = ["libpq5>=15", "nginx=1.22.1-9", "gone", "curl=7.88.1-10"].map(String::from);
    let place = Place::Debian { names: vec![] };
    assert_eq!(
        red(&debian("require.debian", &list), &inventory, &place),
        [
            ("curl".into(), Verdict::Missing, "apt-get install curl=7.88.1-10".into()),
            ("gone".into(), Verdict::Missing, "apt-get install gone".into()),
            ("nginx".into(), Verdict::Mismatched, "apt-get install nginx=1.22.1-9".into()),
        ]
    );
}

#[test]
fn versions_of_debian_are_in_the_order_of_the_policy() {
    let order = [
        "0", "1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-0.1", "1.0-1", "1.0a", "1.0+b1", "1.0.1", "1.2", "1.10",
        "1:0.1",
    ];
    for pair in order.windows(2) {
        assert!(debian_order(pair[0], pair[1]).is_lt(), "{pair:?}");
    }
    for (one, other) in [("1.0", "0:1.0"), ("1.0", "1.0-0"), ("1.00", "1.0"), ("", "")] {
        assert!(debian_order(one, other).is_eq(), "{one} {other}");
    }
    for (version, want, expect) in [
        ("1.0-1", "=1.0-1", Some(true)),
        ("1.0-1", ">=1.0", Some(true)),
        ("1.0", "<<1.0", Some(false)),
        ("1.1", ">1.0", Some(true)),
        ("1.0", "=", None),
        ("1.0", "1.0", None),
    ] {
        assert_eq!(satisfies(Kind::Debian, version, want), expect, "{version} {want}");
    }
}

#[test]
fn words_are_quoted_as_a_shell_reads_them() {
    for (word, expect) in [
        ("a==1", "a==1"),
        ("a>1", "'a>1'"),
        ("it's", r"'it'\''s'"),
        ("", "''"),
        ("~/a b", "~/'a b'"),
        ("$(x)", "'$(x)'"),
    ] {
        assert_eq!(quote(word), expect);
    }
}
