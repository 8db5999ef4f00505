//! A proxy in a process of its own, and small upstreams that say who they are.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use shipway_core::proxy::Upstream;
use shipway_world::proxy::Client;
use tempfile::TempDir;

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_mins(1);

/// A directory with the control socket and the state of one proxy, and all processes that were started in it.
pub(crate) struct Scene {
    pub(crate) dir: TempDir,
    pub(crate) client: Client,
    processes: Vec<Child>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::new(dir.path().join("proxy.sock"));
        Self { dir, client, processes: vec![] }
    }

    /// Starts a proxy that sends everything to these, and returns where it listens.
    pub(crate) fn start(&mut self, upstreams: &[&Server]) -> SocketAddr {
        let address = self.start_again("127.0.0.1:0");
        if !upstreams.is_empty() {
            self.switch(upstreams);
        }
        address
    }

    /// Starts a process, in place of the one before if that still runs, and returns where it listens.
    pub(crate) fn start_again(&mut self, listen: &str) -> SocketAddr {
        let process = self.spawn(listen);
        let pid = process.id();
        self.processes.push(process);
        until(|| self.client.state().is_ok_and(|state| state.pid == pid));
        self.client.state().unwrap().listen.parse().unwrap()
    }

    pub(crate) fn spawn(&self, listen: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proxy-alone"));
        command.arg(listen).arg(self.dir.path().join("proxy.sock")).arg(self.state_file()).arg("2");
        command.stderr(Stdio::piped()).spawn().unwrap()
    }

    pub(crate) fn state_file(&self) -> PathBuf {
        self.dir.path().join("proxy.json")
    }

    /// Sends everything to these, and waits until nothing is in flight to others.
    pub(crate) fn switch(&self, servers: &[&Server]) {
        let upstreams: Vec<_> = servers.iter().map(|server| server.upstream(1)).collect();
        let state = self.client.switch(&upstreams, LONG).unwrap();
        assert_eq!(state.draining(), 0, "{state:?}");
    }

    pub(crate) fn kill(&mut self) {
        let mut last = self.processes.pop().unwrap();
        last.kill().unwrap();
        last.wait().unwrap();
    }

    /// Waits until the oldest process has ended.
    pub(crate) fn wait_for_first(&mut self) -> ExitStatus {
        self.processes.remove(0).wait().unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Waits until something is so.
pub(crate) fn until(mut so: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if so() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("it does not come");
}

/// An upstream that names its release in each answer.
pub(crate) struct Server {
    pub(crate) release: &'static str,
    pub(crate) address: SocketAddr,
    down: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    /// The heads of all requests.
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
    /// While it is set, answers to `/wait` are held back.
    pub(crate) gate: Arc<AtomicBool>,
}

impl Server {
    pub(crate) fn start(release: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self {
            release,
            address,
            down: Arc::default(),
            open: Arc::default(),
            heads: Arc::default(),
            gate: Arc::default(),
        };
        let (down, open) = (Arc::clone(&server.down), Arc::clone(&server.open));
        let (heads, gate) = (Arc::clone(&server.heads), Arc::clone(&server.gate));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if down.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.unwrap();
                stream.set_nodelay(true).unwrap();
                open.lock().unwrap().push(stream.try_clone().unwrap());
                let (heads, gate) = (Arc::clone(&heads), Arc::clone(&gate));
                thread::spawn(move || {
                    while talk(&stream, release, &heads, &gate).is_some() {}
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        server
    }

    pub(crate) fn upstream(&self, weight: u32) -> Upstream {
        Upstream { release: self.release.into(), address: self.address.to_string(), weight }
    }

    /// Ends it as a killed process does: no connection is taken or goes on.
    pub(crate) fn kill(&self) {
        self.down.store(true, Ordering::SeqCst);
        // Wakes the one that waits for a connection.
        drop(TcpStream::connect(self.address));
        until(|| TcpStream::connect(self.address).is_err());
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Answers one request; nothing when the connection is at its end.
fn talk(stream: &TcpStream, release: &str, heads: &Mutex<Vec<String>>, gate: &AtomicBool) -> Option<()> {
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    let mut head = String::new();
    while reader.read_line(&mut head).ok()? > 2 {}
    let head = head.to_ascii_lowercase();
    let path = head.split(' ').nth(1)?.to_owned();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    let mut body = vec![0; length.unwrap_or_default()];
    reader.read_exact(&mut body).ok()?;
    heads.lock().unwrap().push(head);
    let mut writer = stream;
    match path.as_str() {
        "/tunnel" => {
            let answer =
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
            writer.write_all(answer.as_bytes()).ok()?;
            std::io::copy(&mut reader, &mut writer).ok()?;
            return None;
        }
        "/chunks" => {
            writer.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").ok()?;
            writer.write_all(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n").ok()?;
            return Some(());
        }
        "/wait" => {
            while gate.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(2));
            }
        }
        _ => {}
    }
    if path == "/body" {
        // The chunks of the body as they came.
        while !body.ends_with(b"0\r\n\r\n") {
            let mut byte = [0];
            reader.read_exact(&mut byte).ok()?;
            body.extend(byte);
        }
    }
    let status = path.strip_prefix("/status/").unwrap_or("200");
    let length = if path == "/length" { 77 } else { body.len() };
    let answer = format!("HTTP/1.1 {status} X\r\nx-release: {release}\r\ncontent-length: {length}\r\n\r\n");
    let mut answer = answer.into_bytes();
    answer.extend(body);
    writer.write_all(&answer).ok()
}

/// Sends bytes on a new connection, and returns the head of the answer and the connection.
pub(crate) fn send(address: SocketAddr, request: &[u8]) -> (String, BufReader<TcpStream>) {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    (&stream).write_all(request).unwrap();
    let mut stream = BufReader::new(stream);
    (head(&mut stream), stream)
}

/// Reads the head of an answer.
pub(crate) fn head(stream: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while stream.read_line(&mut head).unwrap() > 2 {}
    head
}

/// Returns the status of a GET on a new connection, and the release that answers.
pub(crate) fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let (head, _) = send(address, format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
    let release = head.lines().find_map(|line| line.strip_prefix("x-release: "));
    (head[9..12].parse().unwrap(), release.unwrap_or_default().to_owned())
}
