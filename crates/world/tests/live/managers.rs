//! Service managers for real, each with a directory of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use shipway_core::deployment::{Deployment, Keeper};
use shipway_core::problem::Code;
use shipway_testkit::crash::{Crashy, Fuse};
use shipway_world::live;
use shipway_world::shell::LocalShell;

use crate::scene::{Scene, free_port, get, installed, wait_until, web, with};

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn s6(scene: &Scene) -> Option<Keeper> {
    let scan = scene.root().join("scan");
    fs::create_dir_all(&scan).unwrap();
    if !installed("s6-svscan") {
        return None;
    }
    let mut command = Command::new("s6-svscan");
    command.arg(&scan);
    scene.start(command);
    wait_until("s6", || scan.join(".s6-svscan/control").exists());
    Some(Keeper::S6 { scan: text(&scan) })
}

fn runit(scene: &Scene) -> Option<Keeper> {
    let scan = scene.root().join("scan");
    fs::create_dir_all(&scan).unwrap();
    if !installed("runsvdir") {
        return None;
    }
    let mut command = Command::new("runsvdir");
    command.arg(&scan);
    scene.start(command);
    Some(Keeper::Runit { scan: text(&scan) })
}

fn supervisor(scene: &Scene) -> Option<Keeper> {
    if !installed("supervisord") {
        return None;
    }
    let root = scene.root();
    let include = root.join("include");
    fs::create_dir_all(&include).unwrap();
    let config = root.join("supervisord.conf");
    let dir = root.display();
    let lines = format!(
        "[unix_http_server]\nfile={dir}/s.sock\n[supervisord]\nnodaemon=true\nlogfile={dir}/s.log\n\
         pidfile={dir}/s.pid\nchildlogdir={dir}\n[rpcinterface:supervisor]\n\
         supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n[supervisorctl]\n\
         serverurl=unix://{dir}/s.sock\n[include]\nfiles = {dir}/include/*.conf\n"
    );
    fs::write(&config, lines).unwrap();
    let mut command = Command::new("supervisord");
    command.arg("-c").arg(&config);
    scene.start(command);
    wait_until("supervisord", || root.join("s.sock").exists());
    Some(Keeper::Supervisor { include: text(&include), config: text(&config) })
}

/// Brings two good releases live, a bad one, and the last good one again.
fn there_and_back(start: fn(&Scene) -> Option<Keeper>) {
    let Some(scene) = Scene::new() else { return };
    let Some(manager) = start(&scene) else { return };
    let port = free_port();
    let of = |version: &str, mode: &str| -> Deployment {
        with(scene.release(version, mode), vec![web(manager.clone(), port)])
    };
    let (one, two, bad) = (of("1.0.0", "ok"), of("2.0.0", "ok"), of("3.0.0", "crash"));
    scene.converge(&one, None).unwrap();
    scene.healthy(&one).unwrap();
    scene.assert_live(&one);
    let first = scene.look(&one)[0].clone();
    scene.converge(&one, None).unwrap();
    assert_eq!(scene.look(&one)[0].pid, first.pid);
    scene.converge(&two, Some(&one)).unwrap();
    scene.healthy(&two).unwrap();
    scene.assert_live(&two);
    assert!(get(port, "/env").unwrap().ends_with(&format!("2.0.0 in {}", scene.root().display())));
    let mut impatient = bad.clone();
    impatient.services[0].health.as_mut().unwrap().within_ms = 3000;
    let result = scene.converge(&impatient, Some(&two)).and_then(|()| scene.healthy(&impatient));
    let problem = result.unwrap_err();
    let is_told = problem.details.iter().any(|line| line.contains("cannot find its configuration"));
    assert!(is_told, "{problem:?}");
    scene.converge(&two, Some(&bad)).unwrap();
    scene.healthy(&two).unwrap();
    scene.assert_live(&two);
    scene.place(|place| live::retire(place, &two)).unwrap();
    wait_until("the end", || get(port, "/health").is_none());
    assert!(!scene.look(&two)[0].running);
    // From nothing, and after the process was killed.
    scene.converge(&one, None).unwrap();
    scene.healthy(&one).unwrap();
    let pid = scene.look(&one)[0].pid.unwrap().to_string();
    Command::new("kill").args(["-9", &pid]).status().unwrap();
    wait_until("its end", || scene.look(&one)[0].pid.is_none_or(|now| now.to_string() != pid));
    scene.converge(&one, None).unwrap();
    scene.healthy(&one).unwrap();
    scene.place(|place| live::retire(place, &one)).unwrap();
}

