//! Who gets the traffic, and that no request is lost when that changes.

use std::thread;
use std::time::Duration;

use shipway_core::problem::Code;
use shipway_testkit::load::{Load, Method};

use crate::scene::{LONG, Scene, Server, get, until};

const THINK: Duration = Duration::from_millis(1);

fn switches_lose_nothing(method: Method) {
    let (mut scene, one, two) = (Scene::new(), Server::start("1"), Server::start("2"));
    let load = Load::start(scene.start(&[&one]), 4, method, THINK);
    for turn in 0..20 {
        load.wait_for(40);
        scene.switch(&[if turn % 2 == 0 { &two } else { &one }]);
    }
    load.wait_for(40);
    let report = load.stop();
    assert_eq!(report.failed, Vec::<String>::new());
    assert!(report.by_release["1"] > 0 && report.by_release["2"] > 0, "{:?}", report.by_release);
    let counted: u64 = scene.client.counters().unwrap().iter().map(|it| it.classes[1]).sum();
    assert_eq!(counted, report.ok as u64);
}

#[test]
fn twenty_switches_lose_no_get() {
    switches_lose_nothing(Method::Get);
}

#[test]
fn twenty_switches_lose_no_post() {
    switches_lose_nothing(Method::Post);
}

#[test]
fn an_upstream_without_traffic_may_be_killed() {
    for method in [Method::Get, Method::Post] {
        let (mut scene, mut old) = (Scene::new(), Server::start("1"));
        let load = Load::start(scene.start(&[&old]), 4, method, THINK);
        for release in ["2", "3", "4"] {
            load.wait_for(40);
            let new = Server::start(release);
            scene.switch(&[&new]);
            old.kill();
            old = new;
        }
        load.wait_for(40);
        let report = load.stop();
        assert_eq!(report.failed, Vec::<String>::new(), "{method:?}");
        assert_eq!(report.by_release.len(), 4);
    }
}

#[test]
fn a_switch_waits_for_what_is_in_flight_but_not_for_ever() {
    let (mut scene, one, two) = (Scene::new(), Server::start("1"), Server::start("2"));
    let address = scene.start(&[&one]);
    one.gate.store(true, std::sync::atomic::Ordering::SeqCst);
    let slow = thread::spawn(move || get(address, "/wait"));
    until(|| scene.client.state().unwrap().in_flight_to(&one.address.to_string()) == 1);
    let state = scene.client.switch(&[two.upstream(1)], Duration::from_millis(20)).unwrap();
    assert_eq!(state.draining(), 1);
    assert_eq!(get(address, "/"), (200, "2".into()));
    let client = scene.client.clone();
    let upstream = two.upstream(1);
    let switch = thread::spawn(move || client.switch(&[upstream], LONG).unwrap());
    one.gate.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(slow.join().unwrap(), (200, "1".into()));
    assert_eq!(switch.join().unwrap().draining(), 0);
}

#[test]
fn held_requests_go_on_or_are_answered() {
    let (mut scene, one, two) = (Scene::new(), Server::start("1"), Server::start("2"));
    let address = scene.start(&[&one]);
    assert_eq!(scene.client.pause(Duration::from_millis(10)).unwrap().paused_ms, Some(10));
    assert_eq!(get(address, "/").0, 503);
    scene.client.pause(LONG).unwrap();
    let load = Load::start(address, 4, Method::Post, THINK);
    scene.switch(&[&two]);
    one.kill();
    assert_eq!(scene.client.resume().unwrap().paused_ms, None);
    load.wait_for(20);
    let report = load.stop();
    assert_eq!((report.failed, report.by_release.len()), (vec![], 1));
    assert!(report.by_release.contains_key("2"));
}

#[test]
fn shares_are_as_the_weights_say() {
    let (mut scene, one, two) = (Scene::new(), Server::start("1"), Server::start("2"));
    let address = scene.start(&[]);
    assert_eq!(get(address, "/").0, 503);
    scene.client.switch(&[one.upstream(9), two.upstream(1)], LONG).unwrap();
    let answers: Vec<_> = (0..50).map(|_| get(address, "/")).collect();
    assert_eq!(answers.iter().filter(|answer| **answer == (200, "2".into())).count(), 5);
    let counters = scene.client.counters().unwrap();
    assert_eq!(counters.iter().map(|it| it.requests).collect::<Vec<_>>(), [45, 5]);
    assert!(counters.iter().all(|it| it.quantile_us(0.5).is_some()));
    assert!(scene.client.metrics().unwrap().contains("release=\"2\""));
}

#[test]
fn a_set_that_cannot_work_changes_nothing() {
    let (mut scene, one) = (Scene::new(), Server::start("1"));
    let address = scene.start(&[&one]);
    assert_eq!(scene.client.switch(&[one.upstream(0)], LONG).unwrap_err().code, Code::ProxyAsked);
    assert_eq!(scene.client.switch(&[], LONG).unwrap_err().code, Code::ProxyAsked);
    assert_eq!(get(address, "/"), (200, "1".into()));
}
