use super::*;
use crate::policy::read;

fn of(text: &str, branches: &[&str]) -> Flow {
    let branches: Vec<String> = branches.iter().map(ToString::to_string).collect();
    Flow::of(&read(text, "policy.toml").unwrap(), &branches)
}

fn gitflow() -> Flow {
    of("preset = 'gitflow'", &["main", "develop"])
}

#[test]
fn a_policy_says_where_branches_start_and_land() {
    let flow = gitflow();
    assert_eq!((flow.main.as_str(), flow.develop.as_deref()), ("main", Some("develop")));
    let check = |kind: &str, base: &str, target: &str, method: Method| {
        let kind = flow.kind(kind).unwrap();
        assert_eq!((kind.base.as_str(), kind.target.as_str()), (base, target), "{kind:?}");
        assert_eq!(kind.methods.first(), Some(&method));
    };
    check("feature", "develop", "develop", Method::Squash);
    check("bugfix", "develop", "develop", Method::Squash);
    check("release", "develop", "main", Method::Merge);
    check("hotfix", "main", "main", Method::Merge);
    assert_eq!(flow.target_of("develop"), Some("main"));
    assert_eq!(flow.target_of("feature/a/b"), Some("develop"));
    assert_eq!(flow.target_of("main"), None);
    assert_eq!(flow.kind("topic").unwrap_err().code, Code::FlowKind);
}

#[test]
fn with_one_branch_that_stays_all_lands_there_and_nothing_is_owed() {
    for preset in ["github-flow", "trunk"] {
        let flow = of(&format!("preset = '{preset}'"), &["master"]);
        assert_eq!((flow.main.as_str(), flow.develop.as_deref()), ("master", None));
        assert_eq!(flow.kind("feature").unwrap().target, "master");
    }
    let flow = of("preset = 'github-flow'\n[branch.topic]\npatterns = ['topic/*']\n", &["master"]);
    assert_eq!(flow.kind("topic").unwrap().target, "master");
    assert_eq!(flow.kind("feature").unwrap_err().code, Code::FlowKind);
    let landed = Landed { source: "topic/a", target: "master", commit: "c" };
    assert_eq!(owed(&flow, landed, &["master".into()]), []);
}

#[test]
fn what_did_not_come_from_develop_is_owed_to_it() {
    let flow = gitflow();
    let branches = ["main", "develop", "release/1.4", "feature/x"].map(str::to_owned);
    let into = |source: &str, target: &str| -> Vec<String> {
        let owed = owed(&flow, Landed { source, target, commit: "c" }, &branches);
        assert!(owed.iter().all(|owed| owed.from == "main" && owed.commit == "c"));
        owed.into_iter().map(|owed| owed.into).collect()
    };
    assert_eq!(into("hotfix/a", "main"), ["develop", "release/1.4"]);
    assert_eq!(into("", "main"), ["develop", "release/1.4"]);
    assert_eq!(into("release/1.4", "main"), ["develop"]);
    assert!(into("develop", "main").is_empty());
    assert!(into("feature/x", "develop").is_empty());
}

#[test]
fn an_obligation_gates_the_branch_that_is_owed_and_ends_when_the_commit_is_there() {
    let one = |into: &str| Owed { from: "main".into(), into: into.into(), commit: "c".into() };
    let all = [one("develop"), one("release/1.4"), one("release/gone"), one("develop")];
    let has = |branch: &str, _: &str| (branch != "release/gone").then_some(branch == "release/1.4");
    let open = open(&all, has);
    assert_eq!(open, [one("develop")]);
    assert_eq!(gates(&open, "develop", "main").len(), 1);
    assert!(gates(&open, "hotfix/b", "main").is_empty());
    assert!(gates(&open, "main", "develop").is_empty(), "what pays the debt does not wait for it");
    assert!(super::open(&all, |_, _| Some(true)).is_empty());
}

#[test]
fn a_way_back_by_hand_says_where_it_leads() {
    let flow = gitflow();
    let branches = ["main", "develop", "release/1.4", "release/1.4-to-x"];
    for into in branches {
        let branch = way_back("main", into, "0123456789abcdef");
        assert_eq!(flow.back_to(&branch, branches.into_iter()), Some(into), "{branch}");
        assert!(branch.starts_with("back/") && branch.matches('/').count() == 1, "{branch}");
    }
    assert_eq!(flow.back_to("back/develop-to-main-1", branches.into_iter()), None);
    assert_eq!(flow.back_to("feature/x", branches.into_iter()), None);
}

#[test]
fn without_a_policy_the_branches_that_are_there_decide() {
    let usual =
        |branches: &[&str]| Flow::usual(&branches.iter().map(ToString::to_string).collect::<Vec<_>>());
    let two = usual(&["main", "develop"]);
    let ends = |flow: &Flow, kind: &str| {
        let kind = flow.kind(kind).unwrap();
        (kind.base.clone(), kind.target.clone())
    };
    let pair = |base: &str, target: &str| (base.to_owned(), target.to_owned());
    assert_eq!(ends(&two, "feature"), pair("develop", "develop"));
    assert_eq!(ends(&two, "release"), pair("develop", "main"));
    assert_eq!(ends(&two, "hotfix"), pair("main", "main"));
    assert_eq!(ends(&usual(&["master"]), "feature"), pair("master", "master"));
}

#[test]
fn the_page_says_what_the_policy_says() {
    let policy = read("preset = 'gitflow'\n[commits]\nissue = true\n", "p").unwrap();
    let flow = Flow::of(&policy, &["main".into(), "develop".into()]);
    let page = page(&flow, &policy);
    for part in [
        "```mermaid\nflowchart LR\n",
        "-. starts .-> kind",
        "main == \"owed\" ==> develop",
        "| `feature/*` | `develop` | `develop` | squash, merge |",
        "| `hotfix/*` | `main` | `main` | merge |",
        "`develop` and `main` are protected",
        "names its issue",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let trunk = read("preset = 'trunk'", "p").unwrap();
    let one = super::page(&Flow::of(&trunk, &["main".into()]), &trunk);
    assert!(one.contains("`main` is protected") && !one.contains("owed"), "{one}");
}
