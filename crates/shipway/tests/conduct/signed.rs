//! Signed approvals: real keys of ssh, passphrases typed at a real terminal, an agent, and files from another machine.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use shipway_core::gate::{Need, Vouched};
use shipway_core::id::{Actor, ActorKind, Digest, RunId, Seq, StepId};
use shipway_core::journal::{Draft, Event};
use shipway_core::planner::gates::{self, People};
use shipway_core::signers::PublicKey;
use shipway_core::statement::{Signed, Statement, Use};
use shipway_core::time::Time;
use shipway_testkit::repo::Repo;
use shipway_testkit::skip::skip;

use crate::fence::with_engine;
use crate::stage::{Done, QUIET, Stage, finish};
use crate::waiting::{RUN, entries, has_script, passed, waiting};

const PASSPHRASE: &str = "open sesame";

fn approval(grade: u8, at_least: u32) -> Need {
    let people = People { from: vec![], at_least, not_by: vec!["Mo <mo@example.org>".into()], grade };
    gates::approval("approval", people).unwrap()
}

fn has_keygen() -> bool {
    let there = ["ssh-keygen", "ssh-agent"].iter().all(|name| Command::new(name).arg("-?").output().is_ok());
    if !there {
        skip("ssh-keygen or ssh-agent is not installed");
    }
    there && has_script()
}

fn file(repo: &Repo, name: &str) -> PathBuf {
    repo.home().join(".ssh").join(name)
}

/// Makes a key in the home and returns its public half.
fn key(repo: &Repo, name: &str, passphrase: &str) -> PublicKey {
    std::fs::create_dir_all(repo.home().join(".ssh")).unwrap();
    let mut command = repo.command("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", passphrase, "-f"]).arg(file(repo, name));
    assert!(command.status().unwrap().success());
    public(repo, name)
}

fn public(repo: &Repo, name: &str) -> PublicKey {
    PublicKey::from_file(&std::fs::read_to_string(file(repo, &format!("{name}.pub"))).unwrap()).unwrap()
}

/// Returns a stage on which ann and bob have keys with passphrases, and kim has one without, in the protected branch.
fn stage() -> Stage {
    Stage::with(QUIET, |repo| {
        let line = |name: &str, passphrase: &str| {
            format!("{name},{name}@example.org {}\n", key(repo, name, passphrase).to_line())
        };
        let allowed =
            line("ann", PASSPHRASE) + &line("bob", PASSPHRASE) + &line("kim", "") + &line("mo", PASSPHRASE);
        repo.file(".shipway/allowed_signers", allowed);
    })
}

