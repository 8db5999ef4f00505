use std::env;
use std::fs;

use shipway_core::action::Fault;
use shipway_core::deployment::{Host, Manifest};
use shipway_core::id::Fence;
use shipway_core::problem::Code;
use shipway_world::agent::protocol::{Request, Standing};

use crate::scene::{Driver, Scene, run, until};

/// Goes on with the second run from wherever it is, to its end.
fn carry(driver: &Driver<'_>, host: &Host, manifest: &Manifest, confirm: bool) -> Result<(), Fault> {
    let look = || driver.fleet.look(host, &driver.stop);
    let standing = |state: &shipway_world::agent::protocol::State| {
        state.deployments.iter().find(|known| known.deployment.run == run(2)).map(|known| known.standing)
    };
    let now = look()?;
    if matches!(standing(&now), None | Some(Standing::Staged)) {
        driver.stage(host, manifest)?;
    }
    if matches!(standing(&look()?), Some(Standing::Staged | Standing::Switching)) {
        driver.ask(host, Request::Switch { from: Some(run(1)), within_ms: 600_000 })?;
    }
    driver.ask(host, if confirm { Request::Confirm } else { Request::Revert })?;
    driver.ask(host, Request::Release).map(|_| ())
}

/// How many places are left out after one at which the agent is killed, unless all are wanted.
const STRIDE: usize = 3;

/// Kills the agent at every place that it passes, and goes on; returns how many there are.
fn check(confirm: bool) -> usize {
    let full = env::var_os("SHIPWAY_TEST_FULL").is_some_and(|value| value == "1");
    let stride = if full { 1 } else { STRIDE };
    let scene = Scene::new();
    let (one, two) = (scene.built("one"), scene.built("two"));
    // The two stories begin alike, so they are killed at different places.
    let mut at = if full { 0 } else { usize::from(confirm) };
    loop {
        let host = scene.host(&format!("host-{at}"));
        {
            let fleet = scene.fleet();
            Driver::new(&fleet, 1).deploy(&host, &one);
        }
        fs::write(scene.path().join("places/die-at"), at.to_string()).unwrap();
        let fleet = scene.fleet();
        let mut lost = 0;
        while let Err(fault) = carry(&Driver::new(&fleet, 2), &host, &two, confirm) {
            assert_eq!(fault.problem.code, Code::HostLost, "killed at {at}: {fault:?}");
            assert!(["one", "two"].contains(&&*Scene::version(&host)), "killed at {at}");
            lost += 1;
            assert!(lost < 2, "killed at {at}: only one was to die");
        }
        // Another client, whose agent lives: the first one may have yet to die.
        let state = Driver::new(&scene.fleet(), 2).look(&host);
        let (current, version) = if confirm { (2, "two") } else { (1, "one") };
        assert_eq!((state.current, &*Scene::version(&host)), (Some(run(current)), version), "killed at {at}");
        assert_eq!((state.watchdog, state.drift), (None, vec![]), "killed at {at}");
        // One that dies right after an answer is not missed: the next call makes a new connection.
        drop(fleet);
        if fs::remove_file(scene.path().join("places/died")).is_err() {
            return at;
        }
        at += stride;
    }
}

#[test]
fn an_agent_that_is_killed_at_any_message_or_entry_is_whole_when_the_run_goes_on() {
    let places = [check(true), check(false)];
    // Requests, answers and entries, each before and after.
    assert!(places.iter().all(|places| *places > 40), "{places:?}");
}

#[test]
fn a_host_whose_client_and_agent_were_killed_goes_back_by_itself() {
    let scene = Scene::new();
    let host = scene.host("a");
    let (one, two) = (scene.built("one"), scene.built("two"));
    let fleet = scene.fleet();
    Driver::new(&fleet, 1).deploy(&host, &one);
    let driver = Driver::new(&fleet, 2);
    driver.stage(&host, &two).unwrap();
    driver.switch(&host, 3_000).unwrap();
    Scene::signal("-KILL", &scene.pid());
    fleet.disconnect();
    until("the host goes back", || Scene::version(&host) == "one");
    let journal = || fs::read_to_string(format!("{}/journal.jsonl", host.path)).unwrap();
    until("the journal says so", || journal().contains("reverted"));
    let fault = driver.ask(&host, Request::Confirm).unwrap_err();
    assert_eq!(fault.problem.code, Code::WatchdogFired);
}

