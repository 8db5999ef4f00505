//! Services without a manager.

use std::fs;

use shipway_core::deployment::Keeper;
use shipway_core::problem::Code;
use shipway_testkit::crash::{Crashy, Fuse};
use shipway_world::live;
use shipway_world::shell::LocalShell;

use crate::scene::{Scene, free_port, get, wait_until, web, with};

#[test]
fn a_release_takes_the_place_of_the_one_before() {
    let Some(scene) = Scene::new() else { return };
    let port = free_port();
    let one = with(scene.release("1.0.0", "ok"), vec![web(Keeper::Process, port)]);
    let two = with(scene.release("2.0.0", "ok"), vec![web(Keeper::Process, port)]);
    scene.converge(&one, None).unwrap();
    scene.assert_live(&one);
    scene.healthy(&one).unwrap();
    let first = scene.look(&one)[0].clone();
    assert!(first.since.is_some());
    assert!(!scene.look(&two)[0].ours);
    assert!(get(port, "/env").unwrap().ends_with(&format!("1.0.0 in {}", scene.root().display())));
    // Again: nothing happens.
    scene.converge(&one, None).unwrap();
    assert_eq!(scene.look(&one)[0], first);
    scene.converge(&two, Some(&one)).unwrap();
    scene.assert_live(&two);
    scene.healthy(&two).unwrap();
    assert_ne!(scene.look(&two)[0].pid, first.pid);
    assert_eq!(scene.processes(), 1);
    scene.place(|place| live::retire(place, &two)).unwrap();
    assert_eq!((scene.processes(), scene.current()), (0, None));
    assert!(!scene.look(&two)[0].running);
}

#[test]
fn the_same_release_is_started_again_when_its_configuration_changes() {
    let Some(scene) = Scene::new() else { return };
    let port = free_port();
    let one = with(scene.release("1.0.0", "ok"), vec![web(Keeper::Process, port)]);
    scene.converge(&one, None).unwrap();
    let mut told = one.clone();
    told.services[0].env.insert("TOLD".into(), "otherwise".into());
    assert!(!scene.look(&told)[0].ours);
    scene.converge(&told, Some(&one)).unwrap();
    scene.healthy(&told).unwrap();
    assert!(get(port, "/env").unwrap().ends_with("otherwise"));
}

#[test]
fn a_service_that_is_no_part_of_the_release_is_stopped() {
    let Some(scene) = Scene::new() else { return };
    let mut worker = web(Keeper::Process, free_port());
    worker.name = "worker".into();
    let both = with(scene.release("1.0.0", "ok"), vec![web(Keeper::Process, free_port()), worker]);
    let one = with(scene.release("2.0.0", "ok"), vec![web(Keeper::Process, free_port())]);
    scene.converge(&both, None).unwrap();
    assert_eq!(scene.processes(), 2);
    // Also when nobody remembers what was there before.
    scene.converge(&one, None).unwrap();
    scene.assert_live(&one);
    assert_eq!(scene.processes(), 1);
}

#[test]
fn a_service_that_dies_at_once_is_told_with_its_last_words_and_taken_back() {
    let Some(scene) = Scene::new() else { return };
    let port = free_port();
    let good = with(scene.release("1.0.0", "ok"), vec![web(Keeper::Process, port)]);
    let bad = with(scene.release("2.0.0", "crash"), vec![web(Keeper::Process, port)]);
    scene.converge(&good, None).unwrap();
    // It may live for a moment: whoever looks then is told by its health.
    let result = scene.converge(&bad, Some(&good)).and_then(|()| scene.healthy(&bad));
    let problem = result.unwrap_err();
    assert!(matches!(problem.code, Code::ServiceFailed | Code::ServiceUnhealthy), "{problem:?}");
    let said = || problem.details.iter().any(|line| line.contains("cannot find its configuration"));
    assert!(said(), "{problem:?}");
    scene.converge(&good, Some(&bad)).unwrap();
    scene.healthy(&good).unwrap();
    scene.assert_live(&good);
}

#[test]
fn a_current_that_is_not_a_link_is_refused_and_one_that_dangles_is_not() {
    let Some(scene) = Scene::new() else { return };
    let one = with(scene.release("1.0.0", "ok"), vec![]);
    let current = scene.root().join("current");
    fs::create_dir(&current).unwrap();
    assert_eq!(scene.converge(&one, None).unwrap_err().code, Code::CurrentBlocked);
    fs::remove_dir(&current).unwrap();
    std::os::unix::fs::symlink("releases/gone", &current).unwrap();
    scene.converge(&one, None).unwrap();
    scene.assert_live(&one);
    let mut gone = scene.release("2.0.0", "ok");
    gone.artifact = shipway_core::id::Digest::of(b"gone");
    assert_eq!(scene.converge(&gone, None).unwrap_err().code, Code::ReleaseMissing);
    scene.assert_live(&one);
}

