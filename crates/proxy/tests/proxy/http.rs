//! Messages: what is passed on, what ends here, and what is refused.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use shipway_core::proxy::{Counters, Upstream};

use crate::scene::{LONG, Scene, Server, get, head, send};

#[test]
fn a_websocket_survives_a_switch_and_is_counted_apart() {
    let (mut scene, one, two) = (Scene::new(), Server::start("1"), Server::start("2"));
    let address = scene.start(&[&one]);
    let ask = "GET /tunnel HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
    let (answer, mut tunnel) = send(address, ask.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 101") && answer.contains("upgrade: websocket"), "{answer}");
    let mut echo = |text: &[u8]| {
        tunnel.get_mut().write_all(text).unwrap();
        let mut back = vec![0; text.len()];
        tunnel.read_exact(&mut back).unwrap();
        assert_eq!(back, text);
    };
    echo(b"before");
    scene.switch(&[&two]);
    echo(b"after");
    let state = scene.client.state().unwrap();
    assert_eq!((state.in_flight[0].tunnels, state.in_flight[0].requests), (1, 0));
    tunnel.get_mut().shutdown(Shutdown::Both).unwrap();
    crate::scene::until(|| scene.client.state().unwrap().in_flight.is_empty());
}

#[test]
fn an_upstream_that_is_down_gives_502_and_is_counted() {
    let (mut scene, one) = (Scene::new(), Server::start("1"));
    let address = scene.start(&[&one]);
    assert_eq!(get(address, "/status/404").0, 404);
    one.kill();
    assert_eq!(get(address, "/").0, 502);
    let counters = &scene.client.counters().unwrap()[0];
    let expected = Counters { requests: 2, classes: [0, 0, 0, 1, 0], connect_errors: 1, ..counters.clone() };
    assert_eq!(*counters, expected);
}

#[test]
fn a_post_is_never_sent_twice() {
    let posts = Arc::new(AtomicUsize::new(0));
    let upstream = moody(&posts);
    let mut scene = Scene::new();
    let address = scene.start(&[]);
    scene.client.switch(&[upstream], LONG).unwrap();
    let ask = |method: &str| format!("{method} / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n");
    let (first, mut client) = send(address, ask("GET").as_bytes());
    assert!(first.starts_with("HTTP/1.1 200"), "{first}");
    client.get_mut().write_all(ask("POST").as_bytes()).unwrap();
    let second = head(&mut client);
    assert!(second.starts_with("HTTP/1.1 502"), "{second}");
    assert_eq!((posts.load(SeqCst), scene.client.counters().unwrap()[0].resets), (1, 1));
    assert_eq!(get(address, "/").0, 200);
}

/// Starts an upstream that answers a GET, and hangs up without a word on a POST, which it counts.
fn moody(posts: &Arc<AtomicUsize>) -> Upstream {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let posts = Arc::clone(posts);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, posts) = (stream.unwrap(), Arc::clone(&posts));
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(got @ 1..) = stream.read(&mut buffer) {
                    if buffer[..got].starts_with(b"POST") {
                        posts.fetch_add(1, SeqCst);
                        return;
                    }
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                }
            });
        }
    });
    Upstream { release: "1".into(), address, weight: 1 }
}

#[test]
fn ten_megabytes_go_both_ways() {
    let (mut scene, one) = (Scene::new(), Server::start("1"));
    let address = scene.start(&[&one]);
    let body: Vec<u8> = (0..10_000_000_u32).map(|at| (at % 251) as u8).collect();
    let stream = std::net::TcpStream::connect(address).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let sent = body.clone();
    let writing = thread::spawn(move || {
        let start = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", sent.len());
        writer.write_all(start.as_bytes()).unwrap();
        writer.write_all(&sent).unwrap();
    });
    let mut reader = std::io::BufReader::new(stream);
    assert!(head(&mut reader).contains("content-length: 10000000"));
    let mut back = vec![0; body.len()];
    reader.read_exact(&mut back).unwrap();
    writing.join().unwrap();
    assert!(back == body);
}

#[test]
fn chunks_arrive_as_chunks() {
    let (mut scene, one) = (Scene::new(), Server::start("1"));
    let address = scene.start(&[&one]);
    let (answer, mut rest) = send(address, b"GET /chunks HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(answer.contains("transfer-encoding: chunked"), "{answer}");
    let mut body = String::new();
    rest.read_to_string(&mut body).unwrap();
    assert!(body.contains("one") && body.contains("two") && body.ends_with("0\r\n\r\n"), "{body}");
}

#[test]
fn a_message_with_two_lengths_is_refused() {
    let (mut scene, one) = (Scene::new(), Server::start("1"));
    let address = scene.start(&[&one]);
    let (length, chunked) = ("content-length: 5\r\n", "transfer-encoding: chunked\r\n");
    for fields in
        [format!("{length}{chunked}"), format!("{chunked}{length}"), format!("{length}content-length: 6\r\n")]
    {
        let ask = format!("POST / HTTP/1.1\r\nhost: x\r\n{fields}\r\n0\r\n\r\n");
        let (answer, mut rest) = send(address, ask.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400"), "{fields}: {answer}");
        // What follows can belong to another message, so nothing more is read.
        let _ = rest.read_to_end(&mut vec![]);
    }
    assert!(one.heads.lock().unwrap().is_empty());
}

#[test]
fn a_request_names_one_host() {
    let (mut scene, one) = (Scene::new(), Server::start("1"));
    let address = scene.start(&[&one]);
    for (fields, status) in [("", "400"), ("host: a\r\nhost: b\r\n", "400"), ("host: a\r\n", "200")] {
        let (answer, _) = send(address, format!("GET http://c/x HTTP/1.1\r\n{fields}\r\n").as_bytes());
        assert_eq!(&answer[9..12], status);
    }
    let heads = one.heads.lock().unwrap();
    assert!(heads[0].starts_with("get /x http/1.1") && heads[0].contains("host: c\r\n"), "{heads:?}");
    assert!(heads[0].contains("x-forwarded-for: 127.0.0.1\r\n"), "{heads:?}");
}

#[test]
fn answers_without_a_body_end_at_once() {
    let (mut scene, one) = (Scene::new(), Server::start("1"));
    let address = scene.start(&[&one]);
    let (first, mut client) = send(address, b"HEAD /length HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(first.contains("content-length: 77\r\n"), "{first}");
    for (path, status) in [("/status/304", "304"), ("/status/204", "204"), ("/", "200")] {
        client.get_mut().write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).unwrap();
        let answer = head(&mut client);
        assert_eq!(&answer[9..12], status, "{answer}");
    }
}

#[test]
fn a_chunked_request_keeps_its_body() {
    let (mut scene, one) = (Scene::new(), Server::start("1"));
    let address = scene.start(&[&one]);
    for method in ["GET", "POST"] {
        let ask = format!(
            "{method} /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        );
        let (answer, mut rest) = send(address, ask.as_bytes());
        assert!(answer.contains("content-length: 13"), "{answer}");
        let mut body = [0; 13];
        rest.read_exact(&mut body).unwrap();
        assert_eq!(&body, b"3\r\nabc\r\n0\r\n\r\n");
    }
}
