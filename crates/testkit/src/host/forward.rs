//! A TCP forwarder that breaks connections when it is told to, at exactly the byte that it is told.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A direction of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the host.
    Up,
    /// From the host to the client.
    Down,
}

/// How a connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All connections are closed; new ones are served.
    Closed,
    /// Nothing passes any more in either direction, and nobody is told; as after [`Forwarder::cut`].
    Silent,
}

/// Forwards connections from an address of its own to another, and can stall, close or slow them.
#[derive(Debug)]
pub struct Forwarder {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    target: SocketAddr,
    up: Flow,
    down: Flow,
    listening: bool,
    ended: bool,
    next: u64,
    connections: BTreeMap<u64, [TcpStream; 2]>,
}

#[derive(Debug, Default)]
struct Flow {
    stalled: bool,
    /// Bytes that may still pass, and what happens then.
    left: Option<(u64, Loss)>,
    bytes_per_second: Option<u64>,
    passed: u64,
}

impl Default for State {
    fn default() -> Self {
        let target = SocketAddr::from(([127, 0, 0, 1], 0));
        let (up, down, connections) = (Flow::default(), Flow::default(), BTreeMap::new());
        Self { target, up, down, listening: false, ended: false, next: 0, connections }
    }
}

impl State {
    fn flow(&mut self, way: Way) -> &mut Flow {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    fn stall(&mut self, stalled: bool) {
        self.up.stalled = stalled;
        self.down.stalled = stalled;
    }

    fn close_all(&mut self) {
        for (_, streams) in std::mem::take(&mut self.connections) {
            close(&streams);
        }
    }

    fn lose(&mut self, way: Way, loss: Loss) {
        self.flow(way).left = None;
        match loss {
            Loss::Closed => self.close_all(),
            Loss::Silent => self.stall(true),
        }
    }
}

fn close(streams: &[TcpStream]) {
    for stream in streams {
        // It may be closed already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

impl Forwarder {
    /// Listens on a free port of an address of this machine, and forwards to a target.
    pub fn new(on: IpAddr, target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((on, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        shared.state().target = target;
        let mut forwarder = Self { address, shared, acceptor: None };
        forwarder.listen(listener);
        Ok(forwarder)
    }

    /// Returns the address to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forwards new connections to another target.
    pub fn retarget(&self, target: SocketAddr) {
        self.shared.state().target = target;
    }

    /// Cuts the line: open connections hang without being closed, and so do new ones.
    pub fn cut(&self) {
        self.change(|state| state.stall(true));
    }

    /// Heals the line, and takes back every limit: what was held back goes on.
    pub fn heal(&self) {
        self.change(|state| {
            state.stall(false);
            (state.up.left, state.down.left) = (None, None);
        });
    }

    /// Stalls one direction until [`heal`](Self::heal).
    pub fn stall(&self, way: Way) {
        self.change(|state| state.flow(way).stalled = true);
    }

    /// Lets exactly this many more bytes pass in one direction, counted over all connections, and then loses them.
    pub fn cut_after(&self, way: Way, bytes: u64, loss: Loss) {
        self.change(|state| state.flow(way).left = Some((bytes, loss)));
    }

    /// Closes all open connections; new ones are served.
    pub fn drop_connections(&self) {
        self.change(State::close_all);
    }

    /// Limits each direction of each connection; nothing takes the limit away.
    pub fn slow(&self, bytes_per_second: impl Into<Option<u64>>) {
        let rate = bytes_per_second.into().map(|rate| rate.max(1));
        self.change(|state| (state.up.bytes_per_second, state.down.bytes_per_second) = (rate, rate));
    }

    /// Returns how many bytes have passed in one direction.
    pub fn passed(&self, way: Way) -> u64 {
        self.shared.state().flow(way).passed
    }

    /// Closes everything, and refuses new connections.
    pub fn refuse(&mut self) {
        self.change(|state| state.listening = false);
        if let Some(acceptor) = self.acceptor.take() {
            // Wakes it up; it looks whether it is still to listen.
            drop(TcpStream::connect(self.address));
            acceptor.join().expect("accepting does not panic");
        }
        self.drop_connections();
    }

    /// Accepts connections again, at the same address.
    pub fn accept(&mut self) -> io::Result<()> {
        if self.acceptor.is_none() {
            let listener = TcpListener::bind(self.address)?;
            self.listen(listener);
        }
        Ok(())
    }

    fn listen(&mut self, listener: TcpListener) {
        self.change(|state| state.listening = true);
        let shared = Arc::clone(&self.shared);
        self.acceptor = Some(thread::spawn(move || {
            for client in listener.incoming() {
                if !shared.state().listening {
                    return;
                }
                let Ok(client) = client else { continue };
                let shared = Arc::clone(&shared);
                thread::spawn(move || drop(serve(&shared, client)));
            }
        }));
    }

    fn change(&self, how: impl FnOnce(&mut State)) {
        how(&mut self.shared.state());
        self.shared.changed.notify_all();
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.change(|state| state.ended = true);
        self.refuse();
    }
}

/// Connects a client to the target, and forwards both directions until both have ended.
fn serve(shared: &Arc<Shared>, client: TcpStream) -> io::Result<()> {
    // A client that nobody hears does not reach the host.
    if !shared.passable(Way::Up) {
        return Ok(());
    }
    let target = shared.state().target;
    let host = TcpStream::connect(target)?;
    // What is small is not held back for what may follow.
    client.set_nodelay(true)?;
    host.set_nodelay(true)?;
    let Some(id) = shared.enter([client.try_clone()?, host.try_clone()?]) else { return Ok(()) };
    let (from, to, other) = (client.try_clone()?, host.try_clone()?, Arc::clone(shared));
    let up = thread::spawn(move || pump(&other, Way::Up, from, to));
    pump(shared, Way::Down, host, client);
    up.join().expect("forwarding does not panic");
    shared.leave(id);
    Ok(())
}

fn pump(shared: &Shared, way: Way, mut from: TcpStream, mut to: TcpStream) {
    let mut chunk = vec![0; 64 << 10];
    loop {
        let most = shared.at_once(way, chunk.len());
        let length = match from.read(&mut chunk[..most]) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return close(&[from, to]),
        };
        let mut rest = &chunk[..length];
        while !rest.is_empty() {
            let Some(granted) = shared.grant(way, rest.len()) else { return close(&[from, to]) };
            let (now, later) = rest.split_at(granted);
            let begun = Instant::now();
            if to.write_all(now).is_err() {
                return close(&[from, to]);
            }
            shared.count(way, granted, begun);
            rest = later;
        }
    }
    // An end is news as well, and does not pass a line that is cut.
    if shared.passable(way) {
        let _ = to.shutdown(Shutdown::Write);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a direction is open; says no if the forwarder has ended meanwhile.
    fn passable(&self, way: Way) -> bool {
        let mut state = self.state();
        while state.flow(way).stalled && !state.ended {
            state = self.wait(state);
        }
        !state.ended
    }

    fn enter(&self, streams: [TcpStream; 2]) -> Option<u64> {
        let mut state = self.state();
        if state.ended || !state.listening {
            return None;
        }
        state.next += 1;
        let id = state.next;
        state.connections.insert(id, streams);
        Some(id)
    }

    fn leave(&self, id: u64) {
        self.state().connections.remove(&id);
    }

    /// Returns how much is read at once: a twentieth of a second's worth where the rate is limited.
    fn at_once(&self, way: Way, most: usize) -> usize {
        let rate = self.state().flow(way).bytes_per_second;
        rate.map_or(most, |rate| usize::try_from(rate / 20).unwrap_or(most).clamp(1, most))
    }

    /// Returns how many bytes may pass now, at least one, or nothing when the connection is lost.
    fn grant(&self, way: Way, wanted: usize) -> Option<usize> {
        let mut state = self.state();
        loop {
            if state.ended {
                return None;
            }
            if state.flow(way).stalled {
                state = self.wait(state);
                continue;
            }
            let Some((left, loss)) = &mut state.flow(way).left else { return Some(wanted) };
            if *left > 0 {
                let granted = usize::try_from(*left).unwrap_or(wanted).min(wanted);
                *left -= granted as u64;
                return Some(granted);
            }
            let loss = *loss;
            state.lose(way, loss);
            if loss == Loss::Closed {
                return None;
            }
        }
    }

    /// Counts what has passed, loses the connections if it was the last that may, and keeps to the rate.
    fn count(&self, way: Way, bytes: usize, begun: Instant) {
        let mut state = self.state();
        let flow = state.flow(way);
        flow.passed += bytes as u64;
        let pause = flow.bytes_per_second.map(|rate| Duration::from_secs_f64(seconds(bytes, rate)));
        if let Some((0, loss)) = flow.left {
            state.lose(way, loss);
        }
        while let Some(rest) = pause.and_then(|pause| pause.checked_sub(begun.elapsed())) {
            if state.ended || rest.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a pause need not be exact")]
fn seconds(bytes: usize, rate: u64) -> f64 {
    bytes as f64 / rate as f64
}
