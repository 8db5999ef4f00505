//! Real systemd: the test boots a machine of its own and runs itself in there.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use shipway_core::deployment::{Deployment, Keeper, Probe, Switch};
use shipway_core::problem::Code;
use shipway_testkit::host::{is_root, tree};
use shipway_testkit::skip::skip;
use shipway_world::live;

use crate::load::Load;
use crate::scene::{Scene, get, web, with};

/// Is set in the machine.
const INSIDE: &str = "SHIPWAY_TEST_MACHINE";

/// Brings a machine up that runs one test of this program as its only service, and asserts that it went well.
fn in_a_machine(test: &str, inside: fn()) {
    if env::var_os(INSIDE).is_some() {
        return inside();
    }
    if env::var_os("SHIPWAY_TEST_FULL").is_none_or(|value| value != "1") {
        return skip("a machine is booted only by ./test --full");
    }
    if !is_root() {
        return skip("only root can boot a machine");
    }
    let tree = match tree() {
        Ok(tree) => tree,
        Err(why) => return skip(&why),
    };
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("program");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    let unit = dir.path().join("shipway-test.service");
    let lines = format!(
        "[Unit]\nAfter=multi-user.target dbus.service\n[Service]\nType=oneshot\nEnvironment={INSIDE}=1\n\
         Environment=HOME=/root\nTimeoutStartSec=600\n\
         ExecStart=/bin/sh -c '/out/program --exact --nocapture {test} >/out/log 2>&1; echo $? >/out/code'\n\
         ExecStopPost=/bin/systemctl --no-block poweroff\n"
    );
    fs::write(&unit, lines).unwrap();
    let mut boot = Command::new("systemd-nspawn");
    boot.args([
        "--quiet",
        "--volatile=overlay",
        "--register=no",
        "--keep-unit",
        "--console=pipe",
        "--private-network",
    ]);
    boot.arg(format!("--machine=t{}", std::process::id())).arg("--directory").arg(&tree);
    boot.arg(format!("--bind={}:/out", dir.path().display()));
    boot.arg(format!("--bind-ro={}:/etc/systemd/system/shipway-test.service", unit.display()));
    boot.args(["--boot", "--", "systemd.wants=shipway-test.service"]);
    let output = boot.output().unwrap();
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap_or_default();
    let console = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(read("code").trim(), "0", "{}\n{console}", read("log"));
    assert!(read("log").contains("1 passed"), "{}", read("log"));
}

fn keeper(extra: &[&str]) -> Keeper {
    let extra = extra.iter().map(|line| (*line).to_owned()).collect();
    Keeper::Systemd { unit: "shop-web".into(), user: false, extra }
}

#[test]
fn systemd_brings_releases_live_and_back() {
    in_a_machine("systemd::systemd_brings_releases_live_and_back", || {
        let scene = Scene::new().unwrap();
        let of = |version: &str, mode: &str, extra: &[&str]| -> Deployment {
            with(scene.release(version, mode), vec![web(keeper(extra), 8080)])
        };
        let (one, two) = (of("1.0.0", "ok", &[]), of("2.0.0", "ok", &[]));
        scene.converge(&one, None).unwrap();
        scene.healthy(&one).unwrap();
        scene.assert_live(&one);
        let first = scene.look(&one)[0].clone();
        assert_eq!(first.restarts, Some(0));
        scene.converge(&one, None).unwrap();
        assert_eq!(scene.look(&one)[0], first);
        scene.converge(&two, Some(&one)).unwrap();
        scene.healthy(&two).unwrap();
        scene.assert_live(&two);
        assert!(get(8080, "/env").unwrap().ends_with(&format!("2.0.0 in {}", scene.root().display())));
        // What must run before it fails, the program is missing, it dies at once, it dies after a moment.
        let mut missing = of("3.0.0", "ok", &[]);
        missing.services[0].run[0] = "/nonexistent/python".into();
        for (bad, said) in [
            (of("3.0.1", "ok", &["ExecStartPre=/bin/sh -c 'echo not migrated; exit 3'"]), "not migrated"),
            (missing, "/nonexistent/python"),
            (of("3.0.2", "crash", &[]), "cannot find its configuration"),
            (of("3.0.3", "die", &[]), "something is very wrong"),
        ] {
            let result = scene.converge(&bad, Some(&two)).and_then(|()| scene.healthy(&bad));
            let problem = result.unwrap_err();
            assert!(matches!(problem.code, Code::ServiceFailed | Code::ServiceUnhealthy), "{problem:?}");
            assert!(problem.details.iter().any(|line| line.contains(said)), "{said}: {problem:?}");
            scene.converge(&two, Some(&bad)).unwrap();
            scene.healthy(&two).unwrap();
            scene.assert_live(&two);
        }
        scene.place(|place| live::retire(place, &two)).unwrap();
        assert!(!Path::new("/etc/systemd/system/shop-web.service").exists());
        assert!(!scene.look(&two)[0].running);
    });
}

