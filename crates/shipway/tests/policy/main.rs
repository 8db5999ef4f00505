//! `shipway policy`, as a user calls it: the real binary in a real repository.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test is a failed test")]

use std::fs;

use serde_json::Value;
use shipway_testkit::repo::Repo;

/// The policy and the cases of the guide.
fn guide() -> (String, String) {
    let page = include_str!("../../../../docs/src/guide/policy.md");
    let mut blocks = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    let policy = blocks.next().unwrap();
    let cases = blocks.find(|block| block.starts_with("[[case]]")).unwrap();
    (policy, cases)
}

struct Answer {
    code: i32,
    out: String,
    err: String,
}

fn ask(repo: &Repo, args: &[&str]) -> Answer {
    let output = repo.command(env!("CARGO_BIN_EXE_shipway")).args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Answer { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn stage() -> Repo {
    let (policy, cases) = guide();
    let repo = Repo::new();
    repo.file(".shipway/policy.toml", policy);
    repo.file(".shipway/policy_test.toml", cases);
    repo.file("shipway.toml", "[[check]]\nname = \"test\"\nrun = \"true\"\n");
    repo
}

#[test]
fn the_policy_of_the_guide_is_sound_and_its_cases_hold() {
    let repo = stage();
    let check = ask(&repo, &["policy", "check"]);
    assert_eq!((check.code, check.err.as_str()), (0, ""), "{}", check.out);
    let test = ask(&repo, &["policy", "test"]);
    assert_eq!(test.code, 0, "{}{}", test.out, test.err);
    assert!(test.out.contains("✓ authors do not approve"), "{}", test.out);
    assert!(test.out.contains("3 as expected, 0 otherwise"), "{}", test.out);
}

#[test]
fn what_a_policy_says_is_shown_with_its_defaults_and_its_digest() {
    let repo = stage();
    let shown = ask(&repo, &["policy", "show"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    for line in [
        "main, master   protected (class main)",
        "  gets develop, release/*, hotfix/* by merge",
        "  1 approval from any person, none of them an author",
        "  checks on the very commit: test, vouched for by ci",
        "feature/**, bugfix/**   open (class feature)",
        "tags **   (class releases)",
    ] {
        assert!(shown.out.lines().any(|found| found == line), "{line}\n{}", shown.out);
    }
    let json: Value = serde_json::from_str(&ask(&repo, &["policy", "show", "--json"]).out).unwrap();
    let digest = json["digest"].as_str().unwrap();
    assert!(shown.out.starts_with(&format!("policy {}   preset gitflow", &digest[..8])), "{}", shown.out);
    assert_eq!(json["policy"]["branches"]["main"]["approvals"]["count"], 1);
}

#[test]
fn the_policy_of_a_branch_is_that_of_its_commit() {
    let repo = stage();
    repo.git(["add", "."]);
    repo.commit("chore: begin");
    repo.file(".shipway/policy.toml", "preset = 'trunk'\n");
    let of = |args: &[&str]| -> Value { serde_json::from_str(&ask(&repo, args).out).unwrap() };
    assert_eq!(of(&["policy", "show", "--ref", "main", "--json"])["policy"]["preset"], "gitflow");
    assert_eq!(of(&["policy", "show", "--json"])["policy"]["preset"], "trunk");
    let unknown = ask(&repo, &["policy", "show", "--ref", "--output=x"]);
    assert_eq!(unknown.code, 2, "{}", unknown.err);
    let none = ask(&repo, &["policy", "show", "--ref", "nowhere"]);
    assert_eq!(none.code, 2, "{}", none.err);
}

#[test]
fn without_a_file_the_default_is_shown_and_nothing_is_wrong() {
    let repo = Repo::new();
    let shown = ask(&repo, &["policy", "show"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("main, master   protected"), "{}", shown.out);
    assert_eq!(ask(&repo, &["policy", "check"]).code, 0);
    let cases = ask(&repo, &["policy", "test"]);
    assert_eq!(cases.code, 2);
    assert!(cases.err.contains(".shipway/policy_test.toml"), "{}", cases.err);
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_line() {
    let repo = stage();
    repo.file("p.toml", "[branch.main]\naprovals = 1\ngrade = 9\n");
    let bad = ask(&repo, &["policy", "check", "p.toml"]);
    assert_eq!(bad.code, 2);
    for part in ["p.toml:2:1", "did you mean `approvals`?", "p.toml:3:9"] {
        assert!(bad.err.contains(part), "{part}\n{}", bad.err);
    }
    // A check that nobody defines, and owners that cannot be read.
    fs::remove_file(repo.path().join("shipway.toml")).unwrap();
    repo.file("CODEOWNERS", "* @anna\n!src @boris\n");
    let bad = ask(&repo, &["policy", "check"]);
    for part in ["check `test` of `branch.main` is not in shipway.toml", "CODEOWNERS:2"] {
        assert!(bad.err.contains(part), "{part}\n{}", bad.err);
    }
}

#[test]
fn a_case_that_is_decided_otherwise_ends_with_one_and_says_why() {
    let repo = stage();
    let (_, cases) = guide();
    repo.file("other.toml", cases.replace("push-restricted", "allow"));
    let bad = ask(&repo, &["policy", "test", "other.toml"]);
    assert_eq!(bad.code, 1);
    assert!(bad.out.contains("✗ nobody pushes to main"), "{}", bad.out);
    assert!(bad.err.contains("SW1104") && bad.err.contains("push-restricted"), "{}", bad.err);
    let json = ask(&repo, &["policy", "test", "other.toml", ".shipway/policy_test.toml", "--json"]);
    let document: Value = serde_json::from_str(json.out.lines().next().unwrap()).unwrap();
    assert_eq!((document["passed"].as_u64(), document["failed"].as_u64()), (Some(5), Some(1)));
    assert_eq!(document["cases"][0]["verdicts"][0]["rule"], "push-restricted");
}

#[test]
fn owners_of_the_work_tree_have_a_say_in_cases() {
    let repo = stage();
    repo.file("CODEOWNERS", "src/ @boris\n");
    let case = "[[case]]\nname = 'a'\nby = 'anna'\nref = 'main'\nland = 'anna'\nfrom = 'develop'\nauthor = 'anna'\n\
                files = ['src/a.rs']\napprovals = ['carla']\nchecks = ['test:ci']\nexpect = 'owners'\n";
    repo.file("c.toml", case);
    let test = ask(&repo, &["policy", "test", "c.toml"]);
    assert_eq!(test.code, 0, "{}{}", test.out, test.err);
    repo.file("c.toml", case.replace("['carla']", "['carla', 'boris']").replace("'owners'", "'allow'"));
    let test = ask(&repo, &["policy", "test", "c.toml"]);
    assert_eq!(test.code, 0, "{}{}", test.out, test.err);
}

#[test]
fn the_cases_in_the_help_hold_under_the_policy_beside_them() {
    let repo = Repo::new();
    let help = ask(&repo, &["policy", "test", "--help"]).out;
    let (policy, cases) = help.split_once("these cases").unwrap();
    let lines = |text: &str, first: &str| -> String {
        let lines = text.lines().filter_map(|line| line.strip_prefix("  ")).skip_while(|line| *line != first);
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    repo.file(".shipway/policy.toml", lines(policy, "preset = \"gitflow\""));
    repo.file(".shipway/policy_test.toml", lines(cases, "[[case]]"));
    let test = ask(&repo, &["policy", "test"]);
    assert_eq!(test.code, 0, "{}{}{help}", test.out, test.err);
    assert!(test.out.contains("2 as expected, 0 otherwise"), "{}", test.out);
}