/// Calls shipway at a terminal, and types an answer for each of the questions.
fn at_terminal(stage: &Stage, line: &str, answers: &[(&str, &str)]) -> Done {
    let line = format!("exec '{}' {line}", env!("CARGO_BIN_EXE_shipway"));
    // A question that nobody expects is not waited at for ever.
    let mut command = stage.repo.command("timeout");
    command.args(["60", "script", "-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.env("SHELL", "/bin/sh").env_remove("SSH_AUTH_SOCK");
    let mut child = command.spawn().unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut byte, mut answers) = (vec![], [0], answers.iter());
    let mut next = answers.next();
    while screen.read(&mut byte).unwrap() == 1 {
        shown.push(byte[0]);
        if let Some((question, answer)) = next.filter(|(question, _)| shown.ends_with(question.as_bytes())) {
            assert!(!question.is_empty());
            writeln!(keys, "{answer}").unwrap();
            next = answers.next();
        }
    }
    let status = child.wait().unwrap();
    Done { status, out: String::from_utf8_lossy(&shown).into_owned(), err: String::new() }
}

const DIGITS: &str = "or nothing:";
/// Newer ones of ssh-keygen name the key behind it.
const ASKS: &str = "Enter passphrase";

fn approves(stage: &Stage, plan: &Digest, name: &str, passphrase: &str) -> Done {
    let line = format!("approve {RUN} --key '{}'", file(&stage.repo, name).display());
    at_terminal(stage, &line, &[(DIGITS, plan.short()), (ASKS, passphrase)])
}

#[test]
fn a_key_with_a_passphrase_opens_a_gate_that_asks_for_it() {
    if !has_keygen() {
        return;
    }
    let stage = stage();
    let plan = waiting(&stage, vec![approval(1, 1)]);
    stage.code(3, &["resume"]).says(&["P1 at least: a signature with a key that a passphrase opens"]);
    let before = entries(&stage);
    // A wrong passphrase signs nothing.
    approves(&stage, &plan, "ann", "guess").assert_code(1).says(&["SW1129", "incorrect passphrase"]);
    assert_eq!(entries(&stage), before);
    let done = approves(&stage, &plan, "ann", PASSPHRASE);
    done.assert_code(0)
        .says(&["you are ann, by the key SHA256:", "P1: a passphrase was typed, as the signer says"]);
    stage.code(0, &["resume"]).says(&["shipped", "ann (P1)"]);
    assert!(passed(&stage));
    stage.code(0, &["log", RUN]).says(&["approved by ann with a key, P1: a passphrase was typed"]);
    stage.code(0, &["log", "--verify"]);
}

#[test]
fn a_key_that_anything_can_use_is_the_weakest_grade() {
    if !has_keygen() {
        return;
    }
    let stage = stage();
    let plan = waiting(&stage, vec![approval(1, 1)]);
    let before = entries(&stage);
    // Refused before anything is typed, so that no terminal is needed to be told.
    let kim = file(&stage.repo, "kim");
    let done = stage.code(1, &["approve", RUN, "--key", kim.to_str().unwrap()]);
    done.says(&["SW1131", "the yes of kim would be P0", "open to every program of its owner"]);
    let agent = Agent::with(&stage, "ann");
    let held = file(&stage.repo, "ann.pub");
    let mut command = stage.command(&["approve", RUN, "--key", held.to_str().unwrap()]);
    let done = finish(command.env("SSH_AUTH_SOCK", &agent.socket));
    done.assert_code(1).says(&[
        "SW1131",
        "the yes of ann would be P0",
        "an unlocked agent signs for every program",
    ]);
    // What the agent has signed behind the back of shipway is what its statement says.
    let statement = exported(&stage);
    let signed = agent.sign(&stage, "ann", &statement);
    let brought = import(&stage, &signed);
    brought.assert_code(1).says(&["SW1131", "an unlocked agent"]);
    assert_eq!(entries(&stage), before);
    assert_eq!(plan.as_str().len(), 64);
}

#[test]
fn only_keys_of_the_protected_branch_count() {
    if !has_keygen() {
        return;
    }
    let stage = stage();
    waiting(&stage, vec![approval(1, 1)]);
    let own = key(&stage.repo, "own", PASSPHRASE);
    // What is only here is what is being judged.
    let allowed = stage.repo.read(".shipway/allowed_signers");
    stage.repo.file(".shipway/allowed_signers", format!("{allowed}ann,ann@example.org {}\n", own.to_line()));
    stage.repo.commit("chore: let myself in");
    let path = file(&stage.repo, "own");
    let done = stage.code(1, &["approve", RUN, "--key", path.to_str().unwrap()]);
    done.says(&["SW1127", &own.fingerprint(), "refs/remotes/origin/main", &own.to_line()]);
    stage.repo.git(["push", "origin", "HEAD"]);
    let done = stage.code(1, &["approve", RUN, "--key", path.to_str().unwrap()]);
    done.says(&["SW1079"]);
}

#[test]
fn who_may_not_approve_may_not_with_a_key_either() {
    if !has_keygen() {
        return;
    }
    let stage = stage();
    waiting(&stage, vec![approval(1, 1)]);
    let mo = file(&stage.repo, "mo");
    let done = stage.code(1, &["approve", RUN, "--key", mo.to_str().unwrap()]);
    done.says(&["SW1077", "mo is excluded"]);
    for actor in ["agent:ann", "machine:ann"] {
        let ann = file(&stage.repo, "ann");
        let mut command = stage.command(&["approve", RUN, "--key", ann.to_str().unwrap()]);
        finish(command.env("SHIPWAY_ACTOR", actor)).assert_code(1).says(&["SW1078"]);
    }
}

#[test]
fn another_person_on_another_machine_is_the_strongest_grade() {
    if !has_keygen() {
        return;
    }
    let stage = stage();
    let plan = waiting(&stage, vec![approval(3, 1)]);
    let before = entries(&stage);
    let exported = stage.code(0, &["approve", RUN, "--export"]);
    let (ask, yes) = (stage.home("ask.json"), stage.home("yes.json"));
    std::fs::write(&ask, &exported.out).unwrap();
    let sign = |ask: &str, name: &str, typed: &str| {
        let key = file(&stage.repo, name).display().to_string();
        let line = format!("approve --sign '{ask}' --key '{key}' >'{}'", yes.display());
        at_terminal(&stage, &line, &[(DIGITS, typed), (ASKS, PASSPHRASE)])
    };
    // Another plan than the one that is signed is not shown as it.
    let other = exported.out.replace("\"to\":\"1.1.0\"", "\"to\":\"1.0.1\"");
    assert_ne!(other, exported.out);
    let forged = stage.home("forged.json");
    std::fs::write(&forged, other).unwrap();
    sign(forged.to_str().unwrap(), "bob", plan.short()).assert_code(1).says(&["SW1130"]);
    sign(ask.to_str().unwrap(), "bob", "no").assert_code(1).says(&["SW1080"]);
    let done = sign(ask.to_str().unwrap(), "bob", plan.short());
    done.assert_code(0).says(&["tag  tag behind", plan.as_str()]);
    let signed = std::fs::read_to_string(&yes).unwrap();
    // A changed statement is no longer signed.
    import(&stage, &signed.replace("\\\"run\\\":\\\"0123", "\\\"run\\\":\\\"0124"))
        .assert_code(1)
        .says(&["SW1130"]);
    import(&stage, &signed.replace("passphrase", "device")).assert_code(1).says(&["SW1126"]);
    import(&stage, "{}").assert_code(1).says(&["SW1130", "holds no `signed`"]);
    assert_eq!(entries(&stage), before);
    let done = import(&stage, &signed);
    done.assert_code(0)
        .says(&["P3: a passphrase was typed, as the signer says, by another person and over another"]);
    stage.code(0, &["resume"]).says(&["shipped", "bob (P3)"]);
}

#[test]
fn a_grade_that_was_written_into_the_journal_counts_for_nothing() {
    if !has_keygen() {
        return;
    }
    let stage = stage();
    let plan = waiting(&stage, vec![approval(1, 1)]);
    let statement = exported(&stage);
    let forge = |grade: u8, signed: Option<Box<Vouched>>| {
        let step = Some(StepId::new("production"));
        write(&stage, 0, &Event::Approved { step, plan: plan.clone(), grade, signed });
    };
    forge(3, None);
    stage.code(3, &["resume"]).says(&["the yes of bob is P0: typed, and not signed"]);
    let vouched = |signed: Signed| {
        let (person, names) = ("bob".to_owned(), vec!["bob".to_owned(), "bob@example.org".into()]);
        let key = public(&stage.repo, "bob").fingerprint();
        let (gate, why) = (None, "because I say so".into());
        let expires = statement_of(&statement).expires;
        Box::new(Vouched { signed, person, names, key, gate, expires, grade: 3, why, flaw: None })
    };
    // A signature of somebody else, for the same words, over what bob should have signed.
    let mut forged = Signed { text: statement.clone(), signature: keygen(&stage, "kim", &statement) };
    forged.text = forged.text.replace("\"agent\"", "\"passphrase\"");
    forge(3, Some(vouched(forged)));
    stage.code(3, &["resume"]).says(&["the yes of bob does not count: the signature is not good"]);
    assert!(!passed(&stage));
    assert_eq!(with_head(&stage), Seq(3), "nothing was written for them");
}

#[test]
fn a_key_that_is_revoked_meanwhile_opens_nothing() {
    if !has_keygen() {
        return;
    }
    let stage = stage();
    let plan = waiting(&stage, vec![approval(1, 1)]);
    approves(&stage, &plan, "ann", PASSPHRASE).assert_code(0);
    let name = public(&stage.repo, "ann").fingerprint();
    stage.repo.file(".shipway/revoked_keys", format!("{name} 2020-01-01T00:00:00Z stolen\n"));
    stage.repo.commit("chore: a key was stolen");
    stage.repo.git(["push", "origin", "HEAD"]);
    stage.code(3, &["resume"]).says(&["the yes of ann does not count", &name]);
    assert!(!passed(&stage));
    approves(&stage, &plan, "bob", PASSPHRASE).assert_code(0);
    stage.code(0, &["resume"]).says(&["shipped"]);
}

/// Writes a file of the policy and lands it.
fn land(stage: &Stage, path: &str, text: &str) {
    stage.repo.file(path, text);
    stage.repo.commit("chore: who may do what");
    stage.repo.git(["push", "origin", "HEAD"]);
}

#[test]
fn a_key_that_ended_meanwhile_opens_nothing_and_shuts_nothing_behind_which_a_step_began() {
    if !has_keygen() {
        return;
    }
    let stage = stage();
    let plan = waiting(&stage, vec![approval(1, 1)]);
    approves(&stage, &plan, "ann", PASSPHRASE).assert_code(0);
    let allowed = stage.repo.read(".shipway/allowed_signers");
    // It ends in the second of the yes, and then that second passes.
    let (at, time) = given(&stage);
    let line = format!("valid-before=\"{time}Z\" ssh-ed25519");
    land(&stage, ".shipway/allowed_signers", &allowed.replacen("ssh-ed25519", &line, 1));
    while shipway_world::shell::now().seconds() <= at.seconds() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    stage.code(3, &["resume"]).says(&["the yes of ann does not count", "it counted until 20"]);
    stage.code(0, &["status"]).says(&["ann (does not count: it counted until 20"]);
    assert!(!passed(&stage));
    // A process died in the step behind the gate, while the key still counted: the run goes on there, and not to the gate.
    write(&stage, 1, &Event::Started { step: StepId::new("tag") });
    stage.code(4, &["resume"]).says(&["step tag was cut off in every attempt", "✓ production", "ann (P1)"]);
}

#[test]
fn a_run_that_a_stolen_key_has_set_going_waits_and_can_be_taken_back() {
    if !has_keygen() {
        return;
    }
    let stage = stage();
    let plan = waiting(&stage, vec![approval(1, 1)]);
    approves(&stage, &plan, "ann", PASSPHRASE).assert_code(0);
    write(&stage, 1, &Event::Started { step: StepId::new("tag") });
    let name = public(&stage.repo, "ann").fingerprint();
    land(&stage, ".shipway/revoked_keys", &format!("{name} 2020-01-01T00:00:00Z stolen\n"));
    stage.code(3, &["resume"]).says(&["the yes of ann does not count", "take it back: shipway rollback"]);
    stage.run(&["rollback"]).says(&["everything was taken back"]);
}

/// Returns when the last yes was given, also as ssh-keygen writes times.
fn given(stage: &Stage) -> (Time, String) {
    let mut at = Time(0);
    with_engine(stage, |engine| {
        let entries = engine.journal.read(&RunId::new(RUN), None).unwrap();
        at = entries.iter().rfind(|entry| matches!(entry.event, Event::Approved { .. })).unwrap().at;
    });
    (at, at.to_string().chars().filter(char::is_ascii_digit).take(14).collect())
}

/// Writes an entry as somebody does who can write to the journal.
fn write(stage: &Stage, attempt: u32, event: &Event) {
    let by = Actor { kind: ActorKind::Human, name: "bob".into(), host: "here".into() };
    with_engine(stage, |engine| {
        let run = RunId::new(RUN);
        let lease = engine.journal.lease(&run).unwrap();
        let draft = Draft { at: engine.world.now(), by: by.clone(), attempt, event: event.clone() };
        engine.journal.append(&run, lease.fence, lease.head, &[draft]).unwrap();
    });
}

#[test]
fn an_agent_of_the_policy_does_not_approve_with_its_key() {
    if !has_keygen() {
        return;
    }
    let stage = stage();
    let plan = waiting(&stage, vec![approval(1, 1)]);
    let key = |name: &str| file(&stage.repo, name).display().to_string();
    // What ann has signed as a person counts no more once the policy calls ann a program.
    approves(&stage, &plan, "ann", PASSPHRASE).assert_code(0);
    land(&stage, ".shipway/policy.toml", "[agent.ann]\n\n[person.bob]\nemail = [\"mo@example.org\"]\n");
    stage
        .code(3, &["resume"])
        .says(&["the yes of ann does not count: ann is an agent, and no agent approves"]);
    assert!(!passed(&stage));
    let refused = |name: &str, says: &[&str]| {
        stage.code(1, &["approve", RUN, "--key", &key(name)]).says(says);
    };
    refused("ann", &["SW1078", "ann is an agent, and no agent approves"]);
    refused("kim", &["SW1078", "the policy names no person kim"]);
    // An address that only the policy knows keeps authors from their own work as well.
    refused("bob", &["SW1077", "bob is excluded"]);
    land(&stage, ".shipway/policy.toml", "nonsense = 1\n");
    refused("bob", &["SW1125", "the policy beside the allowed signers cannot be read"]);
}

#[test]
fn a_branch_whose_name_only_ends_like_that_of_the_protected_one_lets_nobody_in() {
    if !has_keygen() {
        return;
    }
    let stage = stage();
    waiting(&stage, vec![approval(1, 1)]);
    let own = key(&stage.repo, "own", PASSPHRASE);
    stage.repo.file(".shipway/allowed_signers", format!("ann,ann@example.org {}\n", own.to_line()));
    stage.repo.commit("chore: let myself in");
    for branch in ["a/main", "a/HEAD", "A/HEAD"] {
        stage.repo.git(["push", "origin", &format!("HEAD:refs/heads/{branch}")]);
    }
    let path = file(&stage.repo, "own");
    let done = stage.code(1, &["approve", RUN, "--key", path.to_str().unwrap()]);
    done.says(&["SW1127", "refs/remotes/origin/main\n"]);
}

#[test]
fn a_signed_yes_ends() {
    if !has_keygen() {
        return;
    }
    let stage = stage();
    waiting(&stage, vec![approval(0, 1)]);
    let statement = exported(&stage);
    let said = statement_of(&statement);
    let signed = |said: shipway_core::statement::PlanApproval| {
        let text = Statement::Plan(said).text();
        serde_json::json!({ "signed": { "signature": keygen(&stage, "kim", &text), "text": text } })
            .to_string()
    };
    let before = entries(&stage);
    let over = "2026-01-01T00:00:00.000Z".parse().unwrap();
    let old = signed(shipway_core::statement::PlanApproval { expires: over, ..said.clone() });
    import(&stage, &old).assert_code(1).says(&["SW1130", "ended at 2026-01-01"]);
    let other = Digest::of(b"another");
    let another = signed(shipway_core::statement::PlanApproval { plan: other.clone(), ..said.clone() });
    import(&stage, &another).assert_code(1).says(&["SW1130", &format!("plan {other}")]);
    assert_eq!(entries(&stage), before);
    import(&stage, &signed(said)).assert_code(0).says(&["P0"]);
}

/// Returns the text that is to be signed.
fn exported(stage: &Stage) -> String {
    let done = stage.code(0, &["approve", RUN, "--export", "--json"]);
    let document: Value = serde_json::from_str(&done.out).unwrap();
    let said = serde_json::from_value(document["ask"]["statement"].clone()).unwrap();
    Statement::Plan(said).text()
}

fn statement_of(text: &str) -> shipway_core::statement::PlanApproval {
    let Ok(Statement::Plan(said)) = serde_json::from_str(text) else { panic!("{text}") };
    assert_eq!(said.key_use, Use::Agent, "what is not known is the weakest");
    said
}

/// Signs with a key that is open, past shipway.
fn keygen(stage: &Stage, name: &str, text: &str) -> String {
    let mut command = stage.repo.command("ssh-keygen");
    command.args(["-q", "-Y", "sign", "-n", "plan@shipway", "-f"]).arg(file(&stage.repo, name));
    piped(command, text)
}

fn piped(mut command: Command, text: &str) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn import(stage: &Stage, signed: &str) -> Done {
    let file = stage.home("import.json");
    std::fs::write(&file, signed).unwrap();
    stage.run(&["approve", RUN, "--import", file.to_str().unwrap()])
}

fn with_head(stage: &Stage) -> Seq {
    let mut head = Seq(0);
    with_engine(stage, |engine| {
        head = engine.journal.read(&RunId::new(RUN), None).unwrap().last().unwrap().seq;
    });
    head
}

/// An agent that holds a key and asks nobody.
struct Agent {
    socket: PathBuf,
    child: Child,
}

impl Agent {
    fn with(stage: &Stage, name: &str) -> Self {
        let socket = stage.home("agent");
        let mut agent = stage.repo.command("ssh-agent");
        let child = agent.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        while !socket.exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        // Its owner has opened the key once, and the file is not at hand.
        let path = file(&stage.repo, name);
        let mut open = stage.repo.command("ssh-keygen");
        open.args(["-q", "-p", "-P", PASSPHRASE, "-N", "", "-f"]).arg(&path).stdout(Stdio::null());
        assert!(open.status().unwrap().success());
        let mut add = stage.repo.command("ssh-add");
        assert!(add.arg("-q").arg(&path).env("SSH_AUTH_SOCK", &socket).status().unwrap().success());
        std::fs::remove_file(path).unwrap();
        Self { socket, child }
    }

    fn sign(&self, stage: &Stage, name: &str, text: &str) -> String {
        let mut command = stage.repo.command("ssh-keygen");
        command
            .args(["-q", "-Y", "sign", "-n", "plan@shipway", "-f"])
            .arg(file(&stage.repo, &format!("{name}.pub")));
        command.env("SSH_AUTH_SOCK", &self.socket);
        let signature = piped(command, text);
        serde_json::json!({ "signed": { "text": text, "signature": signature } }).to_string()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