#[test]
fn a_process_of_another_release_is_not_taken_for_ours() {
    let Some(scene) = Scene::new() else { return };
    let one = with(scene.release("1.0.0", "ok"), vec![web(Keeper::Process, free_port())]);
    scene.converge(&one, None).unwrap();
    // The number of the process is given to another one.
    let pid = scene.root().join("live/web.pid");
    let text = fs::read_to_string(&pid).unwrap();
    let other = fs::read_to_string(format!("/proc/{}/stat", std::process::id())).unwrap();
    fs::write(&pid, &other).unwrap();
    let seen = scene.look(&one)[0].clone();
    assert!(seen.running && !seen.ours, "{seen:?}");
    let born: Vec<_> = other.split(' ').collect();
    let stale = other.replace(born[21], "1");
    fs::write(&pid, stale).unwrap();
    assert!(!scene.look(&one)[0].running);
    fs::write(&pid, text).unwrap();
    scene.assert_live(&one);
}

#[test]
fn what_a_service_leaves_behind_ends_with_it() {
    let Some(scene) = Scene::new() else { return };
    let mut one = with(scene.release("1.0.0", "ok"), vec![web(Keeper::Process, free_port())]);
    // The child ignores the polite request, and so does its parent.
    let script =
        "trap '' TERM; sh -c 'trap \"\" TERM; while :; do sleep 0.2; done' & while :; do sleep 0.2; done";
    one.services[0].run = ["sh", "-c", script].map(Into::into).into();
    one.services[0].stop_ms = 300;
    scene.converge(&one, None).unwrap();
    wait_until("the child", || scene.processes() >= 2);
    scene.place(|place| live::retire(place, &one)).unwrap();
    wait_until("the end", || scene.processes() == 0);
    assert!(scene.said.borrow().iter().any(|line| line.contains("killed")));
}

#[test]
fn killed_at_any_command_it_gets_there_when_called_again() {
    let Some(scene) = Scene::new() else { return };
    let port = free_port();
    let one = with(scene.release("1.0.0", "ok"), vec![web(Keeper::Process, port)]);
    let two = with(scene.release("2.0.0", "ok"), vec![web(Keeper::Process, port)]);
    scene.converge(&one, None).unwrap();
    let shell = LocalShell::new();
    let count = Fuse::count_only();
    let crashy = Crashy::new(&shell as &dyn shipway_core::action::Shell, &count);
    scene.with(&crashy, |place| live::converge(place, &two, Some(&one))).unwrap();
    let calls = count.calls();
    assert!(calls > 0);
    for (number, when) in Fuse::places(calls) {
        scene.converge(&one, Some(&two)).unwrap();
        let fuse = Fuse::at(number, when);
        let crashy = Crashy::new(&shell as &dyn shipway_core::action::Shell, &fuse);
        let died = fuse.live(|| scene.with(&crashy, |place| live::converge(place, &two, Some(&one))));
        assert!(died.is_err());
        scene.converge(&two, Some(&one)).unwrap();
        scene.assert_live(&two);
        scene.healthy(&two).unwrap();
        assert_eq!(scene.processes(), 1);
    }
}

#[test]
fn secrets_reach_the_service_and_nobody_else() {
    let Some(scene) = Scene::new() else { return };
    let port = free_port();
    let mut one = with(scene.release("1.0.0", "ok"), vec![web(Keeper::Process, port)]);
    let secrets = shipway_core::id::Digest::of(b"secrets");
    one.secrets = Some(secrets.clone());
    let problem = scene.converge(&one, None).unwrap_err();
    assert_eq!(problem.code, Code::ReleaseMissing, "{problem:?}");
    let file = scene.root().join("secrets").join(format!("{secrets}.env"));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "TOLD=hunter22 = \"it's\"\nOTHER=x1y2z3\n").unwrap();
    scene.converge(&one, None).unwrap();
    scene.healthy(&one).unwrap();
    assert!(get(port, "/env").unwrap().ends_with("hunter22 = \"it's\""));
    one.services[0].smoke = ["sh", "-c", "echo it is $OTHER; exit 1"].map(Into::into).into();
    let problem = scene.place(|place| live::smoke(place, &one)).unwrap_err();
    assert_eq!(problem.details, ["it is ***"]);
    let kept = fs::read_to_string(scene.root().join("live/web.instance")).unwrap();
    let said = scene.said.borrow().concat();
    assert!(!kept.contains("hunter22") && !said.contains("hunter22"));
}
