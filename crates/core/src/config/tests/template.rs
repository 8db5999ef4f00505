//! The file that `init` writes, and those that the guide shows.

use super::super::{Detected, PackageKind, read, template};

fn check(detected: &Detected) {
    let text = template(detected);
    let config = read(&text, "shipway.toml").expect(&text);
    assert_eq!(config.project.name.as_deref(), Some(&*detected.name));
    assert_eq!(config.release.packages.as_ref(), Some(&detected.kinds));
    assert_eq!(config.release.tag.as_deref(), Some(&*detected.tag));
    assert_eq!(config.release.branches.as_deref(), Some(&[detected.branch.clone()][..]));
    assert_eq!(config.release.remote, detected.remote);
    let checks: Vec<_> = config.check.into_iter().map(|check| (check.name, check.run)).collect();
    assert_eq!(checks, detected.checks);
    assert!(text.starts_with("#:schema "), "{text}");
    assert!((10..=20).contains(&text.lines().count()), "{text}");
}

fn detected() -> Detected {
    Detected {
        name: "api".into(),
        kinds: vec![PackageKind::Cargo],
        tag: "v{version}".into(),
        branch: "main".into(),
        remote: Some("origin".into()),
        checks: vec![
            ("test".into(), vec!["cargo".into(), "test".into()]),
            ("lint".into(), vec!["cargo".into(), "clippy".into()]),
        ],
    }
}

#[test]
fn the_template_reads_back_as_what_was_detected() {
    check(&detected());
    check(&Detected { checks: vec![], remote: None, kinds: vec![], ..detected() });
}

#[test]
fn names_that_need_quotes_survive_the_template() {
    let name = "a \"b\" \\ 'c' \u{1f680} # d = [e]";
    let run = vec!["sh".into(), "-c".into(), "a \"b\"\n'''c'''".into()];
    let tag = "@scope/name@{version}".into();
    check(&Detected { name: name.into(), tag, checks: vec![(name.into(), run)], ..detected() });
}

#[test]
fn the_template_is_short() {
    let expect = r#"#:schema ./shipway.schema.json
# Editors complete this file after: shipway schema config > shipway.schema.json
schema = 1
project.name = "api"

[release]
remote = "origin"
branches = ["main"]
tag = "v{version}"
packages = ["cargo"]
# sign = "required"

[[check]]
name = "test"
run = ["cargo", "test"]

[[check]]
name = "lint"
run = ["cargo", "clippy"]
"#;
    assert_eq!(template(&detected()), expect);
}

#[test]
fn the_files_in_the_guide_are_read() {
    let pages = [
        include_str!("../../../../../docs/src/guide/configuration.md"),
        include_str!("../../../../../docs/src/guide/version.md"),
    ];
    let blocks: Vec<&str> = pages.iter().flat_map(|page| page.split("```toml\n").skip(1)).collect();
    assert_eq!(blocks.len(), 4);
    for block in blocks {
        let (file, _) = block.split_once("```").expect("a block that is opened is closed");
        assert!(read(file, "shipway.toml").is_ok(), "{file}: {:?}", read(file, "shipway.toml"));
    }
}
