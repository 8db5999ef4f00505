//! Containers for real, from an image that holds nothing but one static program.

use std::fs;
use std::path::Path;
use std::process::Command;

use shipway_core::deployment::{Deployment, Keeper};
use shipway_testkit::skip::skip;
use shipway_world::live;

use crate::scene::{Scene, free_port, get, installed, wait_until, web, with};

/// Arguments without which no container starts on small machines; elsewhere they do no harm.
const LIMITS: [&str; 5] = [
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=1024:1024",
    "--network=host",
    "--cgroups=enabled",
    "--tty=false",
];

/// Writes a podman with a storage of its own, so that nothing of the machine is touched; nothing when containers cannot
/// run here.
fn podman(scene: &Scene) -> Option<String> {
    if !installed("podman") || !installed("busybox") {
        return None;
    }
    let dir = scene.root().display();
    let engine = scene.root().join("podman");
    let script = format!(
        "#!/bin/sh\nexec podman --root '{dir}/storage' --runroot '{dir}/run' --tmpdir '{dir}/tmp' --storage-driver vfs \
         --runtime runc --cgroup-manager cgroupfs --events-backend file \"$@\"\n"
    );
    // Through a child: a file that this process wrote could be busy when it is started.
    let mut write = Command::new("sh");
    write.args(["-c", r#"printf %s "$2" >"$1" && chmod 755 "$1""#, "sh"]).arg(&engine).arg(script);
    assert!(write.status().unwrap().success());
    build(scene, &engine, "0.0.0");
    let mut run = Command::new(&engine);
    run.args(["run", "--rm"]).args(LIMITS).args(["localhost/web:0.0.0", "/bin/busybox", "true"]);
    let output = run.output().unwrap();
    if output.status.success() {
        return Some(engine.display().to_string());
    }
    skip(&format!("no container starts here: {}", String::from_utf8_lossy(&output.stderr)));
    None
}

/// Makes an image that serves its version.
fn build(scene: &Scene, engine: &Path, version: &str) {
    let dir = scene.root().join("image");
    fs::create_dir_all(&dir).unwrap();
    let copy = Command::new("sh").args(["-c", r#"cp "$(command -v busybox)" "$1""#, "sh"]).arg(&dir).status();
    assert!(copy.unwrap().success());
    fs::write(dir.join("health"), format!("version {version}")).unwrap();
    let lines = "FROM scratch\nCOPY busybox /bin/busybox\nCOPY health /www/health\n";
    fs::write(dir.join("Containerfile"), lines).unwrap();
    let mut build = Command::new(engine);
    build.args(["build", "--isolation", "chroot", "--tag", &format!("localhost/web:{version}")]).arg(&dir);
    let _ = build.output().unwrap();
}

#[test]
fn containers_of_one_release_take_the_place_of_those_of_another() {
    let Some(scene) = Scene::new() else { return };
    let Some(engine) = podman(&scene) else { return };
    let port = free_port();
    let of = |version: &str| -> Deployment {
        build(&scene, Path::new(&engine), version);
        let args = LIMITS.map(str::to_owned).to_vec();
        let manager =
            Keeper::Container { engine: engine.clone(), image: "localhost/web:{version}".into(), args };
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
