use std::fs::{self, File};
use std::io::Write as _;

use shipway_core::problem::Code;

use super::host::{TestHost, built, run};
use crate::agent::protocol::{Request, Response, Standing};
use crate::agent::watchdog::settle;

#[test]
fn a_host_that_hears_nothing_goes_back() {
    let (host, one, two) = (TestHost::new(), built("one"), built("two"));
    host.deploy(1, &one);
    assert_eq!(host.state().watchdog, None);
    let mut client = host.leased(run(2));
    client.stage(&two).unwrap();
    client.switch(Some(1)).unwrap();
    for _ in 0..3 {
        host.forward(50_000);
        assert!(settle(&host.agent()).unwrap());
        client.ask(Request::Ping).unwrap();
    }
    assert_eq!((host.version(), host.state().watchdog.unwrap().left_ms), ("two".into(), 60_000));
    host.forward(60_000);
    assert!(!settle(&host.agent()).unwrap());
    assert_eq!(host.version(), "one");
    let state = host.state();
    assert_eq!((state.current, state.watchdog, state.drift), (Some(run(1)), None, vec![]));
    assert_eq!(state.deployments[1].standing, Standing::Failed);
    assert!(state.deployments[1].why.contains("heard nothing"));
    assert_eq!(client.ask(Request::Confirm).unwrap_err().problem.code, Code::WatchdogFired);
    assert_eq!(client.ask(Request::Revert).unwrap(), Response::Done(false));
}

#[test]
fn a_host_is_watched_from_the_first_share_of_the_traffic_on() {
    let (host, one, two) = (TestHost::new(), built("one"), built("two"));
    host.deploy(1, &one);
    let mut client = host.leased(run(2));
    client.stage(&two).unwrap();
    client.share(Some(1), 5_000).unwrap();
    host.forward(50_000);
    // The next one is a word from the run, too.
    client.share(Some(1), 50_000).unwrap();
    let state = host.state();
    assert_eq!((state.current, state.watchdog.unwrap().left_ms), (Some(run(1)), 60_000));
    assert_eq!((host.version(), state.deployments[1].standing), ("one".into(), Standing::Switching));
    assert_eq!(client.ask(Request::Confirm).unwrap_err().problem.code, Code::HostMoved);
    host.forward(60_000);
    assert!(!settle(&host.agent()).unwrap());
    let state = host.state();
    assert_eq!((state.watchdog, state.deployments[1].standing), (None, Standing::Failed));
    assert_eq!(client.share(Some(1), 75_000).unwrap_err().problem.code, Code::WatchdogFired);
    assert_eq!(client.switch(Some(1)).unwrap_err().problem.code, Code::WatchdogFired);
    assert_eq!(host.version(), "one");
}

#[test]
fn a_host_that_is_started_anew_goes_back_at_once() {
    let (host, one, two) = (TestHost::new(), built("one"), built("two"));
    host.deploy(1, &one);
    let mut client = host.leased(run(2));
    client.stage(&two).unwrap();
    client.switch(Some(1)).unwrap();
    host.boot("two");
    assert!(!settle(&host.agent()).unwrap());
    assert_eq!(host.version(), "one");
    assert_eq!(client.ask(Request::Confirm).unwrap_err().problem.code, Code::WatchdogFired);
}

#[test]
fn what_is_confirmed_stays() {
    let (host, one, two) = (TestHost::new(), built("one"), built("two"));
    host.deploy(1, &one);
    let mut client = host.leased(run(2));
    client.stage(&two).unwrap();
    client.switch(Some(1)).unwrap();
    let armed = fs::read(host.root().join("watchdog.json")).unwrap();
    assert_eq!(client.ask(Request::Confirm).unwrap(), Response::Done(true));
    assert_eq!(client.ask(Request::Confirm).unwrap(), Response::Done(false));
    // Killed between the entry and the watchdog: the entry counts.
    fs::write(host.root().join("watchdog.json"), armed).unwrap();
    host.forward(600_000);
    host.boot("two");
    assert!(!settle(&host.agent()).unwrap());
    assert_eq!((host.version(), host.state().watchdog), ("two".into(), None));
}

#[test]
fn a_confirmation_that_comes_too_late_is_refused_even_if_the_watchdog_has_not_fired() {
    let (host, one) = (TestHost::new(), built("one"));
    let mut client = host.leased(run(1));
    client.stage(&one).unwrap();
    client.switch(None).unwrap();
    host.forward(60_000);
    // A ping cannot bring it back.
    client.ask(Request::Ping).unwrap();
    assert_eq!(client.ask(Request::Confirm).unwrap_err().problem.code, Code::WatchdogFired);
    assert_eq!((host.version(), host.state().current), (String::new(), None));
}

#[test]
fn many_confirmations_and_watchdogs_at_once_make_one_decision() {
    for round in 0..10 {
        let (host, one) = (TestHost::new(), built("one"));
        let mut client = host.leased(run(1));
        client.stage(&one).unwrap();
        client.switch(None).unwrap();
        host.forward(59_999);
        let agent = host.agent();
        let confirmed = std::thread::scope(|scope| {
            let dog = scope.spawn(|| while settle(&agent).unwrap() {});
            let clock = scope.spawn(|| host.forward(round % 2));
            let confirmed = client.ask(Request::Confirm);
            clock.join().unwrap();
            host.forward(1);
            dog.join().unwrap();
            confirmed
        });
        let state = host.state();
        match confirmed {
            Ok(_) => assert_eq!((state.current, host.version()), (Some(run(1)), "one".into())),
            Err(fault) => {
                assert_eq!(fault.problem.code, Code::WatchdogFired);
                assert_eq!((state.current, host.version()), (None, String::new()));
            }
        }
    }
}

#[test]
fn a_last_line_that_was_cut_off_is_mended_and_any_other_change_is_an_error() {
    let (host, one) = (TestHost::new(), built("one"));
    host.deploy(1, &one);
    let path = host.root().join("journal.jsonl");
    let whole = fs::read(&path).unwrap();
    let before = host.state().deployments;
    File::options().append(true).open(&path).unwrap().write_all(&whole[..40]).unwrap();
    assert_eq!(host.state().deployments, before);
    host.leased(run(2)).ask(Request::Release).unwrap();
    let mended = fs::read(&path).unwrap();
    assert!(mended.starts_with(&whole) && mended.ends_with(b"\n"));
    assert_eq!(host.state().deployments, before);
    let text = String::from_utf8(whole.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let edited = text.replacen("confirmed", "confirmes", 1);
    let dropped = [&lines[..2], &lines[3..]].concat().join("\n") + "\n";
    let swapped = [&lines[1..2], &lines[..1], &lines[2..]].concat().join("\n") + "\n";
    for broken in [edited, dropped, swapped, format!("{{}}\n{text}")] {
        fs::write(&path, broken).unwrap();
        let fault = host.client(run(3)).lease().unwrap_err();
        assert_eq!(fault.problem.code, Code::HostJournal);
        assert!(fault.problem.place.unwrap().contains("journal.jsonl:"));
    }
    fs::write(&path, &whole).unwrap();
    host.client(run(3)).lease().unwrap();
}