#[test]
fn a_socket_that_systemd_holds_refuses_nobody() {
    in_a_machine("systemd::a_socket_that_systemd_holds_refuses_nobody", || {
        let scene = Scene::new().unwrap();
        let of = |version: &str| {
            let mut service = web(keeper(&[]), 8080);
            service.run[2] = "socket".into();
            service.switch = Switch::Socket { listen: "127.0.0.1:8080".into() };
            with(scene.release(version, "ok"), vec![service])
        };
        let (one, two) = (of("1.0.0"), of("2.0.0"));
        scene.converge(&one, None).unwrap();
        scene.healthy(&one).unwrap();
        // A new connection each time: none is refused, all are answered.
        let load = Load::start_anew(8080, 4);
        for (to, from) in [(&two, &one), (&one, &two), (&two, &one)] {
            scene.converge(to, Some(from)).unwrap();
            scene.healthy(to).unwrap();
            scene.assert_live(to);
        }
        let (good, refused) = load.end_refused();
        assert!(good > 0);
        assert_eq!(refused, 0);
        // Without a socket again, and with another manager.
        let plain = with(scene.release("3.0.0", "ok"), vec![web(keeper(&[]), 8080)]);
        scene.converge(&plain, Some(&two)).unwrap();
        scene.healthy(&plain).unwrap();
        assert!(!Path::new("/etc/systemd/system/shop-web.socket").exists());
        let process = with(scene.release("4.0.0", "ok"), vec![web(Keeper::Process, 8080)]);
        scene.converge(&process, Some(&plain)).unwrap();
        scene.healthy(&process).unwrap();
        assert!(!Path::new("/etc/systemd/system/shop-web.service").exists());
    });
}

#[test]
fn units_of_the_user_work_as_those_of_the_system() {
    in_a_machine("systemd::units_of_the_user_work_as_those_of_the_system", || {
        let started = Command::new("systemctl").args(["start", "user@0.service"]).status().unwrap();
        assert!(started.success());
        let home = PathBuf::from(env::var_os("HOME").unwrap());
        let unit = home.join(".config/systemd/user/shop-web.service");
        let scene = Scene::new().unwrap();
        let of = |version: &str| {
            let keeper = Keeper::Systemd { unit: "shop-web".into(), user: true, extra: vec![] };
            let mut service = web(keeper, 8080);
            service.health.as_mut().unwrap().probe = Probe::Http("http://127.0.0.1:8080/health".into());
            with(scene.release(version, "ok"), vec![service])
        };
        let (one, two) = (of("1.0.0"), of("2.0.0"));
        for (to, from) in [(&one, None), (&two, Some(&one))] {
            scene.converge(to, from).unwrap();
            scene.healthy(to).unwrap();
            scene.assert_live(to);
        }
        assert!(unit.exists());
        scene.place(|place| live::retire(place, &two)).unwrap();
        assert!(!unit.exists());
    });
}
