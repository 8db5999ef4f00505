//! Containers for real, from an image that holds nothing but one static program.

use std::fs;

use shipway_core::deployment::{Deployment, Keeper};
use shipway_testkit::host::{Engine, LIMITS};
use shipway_testkit::skip::skip;
use shipway_world::live;

use crate::scene::{Scene, free_port, get, installed, wait_until, web, with};

#[test]
fn containers_of_one_release_take_the_place_of_those_of_another() {
    let Some(scene) = Scene::new() else { return };
    let engine = match Engine::new(&scene.root().join("engine")) {
        Ok(engine) => engine,
        Err(why) => return skip(&why),
    };
    let port = free_port();
    let of = |version: &str| -> Deployment {
        engine.image(&scene.root().join("image"), &format!("localhost/web:{version}"), version).unwrap();
        let args = LIMITS.map(str::to_owned).to_vec();
        let program = engine.program().display().to_string();
        let manager = Keeper::Container { engine: program, image: "localhost/web:{version}".into(), args };
        let mut service = web(manager, port);
        let listen = format!("127.0.0.1:{port}");
        service.run = ["/bin/busybox", "httpd", "-f", "-p", &listen, "-h", "/www"].map(Into::into).into();
        service.stop_ms = 1000;
        with(scene.release(version, "ok"), vec![service])
    };
    let (one, two) = (of("1.0.0"), of("2.0.0"));
    scene.converge(&one, None).unwrap();
    scene.healthy(&one).unwrap();
    scene.assert_live(&one);
    let first = scene.look(&one)[0].clone();
    scene.converge(&one, None).unwrap();
    assert_eq!(scene.look(&one)[0].pid, first.pid);
    assert!(!scene.look(&two)[0].ours);
    scene.converge(&two, Some(&one)).unwrap();
    scene.healthy(&two).unwrap();
    scene.assert_live(&two);
    let mut none = two.clone();
    let Keeper::Container { image, .. } = &mut none.services[0].manager else { unreachable!() };
    *image = "localhost/none:1".into();
    scene.converge(&none, Some(&two)).unwrap_err();
    scene.converge(&two, Some(&none)).unwrap();
    scene.healthy(&two).unwrap();
    scene.place(|place| live::retire(place, &two)).unwrap();
    wait_until("the end", || get(port, "/health").is_none());
    assert!(!scene.look(&two)[0].running);
}

/// Two services, of which one can be looked at.
const COMPOSE: &str = r#"services:
  web:
    image: localhost/web:VERSION
    command: ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]
    ports: ["127.0.0.1:PORT:8080"]
    ulimits: { nofile: { soft: 1024, hard: 1024 }, nproc: { soft: 1024, hard: 1024 } }
  OTHER:
    image: localhost/web:VERSION
    command: ["/bin/busybox", "sleep", "600"]
    ulimits: { nofile: { soft: 1024, hard: 1024 }, nproc: { soft: 1024, hard: 1024 } }
"#;

#[test]
fn a_compose_file_takes_the_place_of_that_of_another_release() {
    let Some(scene) = Scene::new() else { return };
    if !installed("podman-compose") {
        return;
    }
    let engine = match Engine::new(&scene.root().join("engine")) {
        Ok(engine) => engine,
        Err(why) => return skip(&why),
    };
    let run = ["run", "--rm", LIMITS[0], LIMITS[1]];
    let output = engine.call(&[&run[..], &["localhost/probe", "/bin/busybox", "true"]].concat());
    if !output.status.success() {
        return skip(&format!("podman has no network here: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let port = free_port();
    let of = |version: &str, other: &str| -> Deployment {
        engine.image(&scene.root().join("image"), &format!("localhost/web:{version}"), version).unwrap();
        let release = scene.release(version, other);
        let text = COMPOSE.replace("VERSION", version).replace("OTHER", other);
        let dir = scene.root().join("releases").join(release.artifact.as_str());
        fs::write(dir.join("compose.yaml"), text.replace("PORT", &port.to_string())).unwrap();
        let command = ["podman-compose", "--podman-path", engine.program().to_str().unwrap()];
        let command = command.map(str::to_owned).to_vec();
        let mut service = web(Keeper::Compose { command, file: "compose.yaml".into() }, port);
        service.stop_ms = 1000;
        with(release, vec![service])
    };
    let (one, two) = (of("1.0.0", "before"), of("2.0.0", "after"));
    for (to, from) in [(&one, None), (&two, Some(&one)), (&one, Some(&two))] {
        scene.converge(to, from).unwrap();
        scene.healthy(to).unwrap();
        scene.assert_live(to);
        assert_eq!(scene.look(to)[0].detail, "2 of 2 containers run");
    }
    // One of two does not run: it is seen, and mended.
    let name = format!("shop-{}-web_before_1", one.environment);
    assert!(engine.call(&["rm", "--force", "--time", "0", &name]).status.success());
    let seen = engine.call(&["ps", "--all", "--quiet"]);
    assert_eq!(String::from_utf8_lossy(&seen.stdout).lines().count(), 1);
    let mut none = of("3.0.0", "none");
    fs::write(
        scene.root().join("releases").join(none.artifact.as_str()).join("compose.yaml"),
        "services:\n  web:\n    image: localhost/nowhere:1\n",
    )
    .unwrap();
    none.services[0].health = None;
    let problem = scene.converge(&none, Some(&one)).unwrap_err();
    assert!(problem.details.iter().any(|line| line.contains("nowhere")), "{problem:?}");
    scene.converge(&one, Some(&none)).unwrap();
    scene.healthy(&one).unwrap();
    scene.place(|place| live::retire(place, &one)).unwrap();
    let left = engine.call(&["ps", "--all", "--quiet"]);
    assert!(left.stdout.is_empty());
    let networks = engine.call(&["network", "ls", "--quiet", "--filter", "label=com.docker.compose.project"]);
    assert!(networks.status.success() && networks.stdout.is_empty());
}
