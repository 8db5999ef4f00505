use std::path::Path;
use std::time::Duration;

use shipway_core::action::{Effect, Stop};
use shipway_core::deployment::Host;
use shipway_core::problem::Code;
use shipway_world::agent::protocol::{Command, Request, Response};
use shipway_world::artifact::changed;

use crate::scene::{Driver, LIMIT, Scene, run, until};

#[test]
fn a_release_reaches_many_hosts_and_the_next_one_sends_only_what_differs() {
    let scene = Scene::new();
    let hosts: Vec<Host> = ["a", "b", "c"].iter().map(|name| scene.host(name)).collect();
    let (one, two) = (scene.built("one"), scene.built("two"));
    let fleet = scene.fleet();
    for (number, manifest, sent) in [(1, &one, 40), (2, &two, 2), (3, &one, 0)] {
        let driver = Driver::new(&fleet, number);
        let staged = fleet.each(&hosts, |host| driver.stage(host, manifest).unwrap());
        assert!(staged.iter().all(|staged| staged.sent_files == sent && staged.had_files == 40 - sent));
        for host in &hosts {
            let release = Path::new(&host.path).join("releases").join(manifest.digest().as_str());
            assert!(changed(&release, manifest).is_empty());
            driver.switch(host, 600_000).unwrap();
            driver.ask(host, Request::Confirm).unwrap();
            fleet.release(host, &driver.run, &driver.stop).unwrap();
            assert_eq!(driver.look(host).current, Some(run(number)));
        }
    }
    assert_eq!(scene.version(&hosts[2]), "one");
}

#[test]
fn a_client_that_was_away_too_long_is_fenced_for_good() {
    let scene = Scene::new();
    let (host, one) = (scene.host("a"), scene.built("one"));
    let (first, second) = (scene.fleet(), scene.fleet());
    let (old, new) = (Driver::new(&first, 1), Driver::new(&second, 1));
    old.stage(&host, &one).unwrap();
    let fault = Driver::new(&second, 2).stage(&host, &one).unwrap_err();
    assert_eq!((fault.problem.code, fault.effect), (Code::HostLeased, Effect::None));
    new.stage(&host, &one).unwrap();
    for _ in 0..2 {
        let fault = old.ask(&host, Request::Discard).unwrap_err();
        assert_eq!((fault.problem.code, fault.effect), (Code::HostFenced, Effect::None));
        first.disconnect();
    }
    new.switch(&host, 0).unwrap();
}

#[test]
fn commands_answer_with_what_they_wrote_and_their_code() {
    let scene = Scene::new();
    let (host, fleet) = (scene.host("a"), scene.fleet());
    let driver = Driver::new(&fleet, 1);
    std::fs::create_dir_all(&host.path).unwrap();
    let command = Command {
        argv: ["sh", "-c", "cat; pwd; echo $WORD >&2; exit 3"].map(str::to_owned).to_vec(),
        env: [("WORD".to_owned(), "told".to_owned())].into(),
        timeout_ms: 60_000,
        stdin: "read\n".into(),
        ..Command::default()
    };
    let answer = driver.ask(&host, Request::Command(command.clone())).unwrap();
    let stdout = format!("read\n{}\n", host.path);
    assert_eq!(
        answer,
        Response::Output { code: Some(3), ended: String::new(), stdout, stderr: "told\n".into() }
    );
    // One that only looks needs no lease; one that changes something does.
    let looks = Command { looks: true, ..command.clone() };
    fleet.call(&host, None, Request::Command(looks), LIMIT, &Stop::default()).unwrap();
    let fault = fleet.call(&host, None, Request::Command(command), LIMIT, &Stop::default()).unwrap_err();
    assert_eq!(fault.problem.code, Code::AgentUnusable);
}

#[test]
fn an_agent_that_says_nothing_is_given_up() {
    let scene = Scene::new();
    let (host, one) = (scene.host("a"), scene.built("one"));
    let fleet = scene.fleet().silence(Duration::from_secs(6));
    let driver = Driver::new(&fleet, 1);
    driver.stage(&host, &one).unwrap();
    scene.signal("-STOP", &scene.pid());
    let fault = driver.ask(&host, Request::Switch { from: None, within_ms: 0 }).unwrap_err();
    assert_eq!((fault.problem.code, fault.effect), (Code::HostLost, Effect::Unknown));
    assert!(fault.retry_after_ms.is_some());
    assert!(fault.problem.found.unwrap().contains("said nothing"));
    // The next call makes a new connection, under the same lease.
    driver.ask(&host, Request::Switch { from: None, within_ms: 0 }).unwrap();
    assert_eq!(scene.version(&host), "one");
}

#[test]
fn a_stop_ends_the_wait() {
    let scene = Scene::new();
    let (host, fleet) = (scene.host("a"), scene.fleet());
    let driver = Driver::new(&fleet, 1);
    std::fs::create_dir_all(&host.path).unwrap();
    let argv = ["sh", "-c", "touch begun; sleep 600"].map(str::to_owned).to_vec();
    let request = Request::Command(Command { argv, timeout_ms: 600_000, ..Command::default() });
    let fault = std::thread::scope(|scope| {
        let asked = scope.spawn(|| driver.ask(&host, request));
        until("the command begins", || Path::new(&host.path).join("begun").exists());
        driver.stop.ask();
        driver.stop.ask();
        asked.join().unwrap().unwrap_err()
    });
    assert_eq!((fault.problem.code, fault.effect), (Code::Stopped, Effect::Unknown));
}

#[test]
fn an_agent_that_does_not_run_is_told() {
    let scene = Scene::new();
    let host = scene.host("a");
    for (name, script, word) in [
        ("quiet", "#!/bin/sh\nexit 1\n", ""),
        ("loud", "#!/bin/sh\necho no such library >&2; exit 1\n", "library"),
    ] {
        let binary = shipway_world::host::AgentBinary::new(scene.program(name, script));
        let fleet = shipway_world::host::Fleet::new(scene.store.clone(), binary, Default::default());
        let fault = fleet.look(&host, &Stop::default()).unwrap_err();
        assert_eq!((fault.problem.code, fault.effect), (Code::AgentUnusable, Effect::None));
        assert!(fault.problem.details.join("\n").contains(word));
    }
}
