//! A strict client: it never asks twice, and every answer that is not good counts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crate::scene::LONG;

#[derive(Default)]
struct Counts {
    stop: AtomicBool,
    good: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
}

/// Some clients, each on a connection of its own that it keeps; every other one posts.
pub(crate) struct Load {
    counts: Arc<Counts>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    pub(crate) fn start(port: u16, clients: usize) -> Self {
        let counts = Arc::new(Counts::default());
        let client = |number: usize| {
            let counts = Arc::clone(&counts);
            thread::spawn(move || {
                let mut connection = None;
                while !counts.stop.load(Ordering::SeqCst) {
                    let is_good = ask(port, number % 2 == 1, &mut connection).is_some();
                    if !is_good {
                        connection = None;
                    }
                    let count = if is_good { &counts.good } else { &counts.failed };
                    count.fetch_add(1, Ordering::SeqCst);
                }
            })
        };
        let clients = (0..clients).map(client).collect();
        Self { counts, clients }
    }

    /// Starts clients that open a new connection for each request.
    pub(crate) fn start_anew(port: u16, clients: usize) -> Self {
        let counts = Arc::new(Counts::default());
        let client = |_| {
            let counts = Arc::clone(&counts);
            thread::spawn(move || {
                while !counts.stop.load(Ordering::SeqCst) {
                    let refused = TcpStream::connect(("127.0.0.1", port)).is_err();
                    let is_good = !refused && ask(port, false, &mut None).is_some();
                    counts.good.fetch_add(u64::from(is_good), Ordering::SeqCst);
                    counts.refused.fetch_add(u64::from(refused), Ordering::SeqCst);
                }
            })
        };
        let clients = (0..clients).map(client).collect();
        Self { counts, clients }
    }

    /// Ends all clients and returns how many requests were answered, and how many connections were refused.
    pub(crate) fn end_refused(self) -> (u64, u64) {
        let counts = Arc::clone(&self.counts);
        let (good, _) = self.end();
        (good, counts.refused.load(Ordering::SeqCst))
    }

    pub(crate) fn good(&self) -> u64 {
        self.counts.good.load(Ordering::SeqCst)
    }

    /// Ends all clients and returns how many requests were answered, and how many were not.
    pub(crate) fn end(mut self) -> (u64, u64) {
        self.counts.stop.store(true, Ordering::SeqCst);
        for client in self.clients.drain(..) {
            client.join().unwrap();
        }
        (self.good(), self.counts.failed.load(Ordering::SeqCst))
    }
}

fn ask(port: u16, posts: bool, connection: &mut Option<BufReader<TcpStream>>) -> Option<()> {
    if connection.as_mut().is_some_and(is_closed) {
        *connection = None;
    }
    if connection.is_none() {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(LONG)).ok()?;
        *connection = Some(BufReader::new(stream));
    }
    let stream = connection.as_mut()?;
    let request = if posts {
        "POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 3\r\n\r\nabc"
    } else {
        "GET / HTTP/1.1\r\nhost: test\r\n\r\n"
    };
    stream.get_mut().write_all(request.as_bytes()).ok()?;
    let mut length = 0;
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let is_good = line.starts_with("HTTP/1.1 200");
    loop {
        line.clear();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let line = line.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    (is_good && body.starts_with(b"version")).then_some(())
}

/// Tells whether the other side has closed a connection while nothing was asked; it may, and that loses nothing.
fn is_closed(stream: &mut BufReader<TcpStream>) -> bool {
    stream.get_ref().set_nonblocking(true).unwrap();
    let peeked = stream.get_ref().peek(&mut [0]);
    stream.get_ref().set_nonblocking(false).unwrap();
    !matches!(peeked, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}
