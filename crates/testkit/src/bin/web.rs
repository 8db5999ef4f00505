//! A small real web service for tests and the demo: it says which release it is, and misbehaves when it is told to.
//!
//! Usage: `web [--listen ADDRESS:PORT] [--release NAME] [MODE...]`. Without `--listen` it takes the socket that its
//! service manager passes (`LISTEN_FDS`). Without `--release` it reads `VERSION` in the current directory or beside
//! the program. Modes are flags, or lines without dashes in a file `MODES` in the same places, which is read for every
//! answer: `fail-health`, `flap`, `login-redirect`, `die-after SECONDS`, `slow MILLISECONDS`, `error-rate PERCENT`,
//! `no-graceful`. `GET /sleep/MILLISECONDS` answers that much later. SIGTERM ends it after the answers that are due.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use std::{env, fs};

use rustix::event::{PollFd, PollFlags, poll};

/// Says that the socket is the standard input.
const ON_STDIN: &str = "SHIPWAY_TEST_SOCKET_ON_STDIN";

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("cannot serve: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) {
    // Nobody need listen.
    let _ = writeln!(io::stderr(), "web: {line}");
}

fn serve() -> io::Result<()> {
    let service = Arc::new(Service::new());
    let listener = service.listener()?;
    let (ended, wake) = UnixStream::pair()?;
    if !service.modes().has("no-graceful") {
        signal_hook::low_level::pipe::register(signal_hook::consts::SIGTERM, wake)?;
    }
    if let Some(seconds) = service.modes().number("die-after") {
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(seconds));
            say("dying");
            process::exit(1);
        });
    }
    say(&format!("release {} pid {} listens on {}", service.release, process::id(), listener.local_addr()?));
    notify("READY=1");
    listener.set_nonblocking(true)?;
    loop {
        let mut watched = [PollFd::new(&listener, PollFlags::IN), PollFd::new(&ended, PollFlags::IN)];
        match poll(&mut watched, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        // Whoever has connected is served, also when this is the end.
        let over = !watched[1].revents().is_empty();
        accept_all(&service, &listener)?;
        if over {
            break;
        }
    }
    // A socket of our own is closed first: whoever comes now is refused rather than forgotten.
    drop(listener);
    service.finish();
    say(&format!("release {} pid {} ends", service.release, process::id()));
    Ok(())
}

fn accept_all(service: &Arc<Service>, listener: &TcpListener) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => service.take(stream)?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            // This client has gone again, or there are too many at the moment.
            Err(error) => {
                say(&format!("cannot accept: {error}"));
                thread::sleep(Duration::from_millis(10));
                return Ok(());
            }
        }
    }
}

/// Tells systemd, if it has asked.
fn notify(what: &str) {
    if let (Some(path), Ok(socket)) = (env::var_os("NOTIFY_SOCKET"), UnixDatagram::unbound()) {
        let _ = socket.send_to(what.as_bytes(), path);
    }
}

struct Service {
    args: Vec<String>,
    release: String,
    answers: AtomicU64,
    ending: AtomicBool,
    connections: Mutex<Connections>,
    gone: Condvar,
}

#[derive(Default)]
struct Connections {
    count: usize,
    idle: Vec<(u64, TcpStream)>,
    next: u64,
}

/// How it misbehaves.
struct Modes(Vec<String>);

impl Modes {
    fn has(&self, mode: &str) -> bool {
        self.0.iter().any(|line| line.split(' ').next() == Some(mode))
    }

    fn number(&self, mode: &str) -> Option<u64> {
        self.0.iter().find_map(|line| line.strip_prefix(mode)?.strip_prefix(' ')?.trim().parse().ok())
    }
}

impl Service {
    fn new() -> Self {
        let args: Vec<String> = env::args().skip(1).collect();
        let release = flag(&args, "--release").or_else(|| beside("VERSION"));
        let release = release.map_or("unknown".to_owned(), |name| name.trim().to_owned());
        let (answers, ending) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { args, release, answers, ending, connections: Mutex::default(), gone: Condvar::new() }
    }

    fn modes(&self) -> Modes {
        let mut lines: Vec<String> = beside("MODES").unwrap_or_default().lines().map(str::to_owned).collect();
        for (place, arg) in self.args.iter().enumerate() {
            if let Some(mode) = arg.strip_prefix("--") {
                let value = self.args.get(place + 1).filter(|value| !value.starts_with("--"));
                lines.push(value.map_or(mode.to_owned(), |value| format!("{mode} {value}")));
            }
        }
        Modes(lines)
    }