/// Returns the watchdog of a host.
fn watchdog(host: &Host) -> Option<String> {
    let words = format!("watchdog\0{}\0", host.path);
    let found = fs::read_dir("/proc").unwrap().flatten().find(|entry| {
        fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).ends_with(&words))
    });
    found.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

#[test]
fn a_watchdog_that_is_killed_is_started_again_and_still_takes_the_host_back() {
    let scene = Scene::new();
    let host = scene.host("a");
    let (one, two) = (scene.built("one"), scene.built("two"));
    let fleet = scene.fleet();
    Driver::new(&fleet, 1).deploy(&host, &one);
    let driver = Driver::new(&fleet, 2);
    driver.stage(&host, &two).unwrap();
    // That of the first run ends by itself, but not at once.
    until("nothing is watched", || watchdog(&host).is_none());
    driver.switch(&host, 10_000).unwrap();
    let first = watchdog(&host).unwrap();
    assert_eq!(driver.look(&host).watchdog.unwrap().died, 0);
    Scene::signal("-KILL", &first);
    // It is seen at once; and started again as soon as the run is heard of, or somebody comes.
    until("it is seen to be dead", || driver.look(&host).watchdog.unwrap().died == 1);
    until("another one is there", || {
        driver.look(&host);
        watchdog(&host).is_some_and(|now| now != first)
    });
    assert_eq!(driver.look(&host).watchdog.unwrap().died, 1);
    // The client and the agent die too, and nobody comes.
    Scene::signal("-KILL", &scene.pid());
    fleet.disconnect();
    until("the host goes back", || Scene::version(&host) == "one");
    until("the watchdog ends", || watchdog(&host).is_none());
    assert_eq!(driver.ask(&host, Request::Confirm).unwrap_err().problem.code, Code::WatchdogFired);
}

#[test]
fn a_watchdog_that_was_killed_with_the_client_is_started_again_by_whoever_comes_next() {
    let scene = Scene::new();
    let (host, one) = (scene.host("a"), scene.built("one"));
    let fleet = scene.fleet();
    let driver = Driver::new(&fleet, 1);
    driver.stage(&host, &one).unwrap();
    driver.switch(&host, 300_000).unwrap();
    let first = watchdog(&host).unwrap();
    for pid in [&scene.pid(), &first] {
        Scene::signal("-KILL", pid);
    }
    fleet.disconnect();
    until("another one is there", || {
        let other = scene.fleet();
        Driver::new(&other, 1).look(&host).watchdog.unwrap().died == 1
            && watchdog(&host).is_some_and(|now| now != first)
    });
}

#[test]
fn a_run_that_is_alive_puts_the_watchdog_off() {
    let scene = Scene::new();
    let (host, one) = (scene.host("a"), scene.built("one"));
    let fleet = scene.fleet();
    let driver = Driver::new(&fleet, 1);
    driver.stage(&host, &one).unwrap();
    driver.switch(&host, 300_000).unwrap();
    let left = || driver.look(&host).watchdog.unwrap().left_ms;
    let lowest = std::cell::Cell::new(left());
    until("the time that is left becomes more", || {
        let now = left();
        let more = now > lowest.get() + 1_000;
        lowest.set(lowest.get().min(now));
        more
    });
    driver.ask(&host, Request::Confirm).unwrap();
    until("the watchdog ends", || !fs::exists(format!("{}/watchdog.json", host.path)).unwrap());
    assert_eq!(driver.look(&host).lease.unwrap().fence, Fence(1));
}
