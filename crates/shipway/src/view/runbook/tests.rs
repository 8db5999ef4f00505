use serde_json::json;
use shipway_core::deployment::Switch;
use shipway_core::gate::{Gate, Need};
use shipway_core::id::{Digest, RunId, StepId};
use shipway_core::kinds::Withdrawal;
use shipway_core::kinds::deploy::{self as kinds, Before, Bring, Migrate};
use shipway_core::plan::{Stage, Verb};

use super::*;
use crate::view::sample::{self, NOON};

fn host(name: &str, address: &str) -> Host {
    Host {
        name: name.into(),
        address: address.into(),
        path: "app/production".into(),
        ssh: vec![],
        roles: vec![],
    }
}

fn bring(host: Host) -> Bring {
    let service = json!({
        "name": "web", "run": [], "manager": {"kind": "systemd", "unit": "harbour-web", "user": false, "extra": []},
        "switch": Switch::Restart, "overlap": true, "stop_ms": 1, "drain_ms": 1,
    });
    let deployment = json!({
        "run": "", "project": "harbour", "environment": "production", "version": "1.4.0", "artifact": "",
        "services": [service],
    });
    let before =
        Before { run: RunId::new("7f3a12cd"), version: "1.3.2".into(), artifact: Digest::of(b"before") };
    Bring {
        host,
        deployment: serde_json::from_value(deployment).unwrap(),
        from: Some(before),
        confirm_ms: 60_000,
        size: None,
        secrets: vec![],
    }
}

fn act(id: &str, kind: &str, args: &impl serde::Serialize, reversal: Reversal) -> Step {
    let change = Change {
        sign: Sign::Change,
        thing: format!("the thing of {id}"),
        summary: "1.3.2 → 1.4.0".into(),
        reversal,
        undo: format!("undo {id}"),
        parts: vec![],
    };
    let work = Work::Act { kind: kind.into(), args: serde_json::to_value(args).unwrap(), change };
    Step {
        id: StepId::new(id),
        work,
        attempts: 1,
        timeout_ms: 1,
        settle_ms: 0,
        published_by: None,
        follows: false,
        apart: false,
        private: false,
    }
}

/// A deployment to two hosts with a migration that has no way back.
fn deployment() -> Plan {
    let mut plan = sample::plan();
    plan.release.verb = Verb::Deploy;
    plan.release.environment = Some("production".into());
    let (one, two) = (host("web-1", "deploy@web-1"), host("it's", ""));
    let migrate = |undo: &[&str]| Migrate {
        host: one.clone(),
        name: "users".into(),
        deployment: bring(one.clone()).deployment,
        run: vec!["migrate".into()],
        done: vec!["migrate".into(), "done?".into()],
        undo: undo.iter().map(|&word| word.into()).collect(),
        outgrows: vec![],
        stays: false,
    };
    let switch = |host: &Host| {
        act(&format!("switch/{}", host.name), kinds::SWITCH, &bring(host.clone()), Reversal::Visible)
    };
    let stage = |name: &str, steps: Vec<Step>| Stage { name: name.into(), steps };
    plan.stages = vec![
        stage(
            "expand",
            vec![act("expand", kinds::MIGRATE, &migrate(&["migrate", "down"]), Reversal::Visible)],
        ),
        stage("switch", vec![switch(&one), switch(&two)]),
        stage("contract", vec![act("contract", kinds::MIGRATE, &migrate(&[]), Reversal::Never)]),
    ];
    plan
}

