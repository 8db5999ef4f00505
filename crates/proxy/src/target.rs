//! An upstream: its connections that are kept open, and what is in flight to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::client::conn::http1::SendRequest;
use shipway_core::proxy::{Counters, InFlight, Upstream};

use crate::body::Asked;
use crate::counts::Counts;

/// How long a connection without a request is kept; most servers keep theirs for five seconds or longer.
const IDLE: Duration = Duration::from_secs(4);
/// How long for requests that cannot be sent twice: the younger, the less likely is it just being closed.
const IDLE_ONCE: Duration = Duration::from_secs(1);
/// How many connections without a request are kept.
const KEPT: usize = 256;

pub(crate) type Sender = SendRequest<Asked>;

pub(crate) struct Target {
    pub(crate) release: String,
    pub(crate) address: String,
    pub(crate) socket: SocketAddr,
    pub(crate) counts: Counts,
    in_flight: AtomicU64,
    tunnels: AtomicU64,
    /// Whether it gets no new requests, so that no connection is worth keeping.
    retired: AtomicBool,
    idle: Mutex<Vec<(Sender, Instant)>>,
}

impl Target {
    pub(crate) fn new(upstream: &Upstream, socket: SocketAddr) -> Self {
        Self {
            release: upstream.release.clone(),
            address: upstream.address.clone(),
            socket,
            counts: Counts::default(),
            in_flight: AtomicU64::new(0),
            tunnels: AtomicU64::new(0),
            retired: AtomicBool::new(false),
            idle: Mutex::default(),
        }
    }

    pub(crate) fn is(&self, upstream: &Upstream) -> bool {
        self.release == upstream.release && self.address == upstream.address
    }

    /// Returns whether nothing is under way to it, not even a tunnel.
    pub(crate) fn is_quiet(&self) -> bool {
        self.in_flight.load(SeqCst) == 0 && self.tunnels.load(SeqCst) == 0
    }

    pub(crate) fn in_flight(&self) -> InFlight {
        InFlight {
            release: self.release.clone(),
            address: self.address.clone(),
            requests: self.in_flight.load(SeqCst),
            tunnels: self.tunnels.load(SeqCst),
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        let InFlight { release, address, requests, tunnels } = self.in_flight();
        Counters { release, address, in_flight: requests, tunnels, ..self.counts.read() }
    }

    pub(crate) fn retire(&self, retired: bool) {
        self.retired.store(retired, SeqCst);
        if retired {
            self.kept().clear();
        }
    }

    /// Closes connections that have had no request for long.
    pub(crate) fn sweep(&self) {
        self.kept().retain(|(sender, since)| since.elapsed() < IDLE && !sender.is_closed());
    }

    /// Returns a connection that is open as far as is known; a young one for a request that cannot be sent twice.
    pub(crate) fn take(&self, once: bool) -> Option<Sender> {
        let limit = if once { IDLE_ONCE } else { IDLE };
        let mut kept = self.kept();
        while let Some((sender, since)) = kept.pop() {
            if since.elapsed() >= limit {
                // Those below are older still; they are left to others, or to the sweep.
                kept.push((sender, since));
                return None;
            }
            if !sender.is_closed() {
                return Some(sender);
            }
        }
        None
    }

    /// Keeps a connection whose answer has ended.
    pub(crate) fn keep(&self, sender: Sender) {
        let mut kept = self.kept();
        if !sender.is_closed() && kept.len() < KEPT && !self.retired.load(SeqCst) {
            kept.push((sender, Instant::now()));
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<(Sender, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request in flight, or a tunnel; it is counted until it is dropped.
pub(crate) struct Flight {
    pub(crate) target: Arc<Target>,
    tunnel: bool,
}

impl Flight {
    pub(crate) fn new(target: &Arc<Target>) -> Self {
        target.in_flight.fetch_add(1, SeqCst);
        Self { target: Arc::clone(target), tunnel: false }
    }

    /// Counts it as a tunnel from now on.
    pub(crate) fn into_tunnel(mut self) -> Self {
        self.target.tunnels.fetch_add(1, SeqCst);
        self.target.in_flight.fetch_sub(1, SeqCst);
        self.tunnel = true;
        self
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let count = if self.tunnel { &self.target.tunnels } else { &self.target.in_flight };
        count.fetch_sub(1, SeqCst);
    }
}