    fn listener(&self) -> io::Result<TcpListener> {
        if let Some(address) = flag(&self.args, "--listen") {
            return TcpListener::bind(address);
        }
        if env::var_os(ON_STDIN).is_some() {
            return Ok(TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?));
        }
        let is_ours = env::var("LISTEN_PID").is_ok_and(|pid| pid == process::id().to_string());
        if !is_ours || env::var("LISTEN_FDS").is_ok_and(|count| count == "0") {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "neither --listen nor a socket was given",
            ));
        }
        // The first passed socket has the number 3, which only unsafe code can take. A shell moves it to where it can
        // be had, and becomes this program again: the process stays the same.
        let again = r#"exec "$0" "$@" <&3 3<&-"#;
        let mut shell = process::Command::new("/bin/sh");
        shell.args(["-c", again]).arg(env::current_exe()?).args(&self.args).env(ON_STDIN, "1");
        Err(shell.exec())
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(self: &Arc<Self>, stream: TcpStream) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        self.connections().count += 1;
        let service = Arc::clone(self);
        thread::spawn(move || {
            // A client may go away at any time.
            let _ = service.talk(stream);
            service.connections().count -= 1;
            service.gone.notify_all();
        });
        Ok(())
    }

    fn talk(&self, stream: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        loop {
            let id = self.rest(&stream)?;
            let come = reader.fill_buf().map(|bytes| !bytes.is_empty());
            self.connections().idle.retain(|(idle, _)| *idle != id);
            if !come? {
                return Ok(());
            }
            let Some(request) = Request::read(&mut reader)? else { return Ok(()) };
            let answer = self.answer(&request);
            let close = request.close || self.ending.load(Ordering::SeqCst);
            stream.write_all(&answer.bytes(&self.release, close))?;
            if close {
                return stream.shutdown(Shutdown::Write);
            }
        }
    }

    /// Notes that a connection waits for a request: at the end, such a connection is told that there will be no more.
    fn rest(&self, stream: &TcpStream) -> io::Result<u64> {
        let mut connections = self.connections();
        if self.ending.load(Ordering::SeqCst) {
            // What has arrived before is still answered.
            stream.shutdown(Shutdown::Read)?;
        }
        connections.next += 1;
        let id = connections.next;
        connections.idle.push((id, stream.try_clone()?));
        Ok(id)
    }

    /// Ends what is idle, and waits for the answers that are due.
    fn finish(&self) {
        let mut connections = self.connections();
        self.ending.store(true, Ordering::SeqCst);
        for (_, stream) in &connections.idle {
            let _ = stream.shutdown(Shutdown::Read);
        }
        while connections.count > 0 {
            connections = self.gone.wait(connections).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        let modes = self.modes();
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        let slow = request.path.strip_prefix("/sleep/").and_then(|span| span.parse().ok());
        let pause = modes.number("slow").unwrap_or(0) + slow.unwrap_or(0);
        thread::sleep(Duration::from_millis(pause));
        let (status, body) = self.status(&modes, request, number);
        Answer { status, body, has_body: request.method != "HEAD" }
    }

    fn status(&self, modes: &Modes, request: &Request, number: u64) -> (u16, String) {
        let health = request.path == "/health";
        let rate = modes.number("error-rate").unwrap_or(0);
        if modes.has("login-redirect") {
            let login = request.path == "/login";
            return if login { (200, "please log in\n".to_owned()) } else { (302, String::new()) };
        }
        if (health && modes.has("fail-health")) || (modes.has("flap") && number % 2 == 1) {
            return (503, format!("release={} is not well\n", self.release));
        }
        // Spread evenly, so that every hundred answers hold exactly so many errors.
        if !health && (number * rate) % 100 + rate > 99 && rate > 0 {
            return (500, format!("release={} has an error\n", self.release));
        }
        let known = ["/", "/health"].contains(&&*request.path) || request.path.starts_with("/sleep/");
        let body = format!("release={} pid={}\n", self.release, process::id());
        (if known { 200 } else { 404 }, body)
    }
}

struct Request {
    method: String,
    path: String,
    close: bool,
}

impl Request {
    /// Reads a request with its body, or nothing when the client has gone.
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (method, path) =
            (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or("/").to_owned());
        let old = words.next() == Some("HTTP/1.0");
        let (mut close, mut length) = (old, 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            let Some((name, value)) = line.trim().split_once(':') else { break };
            match (name.to_lowercase().as_str(), value.trim().to_lowercase().as_str()) {
                ("connection", "close") => close = true,
                ("connection", "keep-alive") => close = false,
                ("content-length", number) => length = number.parse().unwrap_or(0),
                _ => {}
            }
        }
        io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
        Ok(Some(Self { method, path, close }))
    }
}

struct Answer {
    status: u16,
    body: String,
    has_body: bool,
}

impl Answer {
    fn bytes(&self, release: &str, close: bool) -> Vec<u8> {
        let reason = match self.status {
            200 => "OK",
            302 => "Found\r\nlocation: /login",
            404 => "Not Found",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let connection = if close { "close" } else { "keep-alive" };
        let head = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nx-release: {release}\r\n\
             connection: {connection}\r\n\r\n",
            self.status,
            self.body.len(),
        );
        (head + if self.has_body { &self.body } else { "" }).into_bytes()
    }
}

fn flag(args: &[String], name: &str) -> Option<String> {
    args.iter().position(|arg| arg == name).and_then(|place| args.get(place + 1)).cloned()
}

/// Reads a file in the current directory or beside the program.
fn beside(name: &str) -> Option<String> {
    let own = env::current_exe().ok().and_then(|path| Some(path.parent()?.join(name)));
    let paths = [Some(PathBuf::from(name)), own].into_iter().flatten();
    paths.map(fs::read_to_string).find_map(Result::ok)
}
