//! Every key, right and wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value as Json;

use super::super::{Ambiguous, BelowOne, Config, PackageKind, Sign, read, reference, schema};
use super::{ROOT, every_key, every_table, problems, rows};

/// A key, values that it takes, and values that it refuses: of a wrong type, then unusable ones.
pub(super) type Row =
    (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const ROWS: &[Row] = &[
    ("schema", &["1", "0x1"], &["'1'", "1.0", "true"], &["2", "0", "-1", "99999999999999999999"]),
    ("project.name", &["'api'", "'ä b'"], &["1", "['a']"], &["''", "\"a\\nb\"", "\"\\u001b[2J\""]),
    ("release.remote", &["'origin'", "'upstream'"], &["false"], &["''"]),
    (
        "release.branches",
        &["[]", "['main', 'release/*']"],
        &["'main'", "[1]"],
        &["['a b']", "['']", "['-a']"],
    ),
    (
        "release.tag",
        &["'v{version}'", "'{version}'", "'@scope/name@{version}'"],
        &["1"],
        &["'v'", "'v {version}'", "'{version}{version}'", "'{version}.lock'", "'a..{version}'", "'v{n}'"],
    ),
    ("release.first", &["'1.0.0'", "'0.1.0-rc.1'"], &["1.0", "1"], &["'1.0'", "'v1.0.0'", "'01.0.0'"]),
    ("release.breaking-below-1", &["'minor'", "'major'"], &["1"], &["'patch'", "'Minor'"]),
    ("release.ambiguous", &["'stop'", "'warn'"], &["true"], &["'ignore'"]),
    (
        "release.packages",
        &["[]", "['cargo', 'npm', 'python', 'go', 'plain']"],
        &["'cargo'", "[true]"],
        &["['rust']"],
    ),
    (
        "release.changelog",
        &["'docs/CHANGES.md'", "false"],
        &["true", "1"],
        &["''", "'/etc/passwd'", "'../a'", "'a/../b'", "'.git/config'", "'a//b'", "'C:/a'", "'a\\b'"],
    ),
    ("release.changelog-template", &["'a/b.md'", "'c.md'"], &["false"], &["'../a'"]),
    ("release.readme", &["true", "false"], &["'true'", "1"], &[]),
    ("release.sign", &["'auto'", "'required'", "'never'"], &["true"], &["'always'"]),
    ("release.step-timeout", &["'15m'", "'90s'"], &["15"], &["'soon'"]),
    ("release.channel.branch", &["'develop'", "'next/*'"], &["['develop']"], &["'a~b'"]),
    (
        "release.channel.suffix",
        &["'beta.{n}'", "'rc{n}'"],
        &["1"],
        &["'beta'", "'beta_{n}'", "'{n}.{n}'", "'0{n}'", "'.{n}'"],
    ),
    ("release.line.branch", &["'release/1.x'", "'old'"], &["1"], &["'a:b'"]),
    ("release.line.range", &["'>=1.0.0, <2.0.0'", "'^1.2'"], &["1.0"], &["'one'", "'>=1.0.0 <2.0.0'"]),
    ("check.name", &["'test'", "'unit tests'"], &["1"], &["''"]),
    (
        "check.run",
        &["'cargo test'", "['cargo', 'test']", "['sh', '-c', \"a\\nb\", '']"],
        &["1", "[1]", "{}"],
        &["''", "[]", "['']", "\"''\"", "'a && b'", "'a \"b'", "'CI=1 make'", "[\"a\\u0000b\"]"],
    ),
    ("check.timeout", &["'1h30m'", "'500ms'"], &["10", "10.5"], &["'10'", "'0s'", "'1.5h'"]),
    (
        "check.on",
        &["['commit', 'release', 'change:release/*', 'tag:v*', 'schedule:weekly']", "[]"],
        &["'commit'", "[1]"],
        &["['push']", "['change:']", "['change:a b']", "['schedule:a/b']"],
    ),
    ("check.files", &["['src/**', '*.md']", "[]"], &["'a'", "[1]"], &["['']"]),
    (
        "check.env",
        &["{}", "{ CI = 'true', _A1 = '' }"],
        &["[]", "{ CI = true }"],
        &["{ 'A-B' = 'c' }", "{ 1 = 'a' }"],
    ),
    ("checks.detect", &["true", "false"], &["0"], &[]),
    ("checks.outdated", &["true", "false"], &["'yes'", "1"], &[]),
    ("checks.parallel", &["1", "1024"], &["'4'", "1.5"], &["0", "-1", "1025"]),
    ("checks.timeout", &["'15m'", "'1m'"], &["15"], &["'15'"]),
    (
        "verify.health",
        &["[]", "['https://example.org/healthz', 'http://localhost:8080']"],
        &["'https://example.org'"],
        &["['example.org']", "['https://']", "['ftp://a']", "['https://a b']"],
    ),
    ("verify.within", &["'60s'", "'5s'"], &["60"], &["'soon'"]),
    ("journal.accept-loss", &["true", "false"], &["'yes'"], &[]),
    ("journal.anchor", &["'origin'", "'ssh://git@backup.example/a.git'"], &["false"], &["''"]),
    (
        "secrets.names",
        &["[]", "['NPM_TOKEN']"],
        &["'NPM_TOKEN'", "[1]"],
        &["['NPM-TOKEN']", "['1A']", "['']"],
    ),
    ("target.push", &["'5m'", "'1h'"], &["5"], &["'5'"]),
    ("target.rollback", &["'2m'", "'3m'"], &["2"], &["'-2m'"]),
];

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(rows::ROWS)
}

