use shipway_core::problem::{Code, Problem};

use super::{COMMIT, head, item};
use crate::changelog::{DEFAULT, Forge, Item, Notes, Template, render_all};

fn notes(items: &[Item<'_>], previous: Option<&str>, forge: Option<&str>) -> Notes {
    let forge = forge.map(|remote| Forge::from_remote(remote).unwrap());
    Notes::new(head(previous), items.iter().copied(), forge.as_ref())
}

fn rendered(template: &Template, notes: &Notes) -> Result<String, Problem> {
    let mut out = String::new();
    template.render(notes, &mut out).map(|()| out)
}

/// Renders with the code and with the template that are built in, which must agree.
fn check(notes: &Notes, expect: &str) {
    assert_eq!(rendered(&Template::default(), notes).unwrap(), expect);
    assert_eq!(rendered(&Template::new("default", DEFAULT).unwrap(), notes).unwrap(), expect);
}

#[test]
fn sections_stand_in_their_order_with_links() {
    let items = [
        item("docs", "say how"),
        item("fix", "repair `a` (#3)"),
        Item { scope: Some("api"), issues: &["#3", "#4", "#4", "X-1"], ..item("fix", "repair b (#3)") },
        Item {
            breaking: Some("Call `b()`.\n\n```\nb()\n```"),
            scope: Some("api"),
            ..item("refactor", "drop a()")
        },
        Item { breaking: Some(""), ..item("feat", "new c") },
        item("feat", "add d"),
        item("perf", "be quick"),
        item("revert", "undo e"),
        item("chore", "sweep"),
    ];
    let page = "https://github.com/me/x";
    let commit = format!("[0123456]({page}/commit/{COMMIT})");
    check(
        &notes(&items, Some("v1.1.0"), Some("git@github.com:me/x")),
        &format!(
            "## [1.2.0]({page}/compare/v1.1.0...v1.2.0) - 2026-11-20\n\n### Breaking Changes\n\n\
            - **api:** drop a() ({commit})\n\n  Call `b()`.\n\n  ```\n  b()\n  ```\n- new c ({commit})\n\n\
            ### Features\n\n- add d ({commit})\n\n### Bug Fixes\n\n\
            - repair `a` ([#3]({page}/issues/3)) ({commit})\n\
            - **api:** repair b ([#3]({page}/issues/3)) ({commit}), [#4]({page}/issues/4), X-1\n\n\
            ### Performance\n\n- be quick ({commit})\n\n### Documentation\n\n- say how ({commit})\n\n\
            ### Reverts\n\n- undo e ({commit})\n"
        ),
    );
}

#[test]
fn without_a_forge_there_are_no_links() {
    let items = [Item { issues: &["#4"], ..item("feat", "add a (#3)") }];
    check(
        &notes(&items, Some("v1.1.0"), None),
        "## [1.2.0] - 2026-11-20\n\n### Features\n\n- add a (#3) (0123456), #4\n",
    );
}

#[test]
fn a_first_release_links_to_its_tag_and_an_empty_one_says_so() {
    check(
        &notes(&[item("chore", "sweep")], None, Some("git@github.com:me/x")),
        "## [1.2.0](https://github.com/me/x/releases/tag/v1.2.0) - 2026-11-20\n\nNo notable changes.\n",
    );
}

#[test]
fn the_code_and_the_template_that_are_built_in_agree_on_every_mixture() {
    let texts = ["a", "# b", "{{ c }}", "<d> `e`", "f\n\ng", "{% h %}", "é \u{1b}"];
    let kinds = ["feat", "fix", "docs", "test"];
    for seed in 0..500_usize {
        let items: Vec<Item<'_>> = (0..seed % 9)
            .map(|n| {
                let pick =
                    |list: &[&'static str], salt: usize| list[(seed * 31 + n * 17 + salt * 7) % list.len()];
                Item {
                    scope: (seed + n).is_multiple_of(3).then(|| pick(&texts, 1)),
                    breaking: (seed * n).is_multiple_of(4).then(|| pick(&texts, 2)),
                    issues: if n.is_multiple_of(2) { &["#1", "#2"] } else { &[] },
                    ..item(pick(&kinds, 3), pick(&texts, 4))
                }
            })
            .collect();
        let forge = seed.is_multiple_of(2).then_some("git@gitlab.com:me/x");
        let notes = notes(&items, seed.is_multiple_of(5).then_some("v1"), forge);
        check(&notes, &rendered(&Template::default(), &notes).unwrap());
    }
}

#[test]
fn a_template_of_the_user_decides_the_layout() {
    let text = "\n\n## {{ tag }}\n{% for s in sections %}\n{% for e in s.entries %}\n* {{ e.text }}\u{1b}\n{% endfor %}\n{% endfor %}\n\n";
    let template = Template::new("notes.md", text).unwrap();
    let notes = notes(&[item("feat", "a <b>"), item("fix", "c")], None, None);
    assert_eq!(rendered(&template, &notes).unwrap(), "## v1.2.0\n* a \\<b>\n* c\n");
}

#[test]
fn a_template_that_cannot_be_used_is_refused_with_its_line() {
    let refused = |text: &str, place: &str| {
        let notes = notes(&[item("feat", "a")], None, None);
        let problem =
            Template::new("notes.md", text).and_then(|template| rendered(&template, &notes)).unwrap_err();
        assert_eq!((problem.code, problem.place.as_deref()), (Code::Template, Some(place)), "{problem}");
    };
    refused("a\n{% if %}", "notes.md:2");
    refused("a\n\n{{ versoin }}", "notes.md:3");
    refused("{{ version | nosuch }}", "notes.md:1");
    refused("{% include 'x' %}", "notes.md:1");
    refused(
        "{% for a in range(9999) %}\n{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}",
        "notes.md:2",
    );
}

#[test]
fn a_whole_history_stands_below_one_preamble() {
    let one = notes(&[item("feat", "a")], None, None);
    let mut out = String::new();
    render_all([one.clone(), one.clone()], &Template::default(), &mut out).unwrap();
    let section = rendered(&Template::default(), &one).unwrap();
    assert!(out.starts_with("# Changelog\n\n"));
    assert!(out.ends_with(&format!(").\n\n{section}\n{section}")), "{out}");
    let mut custom = String::new();
    render_all([one.clone(), one], &Template::new("default", DEFAULT).unwrap(), &mut custom).unwrap();
    assert_eq!(out, custom);
}
