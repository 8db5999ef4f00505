//! A strict client: every request that gets no whole answer with 200 is a failed one, and none is tried twice.
//!
//! Connections are kept. One that was already seen closed before a request was sent is opened again without counting,
//! as every client does.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long an answer may take; a failed request is one that hangs, too.
const PATIENCE: Duration = Duration::from_mins(1);
/// What a POST carries.
const BODY: [u8; 512] = [b'x'; 512];

/// What is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET /`
    Get,
    /// `POST /` with a body of 512 bytes.
    Post,
}

/// Clients that go on until they are stopped.
#[derive(Debug)]
pub struct Load {
    end: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    workers: Vec<JoinHandle<Report>>,
}

impl Load {
    /// Starts some clients, each with a connection and a pause between its requests.
    pub fn start(address: SocketAddr, workers: usize, method: Method, think_time: Duration) -> Self {
        let (end, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let worker = |_| {
            let (end, answered) = (Arc::clone(&end), Arc::clone(&answered));
            thread::spawn(move || {
                let mut client = Client { address, connection: None };
                let mut report = Report::default();
                while !end.load(Ordering::SeqCst) {
                    report.add(&mut client, method);
                    answered.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(think_time);
                }
                report
            })
        };
        let workers = (0..workers).map(worker).collect();
        Self { end, answered, workers }
    }

    /// Waits until as many more requests have ended, well or not.
    pub fn wait_for(&self, requests: usize) {
        let wanted = self.answered.load(Ordering::SeqCst) + requests;
        while self.answered.load(Ordering::SeqCst) < wanted {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets each client end its request, and returns what became of all.
    pub fn stop(self) -> Report {
        self.end.store(true, Ordering::SeqCst);
        let mut all = Report::default();
        for worker in self.workers {
            let report = worker.join().expect("a client does not panic");
            all.ok += report.ok;
            all.failed.extend(report.failed);
            all.latencies.extend(report.latencies);
            for (release, count) in report.by_release {
                *all.by_release.entry(release).or_default() += count;
            }
        }
        all.latencies.sort_unstable();
        all
    }
}

/// What became of the requests.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many were answered with 200 and a whole body.
    pub ok: usize,
    /// Why the others were not.
    pub failed: Vec<String>,
    /// How many each release has answered: it says so in `x-release`, else its body is its name.
    pub by_release: BTreeMap<String, usize>,
    latencies: Vec<Duration>,
}

impl Report {
    /// Returns within which time a share of the good answers (0 to 100) had come.
    pub fn percentile(&self, percent: usize) -> Duration {
        let at = (self.latencies.len() * percent).div_ceil(100).saturating_sub(1);
        self.latencies.get(at).copied().unwrap_or_default()
    }

    fn add(&mut self, client: &mut Client, method: Method) {
        let start = Instant::now();
        match client.request(method) {
            Ok((200, release)) => {
                self.ok += 1;
                self.latencies.push(start.elapsed());
                *self.by_release.entry(release).or_default() += 1;
            }
            Ok((status, text)) => self.failed.push(format!("{status}: {text}")),
            Err(error) => {
                client.connection = None;
                self.failed.push(format!("{error} ({:?})", error.kind()));
            }
        }
    }
}

struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    fn request(&mut self, method: Method) -> io::Result<(u16, String)> {
        if self.connection.as_ref().is_some_and(|connection| is_closed(connection.get_ref())) {
            self.connection = None;
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(open(self.address)?),
        };
        let mut request = match method {
            Method::Get => format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", self.address).into_bytes(),
            Method::Post => {
                let length = BODY.len();
                format!("POST / HTTP/1.1\r\nhost: {}\r\ncontent-length: {length}\r\n\r\n", self.address)
                    .into_bytes()
            }
        };
        if method == Method::Post {
            request.extend(BODY);
        }
        connection.get_mut().write_all(&request)?;
        let answer = Answer::read(connection)?;
        if answer.close {
            self.connection = None;
        }
        let text = String::from_utf8_lossy(&answer.body).trim().to_owned();
        Ok((answer.status, answer.release.unwrap_or(text)))
    }
}

fn open(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

fn is_closed(stream: &TcpStream) -> bool {
    let look = || -> io::Result<bool> {
        stream.set_nonblocking(true)?;
        let seen = stream.peek(&mut [0]);
        stream.set_nonblocking(false)?;
        Ok(!matches!(seen, Err(error) if error.kind() == io::ErrorKind::WouldBlock))
    };
    look().unwrap_or(true)
}

/// A whole answer.
struct Answer {
    status: u16,
    release: Option<String>,
    close: bool,
    body: Vec<u8>,
}

impl Answer {
    fn read(stream: &mut impl BufRead) -> io::Result<Self> {
        let first = line(stream)?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| strange(&first))?;
        let mut answer = Self { status, release: None, close: false, body: vec![] };
        let (mut length, mut chunked) = (None, false);
        loop {
            let field = line(stream)?;
            let Some((name, value)) = field.split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = Some(value.parse::<u64>().map_err(|_| strange(value))?),
                "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
                "connection" => answer.close = value.eq_ignore_ascii_case("close"),
                "x-release" => answer.release = Some(value.to_owned()),
                _ => {}
            }
        }
        match (chunked, length) {
            (true, _) => while read_chunk(stream, &mut answer.body)? {},
            (false, Some(length)) => read_exactly(stream, length, &mut answer.body)?,
            (false, None) => {
                answer.close = true;
                stream.read_to_end(&mut answer.body)?;
            }
        }
        Ok(answer)
    }
}

/// Reads a chunk, and returns whether there may be another (RFC 9112, 7.1).
fn read_chunk(stream: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<bool> {
    let size = line(stream)?;
    let size = u64::from_str_radix(size.trim(), 16).map_err(|_| strange(&size))?;
    read_exactly(stream, size, body)?;
    line(stream)?;
    Ok(size > 0)
}

fn read_exactly(stream: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    let got = stream.take(length).read_to_end(body)?;
    if got as u64 == length { Ok(()) } else { Err(strange("the body ended early")) }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn strange(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Answers each connection with one text and closes it.
    fn server(text: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                while line(&mut stream).is_ok_and(|line| !line.is_empty()) {}
                let _ = stream.get_mut().write_all(text.as_bytes());
            }
        });
        address
    }

    fn check(text: &'static str, expected: Result<&str, &str>) {
        let load = Load::start(server(text), 2, Method::Get, Duration::from_millis(1));
        load.wait_for(10);
        let report = load.stop();
        match expected {
            Ok(release) => {
                assert!(report.failed.is_empty() && report.by_release[release] == report.ok, "{report:?}");
            }
            Err(why) => {
                assert_eq!(report.ok, 0);
                assert!(report.failed.iter().all(|failed| failed.contains(why)), "{report:?}");
            }
        }
    }

    #[test]
    fn only_a_whole_answer_is_a_good_one() {
        check("HTTP/1.1 200 OK\r\nx-release: 2\r\ncontent-length: 1\r\nconnection: close\r\n\r\n1", Ok("2"));
        check(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            Ok("abc"),
        );
        check("HTTP/1.1 200 OK\r\n\r\n1\n", Ok("1"));
        check("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1", Err("ended early"));
        check("HTTP/1.1 503 No\r\ncontent-length: 1\r\nconnection: close\r\n\r\n1", Err("503"));
        check("", Err("UnexpectedEof"));
    }
}
