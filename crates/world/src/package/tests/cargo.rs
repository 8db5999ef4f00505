use super::*;

fn manifest(before: &str, after: &str) {
    bump("1.3.0", &[("Cargo.toml", before)], &[("Cargo.toml", after)]);
}

#[test]
fn the_version_changes_and_everything_else_stays() {
    manifest(
        "# 1.2.3\n[package] # root\nname=\"a\"\nversion   =  \"1.2.3\"   # keep\n\n[features]\n",
        "# 1.2.3\n[package] # root\nname=\"a\"\nversion   =  \"1.3.0\"   # keep\n\n[features]\n",
    );
    manifest("[package]\r\nname = 'a'\r\nversion = '1.2.3'", "[package]\r\nname = 'a'\r\nversion = '1.3.0'");
    manifest(
        "\u{feff}[package]\nname = \"a\"\nversion = \"1.2.3\"\n",
        "\u{feff}[package]\nname = \"a\"\nversion = \"1.3.0\"\n",
    );
    manifest(
        "package = { name = \"a\", version = \"1.2.3\" }",
        "package = { name = \"a\", version = \"1.3.0\" }",
    );
    manifest(
        "package.name = \"é\"\npackage.version = \"1.2.3\"\n",
        "package.name = \"é\"\npackage.version = \"1.3.0\"\n",
    );
    manifest(
        "[package]\nname = \"a\"\nversion = \"\"\"1.2.3\"\"\"\n",
        "[package]\nname = \"a\"\nversion = \"1.3.0\"\n",
    );
    manifest(
        "[package]\nname = \"a\"\nversion = \"1.2\\u002E3\"\n",
        "[package]\nname = \"a\"\nversion = \"1.3.0\"\n",
    );
    manifest(
        "[package.metadata.x]\nversion = \"1.2.3\"\n[package]\nversion = \"1.2.3\"\nname = \"a\"\n[dependencies]\nb = \"1.2.3\"\n",
        "[package.metadata.x]\nversion = \"1.2.3\"\n[package]\nversion = \"1.3.0\"\nname = \"a\"\n[dependencies]\nb = \"1.2.3\"\n",
    );
}

#[test]
fn members_inherit_and_their_requirements_follow() {
    let root = "[workspace]\nmembers = [\"crates/*\"]\n[workspace.package]\nversion = \"1.2.3\"\n\
        [workspace.dependencies]\na = { path = \"crates/a\", version = \"=1.2.3\" }\nserde = { version = \"1.2.3\" }\n";
    let a = "[package]\nname = \"a\"\nversion.workspace = true\n";
    let b = "[package]\nname = \"b\"\nversion = { workspace = true }\n\
        [target.'cfg(unix)'.dependencies.alias]\npackage = \"a\"\npath = \"../a\"\nversion = \"1.2\" # why\n";
    bump(
        "1.3.0",
        &[("Cargo.toml", root), ("crates/a/Cargo.toml", a), ("crates/b/Cargo.toml", b)],
        &[
            (
                "Cargo.toml",
                &root.replacen("version = \"1.2.3\"", "version = \"1.3.0\"", 1).replace("=1.2.3", "=1.3.0"),
            ),
            ("crates/b/Cargo.toml", &b.replace("1.2\"", "1.3\"")),
        ],
    );
}

#[test]
fn members_with_the_same_version_of_their_own_are_bumped_together() {
    let root = "[workspace]\nmembers = [\"a\", \"b\", \"xtask\"]\n";
    let a = "[package]\nname = \"a\"\nversion = \"1.2.3\"\n[dev-dependencies]\nb = { path = \"../b\" }\n";
    let b = "[package]\nname = \"b\"\nversion = \"1.2.3\"\n[dependencies]\na = { version = \"1.2.3\", path = \"../a\" }\n";
    let xtask = "[package]\nname = \"xtask\"\nversion = \"0.0.0\"\npublish = false\n";
    let files = [("Cargo.toml", root), ("a/Cargo.toml", a), ("b/Cargo.toml", b), ("xtask/Cargo.toml", xtask)];
    bump(
        "2.0.0-rc.1",
        &files,
        &[
            ("a/Cargo.toml", &a.replace("1.2.3", "2.0.0-rc.1")),
            ("b/Cargo.toml", &b.replace("1.2.3", "2.0.0-rc.1")),
        ],
    );
    let projects = Projects::detect(&tree(&files), None).unwrap();
    assert_eq!(projects.notes().collect::<Vec<_>>(), ["xtask/Cargo.toml keeps its own version 0.0.0"]);
    let (_, found) = projects.found().next().unwrap();
    assert_eq!(found.names, ["a", "b"]);
    assert_eq!(projects.name(), None);
}

#[test]
fn members_that_path_dependencies_lead_to_are_members() {
    let root = "[workspace]\nexclude = [\"c\"]\n[package]\nname = \"root\"\nversion = \"1.2.3\"\n\
        [dependencies]\na = { path = \"lib/a\" }\nc = { path = \"c\", version = \"0.1\" }\n";
    let a = "[package]\nname = \"a\"\nversion = \"1.2.3\"\n";
    let other = "[package]\nname = \"c\"\nversion = \"1.2.3\"\n";
    bump(
        "1.2.4",
        &[
            ("Cargo.toml", root),
            ("lib/a/Cargo.toml", a),
            ("c/Cargo.toml", other),
            ("examples/x/Cargo.toml", other),
        ],
        &[
            ("Cargo.toml", &root.replace("1.2.3", "1.2.4")),
            ("lib/a/Cargo.toml", &a.replace("1.2.3", "1.2.4")),
        ],
    );
}

