//! What the forges document of their files of owners.

use super::*;

/// Checks who owns a path; the owners of a section are in one text, and sections are divided by a bar.
#[track_caller]
fn check(text: &str, path: &str, cases: &[(&str, &str)]) {
    let owners = Owners::read(text, path);
    assert_eq!(owners.problems(), [], "{text}");
    for (file, expected) in cases {
        let found: Vec<String> =
            owners.of(file.as_bytes()).iter().map(|owned| owned.owners.join(" ")).collect();
        assert_eq!(found.join(" | "), *expected, "{file} in {text}");
    }
}

const GITHUB: &str = r"# The last line that fits decides.
*       @all @everyone

*.js    @scripts # a comment behind the owners
*.go docs@example.org
*.txt @team/octo-cats
/build/logs/ @doctor
docs/* docs@example.org
apps/ @octocat
/docs/ @doctor
/scripts/ @doctor @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
with\ space/x @space
/src/a?c.rs @question
";

#[test]
fn the_last_line_that_fits_decides() {
    check(
        GITHUB,
        ".github/CODEOWNERS",
        &[
            ("README.md", "@all @everyone"),
            ("a.js", "@scripts"),
            ("deep/down/a.js", "@scripts"),
            ("a.go", "docs@example.org"),
            ("x/a.txt", "@team/octo-cats"),
            ("build/logs/a", "@octocat"),
            ("build/other", "@all @everyone"),
            ("x/build/logs2/a", "@all @everyone"),
            ("lib/apps/x/y", "@octocat"),
            ("docs/a/b", "@doctor"),
            ("scripts/x", "@doctor @octocat"),
            ("scripts/logs", "@octocat"),
            ("deeply/nested/logs/a/b", "@octocat"),
            ("apps/x", "@octocat"),
            ("apps/github", ""),
            ("apps/github/x", ""),
            ("with space/x", "@space"),
            ("src/abc.rs", "@question"),
            ("src/a/c.rs", "@all @everyone"),
        ],
    );
}

#[test]
fn a_star_at_the_end_stands_for_files_right_there() {
    let text = "docs/* @docs\n/* @root\n";
    check(
        text,
        "CODEOWNERS",
        &[("docs/a.md", "@docs"), ("docs/build/a.md", ""), ("x/docs/a.md", ""), ("a", "@root"), ("b/c", "")],
    );
    check("docs/** @docs", "CODEOWNERS", &[("docs/a/b", "@docs"), ("docs", ""), ("x/docs/a", "")]);
    check("/a/**/z @z", "CODEOWNERS", &[("a/z", "@z"), ("a/b/c/z/y", "@z"), ("a/bz", "")]);
}

#[test]
fn a_directory_without_a_slash_holds_what_is_below_it() {
    check(
        "/src/core @core\nlib @lib\n",
        "docs/CODEOWNERS",
        &[
            ("src/core", "@core"),
            ("src/core/a/b", "@core"),
            ("src/core2", ""),
            ("x/lib/y", "@lib"),
            ("libs", ""),
        ],
    );
    check("*.d/ @d", "CODEOWNERS", &[("a.d/x", "@d"), ("b/a.d/x/y", "@d"), ("a.d", "")]);
}

#[test]
fn what_githubs_dialect_does_not_have_is_told_and_owns_nothing() {
    let text = "* @all\n!a @b\n[ab].txt @x\n\\#c @d\ne nobody\nf @\ng a@b\n";
    let owners = Owners::read(text, "CODEOWNERS");
    let told: Vec<&str> = owners.problems().iter().map(|problem| problem.place.as_deref().unwrap()).collect();
    assert_eq!(told, ["CODEOWNERS:2", "CODEOWNERS:3", "CODEOWNERS:4", "CODEOWNERS:5", "CODEOWNERS:6"]);
    assert_eq!(owners.of(b"a")[0].owners, ["@all"]);
    assert_eq!(owners.of(b"e")[0].owners, ["@all"]);
    assert_eq!(owners.of(b"g")[0].owners, ["a@b"]);
}