#[test]
fn every_key_takes_what_is_right_and_refuses_what_is_wrong() {
    let mut seen = BTreeSet::new();
    every_key(&mut |key, file| {
        let (name, right, types, values) = rows().find(|row| row.0 == key).expect(key);
        seen.insert(*name);
        for value in *right {
            let text = file(value);
            assert!(read(&text, "f").is_ok(), "{text}: {:?}", read(&text, "f"));
        }
        for (values, code) in [(types, "SW0203"), (values, "SW0204")] {
            for value in *values {
                let found = problems(&file(value));
                let codes: Vec<&str> = found.iter().map(|problem| problem.code.as_str()).collect();
                assert_eq!(codes, [code], "{key} = {value}: {found:?}");
                assert!(found[0].what.contains(key.rsplit('.').next().unwrap()), "{found:?}");
            }
        }
    });
    assert_eq!(seen.len(), rows().count());
}

#[test]
fn every_key_changes_what_is_read() {
    every_key(&mut |key, file| {
        let (_, right, _, _) = rows().find(|row| row.0 == key).expect(key);
        if key == "schema" {
            return;
        }
        let read = |value: &str| {
            let mut config = read(&file(value), "f").unwrap();
            config.places.clear();
            config
        };
        let first = read(right[0]);
        assert!(right[1..].iter().any(|value| read(value) != first), "{key}");
    });
}

#[test]
fn the_whole_file_is_read() {
    let text = r#"
        schema = 1
        [project]
        name = "api"
        [release]
        remote = "upstream"
        branches = ["trunk"]
        tag = "api-v{version}"
        first = "1.0.0"
        breaking-below-1 = "major"
        ambiguous = "warn"
        packages = ["cargo", "npm"]
        changelog = false
        changelog-template = "notes.j2"
        readme = false
        sign = "required"
        [release.channel.beta]
        branch = "develop"
        [release.line."1.x"]
        [[check]]
        name = "lint"
        run = "cargo clippy -- -D 'warnings'"
        [[check]]
        name = "test"
        run = ["cargo", "test"]
        timeout = "10m"
        env = { CI = "true" }
        [checks]
        detect = false
        parallel = 4
        [verify]
        health = ["https://example.org/healthz"]
        within = "1m30s"
        [journal]
        accept-loss = true
        [secrets]
        names = ["NPM_TOKEN"]
        [target]
        push = "4m"
        rollback = "1m"
    "#;
    let config = read(text, "shipway.toml").unwrap();
    let release = &config.release;
    assert_eq!(config.project.name.as_deref(), Some("api"));
    assert_eq!(release.remote.as_deref(), Some("upstream"));
    assert_eq!(release.branches.as_deref(), Some(&["trunk".to_owned()][..]));
    assert_eq!(release.tag.as_deref(), Some("api-v{version}"));
    assert_eq!(release.first.to_string(), "1.0.0");
    assert_eq!((release.breaking_below_1, release.ambiguous), (BelowOne::Major, Ambiguous::Warn));
    assert_eq!(release.packages.as_deref(), Some(&[PackageKind::Cargo, PackageKind::Npm][..]));
    assert_eq!((release.changelog.as_deref(), release.readme, release.sign), (None, false, Sign::Required));
    assert_eq!(release.changelog_template.as_deref(), Some("notes.j2"));
    assert_eq!(release.channel["beta"].suffix, "beta.{n}");
    assert_eq!(release.line["1.x"].branch, "release/1.x");
    assert_eq!(release.line["1.x"].range.to_string(), ">=1.0.0, <2.0.0");
    assert_eq!(config.check[0].run, ["cargo", "clippy", "--", "-D", "warnings"]);
    assert_eq!((config.check[0].timeout, config.check[1].timeout), (None, Some(Duration::from_mins(10))));
    assert_eq!(config.check[1].env["CI"], "true");
    assert_eq!((config.checks.detect, config.checks.parallel), (false, Some(4)));
    assert_eq!(config.checks.timeout, Duration::from_mins(15));
    assert_eq!(config.verify.within, Duration::from_secs(90));
    assert!(config.journal.accept_loss);
    assert_eq!(config.target.push, Duration::from_mins(4));
    assert_eq!(config.place("release.tag"), Some("shipway.toml:8:15"));
    assert_eq!(config.place("check[1].run"), Some("shipway.toml:25:15"));
    assert_eq!(config.place("release.line.\"1.x\".range"), None);
}

