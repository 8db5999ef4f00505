//! What a user is told.

use super::super::read;
use super::problems;
use crate::problem::Code;

/// Checks code, place and fragment of every problem of a text.
fn check(text: &str, expect: &[&str]) {
    let found: Vec<String> = problems(text)
        .iter()
        .map(|problem| format!("{} {} {}", problem.place.as_deref().unwrap(), problem.code, problem.what))
        .collect();
    assert_eq!(found, expect, "{text}");
}

#[test]
fn all_problems_are_found_at_once_in_the_order_of_the_file() {
    let text = r#"shema = 1
[release]
remote = 7
tag = "v"
branches = ["ok", 3, "not ok"]
[[check]]
name = "a"
run = "x"
[[check]]
name = "a"
[releese]
x = 1
[target]
push = "soon"
"#;
    check(
        text,
        &[
            "shipway.toml:1:1 SW0202 `shema` is not a key of shipway.toml",
            "shipway.toml:3:10 SW0203 `release.remote` has the wrong type",
            "shipway.toml:4:7 SW0204 `release.tag` cannot be used",
            "shipway.toml:5:19 SW0203 `release.branches` has the wrong type",
            "shipway.toml:5:22 SW0204 `release.branches` cannot be used",
            "shipway.toml:9:1 SW0204 `check[1]` has no `run`",
            "shipway.toml:10:8 SW0204 `check[1]` has the same name as `check[0]`",
            "shipway.toml:11:2 SW0202 `releese` is not a key of shipway.toml",
            "shipway.toml:14:8 SW0204 `target.push` cannot be used",
        ],
    );
}

#[test]
fn a_problem_shows_what_was_found_and_wanted_and_the_line() {
    let found = problems("[release]\ntag = 0x12 # here\n").remove(0);
    assert_eq!(found.code, Code::ConfigType);
    assert_eq!(found.found.as_deref(), Some("integer"));
    assert_eq!(found.wanted.as_deref(), Some("text: tag name with `{version}` in it"));
    assert_eq!(found.details, ["2 | tag = 0x12 # here", "  |       ^^^^"]);
}

#[test]
fn columns_count_characters_before_the_error() {
    check(
        "project = { name = 'äöü世界🚀', nmae = 1 }",
        &["shipway.toml:1:30 SW0202 `nmae` is not a key of [project]"],
    );
    check("\u{feff}\"é\" = 1", &["shipway.toml:1:1 SW0202 `é` is not a key of shipway.toml"]);
    check(
        "# ü\r\n# ü\r\n  ü1 = 1\r\n",
        &["shipway.toml:3:3 SW0201 invalid unquoted key, expected letters, numbers, `-`, `_`"],
    );
}

/// Checks the hint, or what is wanted where there is none, of the first problem.
fn hint(text: &str, expect: &str) {
    let problem = problems(text).remove(0);
    let told = problem.hints.first().cloned().or(problem.wanted).unwrap_or_default();
    assert_eq!(told, expect, "{text}");
}