/// Returns the part of a runbook under a heading.
fn part<'t>(text: &'t str, heading: &str) -> &'t str {
    let start = text.find(&format!("## {heading}\n")).unwrap_or_else(|| panic!("no {heading}: {text}"));
    let rest = &text[start + 3..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

#[test]
fn a_release_says_order_undo_and_the_point_of_no_return() {
    let plan = sample::plan();
    let text = render(&plan, "", NOON);
    assert!(text.starts_with("# Runbook: harbour 1.3.2 → 1.4.0\n"), "{text}");
    assert!(text.contains(&format!("Made on 2026-11-20T12:00:00.000Z from plan `{}`", plan.digest())));
    let order = part(&text, "What happens, in order");
    let expect = "\
1. `checks`
   - gate: nothing goes on before test, lint passed
2. `commit`
   - create `commit`: chore: release version 1.4.0 (`Cargo.toml`, `CHANGELOG.md`)
3. `push`
   - change `origin`: main, v1.4.0 (atomic)
4. `publish`
   - **Point of no return**: behind this line there is only forward.
   - create `package`: harbour 1.4.0
";
    assert!(order.contains(expect), "{order}");
    let back = part(&text, "Taking it back");
    let expect = "\
1. `publish`: **cannot be taken back**; yank only
2. `push`: push a revert (others may have seen it; this is a further change)
3. `commit`: move the branch back (leaves no trace)
";
    assert!(back.contains(expect) && back.contains("`shipway rollback` does"), "{back}");
    assert!(part(&text, "The point of no return").contains("It is `publish`."));
}

#[test]
fn a_deployment_says_what_to_look_at_on_its_hosts() {
    let text = render(&deployment(), "production", NOON);
    let standing = part(&text, "Where it stands");
    assert!(standing.contains("ssh deploy@web-1 'readlink app/production/current'\n"), "{standing}");
    assert!(standing.contains("(cd && readlink app/production/current)\n"), "{standing}");
    assert!(part(&text, "Taking it back").contains("`shipway rollback production` does"));
    let hand = part(&text, "By hand, without shipway");
    for line in [
        "ssh deploy@web-1 'systemctl restart harbour-web'    # service web",
        "# Back: RELEASE is the directory of version 1.3.2, run 7f3a12cd, artifact ",
        "ssh deploy@web-1 'mv -T app/production/current.new app/production/current'",
        "ssh deploy@web-1 'migrate down'    # back",
        "ssh deploy@web-1 'migrate '\\''done?'\\'''    # is it done?",
        "# Back: there is no command; restore the backup that was made before into a new place.",
    ] {
        assert!(hand.contains(line), "{line}\n{hand}");
    }
    assert!(
        part(&text, "What happens, in order").contains("2. `switch`, 2 steps at once\n   - `switch/web-1`: ")
    );
}

#[test]
fn a_push_is_taken_back_by_git() {
    let mut plan = sample::plan();
    let push = |delete_tag: bool| shipway_core::kinds::Push {
        remote: "origin".into(),
        branch: "main".into(),
        old: String::new(),
        commit: None,
        tag: "v1.4.0".into(),
        reversal: Reversal::Visible,
        withdraw: Withdrawal { version: "1.4.0".into(), changelog: None, delete_tag, ticket: None },
    };
    let mut check = |delete_tag: bool, expect: &str| {
        let step = act("push", shipway_core::kinds::PUSH, &push(delete_tag), Reversal::Visible);
        plan.stages = vec![Stage { name: "push".into(), steps: vec![step] }];
        let text = render(&plan, "", NOON);
        assert!(text.contains("git ls-remote origin refs/heads/main refs/tags/v1.4.0 "), "{text}");
        assert!(text.contains(expect), "{text}");
        assert!(text.contains("There is none: every step can be taken back."), "{text}");
    };
    check(false, "git revert --no-edit 'v1.4.0^{commit}'");
    check(true, "git push origin --delete refs/tags/v1.4.0");
}

#[test]
fn foreign_text_is_no_markup_and_no_command() {
    let mut plan = sample::plan();
    let mut step = act("a`b", "kind", &json!({"host": host("h", "x; rm -rf ~")}), Reversal::Exact);
    if let Work::Act { change, .. } = &mut step.work {
        change.summary = "<script> *now*\n## Heading".into();
    }
    let need = Need::Check {
        name: "|x|".into(),
        kind: String::new(),
        args: json!(null),
        timeout_ms: 1,
        fresh_ms: None,
    };
    let gate = Work::Gate(Gate { needs: vec![need], subject: Digest::of(b""), at_once: 1 });
    let gate = Step { work: gate, ..step.clone() };
    plan.stages = vec![Stage { name: "s".into(), steps: vec![step, gate] }];
    let text = render(&plan, "it's", NOON);
    for line in [
        "\\<script\\> \\*now\\* ## Heading",
        "\\|x\\|",
        "`` a`b ``",
        "ssh 'x; rm -rf ~' 'readlink app/production/current'",
        "`shipway rollback 'it'\\''s'`",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("\n## Heading"));
}

#[test]
fn equal_plans_have_equal_runbooks_and_others_do_not() {
    let plan = sample::plan();
    assert_eq!(render(&plan, "", NOON), render(&plan.clone(), "", NOON));
    let mut other = plan.clone();
    other.notes.clear();
    assert_ne!(render(&plan, "", NOON), render(&other, "", NOON), "the digest is another");
}
