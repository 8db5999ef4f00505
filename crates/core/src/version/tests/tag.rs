use super::*;

#[test]
fn a_tag_is_rendered_and_read_back() {
    for (format, version, tag) in [
        ("v{version}", "1.2.3", "v1.2.3"),
        ("{version}", "1.2.3-rc.1", "1.2.3-rc.1"),
        ("api-v{version}", "0.1.0", "api-v0.1.0"),
        ("@scope/name@{version}", "1.2.3", "@scope/name@1.2.3"),
        ("release/{version}/final", "1.2.3", "release/1.2.3/final"),
        ("v{version}", "1.2.3+linux", "v1.2.3+linux"),
    ] {
        let made = TagFormat::new(format).unwrap();
        assert_eq!(made.render(&v(version)), tag);
        assert_eq!(made.parse(tag), Some(v(version)));
        assert_eq!(made.to_string(), format);
    }
    for tag in ["1.2.3", "v1.2", "v1", "vv1.2.3", "v01.2.3", "v1.2.3 ", "api-v1.2.3", "v", "", "v+1.2.3"] {
        assert_eq!(TagFormat::default().parse(tag), None, "{tag:?}");
    }
}

#[test]
fn a_format_must_make_names_that_git_allows() {
    for format in [
        "",
        "v",
        "v{version}{version}",
        "v {version}",
        "v~{version}",
        "v:{version}",
        "a..b{version}",
        "/v{version}",
        "v{version}/",
        "a//{version}",
        ".v{version}",
        "a/.v{version}",
        "v{version}.lock",
        "v{version}.",
        "-v{version}",
        "a@{{version}",
        "v\\{version}",
        "v[{version}",
        "v*{version}",
        "v?{version}",
        "v^{version}",
        "v\u{7f}{version}",
    ] {
        assert_eq!(
            TagFormat::new(format).map_err(|problem| problem.code),
            Err(Code::TagFormat),
            "{format:?}"
        );
    }
}

fn check(tags: &[&str], project: &str, format: &str) {
    let found = detect(tags.iter().copied(), project);
    assert_eq!(found.format.to_string(), format, "{tags:?} {}", found.reason);
}

#[test]
fn the_format_in_use_is_found() {
    check(&[], "api", "v{version}");
    check(&["latest", "v1", "nightly-2026-01-01", "2024.01.15"], "api", "v{version}");
    check(&["v1.0.0", "v1.1.0"], "api", "v{version}");
    check(&["1.0.0", "1.1.0-rc.1"], "api", "{version}");
    check(&["api-v1.0.0"], "api", "api-v{version}");
    check(&["@scope/api@1.0.0"], "@scope/api", "@scope/api@{version}");
    check(&["release-1.0.0", "release-1.1.0"], "api", "release-{version}");
    check(&["app2-v1.0.0", "v1"], "app2", "app2-v{version}");
    check(&["v1.0.0-beta.1"], "api", "v{version}");
}

#[test]
fn after_a_change_of_format_the_one_with_the_highest_version_is_in_use() {
    check(&["1.0.0", "1.1.0", "1.2.0", "v2.0.0"], "api", "v{version}");
    check(&["v1.0.0", "v1.1.0", "api-v0.9.0"], "api", "v{version}");
    let mut tags: Vec<String> = (0..12).map(|n| format!("v1.{n}.0")).collect();
    tags.push("20260101.0.0".to_owned());
    let found = detect(tags.iter().map(String::as_str), "api");
    assert_eq!((found.format.to_string().as_str(), found.count), ("v{version}", 12));
    assert_eq!(found.others.len(), 1);
    assert_eq!(found.reason, "12 final versions use it; {version} has 1");
}

#[test]
fn in_a_repository_of_several_projects_the_name_decides() {
    check(&["api-v1.0.0", "web-v9.0.0", "v20.0.0"], "api", "api-v{version}");
    check(&["web-v9.0.0", "docs-v9.0.0"], "api", "api-v{version}");
    check(&["@s/web@9.0.0", "@s/docs@9.0.0"], "@s/api", "@s/api@{version}");
    check(&["v1.0.0", "web-v9.0.0"], "api", "v{version}");
    check(&["web-v9.0.0"], "a-directory", "web-v{version}");
    check(&["my_tool-1.0.0", "other-9.0.0"], "my-tool", "my_tool-{version}");
}

#[test]
fn what_was_found_is_explained() {
    let found = detect(["v1.0.0", "v1.1.0-rc.1", "x"], "api");
    assert_eq!((found.count, found.highest), (1, Some(v("1.0.0"))));
    assert_eq!(found.reason, "1 final version uses it and no other format is in use");
    assert!(found.others.is_empty());
    let several = detect(["@s/api@1.0.0", "@s/web@9.0.0"], "@s/api");
    assert_eq!(several.reason, "the repository holds several projects; these are the tags of @s/api");
}

#[test]
fn whether_the_name_may_have_decided_is_told() {
    let check = |tags: &[&str], expect| assert_eq!(detect(tags.iter().copied(), "api").by_name, expect);
    check(&["v1.0.0", "1.0.0", "release-1.0.0"], false);
    check(&["api-v1.0.0"], false);
    check(&["web-v1.0.0", "v1.0.0"], true);
    check(&["web-v1.0.0", "docs-v1.0.0"], true);
}

#[test]
fn ten_thousand_tags_are_read_at_once() {
    let tags: Vec<String> = (0..10_000).map(|n| format!("v{}.{}.0", n / 100, n % 100)).collect();
    let found = detect(tags.iter().map(String::as_str), "api");
    assert_eq!((found.count, found.highest), (10_000, Some(v("99.99.0"))));
}