#[test]
fn the_place_or_the_sections_tell_the_dialect() {
    for (path, text, dialect) in [
        ("CODEOWNERS", "* @a", Dialect::GitHub),
        ("CODEOWNERS", "* @a\n[Docs]\ndocs/ @b", Dialect::GitLab),
        ("docs/CODEOWNERS", "^[Docs][2] @x\ndocs/", Dialect::GitLab),
        (".gitlab/CODEOWNERS", "* @a", Dialect::GitLab),
        (".github/CODEOWNERS", "[Docs]\n* @a", Dialect::GitHub),
        ("CODEOWNERS", "[ab].txt @a", Dialect::GitHub),
    ] {
        assert_eq!(Dialect::of(path, text), dialect, "{path} {text}");
    }
}

const GITLAB: &str = r"# Lines without a section are one of their own.
* @default
\#pound.rb @pound
LICENSE @legal this_is_nobody jane@example.org
/docs/ @all-docs
/docs/* @root-docs
/docs/**/*.md @markdown # @not-a-comment
lib/ @lib
/config/ @config
path\ with\ spaces/ @space
[ab].c @class

[Documentation][2] @docs-team
docs/
README.md
*.txt @text

^[Database] @database-team
model/db/
config/db/setup.md @docs-team
!model/db/generated/

[DOCUMENTATION]
extra/ @extra
";

#[test]
fn each_section_decides_by_itself() {
    check(
        GITLAB,
        ".gitlab/CODEOWNERS",
        &[
            ("a.rb", "@default"),
            ("#pound.rb", "@pound"),
            ("x/#pound.rb", "@pound"),
            ("LICENSE", "@legal jane@example.org"),
            ("docs/index", "@root-docs | @docs-team"),
            ("docs/projects/index", "@all-docs | @docs-team"),
            ("docs/projects/index.md", "@markdown @not-a-comment | @docs-team"),
            ("x/lib/y", "@lib"),
            ("config/x", "@config"),
            ("x/config/y", "@default"),
            ("path with spaces/x", "@space"),
            ("a.c", "@class"),
            ("c.c", "@default"),
            ("sub/README.md", "@default | @docs-team"),
            ("notes/a.txt", "@default | @text"),
            ("model/db/schema.rb", "@default | @database-team"),
            ("model/db/generated/x", "@default"),
            ("config/db/setup.md", "@config | @docs-team"),
            ("extra/x", "@default | @extra"),
        ],
    );
}

#[test]
fn sections_have_counts_and_may_be_optional() {
    let owners = Owners::read(GITLAB, ".gitlab/CODEOWNERS");
    let owned = owners.of(b"docs/projects/index");
    assert_eq!((owned[1].section.as_str(), owned[1].count, owned[1].optional), ("Documentation", 2, false));
    let database = &owners.of(b"model/db/schema.rb")[1];
    assert_eq!((database.section.as_str(), database.count, database.optional), ("Database", 1, true));
    // An optional section asks for nothing; a count of two asks twice.
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let paths: [&[u8]; 2] = [b"model/db/schema.rb", b"docs/projects/index"];
    assert_eq!(
        owners.required(paths),
        [
            ("docs/projects/index".to_owned(), list(&["@all-docs"])),
            ("docs/projects/index".to_owned(), list(&["@docs-team"])),
            ("docs/projects/index".to_owned(), list(&["@docs-team"])),
            ("model/db/schema.rb".to_owned(), list(&["@default"])),
        ]
    );
}

#[test]
fn a_line_of_gitlab_that_cannot_be_meant_is_told() {
    let text = "[Docs][0] @a\n^[More][2] @b\n!x @c\n* nobody\n";
    let owners = Owners::read(text, ".gitlab/CODEOWNERS");
    assert_eq!(owners.problems().len(), 4, "{:?}", owners.problems());
    let all: Vec<u32> = owners.sections.iter().map(|section| section.count).collect();
    assert_eq!(all, [1, 1, 2]);
}

#[test]
fn no_text_is_too_strange() {
    for text in
        ["", "\u{feff}* @a", "[", "[]", "[a", "^[", "[a][", "\\", "a\\", "[a-", "/ @a", "* @a\r\n/b @c\r\n"]
    {
        for path in ["CODEOWNERS", ".gitlab/CODEOWNERS"] {
            let owners = Owners::read(text, path);
            owners.of(b"a/b");
            owners.of(b"\xff");
        }
    }
    check("* @a\r\n/b @c\r\n", "CODEOWNERS", &[("b", "@c"), ("x", "@a")]);
    check("\u{feff}* @a", "CODEOWNERS", &[("x", "@a")]);
}
