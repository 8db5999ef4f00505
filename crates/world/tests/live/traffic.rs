//! Two ports and somebody in front of them, under load.

use std::fs;
use std::process::Command;

use shipway_core::deployment::{Deployment, Keeper, Service, Switch};
use shipway_core::problem::Code;
use shipway_testkit::crash::{Crashy, Fuse, When};
use shipway_world::live;
use shipway_world::shell::LocalShell;

use crate::load::Load;
use crate::scene::{Scene, free_port, get, health, installed, wait_until, web, with};

/// `HAProxy` with two backends in front of a service.
struct Front {
    port: u16,
    switch: Switch,
}

fn haproxy(scene: &Scene) -> Option<Front> {
    if !installed("haproxy") {
        return None;
    }
    let (port, ports) = (free_port(), [free_port(), free_port()]);
    let dir = scene.root().display().to_string();
    let backends = ["web-a".to_owned(), "web-b".to_owned()];
    let map = format!("{dir}/web.map");
    fs::write(&map, "# by hand\nweb web-a\n").unwrap();
    let config = scene.root().join("haproxy.cfg");
    let lines = format!(
        "global\n  stats socket {dir}/h.sock mode 600 level admin\n  maxconn 200\n\
         defaults\n  mode http\n  timeout connect 20s\n  timeout client 120s\n  timeout server 120s\n  retries 0\n\
         frontend f\n  bind 127.0.0.1:{port}\n  use_backend %[str(web),map({map},web-a)]\n\
         backend web-a\n  server s 127.0.0.1:{}\nbackend web-b\n  server s 127.0.0.1:{}\n",
        ports[0], ports[1]
    );
    fs::write(&config, lines).unwrap();
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(&config);
    scene.start(command);
    wait_until("HAProxy", || get(port, "/").is_some());
    let switch = Switch::Haproxy { socket: format!("{dir}/h.sock"), map, key: "web".into(), backends, ports };
    Some(Front { port, switch })
}

fn service(front: &Front) -> Service {
    let mut service = web(Keeper::Process, 0);
    *service.run.last_mut().unwrap() = "{port}".into();
    service.health = Some(health("http://127.0.0.1:{port}/health"));
    Service { switch: front.switch.clone(), overlap: true, drain_ms: 60_000, ..service }
}

/// Brings some releases live, one after the other under load, and returns how many requests did not get an answer.
fn under_load(scene: &Scene, front: &Front) -> u64 {
    let of = |version: &str| with(scene.release(version, "ok"), vec![service(front)]);
    let releases: Vec<Deployment> = (0..6).map(|number| of(&format!("{number}.0.0"))).collect();
    scene.converge(&releases[0], None).unwrap();
    // Nothing is drained before the first one, so nobody has waited until workers of before have seen the reload.
    let is_first = || get(front.port, "/").is_some_and(|answer| answer.ends_with("version 0.0.0"));
    wait_until("the first release", || (0..20).all(|_| is_first()));
    let load = Load::start(front.port, 8);
    for pair in releases.windows(2) {
        let before = load.good();
        wait_until("requests", || load.good() > before + 50);
        scene.converge(&pair[1], Some(&pair[0])).unwrap();
        scene.assert_live(&pair[1]);
        scene.healthy(&pair[1]).unwrap();
        assert_eq!(scene.processes(), 1, "the old one is stopped");
        let answer = get(front.port, "/").unwrap();
        assert!(answer.ends_with(&format!("version {}", pair[1].version)), "{answer}");
    }
    let (good, failed) = load.end();
    assert!(good > 250);
    failed
}

#[test]
fn haproxy_loses_no_request_and_its_file_agrees() {
    let Some(scene) = Scene::new() else { return };
    let Some(front) = haproxy(&scene) else { return };
    assert_eq!(under_load(&scene, &front), 0);
    // Six releases: the first went to the second port.
    assert_eq!(fs::read_to_string(scene.root().join("web.map")).unwrap(), "# by hand\nweb web-a\n");
}

#[test]
fn a_release_that_is_not_well_never_gets_the_traffic() {
    let Some(scene) = Scene::new() else { return };
    let Some(front) = haproxy(&scene) else { return };
    let of = |version: &str, mode: &str| with(scene.release(version, mode), vec![service(&front)]);
    let (one, mut bad) = (of("1.0.0", "ok"), of("2.0.0", "flap"));
    bad.services[0].health.as_mut().unwrap().within_ms = 2000;
    scene.converge(&one, None).unwrap();
    let load = Load::start(front.port, 4);
    let problem = scene.converge(&bad, Some(&one)).unwrap_err();
    assert_eq!(problem.code, Code::ServiceUnhealthy);
    scene.assert_live(&one);
    // Going back stops what was left of it.
    scene.converge(&one, Some(&bad)).unwrap();
    scene.assert_live(&one);
    assert_eq!(scene.processes(), 1);
    assert_eq!(load.end().1, 0);
}

