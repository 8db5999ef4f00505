//! The doors of a server that ask nobody for a name: git's own daemon and its program for web servers, both real (A20).

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use shipway_testkit::host::free_port;
use shipway_testkit::skip::skip;

use crate::stage::{Stage, fed, said};

/// Returns one of the programs that come with git.
fn program(stage: &Stage, name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(stage.ok(&["--exec-path"])).join(name);
    if !path.is_file() {
        skip(&format!("git comes without {name} here"));
        return None;
    }
    Some(path)
}

/// Pushes to a branch that is free and to a change request; both must be refused for want of a name.
#[track_caller]
fn nobody_gets_in(stage: &Stage, url: &str) {
    let before = stage.refs();
    stage.commit("feat: x");
    for name in ["HEAD:refs/heads/feature/x", "HEAD:refs/for/main", "HEAD:main"] {
        let output = stage.git(&["push", url, name]);
        assert!(!output.status.success() && said(&output).contains("no-identity"), "{}", said(&output));
    }
    assert_eq!(stage.refs(), before);
}

/// A daemon that ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_daemon_that_asks_for_no_name_lets_nobody_in() {
    let stage = Stage::new();
    let Some(daemon) = program(&stage, "git-daemon") else { return };
    let (port, root) = (free_port(), stage.bare.parent().unwrap().display().to_string());
    let [listen, base] = [format!("--port={port}"), format!("--base-path={root}")];
    let args = ["--reuseaddr", "--export-all", "--enable=receive-pack", "--listen=127.0.0.1", &listen, &base];
    let mut command = stage.command(&daemon.display().to_string(), &args);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _daemon = Daemon(command.spawn().unwrap());
    let url = format!("git://127.0.0.1:{port}/app.git");
    let listens = || TcpStream::connect(("127.0.0.1", port)).is_ok();
    assert!(
        (0..200).any(|_| listens() || {
            thread::sleep(Duration::from_millis(50));
            false
        }),
        "{url}"
    );
    assert!(stage.git(&["ls-remote", &url]).status.success(), "it gives what is there to everybody");
    nobody_gets_in(&stage, &url);
}

/// A web server that hands every request on to git, and says who asks if it knows.
fn web(backend: PathBuf, root: PathBuf, user: Option<&'static str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut command = Command::new(&backend);
            command.env("GIT_PROJECT_ROOT", &root).env("GIT_HTTP_EXPORT_ALL", "1");
            command.env("GATEWAY_INTERFACE", "CGI/1.1").env("REMOTE_ADDR", "127.0.0.1");
            if let Some(user) = user {
                command.env("REMOTE_USER", user);
            }
            // A client that has gone away has nothing more to ask.
            let _ = serve(stream, command);
        }
    });
    port
}

/// Answers one request as RFC 3875 says.
fn serve(stream: TcpStream, mut command: Command) -> std::io::Result<()> {
    let mut from = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    from.read_line(&mut line)?;
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let [method, target, ..] = words.as_slice() else { return Ok(()) };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    command.env("REQUEST_METHOD", method).env("PATH_INFO", path).env("QUERY_STRING", query);
    let mut length = 0;
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "content-type" => drop(command.env("CONTENT_TYPE", value)),
            "content-encoding" => drop(command.env("HTTP_CONTENT_ENCODING", value)),
            "git-protocol" => drop(command.env("HTTP_GIT_PROTOCOL", value)),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    let answer = fed(command.env("CONTENT_LENGTH", length.to_string()), &body).stdout;
    let status = answer.strip_prefix(b"Status: ").map_or(&b"200 OK"[..], |rest| {
        &rest[..rest.iter().position(|byte| *byte == b'\r').unwrap_or(rest.len())]
    });
    let mut to = stream;
    to.write_all(&[b"HTTP/1.0 ", status, b"\r\n", &answer[..]].concat())
}

#[test]
fn a_web_server_that_asks_for_no_name_lets_nobody_in() {
    let stage = Stage::new();
    let (Some(backend), Some(_)) = (program(&stage, "git-http-backend"), program(&stage, "git-remote-http"))
    else {
        return;
    };
    stage.force(&["config", "http.receivepack", "true"]);
    let port = web(backend, fs::canonicalize(stage.bare.parent().unwrap()).unwrap(), None);
    nobody_gets_in(&stage, &format!("http://127.0.0.1:{port}/app.git"));
}

#[test]
fn who_a_web_server_has_asked_for_a_name_is_judged_as_that_person() {
    let stage = Stage::new();
    let (Some(backend), Some(_)) = (program(&stage, "git-http-backend"), program(&stage, "git-remote-http"))
    else {
        return;
    };
    let port = web(backend, fs::canonicalize(stage.bare.parent().unwrap()).unwrap(), Some("ann"));
    let url = format!("http://127.0.0.1:{port}/app.git");
    let id = stage.commit("feat: x");
    let output = stage.git(&["push", &url, "HEAD:main"]);
    assert!(!output.status.success() && said(&output).contains("push-restricted"), "{}", said(&output));
    let output = stage.git(&["push", &url, "HEAD:refs/heads/feature/x", "HEAD:refs/for/main"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(stage.tip("feature/x"), id);
    assert!(stage.refs().contains("refs/shipway/changes/1"), "{}", stage.refs());
}
