//! What does not count as well.

use shipway_core::deployment::{Deployment, Keeper, Probe};
use shipway_core::problem::{Code, Problem};
use shipway_world::live;

use crate::scene::{Scene, free_port, web, with};

/// Makes a release live and returns what its health check says.
fn check(mode: &str, change: impl FnOnce(&mut Deployment)) -> Option<Result<(), Problem>> {
    let scene = Scene::new()?;
    let mut one = with(scene.release("1.0.0", mode), vec![web(Keeper::Process, free_port())]);
    one.services[0].health.as_mut().unwrap().within_ms = 2000;
    change(&mut one);
    scene.converge(&one, None).unwrap();
    Some(scene.healthy(&one))
}

#[track_caller]
fn refused(mode: &str, why: &str, change: impl FnOnce(&mut Deployment)) {
    let Some(result) = check(mode, change) else { return };
    let problem = result.unwrap_err();
    assert_eq!(problem.code, Code::ServiceUnhealthy);
    let text = format!("{problem:?}");
    assert!(text.contains(why), "{text}");
}

#[test]
fn a_good_answer_often_enough_is_well() {
    let within = |one: &mut Deployment| one.services[0].health.as_mut().unwrap().within_ms = 60_000;
    let Some(result) = check("ok", within) else { return };
    result.unwrap();
}

#[test]
fn a_login_page_is_not_well() {
    refused("login", "status 302", |_| ());
}

#[test]
fn an_endpoint_that_flaps_is_not_well() {
    refused("flap", "well at times", |_| ());
}

#[test]
fn a_service_that_dies_after_a_moment_is_not_well() {
    refused("die", "something is very wrong", |_| ());
}

#[test]
fn an_answer_of_another_release_is_not_well() {
    refused("ok", "without `version 9.9.9`", |one| {
        one.services[0].health.as_mut().unwrap().expect = Some("version 9.9.9".into());
    });
}

#[test]
fn an_answer_that_comes_too_late_is_not_well() {
    refused("ok", "timeout", |one| {
        let health = one.services[0].health.as_mut().unwrap();
        let Probe::Http(url) = &mut health.probe else { unreachable!() };
        *url = url.replace("/health", "/slow");
        health.slowest_ms = 10;
    });
}

#[test]
fn another_status_can_be_wanted() {
    let Some(result) = check("login", |one| {
        let health = one.services[0].health.as_mut().unwrap();
        (health.status, health.expect, health.within_ms) = (Some(302), None, 60_000);
    }) else {
        return;
    };
    result.unwrap();
}

#[test]
fn commands_and_ports_can_be_asked() {
    let within = |one: &mut Deployment, probe: Probe| {
        let health = one.services[0].health.as_mut().unwrap();
        let Probe::Http(url) = &health.probe else { unreachable!() };
        let address = url["http://".len()..].split('/').next().unwrap().to_owned();
        let tcp = matches!(probe, Probe::Tcp(_));
        health.probe = if tcp { Probe::Tcp(address) } else { probe };
    };
    let words = |words: &[&str]| Probe::Command(words.iter().map(|word| (*word).into()).collect());
    for probe in [Probe::Tcp(String::new()), words(&["echo", "version {version}"]), Probe::Service] {
        let Some(result) = check("ok", |one| {
            within(one, probe.clone());
            one.services[0].health.as_mut().unwrap().within_ms = 60_000;
        }) else {
            return;
        };
        result.unwrap();
    }
    refused("ok", "Exit(1)", |one| within(one, words(&["false"])));
    refused("ok", "refused", |one| {
        one.services[0].health.as_mut().unwrap().probe = Probe::Tcp(format!("127.0.0.1:{}", free_port()));
    });
}

#[test]
fn a_smoke_test_runs_in_the_release_and_must_succeed() {
    let Some(scene) = Scene::new() else { return };
    let mut one = with(scene.release("1.0.0", "ok"), vec![web(Keeper::Process, free_port())]);
    one.services[0].smoke =
        ["sh", "-c", "pwd -P; test \"$(cat VERSION)\" = {version}"].map(Into::into).into();
    scene.converge(&one, None).unwrap();
    scene.place(|place| live::smoke(place, &one)).unwrap();
    one.services[0].smoke = ["sh", "-c", "echo no good; exit 4"].map(Into::into).into();
    let problem = scene.place(|place| live::smoke(place, &one)).unwrap_err();
    assert_eq!((problem.code, problem.details.concat().as_str()), (Code::SmokeFailed, "no good"));
}