#[test]
fn killed_at_any_command_no_request_is_lost_and_the_release_gets_live() {
    let Some(scene) = Scene::new() else { return };
    let Some(front) = haproxy(&scene) else { return };
    let of = |version: &str| with(scene.release(version, "ok"), vec![service(&front)]);
    let (one, two) = (of("1.0.0"), of("2.0.0"));
    scene.converge(&one, None).unwrap();
    let load = Load::start(front.port, 4);
    let shell = LocalShell::new();
    for when in [When::Before, When::After] {
        scene.converge(&one, Some(&two)).unwrap();
        let fuse = Fuse::at(1, when);
        let crashy = Crashy::new(&shell as &dyn shipway_core::action::Shell, &fuse);
        assert!(fuse.live(|| scene.with(&crashy, |place| live::converge(place, &two, Some(&one)))).is_err());
        scene.converge(&two, Some(&one)).unwrap();
        scene.assert_live(&two);
        assert_eq!(scene.processes(), 1);
    }
    assert_eq!(load.end().1, 0);
}

#[test]
fn a_change_of_configuration_goes_live_beside_the_old_copy() {
    let Some(scene) = Scene::new() else { return };
    let Some(front) = haproxy(&scene) else { return };
    let mut one = with(scene.release("1.0.0", "ok"), vec![service(&front)]);
    scene.converge(&one, None).unwrap();
    one.services[0].env.insert("TOLD".into(), "two".into());
    let load = Load::start(front.port, 4);
    scene.converge(&one, None).unwrap();
    assert!(get(front.port, "/env").unwrap().ends_with("two"));
    assert_eq!(load.end().1, 0);
}

#[test]
fn a_haproxy_that_does_not_answer_is_told_before_anything_changes() {
    let Some(scene) = Scene::new() else { return };
    let socket = scene.root().join("none.sock").display().to_string();
    let backends = ["a".to_owned(), "b".to_owned()];
    let (map, key, ports) = ("/none".to_owned(), "web".to_owned(), [free_port(), free_port()]);
    let switch = Switch::Haproxy { socket, map, key, backends, ports };
    let one = with(scene.release("1.0.0", "ok"), vec![service(&Front { port: 0, switch })]);
    let problem = scene.place(|place| live::converge(place, &one, None)).unwrap_err();
    assert_eq!(problem.code, Code::SwitchFailed);
    assert_eq!((scene.processes(), scene.current()), (0, None));
}

fn nginx(scene: &Scene) -> Option<Front> {
    if !installed("nginx") {
        return None;
    }
    let (port, ports) = (free_port(), [free_port(), free_port()]);
    let dir = scene.root().display().to_string();
    let file = format!("{dir}/upstream.conf");
    fs::write(&file, format!("server 127.0.0.1:{};\n", ports[0])).unwrap();
    let temps: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("  {name}_temp_path {dir}/{name};\n"))
        .concat();
    let config = scene.root().join("nginx.conf");
    let lines = format!(
        "daemon off;\npid {dir}/nginx.pid;\nerror_log {dir}/nginx.log;\nworker_processes 1;\nevents {{}}\nhttp {{\n\
         {temps}  access_log off;\n  upstream web {{ include {file}; }}\n\
         server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://web; proxy_next_upstream off; }} }}\n}}\n"
    );
    fs::write(&config, lines).unwrap();
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-e").arg(scene.root().join("nginx.log")).arg("-c").arg(&config);
    scene.start(command);
    wait_until("nginx", || get(port, "/").is_some());
    let words = [
        "/usr/sbin/nginx",
        "-e",
        &format!("{dir}/nginx.log"),
        "-c",
        &config.display().to_string(),
        "-s",
        "reload",
    ];
    let reload = words.map(str::to_owned).to_vec();
    let content = "server 127.0.0.1:{port};\n".into();
    Some(Front { port, switch: Switch::Reload { file, content, reload, ports } })
}