#[test]
fn the_lock_file_changes_only_in_the_entries_of_the_members() {
    let toml = "[package]\nname = \"a\"\nversion = \"1.2.3\"\n";
    let lock = "# generated\r\nversion = 4\r\n\r\n[[package]]\r\nname = \"a\"\r\nversion = \"1.2.3\"\r\n\
        dependencies = [\r\n \"serde\",\r\n]\r\n\r\n[[package]]\r\nname = \"a\"\r\nversion = \"1.2.3\"\r\n\
        source = \"registry+x\"\r\n\r\n[[package]]\r\nname = \"b\"\r\nversion = \"1.2.3\"\r\n\
        dependencies = [\r\n \"a 1.2.3\",\r\n \"a 1.2.3 (registry+x)\",\r\n]\r\n";
    let after = lock.replacen("1.2.3", "1.3.0", 1).replace("\"a 1.2.3\"", "\"a 1.3.0\"");
    bump(
        "1.3.0",
        &[("Cargo.toml", toml), ("Cargo.lock", lock)],
        &[("Cargo.lock", &after), ("Cargo.toml", &toml.replace("1.2.3", "1.3.0"))],
    );
}

#[test]
fn a_manifest_that_cannot_be_understood_is_refused_with_its_place() {
    refused("Cargo.toml", "[package]\nname = \"a\"\nversion = \n", "Cargo.toml:3:11");
    refused("Cargo.toml", "[package]\nname = \"é\" x\n", "Cargo.toml:2:12");
    refused("Cargo.toml", "[package]\nname = \"a\"\nversion = 1\n", "Cargo.toml:3:11");
    refused("Cargo.toml", "[package]\nname = \"a\"\nversion = \"1.2\"\n", "Cargo.toml:3:11");
    refused("Cargo.toml", "[package]\nname = \"a\"\nversion.workspace = true\n", "Cargo.toml:3:1");
    refused("Cargo.toml", "[package]\nversion = \"1.2.3\"\n", "Cargo.toml:1:1");
    refused("Cargo.toml", b"[package]\nname = \"\xe9\"\n", "Cargo.toml:2:9");
}

#[test]
fn a_member_that_is_not_tracked_is_missing() {
    let problems =
        Projects::detect(&tree(&[("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n")]), None).unwrap_err();
    assert_eq!(problems[0].code, Code::VersionFileMissing);
    assert_eq!(problems[0].place.as_deref(), Some("a/Cargo.toml"));
}

#[test]
fn members_of_different_versions_do_not_state_one() {
    let member =
        |name: &str, version: &str| format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\n");
    let files = [
        ("Cargo.toml", "[workspace]\nmembers = [\"*\"]\n".to_owned()),
        ("a/Cargo.toml", member("a", "1.0.0")),
        ("b/Cargo.toml", member("b", "2.0.0")),
    ];
    let problems = Projects::detect(&tree(&files), None).unwrap_err();
    assert_eq!(problems[0].code, Code::VersionsDisagree);
    assert_eq!(problems[0].details, ["a/Cargo.toml states 1.0.0", "b/Cargo.toml states 2.0.0"]);
}

#[test]
fn a_requirement_that_cannot_follow_stops_the_bump() {
    let files = tree(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n[package]\nname = \"r\"\nversion = \"1.2.3\"\n"),
        (
            "a/Cargo.toml",
            "[package]\nname = \"a\"\n[dependencies]\nr = { path = \"..\", version = \">=1, <2\" }\n",
        ),
    ]);
    let projects = Projects::detect(&files, None).unwrap();
    let problems = projects.edits(&files, &Version::new(2, 0, 0)).unwrap_err();
    assert_eq!(problems[0].code, Code::VersionsDisagree);
    assert_eq!(problems[0].place.as_deref(), Some("a/Cargo.toml:4:30"));
}

#[test]
fn a_package_without_a_version_takes_it_from_the_tag() {
    let files = tree(&[("Cargo.toml", "[package]\nname = \"a\"\n")]);
    let projects = Projects::detect(&files, None).unwrap();
    assert_eq!((projects.name(), projects.version().unwrap()), (Some("a"), None));
    assert_eq!(projects.edits(&files, &Version::new(1, 0, 0)).unwrap(), []);
}

#[test]
fn cargo_projects_are_built_tested_and_linted() {
    checks(
        &[("Cargo.toml", "[package]\nname = \"a\"\n")],
        &[("build", "cargo build"), ("test", "cargo test"), ("lint", "cargo clippy --all-targets")],
    );
    checks(
        &[("Cargo.toml", "[workspace]\n"), ("Makefile", "test:\n")],
        &[
            ("build", "cargo build --workspace"),
            ("test", "cargo test --workspace"),
            ("lint", "cargo clippy --workspace --all-targets"),
        ],
    );
}
