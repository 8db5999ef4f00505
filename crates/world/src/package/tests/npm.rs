use super::*;

fn manifest(before: &str, after: &str) {
    bump("1.3.0", &[("package.json", before)], &[("package.json", after)]);
}

#[test]
fn the_version_changes_and_everything_else_stays() {
    manifest(
        "{\n\t\"name\": \"a\",\n\t\"version\": \"1.2.3\"\n}\n",
        "{\n\t\"name\": \"a\",\n\t\"version\": \"1.3.0\"\n}\n",
    );
    manifest(
        "{\r\n  \"version\" :\"1.2.3\"  ,\r\n  \"b\":1}",
        "{\r\n  \"version\" :\"1.3.0\"  ,\r\n  \"b\":1}",
    );
    manifest("\u{feff}{\"version\":\"1.2.3\"}", "\u{feff}{\"version\":\"1.3.0\"}");
    manifest(
        "{\"é\":\"\\u00e9\",\"\\u0076ersion\":\"1.2.3\"}",
        "{\"é\":\"\\u00e9\",\"\\u0076ersion\":\"1.3.0\"}",
    );
    manifest("{\"version\":\"1.2\\u002e3\"}", "{\"version\":\"1.3.0\"}");
    manifest(
        "{\"version\":\"0.0.1\",\"version\":\"1.2.3\"}",
        "{\"version\":\"0.0.1\",\"version\":\"1.3.0\"}",
    );
    manifest(
        "{\"engines\":{\"version\":\"1.2.3\"},\"version\":\"1.2.3\",\"dependencies\":{\"b\":\"1.2.3\"}}",
        "{\"engines\":{\"version\":\"1.2.3\"},\"version\":\"1.3.0\",\"dependencies\":{\"b\":\"1.2.3\"}}",
    );
}

#[test]
fn lock_files_follow_in_their_two_places() {
    let lock = "{\n  \"name\": \"a\",\n  \"version\": \"1.2.3\",\n  \"packages\": {\n    \"\": {\n      \"version\": \"1.2.3\"\n    },\n    \
        \"node_modules/b\": {\n      \"version\": \"1.2.3\"\n    }\n  }\n}\n";
    let after = lock.replacen("1.2.3", "1.3.0", 2);
    let json = "{\"version\": \"1.2.3\"}\n";
    let new = "{\"version\": \"1.3.0\"}\n";
    bump(
        "1.3.0",
        &[("package.json", json), ("package-lock.json", lock), ("npm-shrinkwrap.json", lock)],
        &[("npm-shrinkwrap.json", &after), ("package-lock.json", &after), ("package.json", new)],
    );
    bump(
        "1.3.0",
        &[("package.json", json), ("package-lock.json", "{\"packages\":{}}")],
        &[("package.json", new)],
    );
}

#[test]
fn packages_of_workspaces_are_named_and_left_alone() {
    let root = "{\"name\":\"r\",\"version\":\"1.2.3\",\"workspaces\":[\"packages/*\"]}";
    let member = "{\"name\":\"m\",\"version\":\"1.2.3\",\"dependencies\":{\"r\":\"1.2.3\"}}";
    let files = [
        ("package.json", root),
        ("packages/m/package.json", member),
        ("packages/n/package.json", member),
        ("packages/m/node_modules/package.json", member),
        ("other/package.json", member),
    ];
    bump("1.3.0", &files, &[("package.json", &root.replace("1.2.3", "1.3.0"))]);
    let projects = Projects::detect(&tree(&files), None).unwrap();
    let notes: Vec<_> = projects.notes().collect();
    assert_eq!(notes, ["packages of workspaces keep their versions: packages/m, packages/n"]);
    assert_eq!(projects.name(), Some("r"));
}

#[test]
fn a_manifest_that_cannot_be_understood_is_refused_with_its_place() {
    refused("package.json", "{\n  \"version\": \"1.2.3\",\n}", "package.json:3:1");
    refused("package.json", "", "package.json:1:1");
    refused("package.json", "{\n  \"version\": 1\n}", "package.json:2:14");
    refused("package.json", "{\"version\": \"latest\"}", "package.json:1:13");
    refused("package.json", b"{\"name\": \"\xff\"}", "package.json:1:11");
}

#[test]
fn a_manifest_without_a_version_takes_it_from_the_tag() {
    let files = tree(&[("package.json", "{\"private\":true}")]);
    let projects = Projects::detect(&files, None).unwrap();
    assert_eq!(projects.version().unwrap(), None);
    assert_eq!(projects.edits(&files, &Version::new(1, 0, 0)).unwrap(), []);
}

#[test]
fn scripts_are_checks_of_the_program_whose_lock_file_is_there() {
    let json = "{\"scripts\":{\"lint\":\"eslint\",\"build\":\"tsc\",\"test\":\"jest\",\"start\":\"node .\"}}";
    let expect = |manager: &str, lock: &str| {
        let run = |name: &str| format!("{manager} run {name}");
        let (build, test, lint) = (run("build"), run("test"), run("lint"));
        checks(&[("package.json", json), (lock, "")], &[("build", &build), ("test", &test), ("lint", &lint)]);
    };
    expect("npm", "readme");
    expect("pnpm", "pnpm-lock.yaml");
    expect("yarn", "yarn.lock");
    expect("bun", "bun.lock");
}

#[test]
fn the_script_that_npm_init_writes_is_no_check() {
    let json = r#"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1","build":" "}}"#;
    checks(&[("package.json", json)], &[]);
}

#[test]
fn the_placeholder_of_a_private_root_is_no_version() {
    let check = |json: &str, other: &str, expect: Option<Version>| {
        let projects = Projects::detect(&tree(&[("package.json", json), (other, "")]), None).unwrap();
        assert_eq!(projects.version().unwrap(), expect.as_ref());
    };
    let zero = Version::new(0, 0, 0);
    check("{\"private\":true,\"version\":\"0.0.0\",\"workspaces\":[]}", "x", None);
    check("{\"private\":true,\"version\":\"0.0.0\"}", "pnpm-workspace.yaml", None);
    check("{\"private\":true,\"version\":\"0.0.0\"}", "x", Some(zero.clone()));
    check("{\"version\":\"0.0.0\",\"workspaces\":[]}", "x", Some(zero));
    check("{\"private\":true,\"version\":\"0.1.0\",\"workspaces\":[]}", "x", Some(Version::new(0, 1, 0)));
}

#[test]
fn a_private_root_with_a_version_of_its_own_is_left_alone() {
    let root = r#"{ "name": "all", "private": true, "version": "1.0.0", "workspaces": ["packages/*"] }"#;
    let published = r#"{ "name": "all", "version": "1.0.0", "workspaces": ["packages/*"] }"#;
    let check = |text: &str, known: &str, edits: usize, notes: usize| {
        let files = tree(&[("package.json", text)]);
        let mut projects = Projects::detect(&files, None).unwrap();
        let known: Version = known.parse().unwrap();
        projects.forget_idle(&|version| *version == known);
        assert_eq!(projects.edits(&files, &"5.1.0".parse().unwrap()).unwrap().len(), edits, "{text} {known}");
        assert_eq!(projects.notes().filter(|note| note.contains("keeps version 1.0.0")).count(), notes);
    };
    check(root, "5.0.0", 0, 1);
    check(root, "1.0.0", 1, 0);
    check(published, "5.0.0", 1, 0);
}
