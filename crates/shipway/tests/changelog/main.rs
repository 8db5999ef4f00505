//! Which release a commit is told under: the lowest version that has it in its history. The real binary, real git.

use shipway_testkit::repo::Repo;

/// Returns the headings and entries of `shipway changelog`, each entry by its first word: `1.1.0: b c; 1.0.0: a`.
fn told(repo: &Repo) -> String {
    let output = repo.command(env!("CARGO_BIN_EXE_shipway")).arg("changelog").output();
    let output = output.expect("the binary was built for this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let sections = text.split("\n## [").skip(1).map(|section| {
        let version = section.split(']').next().unwrap_or_default();
        let mut entries: Vec<&str> = section
            .lines()
            .filter_map(|line| line.strip_prefix("- ")?.split(|c: char| !c.is_alphanumeric()).next())
            .collect();
        entries.sort_unstable();
        format!("{version}: {}", entries.join(" "))
    });
    sections.collect::<Vec<_>>().join("; ")
}

fn feature(repo: &Repo, name: &str) {
    repo.file(name, name).commit(&format!("feat: {name}"));
}

fn merge(repo: &Repo, branch: &str) {
    repo.git(["merge", "--quiet", "--no-ff", "-m", &format!("merge {branch}"), branch]);
}

/// Returns a repository with 1.0.0, which has `first`.
fn started() -> Repo {
    let repo = Repo::new();
    feature(&repo, "first");
    repo.tag("v1.0.0");
    repo
}

#[test]
fn a_commit_merged_after_a_release_is_told_in_the_next_one() {
    let repo = started();
    repo.git(["checkout", "--quiet", "-b", "side"]);
    feature(&repo, "early");
    repo.git(["checkout", "--quiet", "main"]);
    feature(&repo, "straight");
    repo.tag("v1.1.0");
    merge(&repo, "side");
    repo.tag("v1.2.0");
    feature(&repo, "unreleased");
    assert_eq!(told(&repo), "1.2.0: early; 1.1.0: straight; 1.0.0: first");
}

#[test]
fn a_commit_of_a_maintenance_branch_is_told_in_its_lowest_version() {
    let repo = started();
    feature(&repo, "new");
    repo.tag("v2.0.0");
    repo.git(["checkout", "--quiet", "-b", "release/1.x", "v1.0.0"]);
    feature(&repo, "old");
    repo.tag("v1.0.1");
    repo.git(["checkout", "--quiet", "main"]);
    merge(&repo, "release/1.x");
    repo.tag("v2.1.0");
    assert_eq!(told(&repo), "2.1.0: ; 2.0.0: new; 1.0.1: old; 1.0.0: first");
}

#[test]
fn a_maintenance_branch_that_is_not_merged_is_not_told() {
    let repo = started();
    repo.git(["checkout", "--quiet", "-b", "release/1.x"]);
    feature(&repo, "old");
    repo.tag("v1.0.1");
    repo.git(["checkout", "--quiet", "main"]);
    feature(&repo, "new");
    repo.tag("v1.1.0");
    assert_eq!(told(&repo), "1.1.0: new; 1.0.0: first");
}

#[test]
fn tags_that_are_no_versions_divide_nothing() {
    let repo = started();
    feature(&repo, "before");
    repo.tag("nightly");
    feature(&repo, "after");
    repo.annotated("v1.1.0");
    assert_eq!(told(&repo), "1.1.0: after before; 1.0.0: first");
}
