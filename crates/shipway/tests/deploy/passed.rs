//! The proxy with a socket that somebody else has opened, as systemd does for a `.socket` unit.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use shipway_testkit::host::{self, free_port};
use shipway_testkit::load::{Load, Method};
use shipway_testkit::skip::skip;

use crate::site::Ends;

/// Answers every request with its name, and returns where.
fn upstream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut reader = BufReader::new(&stream);
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                    if line == "\r\n" {
                        let answer = "HTTP/1.1 200 OK\r\nx-release: 1.0.0\r\ncontent-length: 0\r\n\r\n";
                        (&stream).write_all(answer.as_bytes()).unwrap();
                    }
                    line.clear();
                }
            });
        }
    });
    port
}

fn serve(dir: &Path, mut command: Command, listen: &[&str]) -> Command {
    command.args(["proxy", "serve", "--control"]).arg(dir.join("sock"));
    command.arg("--state").arg(dir.join("state.json")).args(listen);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Returns the call that opens sockets, and starts the proxy with them when somebody comes.
fn activated(sockets: &[&str]) -> Command {
    let mut command = Command::new("systemd-socket-activate");
    command.args(sockets).arg(env!("CARGO_BIN_EXE_shipway"));
    command
}

/// Returns whether something listens on a port here, without connecting to it.
fn is_open(port: u16) -> bool {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().any(|line| line.contains(&format!("0100007F:{port:04X} 00000000:0000 0A")))
}

#[test]
fn a_socket_that_was_passed_is_used_and_taken_over_by_the_next_process() {
    if let Err(why) = host::program("systemd-socket-activate") {
        return skip(&why);
    }
    let dir = tempfile::tempdir().unwrap();
    let (port, upstream) = (free_port(), upstream());
    let address = format!("127.0.0.1:{port}");
    let state =
        format!(r#"{{"upstreams":[{{"release":"1.0.0","address":"127.0.0.1:{upstream}","weight":1}}]}}"#);
    fs::write(dir.path().join("state.json"), state).unwrap();
    let first = serve(dir.path(), activated(&["-l", &address]), &[]).spawn().unwrap();
    let mut first = Ends(first);
    host::until("somebody listens", || is_open(port));
    assert!(!dir.path().join("sock").exists(), "the proxy does not run before somebody comes");
    // The very first request wakes the proxy and is answered by it.
    let load = Load::start(([127, 0, 0, 1], port).into(), 2, Method::Get, Duration::from_millis(2));
    load.wait_for(20);
    let shipway = || Command::new(env!("CARGO_BIN_EXE_shipway"));
    let second = serve(dir.path(), shipway(), &["--listen", &address]).spawn().unwrap();
    let _second = Ends(second);
    let ended = first.0.wait().unwrap();
    assert!(ended.success(), "{ended:?}");
    load.wait_for(20);
    let report = load.stop();
    assert_eq!(report.failed, Vec::<String>::new());
    let mut counters = shipway();
    counters.args(["proxy", "counters", "--json", "--control"]).arg(dir.path().join("sock"));
    let counted: serde_json::Value = serde_json::from_slice(&counters.output().unwrap().stdout).unwrap();
    assert_eq!(counted["counters"][0]["requests"], report.ok);
}

#[test]
fn sockets_that_are_of_no_use_are_refused() {
    if let Err(why) = host::program("systemd-socket-activate") {
        return skip(&why);
    }
    let dir = tempfile::tempdir().unwrap();
    let ports = [free_port(), free_port()];
    let [one, two] = ports.map(|port| format!("127.0.0.1:{port}"));
    let check = |sockets: &[&str], listen: &[&str], wake: &dyn Fn() -> bool, expected: &str| {
        let mut process = serve(dir.path(), activated(sockets), listen).spawn().unwrap();
        host::until("somebody listens", wake);
        let mut said = String::new();
        process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(process.wait().unwrap().code(), Some(1), "{said}");
        assert!(said.contains("SW1041") && said.contains(expected), "{expected}: {said}");
    };
    let connects = || TcpStream::connect(&one).is_ok();
    check(&["-l", &one, "-l", &two], &[], &connects, "2 of them");
    check(&["-l", &one], &["--listen", &two], &connects, "passed is at");
    let sends = || {
        // A datagram to a port without a socket is told by the one after it.
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(&two).unwrap();
        socket.send(b"x").unwrap();
        thread::sleep(Duration::from_millis(50));
        socket.send(b"x").is_ok()
    };
    check(&["--datagram", "-l", &two], &[], &sends, "something else");
}