/// Caddy with the upstream in a file of its own, and an admin interface that only this test knows.
fn caddy(scene: &Scene) -> Option<Front> {
    if !installed("caddy") {
        return None;
    }
    let (port, admin, ports) = (free_port(), free_port(), [free_port(), free_port()]);
    let dir = scene.root().display().to_string();
    let file = format!("{dir}/upstream.caddy");
    fs::write(&file, format!("reverse_proxy 127.0.0.1:{}\n", ports[0])).unwrap();
    let config = scene.root().join("Caddyfile");
    let lines = format!(
        "{{\n  admin 127.0.0.1:{admin}\n  auto_https off\n}}\n\
         http://:{port} {{\n  bind 127.0.0.1\n  import {file}\n}}\n"
    );
    fs::write(&config, lines).unwrap();
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&config).env("HOME", scene.root());
    scene.start(command);
    wait_until("Caddy", || get(port, "/").is_some());
    let (config, admin) = (config.display().to_string(), format!("127.0.0.1:{admin}"));
    let words = ["caddy", "reload", "--adapter", "caddyfile", "--config", &config, "--address", &admin];
    let reload = words.map(str::to_owned).to_vec();
    // Caddy keeps unused connections to an upstream for two minutes, and they cannot be told from used ones.
    let content = "reverse_proxy 127.0.0.1:{port} {\n  transport http {\n    keepalive 2s\n  }\n}\n".into();
    Some(Front { port, switch: Switch::Reload { file, content, reload, ports } })
}

/// Goes to a release, on to another one and back.
fn there_and_back(scene: &Scene, front: &Front) {
    let of = |version: &str| with(scene.release(version, "ok"), vec![service(front)]);
    let (one, two) = (of("1.0.0"), of("2.0.0"));
    for (to, from) in [(&one, None), (&two, Some(&one)), (&one, Some(&two))] {
        scene.converge(to, from).unwrap();
        scene.assert_live(to);
        scene.healthy(to).unwrap();
        assert!(!scene.said.borrow().iter().any(|line| line.contains("time to drain")), "drained by itself");
        let version = format!("version {}", to.version);
        // Workers of before may take a connection until they see the reload.
        wait_until("the new port", || get(front.port, "/").is_some_and(|answer| answer.ends_with(&version)));
        assert_eq!(scene.processes(), 1);
    }
}

#[test]
fn nginx_is_reloaded_with_the_port_of_the_release() {
    let Some(scene) = Scene::new() else { return };
    let Some(front) = nginx(&scene) else { return };
    there_and_back(&scene, &front);
}

#[test]
fn caddy_is_reloaded_with_the_port_of_the_release() {
    let Some(scene) = Scene::new() else { return };
    let Some(front) = caddy(&scene) else { return };
    there_and_back(&scene, &front);
}

/// Asserts that reloads lose what the plan says, and no more: one request on each connection that is kept.
#[track_caller]
fn loses_what_the_plan_says(scene: &Scene, front: &Front) {
    assert_eq!(front.switch.guarantee(), "reload: a request on a kept connection may be lost");
    let lost = under_load(scene, front);
    // Eight clients, each with one connection, over five reloads.
    assert!(lost <= 8 * 5, "{lost} requests");
}

#[test]
fn reloads_of_nginx_lose_no_more_than_the_plan_says() {
    let Some(scene) = Scene::new() else { return };
    let Some(front) = nginx(&scene) else { return };
    loses_what_the_plan_says(&scene, &front);
}

#[test]
fn reloads_of_caddy_lose_no_more_than_the_plan_says() {
    let Some(scene) = Scene::new() else { return };
    let Some(front) = caddy(&scene) else { return };
    loses_what_the_plan_says(&scene, &front);
}

/// Goes to a release whose file the server does not accept: the problem says the word, and the old one goes on.
fn refuses(scene: &Scene, mut front: Front, wrong: &str) {
    let one = with(scene.release("1.0.0", "ok"), vec![service(&front)]);
    scene.converge(&one, None).unwrap();
    let Switch::Reload { file, content, .. } = &mut front.switch else { unreachable!() };
    let (file, before) = (file.clone(), fs::read_to_string(&file).unwrap());
    *content = format!("{wrong} {{port}};\n");
    let bad = with(scene.release("2.0.0", "ok"), vec![service(&front)]);
    let problem = scene.converge(&bad, Some(&one)).unwrap_err();
    assert_eq!(problem.code, Code::SwitchFailed);
    assert!(problem.details.iter().any(|line| line.contains(wrong)), "{problem:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    scene.converge(&one, Some(&bad)).unwrap();
    scene.assert_live(&one);
    assert!(get(front.port, "/").unwrap().ends_with("version 1.0.0"));
    assert_eq!(scene.processes(), 1);
}

#[test]
fn a_file_that_nginx_does_not_accept_is_taken_back() {
    let Some(scene) = Scene::new() else { return };
    let Some(front) = nginx(&scene) else { return };
    refuses(&scene, front, "serve");
}

#[test]
fn a_file_that_caddy_does_not_accept_is_taken_back() {
    let Some(scene) = Scene::new() else { return };
    let Some(front) = caddy(&scene) else { return };
    refuses(&scene, front, "serve");
}
