use super::*;

#[test]
fn plain_files_keep_their_surroundings() {
    for (before, after) in
        [("1.2.3\n", "1.3.0\n"), ("v1.2.3", "v1.3.0"), ("\u{feff} 1.2.3\r\n", "\u{feff} 1.3.0\r\n")]
    {
        bump("1.3.0", &[("VERSION", before)], &[("VERSION", after)]);
        bump("1.3.0", &[("version.txt", before)], &[("version.txt", after)]);
    }
    bump_from("1.2.0-rc.1", "1.2.0", &[("VERSION", "1.2.0rc1")], &[("VERSION", "1.2.0")]);
}

#[test]
fn a_plain_file_that_cannot_be_understood_is_refused_with_its_place() {
    refused("VERSION", "", "VERSION:1:1");
    refused("VERSION", "\n\n see below\n", "VERSION:3:2");
    refused("VERSION", b"\xff", "VERSION:1:1");
    refused("VERSION.txt", "1.2.3\n1.2.4\n", "VERSION.txt:1:1");
}

#[test]
fn several_kinds_are_bumped_together() {
    let toml = "[package]\nname = \"a\"\nversion = \"1.2.3\"\n";
    bump(
        "1.3.0-rc.1",
        &[
            ("Cargo.toml", toml),
            ("package.json", "{\"version\":\"1.2.3\"}"),
            ("pyproject.toml", "project.version = \"1.2.3\""),
            ("VERSION", "1.2.3"),
        ],
        &[
            ("Cargo.toml", &toml.replace("1.2.3", "1.3.0-rc.1")),
            ("package.json", "{\"version\":\"1.3.0-rc.1\"}"),
            ("pyproject.toml", "project.version = \"1.3.0rc1\""),
            ("VERSION", "1.3.0-rc.1"),
        ],
    );
}

#[test]
fn a_file_that_two_kinds_know_is_edited_once() {
    let toml =
        "[project]\ndynamic=[\"version\"]\n[tool.setuptools.dynamic]\nversion = {file = \"VERSION\"}\n";
    bump("1.3.0-rc.1", &[("pyproject.toml", toml), ("VERSION", "1.2.3\n")], &[("VERSION", "1.3.0rc1\n")]);
}

#[test]
fn kinds_that_state_different_versions_disagree_by_name() {
    let files = tree(&[("package.json", "{\"version\":\"1.2.3\"}"), ("VERSION", "1.2.4")]);
    let problem = Projects::detect(&files, None).unwrap().version().unwrap_err();
    assert_eq!(problem.code, Code::VersionsDisagree);
    assert_eq!(problem.what, "package.json and VERSION state different versions");
    assert_eq!(problem.details, ["package.json states 1.2.3", "VERSION states 1.2.4"]);
}

#[test]
fn all_problems_come_at_once() {
    let problems =
        Projects::detect(&tree(&[("package.json", "{"), ("Cargo.toml", "["), ("VERSION", "x")]), None)
            .unwrap_err();
    assert_eq!(problems.len(), 3);
}

#[test]
fn nothing_known_means_that_the_tag_alone_carries_the_version() {
    let files = tree(&[("README.md", ""), ("sub/Cargo.toml", "broken"), ("sub/VERSION", "broken")]);
    let projects = Projects::detect(&files, None).unwrap();
    assert_eq!(projects.found().count(), 0);
    assert_eq!(projects.version().unwrap(), None);
    assert_eq!(projects.tag_publishes(), None);
}

#[test]
fn some_kinds_are_published_by_their_tag() {
    let check = |path: &str, text: &str, kind: Option<&str>, name: Option<&str>| {
        let projects = Projects::detect(&tree(&[(path, text)]), None).unwrap();
        assert_eq!((projects.tag_publishes(), projects.name()), (kind, name), "{path}");
    };
    check("go.mod", "module example.org/me/tool/v2 // x\n\ngo 1.24\n", Some("go"), Some("tool"));
    check("action.yml", "name: x\n", Some("action"), None);
    check("composer.json", "{\"name\":\"a/b\"}", Some("composer"), Some("a/b"));
    check("composer.json", "{\"name\":\"a/b\",\"type\":\"project\"}", None, None);
    check("Package.swift", "", Some("swift"), None);
    check("package.json", "{\"name\":\"x\"}", None, Some("x"));
}

#[test]
fn checks_of_several_kinds_say_their_kind() {
    checks(
        &[("go.mod", "module x\n"), ("package.json", "{\"scripts\":{\"test\":\"jest\",\"build\":\"x\"}}")],
        &[
            ("npm-build", "npm run build"),
            ("npm-test", "npm run test"),
            ("go-build", "go build ./..."),
            ("go-test", "go test ./..."),
            ("lint", "go vet ./..."),
        ],
    );
}

#[test]
fn targets_of_a_makefile_are_checks_where_nothing_else_is() {
    let make = "test := 1\n.PHONY: test lint\nall: test\nlint check: x\n\ttest: no\n# test: no\n";
    checks(&[("Makefile", make)], &[("lint", "make lint"), ("check", "make check")]);
    checks(&[("VERSION", "1.0.0"), ("Makefile", "test:\n")], &[("test", "make test")]);
    checks(&[("GNUmakefile", ""), ("Makefile", "test:\n")], &[]);
}

#[test]
fn only_the_kinds_that_are_asked_for_count() {
    let files = tree(&[("package.json", "{\"version\":\"1.2.3\"}"), ("VERSION", "no version")]);
    let projects = Projects::detect(&files, Some(&["npm"])).unwrap();
    assert_eq!(projects.version().unwrap(), Some(&Version::new(1, 2, 3)));
    assert_eq!(Projects::detect(&files, Some(&[])).unwrap().found().count(), 0);
}

#[test]
fn an_unreadable_file_tells_how_to_do_without_it() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    let problems = Projects::detect(&tree(&[("package.json", pointer)]), None).unwrap_err();
    assert_eq!(problems[0].found.as_deref(), Some("a pointer of Git LFS, not the file itself"));
    assert!(problems[0].hints[0].contains("[release] packages = []"), "{:?}", problems[0].hints);
    assert_eq!(Projects::detect(&tree(&[("package.json", pointer)]), Some(&[])).unwrap().found().count(), 0);
}