#[test]
fn s6_brings_releases_live_and_back() {
    there_and_back(s6);
}

#[test]
fn runit_brings_releases_live_and_back() {
    there_and_back(runit);
}

#[test]
fn supervisord_brings_releases_live_and_back() {
    there_and_back(supervisor);
}

#[test]
fn a_service_that_s6_starts_again_and_again_is_not_well() {
    let Some(scene) = Scene::new() else { return };
    let Some(manager) = s6(&scene) else { return };
    let mut one = with(scene.release("1.0.0", "die"), vec![web(manager.clone(), free_port())]);
    let health = one.services[0].health.as_mut().unwrap();
    (health.within_ms, health.passes) = (5000, 5);
    scene.converge(&one, None).unwrap();
    let problem = scene.healthy(&one).unwrap_err();
    assert_eq!(problem.code, Code::ServiceUnhealthy);
    assert!(problem.details.iter().any(|line| line.contains("something is very wrong")), "{problem:?}");
}

#[test]
fn s6_killed_at_any_command_gets_there_when_called_again() {
    let Some(scene) = Scene::new() else { return };
    let Some(manager) = s6(&scene) else { return };
    let port = free_port();
    let of = |version: &str| with(scene.release(version, "ok"), vec![web(manager.clone(), port)]);
    let (one, two) = (of("1.0.0"), of("2.0.0"));
    scene.converge(&one, None).unwrap();
    let shell = LocalShell::new();
    // The number of looks while something is waited for is not always the same; the last ones may not come.
    for number in 1..=14 {
        scene.converge(&one, Some(&two)).unwrap();
        for when in [shipway_testkit::crash::When::Before, shipway_testkit::crash::When::After] {
            let fuse = Fuse::at(number, when);
            let crashy = Crashy::new(&shell as &dyn shipway_core::action::Shell, &fuse);
            let _ = fuse.live(|| scene.with(&crashy, |place| live::converge(place, &two, Some(&one))));
        }
        scene.converge(&two, Some(&one)).unwrap();
        scene.assert_live(&two);
    }
    scene.healthy(&two).unwrap();
}

#[test]
fn a_manager_that_does_not_run_is_told() {
    let Some(scene) = Scene::new() else { return };
    if !installed("s6-svscan") {
        return;
    }
    let scan = scene.root().join("scan");
    fs::create_dir_all(&scan).unwrap();
    let one = with(scene.release("1.0.0", "ok"), vec![web(Keeper::S6 { scan: text(&scan) }, free_port())]);
    let problem = scene.place(|place| live::converge(place, &one, None)).unwrap_err();
    assert_eq!(problem.code, Code::ManagerMissing, "{problem:?}");
}

#[test]
fn commands_of_the_user_start_and_stop_what_only_they_know() {
    let Some(scene) = Scene::new() else { return };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let manager = Keeper::Command {
        start: words(&["cp", "{release}/VERSION", "{root}/live-version"]),
        status: words(&["sh", "-c", "test \"$(cat {root}/live-version)\" = {version}"]),
        stop: words(&["rm", "{root}/live-version"]),
    };
    let of = |version: &str| {
        let mut service = web(manager.clone(), 1);
        (service.run, service.health) = (vec![], None);
        with(scene.release(version, "ok"), vec![service])
    };
    let (one, two) = (of("1.0.0"), of("2.0.0"));
    let said = || fs::read_to_string(scene.root().join("live-version")).ok();
    for deployment in [&one, &two, &one] {
        scene.converge(deployment, None).unwrap();
        scene.healthy(deployment).unwrap();
        scene.assert_live(deployment);
        assert_eq!(said().unwrap(), deployment.version);
    }
    scene.place(|place| live::retire(place, &one)).unwrap();
    assert_eq!(said(), None);
}
