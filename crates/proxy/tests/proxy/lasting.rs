//! What outlives the process: the state, the listening socket, and what clients have begun.

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use shipway_core::problem::Code;
use shipway_core::proxy::{Ask, Upstream};
use shipway_testkit::load::{Load, Method};

use crate::scene::{LONG, Scene, Server, get, send};

#[test]
fn the_proxy_is_replaced_under_load() {
    for method in [Method::Get, Method::Post] {
        let (mut scene, one, two) = (Scene::new(), Server::start("1"), Server::start("2"));
        let address = scene.start(&[&one]);
        let load = Load::start(address, 4, method, Duration::from_millis(1));
        for server in [&two, &one] {
            load.wait_for(40);
            assert_eq!(scene.start_again(&address.to_string()), address);
            scene.switch(&[server]);
            load.wait_for(40);
            assert!(scene.wait_for_first().success());
        }
        let report = load.stop();
        assert_eq!(report.failed, Vec::<String>::new(), "{method:?}");
        // The new process hears of the end of the old one a moment later.
        crate::scene::until(|| !scene.client.state().unwrap().predecessor);
    }
}

#[test]
fn counters_go_on_when_the_proxy_is_replaced_under_load() {
    let (mut scene, one, two) = (Scene::new(), Server::start("1"), Server::start("2"));
    let address = scene.start(&[&one]);
    let load = Load::start(address, 4, Method::Post, Duration::from_millis(1));
    let answered = |scene: &Scene| -> u64 {
        scene.client.counters().unwrap().iter().map(|counted| counted.classes[1]).sum()
    };
    for server in [&two, &one, &two] {
        load.wait_for(40);
        let before = answered(&scene);
        assert!(before >= 40);
        scene.start_again("127.0.0.1:0");
        assert!(answered(&scene) >= before, "the new process begins anew");
        load.wait_for(10);
        scene.switch(&[server]);
        assert!(scene.wait_for_first().success());
    }
    load.wait_for(40);
    let report = load.stop();
    assert_eq!(report.failed, Vec::<String>::new());
    // Not one is lost and none is counted twice, whichever of the four processes counted it.
    crate::scene::until(|| !scene.client.state().unwrap().predecessor);
    assert_eq!(answered(&scene), u64::try_from(report.ok).unwrap());
    for counted in scene.client.counters().unwrap() {
        let ok = u64::try_from(report.by_release[&counted.release]).unwrap();
        assert_eq!((counted.requests, counted.in_flight), (ok, 0), "{counted:?}");
        assert_eq!(counted.latency.iter().sum::<u64>(), ok);
    }
}

#[test]
fn a_switch_counts_what_the_replaced_process_has_in_flight() {
    use std::sync::atomic::Ordering::SeqCst;
    let (mut scene, one, two) = (Scene::new(), Server::start("1"), Server::start("2"));
    let address = scene.start(&[&one]);
    let (_, mut kept) = send(address, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    one.gate.store(true, SeqCst);
    let slow = std::thread::spawn(move || get(address, "/wait"));
    crate::scene::until(|| scene.client.state().unwrap().in_flight_to(&one.address.to_string()) == 1);
    scene.start_again("127.0.0.1:0");
    let state = scene.client.switch(&[two.upstream(1)], Duration::from_millis(50)).unwrap();
    assert_eq!((state.draining(), state.predecessor), (1, true));
    // A connection that the replaced process still has goes where the new one says, and is its last.
    std::io::Write::write_all(kept.get_mut(), b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let head = crate::scene::head(&mut kept);
    assert!(head.contains("x-release: 2") && head.contains("connection: close"), "{head}");
    one.gate.store(false, SeqCst);
    assert_eq!(slow.join().unwrap(), (200, "1".into()));
    assert!(scene.wait_for_first().success());
    // The new process hears of the end of the old one a moment later.
    crate::scene::until(|| scene.client.state().unwrap().draining() == 0);
}

#[test]
fn a_switch_that_was_answered_survives_a_kill() {
    let (mut scene, one, two) = (Scene::new(), Server::start("1"), Server::start("2"));
    for server in [&one, &two, &one] {
        let address = scene.start_again("127.0.0.1:0");
        scene.switch(&[server]);
        scene.kill();
        let again = scene.start_again("127.0.0.1:0");
        assert_ne!(address.port(), 0);
        assert_eq!(get(again, "/"), (200, server.release.into()));
        scene.kill();
    }
}

#[test]
fn a_broken_state_is_no_empty_one() {
    for broken in [
        "",
        "{}",
        "{\"upstreams\":[{\"release\":\"1\",\"address\":\"here\"}]}",
        "{\"upstreams\":[], \"x\":1}",
    ] {
        let scene = Scene::new();
        fs::write(scene.state_file(), broken).unwrap();
        let mut process = scene.spawn("127.0.0.1:0");
        assert!(!process.wait().unwrap().success());
        let mut said = String::new();
        process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.contains(Code::ProxyState.as_str()), "{said}");
    }
}

#[test]
fn a_proxy_that_is_stopped_ends_what_it_has_begun() {
    let (mut scene, one) = (Scene::new(), Server::start("1"));
    let address = scene.start(&[&one]);
    one.gate.store(true, std::sync::atomic::Ordering::SeqCst);
    let slow = std::thread::spawn(move || get(address, "/wait"));
    crate::scene::until(|| !scene.client.state().unwrap().in_flight.is_empty());
    scene.client.stop().unwrap();
    one.gate.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(slow.join().unwrap(), (200, "1".into()));
    assert!(scene.wait_for_first().success());
    assert_eq!(scene.client.state().unwrap_err().code, Code::ProxySilent);
    assert!(!scene.dir.path().join("proxy.sock").exists());
}

#[test]
fn a_proxy_that_is_stopped_says_so_to_the_end_before_it_ends() {
    let (mut scene, one) = (Scene::new(), Server::start("1"));
    let address = scene.start(&[&one]);
    // An answer that fits into no buffer: it is at its end only when it was read.
    let many = (0..4_000).map(|port| Upstream {
        release: "a".repeat(200),
        address: format!("127.0.0.2:{}", 1_000 + port),
        weight: 1,
    });
    scene.client.switch(&many.collect::<Vec<_>>(), LONG).unwrap();
    let mut asking = UnixStream::connect(scene.dir.path().join("proxy.sock")).unwrap();
    let ask = serde_json::to_string(&Ask::Stop).unwrap();
    asking.write_all(format!("{ask}\n").as_bytes()).unwrap();
    // Nothing here waits for anything: a process that ended too early is gone by now.
    std::thread::sleep(Duration::from_millis(500));
    assert!(std::net::TcpStream::connect(address).is_ok(), "it ended before it had answered");
    let mut answer = String::new();
    BufReader::new(asking).read_line(&mut answer).unwrap();
    assert!(answer.ends_with('\n') && answer.contains("127.0.0.2:4999"), "{} bytes", answer.len());
    assert!(scene.wait_for_first().success());
}