#[test]
fn without_a_file_the_defaults_hold() {
    let config = Config::default();
    assert_eq!(config.project.name, None);
    assert_eq!(config.release.first.to_string(), "0.1.0");
    assert_eq!(config.release.changelog.as_deref(), Some("CHANGELOG.md"));
    assert_eq!((config.release.branches.as_ref(), config.release.packages.as_ref()), (None, None));
    assert_eq!(
        (config.release.readme, config.checks.detect, config.journal.accept_loss),
        (true, true, false)
    );
    assert_eq!(config.release.sign, Sign::Auto);
    assert_eq!(config.verify.within, Duration::from_mins(1));
    assert_eq!(config.target.rollback, Duration::from_mins(2));
    assert!(config.check.is_empty() && config.places.is_empty());
    for text in ["", "\u{feff}", "# nothing\r\n", "schema = 1", "[release]\n[release.channel]", "check = []"]
    {
        let mut read = read(text, "f").expect(text);
        read.places.clear();
        assert_eq!(read, config, "{text:?}");
    }
}

/// Calls `visit` for every table of a schema with its path in the file.
fn tables(schema: &Json, path: &str, visit: &mut impl FnMut(&str, &Json)) {
    if schema["properties"].is_object() {
        visit(path, schema);
    }
    let inner = schema["properties"].as_object().into_iter().flatten();
    for (name, inner) in inner {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        for table in [inner, &inner["items"], &inner["additionalProperties"]] {
            tables(table, &path, visit);
        }
    }
}

#[test]
fn the_schema_and_the_reader_know_the_same_keys() {
    let mut keys = BTreeSet::new();
    let mut sections = BTreeSet::new();
    tables(&schema(), "", &mut |path, table| {
        assert_eq!(table["additionalProperties"], Json::Bool(false), "{path}");
        sections.insert(path.to_owned());
        for name in table["properties"].as_object().unwrap().keys() {
            keys.insert(if path.is_empty() { name.clone() } else { format!("{path}.{name}") });
        }
    });
    keys.retain(|key| !sections.contains(key));
    let read: BTreeSet<String> = rows().map(|row| row.0.to_owned()).collect();
    assert_eq!(keys, read);
}

#[test]
fn a_key_that_the_schema_does_not_have_is_refused_in_every_table() {
    let mut count = 0;
    every_table(&ROOT, "", "", &mut |_, path, header| {
        let (before, mut beside) = rows::surroundings(path, "");
        let own: &[&str] = match path {
            "check" => &["name = 'n'", "run = 'r'"],
            "release.channel" => &["branch = 'b'"],
            _ => &[],
        };
        beside.extend(own);
        let found = problems(&format!("{before}{header}\n{}\nzzzzzz = 1\n", beside.join("\n")));
        assert_eq!(found.len(), 1, "{path}: {found:?}");
        assert_eq!(found[0].code.as_str(), "SW0202");
        count += 1;
    });
    assert_eq!(count, 23);
}

#[test]
fn defaults_in_the_schema_are_the_defaults_of_the_reader() {
    let schema = schema();
    let at = |path: &str| schema.pointer(path).expect(path)["default"].clone();
    let config = serde_json::to_value(Config::default()).unwrap();
    assert_eq!(at("/properties/release/properties/changelog"), config["release"]["changelog"]);
    assert_eq!(at("/properties/release/properties/first"), config["release"]["first"]);
    assert_eq!(at("/properties/release/properties/sign"), config["release"]["sign"]);
    assert_eq!(at("/properties/checks/properties/detect"), config["checks"]["detect"]);
    assert_eq!(at("/properties/verify/properties/health"), config["verify"]["health"]);
    assert_eq!(at("/properties/target/properties/push"), "5m");
    assert_eq!(schema["properties"]["check"]["items"]["required"], serde_json::json!(["name", "run"]));
}

#[test]
fn the_reference_page_has_a_row_for_every_key() {
    let page = reference();
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, super::values::rows().count());
    for header in ["## `[release.channel.NAME]`", "## `[[check]]`", "## `[target]`"] {
        assert!(page.contains(header), "{header}");
    }
    assert!(page.lines().filter(|line| line.starts_with('|')).all(|line| line.matches('|').count() == 5));
}