#[test]
fn slips_of_the_pen_are_answered_with_the_word() {
    hint("[relase]\n", "did you mean `release`?");
    hint("[[checks]]\nname = 'a'\n", "write [checks] on a line of its own");
    hint("[check]\nname = 'a'\n", "write [[check]] on a line of its own");
    hint("[release]\nTag = 'v'\n", "did you mean `tag`?");
    hint("[release]\nbreaking_below_1 = 'minor'\n", "did you mean `breaking-below-1`?");
    hint("[release.chanel.beta]\nbranch = 'b'\n", "did you mean `channel`?");
    hint("[[check]]\nname = 'a'\nrun = 'b'\ntimeuot = '1m'", "did you mean `timeout`?");
    hint("tag = 'v{version}'\n", "`tag` is a key of [release]");
    hint("[checks]\nrun = 'a'\n", "`run` is a key of [[check]]");
    hint("[target]\nzzz = 1\n", "one of `push`, `rollback`, `deploy`");
    hint("release.sign = 'require'", "did you mean `required`?");
    hint("release.packages = ['crago']", "did you mean `cargo`?");
    hint("release = 1", "write [release] on a line of its own");
    hint("[[check]]\nname = 'a'\nrun = 'fmt && \"test\"'\n", r#"run = ["sh", "-c", 'fmt && "test"']"#);
    hint("release.channel.'a_b'.branch = 'b'", "suffix = \"beta.{n}\"");
    hint("[release.line.old]\nbranch = 'b'", "range = \">=1.0.0, <2.0.0\"");
}

#[test]
fn branches_and_suffixes_of_lines_must_differ() {
    check(
        "[release.channel]\na = { branch = 'x', suffix = 's.{n}' }\nb = { branch = 'x', suffix = 's.{n}' }\n",
        &[
            "shipway.toml:3:16 SW0204 `release.channel.b` has the same branch as `release.channel.a`",
            "shipway.toml:3:30 SW0204 `release.channel.b` has the same suffix as `release.channel.a`",
        ],
    );
    check(
        "[release.channel.a]\nbranch = 'x'\n[release.line.'1.x']\nbranch = 'x'\n",
        &["shipway.toml:4:10 SW0204 `release.line.\"1.x\"` has the same branch as `release.channel.a`"],
    );
}

#[test]
fn tables_that_are_no_tables_are_refused() {
    check("release.channel = 1", &["shipway.toml:1:19 SW0203 `release.channel` has the wrong type"]);
    check("release.channel.a = 1", &["shipway.toml:1:21 SW0203 `release.channel.a` has the wrong type"]);
    check("check = [1]", &["shipway.toml:1:10 SW0203 `check[0]` has the wrong type"]);
    check("[release.channel.a]", &["shipway.toml:1:1 SW0204 `release.channel.a` has no `branch`"]);
}

#[test]
fn syntax_errors_have_line_and_column() {
    for (text, place) in [
        ("a = ", "1:5"),
        ("[release\ntag = 1", "1:9"),
        ("\n\nx = 'a", "3:7"),
        ("a = 1\na = 2", "2:1"),
        ("[a]\n[a]", "2:2"),
        ("ü = \u{7}", "1:1"),
        ("= 1", "1:1"),
    ] {
        let found = problems(text);
        assert_eq!(found[0].code, Code::ConfigSyntax, "{text:?}");
        assert_eq!(found[0].place.as_deref(), Some(&*format!("shipway.toml:{place}")), "{text:?} {found:?}");
        assert!(!found[0].what.is_empty() && found[0].details.len() == 2, "{text:?}");
    }
    let both = problems("a = \n b = 'x\n");
    assert_eq!(both.len(), 2, "{both:?}");
}

#[test]
fn nothing_of_the_file_reaches_a_terminal_raw() {
    for text in [
        "\"\\u001b[2J\\u202e\" = 1",
        "release.tag = \"\\u001b[2J\"",
        "# \u{1b}[2J\u{202e}\nx = 1",
        "release.channel.\"\\u001b\".branch = 1",
        "release.line.\"\\u001b\" = {}",
        "release.channel.\"\\u202e\" = { branch = 'b', suffix = 's.{n}' }",
        "[[check]]\nname = 'a'\nrun = \"\\u001b[2J && b\"\nenv = { \"\\u001b\" = 1 }",
    ] {
        for problem in problems(text) {
            let texts = [problem.place, problem.found, problem.wanted].into_iter().flatten();
            let lines = texts.chain([problem.what]).chain(problem.details).chain(problem.hints);
            let all = lines.collect::<Vec<_>>().join(" ");
            assert!(!all.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?} {all:?}");
        }
    }
}

#[test]
fn no_text_makes_the_reader_fall_over() {
    let file =
        "schema = 1\n[release.channel.'ü']\nbranch = \"b\"\n[[check]]\nname='a'\nrun=[\"b\"]\nenv={A='1'}\n";
    for end in (0..file.len()).filter(|end| file.is_char_boundary(*end)) {
        for junk in ["", "\"", "'", "]", "[[", "= {", "\u{0}", "🚀", "\r"] {
            let _ = read(&format!("{}{junk}", &file[..end]), "f").map_err(|found| assert!(!found.is_empty()));
            let _ = read(&format!("{junk}{}", &file[end..]), "f").map_err(|found| assert!(!found.is_empty()));
        }
    }
    let deep = format!("a = {}", "[".repeat(100_000));
    assert_eq!(problems(&deep)[0].code, Code::ConfigSyntax);
}

#[test]
fn a_directory_on_a_host_is_named_once() {
    let same =
        "[environment.one]\nhosts = [\"web\"]\npath = \"/srv/app\"\n[environment.two]\nhosts = [\"web\"]\n";
    read(same, "shipway.toml").unwrap();
    check(
        &format!("{same}path = \"/srv/app/\"\n"),
        &["shipway.toml:6:8 SW0204 `environment.two` has the same directory on `web` as `environment.one`"],
    );
    // With another configuration of ssh, a name may lead to another host.
    read(&format!("{same}path = \"/srv/app\"\nssh = [\"ssh\", \"-F\", \"two\"]\n"), "shipway.toml").unwrap();
    // This machine is the same under every name.
    let local = |path: &str| {
        let host = |name: &str| {
            format!(
                "[environment.{name}]\nhosts = [\"{name}\"]\nhost = {{ {name} = {{ address = \"local\", path = \"{path}\" }} }}\n"
            )
        };
        format!("{}{}", host("one"), host("two").replace(path, "/srv/app"))
    };
    read(&local("/srv/other"), "shipway.toml").unwrap();
    check(
        &local("/srv/app"),
        &["shipway.toml:4:1 SW0204 `environment.two` has the same directory on `two` as `environment.one`"],
    );
}

#[test]
fn canaries_are_watched_by_default_unless_nothing_is() {
    let span = |more: &str| {
        let text = format!("[environment.one]\nhosts = [\"web\"]\n{more}");
        read(&text, "shipway.toml").unwrap().environment["one"].canary_watch.map(|span| span.as_secs())
    };
    assert_eq!(span(""), Some(60));
    assert_eq!(span("watch = { for = false }\n"), None);
    assert_eq!(span("canary-watch = \"2m\"\nwatch = { for = false }\n"), Some(120));
    assert_eq!(span("canary-watch = false\n"), None);
}

#[test]
fn weights_want_a_canary_that_rises_and_services_whose_traffic_can_be_shared() {
    let told = |environment: &str, services: &str| {
        let text = format!("[environment.e]\nhosts = [\"a\"]\n{environment}\n{services}");
        let problems = read(&text, "shipway.toml").err().unwrap_or_default();
        assert!(problems.iter().all(|problem| !problem.hints.is_empty()), "{problems:?}");
        problems.into_iter().map(|problem| problem.what).collect::<Vec<String>>()
    };
    let canary = "strategy = \"canary\"\nweights = [\"5%\", \"25%\"]";
    let switch = |kind: &str| match kind {
        "proxy" => "switch = { kind = \"proxy\", control = \"c\", ports = [1, 2] }",
        "reload" => {
            "switch = { kind = \"reload\", file = \"f\", content = \"{port}\", reload = \"r\", ports = [3, 4] }"
        }
        _ => "",
    };
    let service = |name: &str, kind: &str, more: &str| {
        format!("[service.{name}]\nrun = \"r\"\n{}\n{more}\n", switch(kind))
    };
    let none: [&str; 0] = [];
    let health = "health = { http = \"http://127.0.0.1:1/\" }";
    // A worker that answers nobody goes with the switch, and what is on other hosts is not looked at.
    let elsewhere = service("db", "reload", "roles = [\"db\"]");
    let services = service("web", "proxy", health) + &service("worker", "restart", "") + &elsewhere;
    assert_eq!(told(canary, &services), none);
    assert_eq!(
        told(canary, &(service("web", "reload", "") + &service("api", "restart", health))),
        [
            "`environment.e` has `weights`, and `service.api` has a switch that sends all traffic to one release",
            "`environment.e` has `weights`, and `service.web` has a switch that sends all traffic to one release",
            "`environment.e` has `weights`, and no service whose traffic can be shared",
        ]
    );
    assert_eq!(
        told(canary, &service("web", "proxy", "overlap = false")),
        [
            "`environment.e` has `weights`, and `service.web` has `overlap = false`",
            "`environment.e` has `weights`, and no service whose traffic can be shared",
        ]
    );
    let web = service("web", "proxy", "");
    assert_eq!(told("weights = [\"5%\"]", &web), ["`environment.e` has `weights`, and is not a canary"]);
    let falls = "strategy = \"canary\"\nweights = [\"25%\", \"5%\"]";
    assert_eq!(told(falls, &web), ["`environment.e.weights` do not rise between 0% and 100%"]);
}
