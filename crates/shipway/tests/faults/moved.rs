//! A world that moves between the plan and the push, and beside the push.

use serde_json::Value;
use shipway_core::problem::Code;

use crate::stage::{Stage, Told};

/// Returns the first digits of the digest of today's plan.
fn digest(stage: &Stage) -> String {
    let told = stage.run(&["plan", "--json"]);
    let plan: Value = serde_json::from_slice(&told.ok().out).unwrap();
    let digest = plan.pointer("/digest").or(plan.pointer("/plan/digest")).and_then(Value::as_str);
    digest.unwrap_or_else(|| panic!("no digest: {plan}"))[..8].to_owned()
}

#[test]
fn the_plan_that_was_shown_is_carried_out() {
    let stage = Stage::new();
    let digest = digest(&stage);
    stage.run(&["push", &digest]).ok();
    stage.released("1.1.0");
}

#[test]
fn a_plan_is_refused_with_the_differences_when_the_world_has_moved() {
    let stage = Stage::new();
    let digest = digest(&stage);
    stage.remote.advance();
    stage.refuses(&["push", &digest], Code::BehindRemote, &["git pull"]);
    stage.repo.git(["pull", "--quiet", "--ff-only", "origin", "main"]);
    stage.refuses(&["push", &digest], Code::PlanStale, &["1 feat, 2 fix", "shipway push "]);
    stage.repo.commit("feat!: greet nobody");
    stage.refuses(&["push", &digest], Code::PlanStale, &["2.0.0"]);
}

#[test]
fn a_remote_that_moves_while_the_checks_run_is_refused_by_the_lease() {
    let stage = Stage::new();
    let other = stage.repo.home().join("other");
    let script = stage.repo.home().join("race.sh");
    stage
        .repo
        .file("shipway.toml", format!("[[check]]\nname = \"race\"\nrun = \"sh {}\"\n", script.display()));
    stage.publish("chore: configure releases");
    let (other, url) = (other.display(), stage.remote.url());
    let text = format!(
        "set -e\ngit clone -q {url} {other}\ncd {other}\ngit config user.name o\ngit config user.email o@o\n\
         git commit -q --allow-empty -m 'fix: first'\ngit push -q origin main\n"
    );
    std::fs::write(&script, text).unwrap();
    let before = stage.repo.state();
    stage.run(&["push"]).tells(Code::RemoteMoved, &["git fetch origin"]).exits(4);
    before.without("ref refs/remotes").assert_same(&stage.repo.state().without("ref refs/remotes"));
    assert_eq!(stage.remote.tags(), ["v1.0.0"]);
    std::fs::write(&script, "true\n").unwrap();
    stage.run(&["push"]).tells(Code::BehindRemote, &[]).exits(1);
    stage.repo.git(["pull", "--quiet", "--ff-only", "origin", "main"]);
    stage.run(&["push"]).ok();
    stage.released("1.1.0");
}

#[test]
fn an_open_run_stands_in_the_way_until_it_is_ended() {
    let stage = Stage::new();
    // Killed in the middle of the commit, with everything that it started.
    stage.repo.hook("pre-commit", "kill -9 $(ps -o ppid= -p $PPID)");
    let killed = stage.run(&["push"]);
    assert_ne!(killed.exit, 0, "{}", killed.text());
    std::fs::remove_file(stage.repo.path().join(".git/hooks/pre-commit")).unwrap();
    stage.refuses(&["push"], Code::OpenRun, &["shipway resume", "shipway rollback"]);
    assert!(stage.run(&["plan"]).ok().text().contains("is still open"));
    stage.run(&["resume"]).ok();
    stage.released("1.1.0");
}

#[test]
fn a_run_that_another_process_drives() {
    let stage = Stage::new();
    let mark = stage.repo.home().join("there");
    stage
        .repo
        .hook("pre-commit", &format!("touch {0}; while test -e {0}; do sleep 0.05; done", mark.display()));
    let mut first = stage.command(&["push"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    while !mark.exists() && first.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let second: Told = stage.run(&["push"]);
    std::fs::remove_file(&mark).unwrap();
    second.tells(Code::LeaseHeld, &["shipway"]).exits(1);
    assert!(first.wait().unwrap().success());
    stage.released("1.1.0");
}
