//! The first landings of a repository.

use crate::stage::{CONFIG, POLICY, SHIPWAY, Stage, said};

#[test]
fn an_empty_repository_gets_its_policy_by_a_landing() {
    let Some(stage) = Stage::empty() else { return };
    let key = stage.key("ann").with_extension("pub");
    stage.install(&["--admin", &format!("ann={}", key.display())]);
    stage.repo.file("README.md", "hello\n").file("shipway.toml", CONFIG);
    stage.repo.file(".shipway/policy.toml", POLICY).file(".shipway/allowed_signers", stage.signers());
    stage.commit("ann", "x", "chore: begin");
    let no = stage.push("ann", &["HEAD:refs/heads/main"]);
    assert!(!no.status.success() && said(&no).contains("push-restricted"), "{}", said(&no));
    stage.propose("ann", "main", &[]);
    stage.did("ann", &["change", "approve", "1"]);
    stage.did("ann", &["change", "land", "1"]);
    assert_eq!(stage.tip("main"), stage.repo.head());
    let proven = stage.did("cem", &["verify", "main"]);
    assert!(proven.contains("1 landing, and it is proven"), "{proven}");

    // From here on the policy of the branch holds: nobody approves their own work any more.
    stage.work("ann", "feature/y", "y");
    stage.propose("ann", "main", &[]);
    stage.did("ann", &["change", "approve", "2"]);
    stage.refused("ann", &["change", "land", "2"], 3);
    stage.did("cem", &["change", "approve", "2"]);
    stage.did("ann", &["change", "land", "2"]);
    stage.did("cem", &["verify", "main"]);
}

#[test]
fn whoever_installs_is_told_if_nobody_could_land() {
    let Some(stage) = Stage::empty() else { return };
    stage.begin(POLICY);
    let path = stage.bare.display().to_string();
    let install = || said(&stage.run(SHIPWAY, &["guard", "install", "--server", &path]));
    // The policy that is there names people, with their keys.
    assert!(!install().contains("nobody can land"));
    let other = Stage::empty().unwrap();
    let path = other.bare.display().to_string();
    let told = said(&other.run(SHIPWAY, &["guard", "install", "--server", &path]));
    assert!(told.contains("nobody can land yet"), "{told}");
}

#[test]
fn whoever_is_not_in_the_first_policy_begins_nothing() {
    let Some(stage) = Stage::empty() else { return };
    let key = stage.key("ann").with_extension("pub");
    stage.install(&["--admin", &format!("ann={}", key.display())]);
    stage.commit("ben", "x", "chore: begin");
    stage.propose("ben", "main", &[]);
    let no = stage.shipway("ben", &["change", "approve", "1"]);
    assert!(!no.status.success(), "{}", said(&no));
    let no = stage.shipway("ben", &["change", "land", "1"]);
    assert!(!no.status.success(), "{}", said(&no));
    assert!(stage.there(&["for-each-ref", "refs/heads"]).is_empty());
}
