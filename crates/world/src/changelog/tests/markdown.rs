use crate::changelog::Forge;
use crate::changelog::markdown::{block, description, plain, scope};

fn line(text: &str, expect: &str) {
    assert_eq!(description(text, None).0, expect, "{text:?}");
}

#[test]
fn a_description_cannot_leave_its_list_item() {
    line("# not a heading", "\\# not a heading");
    line("#hash", "#hash");
    line("- not a list", "\\- not a list");
    line("* a", "\\* a");
    line("*a* b", "*a* b");
    line("***", "\\***");
    line("- - -", "\\- - -");
    line("1. a", "1\\. a");
    line("1.5 a", "1.5 a");
    line("> a", "\\> a");
    line("~~~ a", "\\~~~ a");
    line("~~a~~", "~~a~~");
    line("[a]: b", "\\[a]: b");
    line("[a](b)", "[a](b)");
    line("   a\r\n## b\tc  ", "a  ## b c");
}

#[test]
fn a_description_cannot_start_html_or_load_an_image() {
    line("a <b> & <!-- c", "a \\<b> & \\<!-- c");
    line("![a](b) wow!", "\\![a](b) wow!");
    line("use `<b>` and <b>", "use `<b>` and \\<b>");
    line("``a ` <b>`` <b>", "``a ` <b>`` \\<b>");
    line("a ` <b>", "a \\` \\<b>");
    line("a \\<b> \\` <c> `", "a \\<b> \\` \\<c> \\`");
    line("a\\b \\", "a\\b \\\\");
}

#[test]
fn control_characters_and_direction_marks_never_stay() {
    line("a\u{1b}[31mb\u{7}\u{9b}c\u{202e}d\0", "a\u{fffd}[31mb\u{fffd}\u{fffd}c\u{fffd}d\u{fffd}");
    assert_eq!(plain("a\u{1b}b"), "a\u{fffd}b");
    assert_eq!(block("a\u{1b}b\u{85}c"), "a\u{fffd}b c");
    assert_eq!(scope("a\u{1b}*_b"), "a\u{fffd}\\*_b");
}

#[test]
fn a_description_of_a_mebibyte_is_cut() {
    let (text, _) = description(&"é`<".repeat(400_000), None);
    assert!(text.ends_with('…') && text.chars().count() < 2_100);
    assert!(block(&"x <\n".repeat(400_000)).len() < 80_000);
}

#[test]
fn issues_in_a_description_become_links() {
    let forge = Forge::from_remote("git@github.com:a/x").unwrap();
    let check = |text: &str, expect: &str, named: &[&str]| {
        assert_eq!(
            description(text, Some(&forge)),
            (expect.to_owned(), named.iter().map(ToString::to_string).collect())
        );
    };
    check("a (#12)", "a ([#12](https://github.com/a/x/issues/12))", &["#12"]);
    check("#1", "[#1](https://github.com/a/x/issues/1)", &["#1"]);
    for text in ["C#1", "b/x#1", "[#1](y)", "#1a", "#1_", "`#1`", "&#1;", "##1", "a-#1", "#0123456789"] {
        check(text, text, &[]);
    }
    line("a (#12)", "a (#12)");
}

#[test]
fn the_text_of_a_footer_keeps_its_lines_but_has_no_headings() {
    let check = |text: &str, expect: &str| assert_eq!(block(text), expect);
    check("\n\n  a\r\nb  \n\nc\n\n", "  a\nb\n\nc");
    check("## [1.0.0]\ntitle\n===\n---\n#x", "\\## [1.0.0]\ntitle\n\\===\n\\---\n\\#x");
    check("- a\n  - b <i>", "- a\n  - b \\<i>");
    check("```sh\n# a <b>\n```\n# c <d>", "```sh\n# a <b>\n```\n\\# c \\<d>");
    check("~~~~\n```\n~~~\n# a\n~~~~\n# b", "~~~~\n```\n~~~\n# a\n~~~~\n\\# b");
    check("```a``` # b\n# c", "```a``` # b\n\\# c");
}
