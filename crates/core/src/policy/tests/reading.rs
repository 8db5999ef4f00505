//! The reader: what stands in the file, what a preset says, and what cannot be meant.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::super::keys::PRESETS;
use super::*;

/// Checks place, code and fragment of every problem of a text.
#[track_caller]
fn problems(text: &str, expected: &[&str]) {
    let found: Vec<String> = read(text, "policy.toml")
        .expect_err(text)
        .iter()
        .map(|problem| format!("{} {} {}", problem.place.as_deref().unwrap(), problem.code, problem.what))
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn without_a_file_main_and_master_are_protected_and_tags_stay() {
    let policy = Policy::default();
    for (branch, protected) in [("main", true), ("master", true), ("develop", false), ("x/main", false)] {
        assert_eq!(policy.is_protected(branch.as_bytes()), protected, "{branch}");
    }
    assert!(policy.tag_classes_of(b"v1").iter().all(|(_, class)| class.immutable));
    assert!(policy.commits.conventional && policy.files.secrets && !policy.solo);
    assert_eq!(policy.files.size, 50_000_000);
}

#[test]
fn every_preset_is_a_policy() {
    for preset in PRESETS {
        let policy = policy(&format!("preset = '{preset}'"));
        assert_eq!(policy.preset.as_deref(), Some(*preset));
        assert!(policy.is_protected(b"main"), "{preset}");
        let text = super::super::presets::text(Some(preset)).unwrap();
        read(text, PATH).unwrap_or_else(|problems| panic!("{preset}: {problems:?}"));
    }
}

#[test]
fn gitflow_pairs_branches_as_it_is_known_for() {
    let policy = policy("preset = 'gitflow'");
    let main = &policy.branches["main"];
    assert_eq!(
        main.pairs,
        [Pair {
            from: ["develop", "release/*", "hotfix/*"].map(str::to_owned).to_vec(),
            methods: vec![Method::Merge],
            approved: false,
        }]
    );
    let develop = &policy.branches["develop"];
    assert_eq!(develop.pairs[0].methods, [Method::Squash, Method::Merge]);
    assert_eq!(develop.pairs[1].from, ["main", "master", "release/*", "hotfix/*"]);
    assert_eq!(develop.pairs[1].methods, [Method::Merge]);
    assert_eq!((&develop.pairs[2].from[..], develop.pairs[2].approved), (&["back/*".to_owned()][..], false));
    assert_eq!(develop.pairs[2].methods, [Method::Merge]);
    assert!(main.protected && develop.protected);
    assert_eq!(policy.branches["feature"].force, ["*"]);
    assert!(policy.branches["release"].force.is_empty());
}

#[test]
fn the_file_overrides_a_preset_key_by_key() {
    let policy = policy(
        "preset = 'gitflow'\n[person.anna]\n[person.boris]\n[branch.main]\napprovals = 1\npatterns = ['main']\n\
         [[branch.develop.merge]]\nfrom = ['*']\nmethod = ['squash']\n[branch.docs]\npatterns = ['docs/*']\nlinear = true",
    );
    let main = &policy.branches["main"];
    assert_eq!(
        (main.patterns.as_slice(), main.approvals.count, main.protected),
        (&["main".to_owned()][..], 1, true)
    );
    assert_eq!(main.pairs.len(), 1);
    assert_eq!(policy.branches["develop"].pairs.len(), 1);
    assert_eq!(policy.branches["develop"].pairs[0].methods, [Method::Squash]);
    assert!(policy.branches["docs"].linear && !policy.branches["docs"].protected);
    assert_eq!(policy.branches["docs"].create, ["*"]);
}

const EVERYTHING: &str = r#"
schema = 1
preset = "github-flow"
solo = true
names = ["x/*"]
ticket-expiry = "1h"
approval-expiry = "24h"
policy-owners = ["owners"]
[person.anna]
email = ["Anna@Example.org"]
login = ["an"]
[agent.bot]
[group.owners]
members = ["anna"]
[branch.work]
patterns = ["work/**"]
create = ["anna"]
push = ["owners"]
delete = []
force = ["anna"]
land = ["bot"]
release = ["anna"]
break-glass = ["owners"]
checks = ["test"]
runners = ["bot"]
approvals = 1
approvers = ["owners"]
owners = true
grade = 3
linear = true
local = true
signed = true
[[branch.work.merge]]
method = ["fast-forward"]
[tag.v]
patterns = ["v*"]
create = ["anna"]
immutable = false
signed = true
landed = true
[commits]
conventional = false
types = ["ops"]
issue = true
subject = 72
size = "1kB"
parents = 3
[files]
size = "1MB"
forbidden = ["**/*.exe"]
secrets = false
harmless = ["tests/**"]
lfs = true
[[files.restricted]]
paths = ["a", "b/**"]
who = ["anna"]
"#;

#[test]
fn every_key_of_the_file_is_read() {
    let policy = policy(EVERYTHING);
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let expected = BranchClass {
        patterns: list(&["work/**"]),
        protected: false,
        create: list(&["anna"]),
        push: list(&["owners"]),
        delete: vec![],
        force: list(&["anna"]),
        pairs: vec![Pair { from: list(&["*"]), methods: vec![Method::FastForward], approved: false }],
        land: list(&["bot"]),
        release: list(&["anna"]),
        break_glass: list(&["owners"]),
        checks: list(&["test"]),
        runners: list(&["bot"]),
        approvals: Approvals { count: 1, from: list(&["owners"]), owners: true, grade: 3 },
        linear: true,
        local: true,
        signed: true,
    };
    assert_eq!(policy.branches["work"], expected);
    assert_eq!(policy.people["anna"].emails, ["anna@example.org"]);
    assert_eq!(policy.person_of_login("an"), Some("anna"));
    assert_eq!(policy.person_of_login("anna"), None, "who lists logins has no other");
    assert_eq!(policy.person_of_login("bot"), Some("bot"));
    let tag = TagClass {
        patterns: list(&["v*"]),
        create: list(&["anna"]),
        immutable: false,
        signed: true,
        landed: true,
    };
    assert_eq!(policy.tags["v"], tag);
    let commits = CommitRules {
        conventional: false,
        types: list(&["ops"]),
        issue: true,
        subject: 72,
        size: 1000,
        parents: 3,
    };
    assert_eq!(policy.commits, commits);
    let files = FileRules {
        size: 1_000_000,
        forbidden: list(&["**/*.exe"]),
        secrets: false,
        harmless: list(&["tests/**"]),
        lfs: true,
        restricted: vec![("a".into(), list(&["anna"])), ("b/**".into(), list(&["anna"]))],
    };
    assert_eq!(policy.files, files);
    assert_eq!((policy.ticket_expiry.as_secs(), policy.approval_expiry.as_secs()), (3600, 86_400));
    assert!(policy.solo && policy.names == ["x/*"] && policy.policy_owners == ["owners"]);
}

#[test]
fn problems_have_places_and_suggestions() {
    problems(
        "presett = 'trunk'\npreset = 'gitflw'\n[branch.main]\naprovals = 1\ngrade = 4\nchecks = 'test'\n[brnch.x]\n",
        &[
            "policy.toml:1:1 SW0202 `presett` is not a key of policy.toml",
            "policy.toml:2:10 SW0204 `preset` cannot be used",
            "policy.toml:4:1 SW0202 `aprovals` is not a key of [branch.main]",
            "policy.toml:5:9 SW0204 `branch.main.grade` cannot be used",
            "policy.toml:6:10 SW0203 `branch.main.checks` has the wrong type",
            "policy.toml:7:2 SW0202 `brnch` is not a key of policy.toml",
        ],
    );
    let hint = |text: &str| read(text, PATH).expect_err(text)[0].hints.join("; ");
    assert_eq!(hint("preset = 'gitflw'"), "did you mean `gitflow`?");
    assert_eq!(hint("[branch.main]\naprovals = 1"), "did you mean `approvals`?");
    assert_eq!(hint("[person.anna]\n[branch.x]\npush = ['ana']"), "did you mean `anna`?");
    problems("[branch\n", &["policy.toml:1:8 SW0201 unclosed table, expected `]`"]);
}

#[test]
fn whoever_is_named_is_somebody() {
    problems(
        "policy-owners = ['x']\n[person.anna]\n[group.g]\nmembers = ['anna', 'nobody', 'g']\n[branch.b]\npush = ['g', 'who', '*']\n\
         [tag.t]\ncreate = ['y']\n[[files.restricted]]\npaths = ['a']\nwho = ['z']\n",
        &[
            "policy.toml:1:17 SW1103 `x` in `policy-owners` is no person, agent or group of the policy",
            "policy.toml:4:11 SW1103 `nobody` in `group.g.members` is no person or agent of the policy",
            "policy.toml:4:11 SW1103 `g` in `group.g.members` is no person or agent of the policy",
            "policy.toml:6:8 SW1103 `who` in `branch.b.push` is no person, agent or group of the policy",
            "policy.toml:8:10 SW1103 `y` in `tag.t.create` is no person, agent or group of the policy",
            "policy.toml:11:7 SW1103 `z` in `files.restricted[0].who` is no person, agent or group of the policy",
        ],
    );
}

#[test]
fn a_name_an_address_and_a_login_are_one_persons() {
    problems(
        "[person.anna]\nemail = ['A@x']\nlogin = ['a']\n[agent.anna]\n[group.anna]\nmembers = []\n[person.b]\nemail = ['a@X']\nlogin = ['a']\n",
        &[
            "policy.toml:4:1 SW1103 `agent.anna` has the same name as `person.anna`",
            "policy.toml:5:1 SW1103 `group.anna` has the same name as `agent.anna`",
            "policy.toml:8:9 SW1103 `person.b` has the same email as `person.anna`",
            "policy.toml:9:9 SW1103 `person.b` has the same login as `person.anna`",
        ],
    );
}

#[test]
fn a_login_that_somebody_else_is_called_by_is_one_persons() {
    problems(
        "[person.anna]\n[person.boris]\nlogin = ['anna']\n",
        &["policy.toml:3:9 SW1103 `person.boris` has the same login as `person.anna`"],
    );
}

#[test]
fn what_could_never_be_is_no_rule() {
    problems(
        "[person.anna]\n[person.b]\n[agent.bot]\n[branch.main]\napprovals = 3\n",
        &["policy.toml:5:13 SW1103 `branch.main` wants 3 approvals, which can never be given"],
    );
    problems(
        "[person.anna]\n[person.b]\n[group.g]\nmembers = ['anna']\n[branch.main]\napprovals = 2\napprovers = ['g']\n",
        &["policy.toml:6:13 SW1103 `branch.main` wants 2 approvals, which can never be given"],
    );
    problems(
        "[person.anna]\n[branch.main]\napprovals = 1\n",
        &["policy.toml:3:13 SW1103 `branch.main` wants 1 approvals, which can never be given"],
    );
    policy("solo = true\n[person.anna]\n[branch.main]\napprovals = 1\n");
    policy("[person.anna]\n[agent.bot]\n[branch.main]\napprovals = 1\n");
    problems(
        "names = ['feature/*']\n[branch.main]\npatterns = ['main']\n[[branch.main.merge]]\nfrom = ['main', 'wip', 'feature/x']\n\
         method = []\n[branch.none]\npatterns = []\n[tag.none]\npatterns = []\n",
        &[
            "policy.toml:5:8 SW1103 `main` can never go into `branch.main`",
            "policy.toml:5:8 SW1103 `wip` can never go into `branch.main`",
            "policy.toml:6:10 SW1103 `branch.main.merge[0]` has no method, so that nothing fits it",
            "policy.toml:8:12 SW1103 `branch.none` fits no branch",
            "policy.toml:10:12 SW1103 `tag.none` fits no tag",
        ],
    );
    problems(
        "[agent.bot]\n[branch.main]\nrelease = ['bot']\nbreak-glass = ['bot']\n",
        &[
            "policy.toml:3:11 SW1103 agent `bot` cannot be in `branch.main.release`",
            "policy.toml:4:15 SW1103 agent `bot` cannot be in `branch.main.break-glass`",
        ],
    );
}

#[test]
fn the_digest_is_of_what_is_meant() {
    assert_eq!(Policy::default().digest(), policy("# nothing\nsolo = false\n").digest());
    assert_ne!(Policy::default().digest(), policy("solo = true").digest());
    let json = serde_json::to_string(&policy(TEAM)).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy(TEAM));
}

#[test]
fn schema_and_page_name_every_key_and_every_rule() {
    let mut keys = BTreeSet::new();
    walk(&schema(), &mut keys);
    let page = reference();
    for key in &keys {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
    assert!(keys.len() > 40, "{keys:?}");
    for rule in Rule::ALL {
        assert!(page.contains(&format!("| `{}` | {} |", rule.as_str(), rule.doc())), "{rule:?}");
    }
}

/// Collects the names of all keys that are no tables.
fn walk(schema: &Json, keys: &mut BTreeSet<String>) {
    for (name, of) in schema["properties"].as_object().into_iter().flatten() {
        let inner = [of, &of["items"], &of["additionalProperties"]];
        match inner.into_iter().find(|inner| inner.get("properties").is_some()) {
            Some(table) => walk(table, keys),
            None => {
                keys.insert(name.clone());
            }
        }
    }
}
