//! What all requests and the control socket share: which upstreams get traffic, and whether requests are held.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use shipway_core::problem::{Code, Problem};
use shipway_core::proxy::{Counters, InFlight, State, Upstream};
use tokio::sync::watch;

use crate::target::{Flight, Target};

/// How many upstreams that get no traffic are remembered for their counters.
const REMEMBERED: usize = 20;

/// Why a request was given to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no upstream.
    Nobody,
    /// It was held for too long.
    Held,
}

/// Which upstreams get traffic. It is changed as a whole.
#[derive(Default)]
struct Live {
    targets: Vec<(Arc<Target>, u32)>,
    /// How far behind its share each is, for turns that are spread evenly.
    credit: Mutex<Vec<i64>>,
    held: Option<Duration>,
}

impl Live {
    fn pick(&self) -> Option<Flight> {
        if let [(target, weight)] = &*self.targets {
            return (*weight > 0).then(|| Flight::new(target));
        }
        let mut credit = self.credit.lock().unwrap_or_else(PoisonError::into_inner);
        credit.resize(self.targets.len(), 0);
        let all: i64 = self.targets.iter().map(|(_, weight)| i64::from(*weight)).sum();
        for (credit, (_, weight)) in credit.iter_mut().zip(&self.targets) {
            *credit += i64::from(*weight);
        }
        let shares = credit.iter().zip(&self.targets).enumerate().filter(|(_, (_, (_, weight)))| *weight > 0);
        let (at, _) = shares.max_by_key(|(at, (credit, _))| (**credit, std::cmp::Reverse(*at)))?;
        credit[at] -= all;
        Some(Flight::new(&self.targets[at].0))
    }
}

pub(crate) struct Hub {
    pub(crate) listen: SocketAddr,
    live: RwLock<Live>,
    /// All that are live or were.
    known: Mutex<Vec<Arc<Target>>>,
    /// Wakes those that are held.
    changed: watch::Sender<()>,
    /// Whether this process takes no new connections any more.
    leaving: watch::Sender<bool>,
    /// Connections of clients, tunnels included.
    connections: AtomicUsize,
    /// What a process that this one has replaced has in flight; nothing when it is gone.
    elsewhere: Mutex<Option<Vec<InFlight>>>,
    /// What that process counted, and those before it: what it said last stays.
    before: Mutex<Vec<Counters>>,
}

impl Hub {
    pub(crate) fn new(
        listen: SocketAddr,
        upstreams: &[Upstream],
        held: Option<Duration>,
    ) -> Result<Self, Problem> {
        let hub = Self {
            listen,
            live: RwLock::default(),
            known: Mutex::default(),
            changed: watch::Sender::new(()),
            leaving: watch::Sender::new(false),
            connections: AtomicUsize::new(0),
            elsewhere: Mutex::default(),
            before: Mutex::default(),
        };
        hub.switch(upstreams, true)?;
        hub.hold(held);
        Ok(hub)
    }

    /// Returns a request in flight to the one whose turn it is. It is counted before a switch can look, so nothing is
    /// in flight that a switch does not see.
    pub(crate) async fn begin(&self) -> Result<Flight, Refused> {
        let arrived = Instant::now();
        let mut changed = None;
        loop {
            let limit = {
                let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
                match live.held {
                    None => return live.pick().ok_or(Refused::Nobody),
                    Some(limit) => limit,
                }
            };
            // What changes between the look and the wait is seen at the second look.
            let Some(changed) = &mut changed else {
                changed = Some(self.changed.subscribe());
                continue;
            };
            let left = limit.checked_sub(arrived.elapsed()).ok_or(Refused::Held)?;
            if let Ok(Err(_)) | Err(_) = tokio::time::timeout(left, changed.changed()).await {
                return Err(Refused::Held);
            }
        }
    }

    /// Lets other upstreams get all new requests. An empty set is for the start alone.
    pub(crate) fn switch(&self, upstreams: &[Upstream], may_be_empty: bool) -> Result<(), Problem> {
        let sockets = check(upstreams, may_be_empty)?;
        let mut known = lock(&self.known);
        let mut targets = vec![];
        for (upstream, socket) in upstreams.iter().zip(sockets) {
            let target = known.iter().find(|target| target.is(upstream)).map(Arc::clone);
            let target = target.unwrap_or_else(|| Arc::new(Target::new(upstream, socket)));
            target.retire(false);
            known.retain(|known| !Arc::ptr_eq(known, &target));
            known.push(Arc::clone(&target));
            targets.push((target, upstream.weight));
        }
        {
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            live.targets.clone_from(&targets);
            live.credit = Mutex::default();
        }
        let is_live = |target: &Arc<Target>| targets.iter().any(|(live, _)| Arc::ptr_eq(live, target));
        known.iter().filter(|target| !is_live(target)).for_each(|target| target.retire(true));
        let mut spare = known.len().saturating_sub(REMEMBERED);
        known.retain(|target| {
            let forget = spare > 0 && !is_live(target) && target.is_quiet();
            spare -= usize::from(forget);
            !forget
        });
        Ok(())
    }

    /// Holds new requests, each for at most a while, or lets all go on.
    pub(crate) fn hold(&self, limit: Option<Duration>) {
        self.live.write().unwrap_or_else(PoisonError::into_inner).held = limit;
        self.changed.send_replace(());
    }

    pub(crate) fn state(&self) -> State {
        let (upstreams, held) = {
            let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
            let of = |(target, weight): &(Arc<Target>, u32)| Upstream {
                release: target.release.clone(),
                address: target.address.clone(),
                weight: *weight,
            };
            (live.targets.iter().map(of).collect(), live.held)
        };
        let mut in_flight = self.in_flight();
        let elsewhere = lock(&self.elsewhere).clone();
        for other in elsewhere.iter().flatten() {
            let same = |it: &&mut InFlight| it.release == other.release && it.address == other.address;
            match in_flight.iter_mut().find(same) {
                Some(own) => {
                    own.requests += other.requests;
                    own.tunnels += other.tunnels;
                }
                None => in_flight.push(other.clone()),
            }
        }
        State {
            pid: std::process::id(),
            listen: self.listen.to_string(),
            upstreams,
            paused_ms: held.map(|held| u64::try_from(held.as_millis()).unwrap_or(u64::MAX)),
            in_flight,
            predecessor: elsewhere.is_some(),
        }
    }

    /// Returns what this process alone has in flight.
    pub(crate) fn in_flight(&self) -> Vec<InFlight> {
        let known = lock(&self.known);
        let flights = known.iter().map(|target| target.in_flight());
        flights.filter(|it| it.requests > 0 || it.tunnels > 0).collect()
    }

    /// Returns what was counted for each upstream, also by the processes before this one; the newest come last.
    pub(crate) fn counters(&self) -> Vec<Counters> {
        let mut own: Vec<Counters> = lock(&self.known).iter().map(|target| target.counters()).collect();
        let mut old = vec![];
        for before in &*lock(&self.before) {
            match own.iter_mut().find(|own| own.is_of(before)) {
                Some(own) => own.add(before),
                None => old.push(before.clone()),
            }
        }
        let spare = (old.len() + own.len()).saturating_sub(REMEMBERED).min(old.len());
        old.split_off(spare).into_iter().chain(own).collect()
    }

    pub(crate) fn sweep(&self) {
        lock(&self.known).iter().for_each(|target| target.sweep());
    }

    /// Hears of the process that this one has replaced.
    pub(crate) fn hear(&self, in_flight: Vec<InFlight>, counters: Option<Vec<Counters>>) {
        *lock(&self.elsewhere) = Some(in_flight);
        // One of an older version does not tell.
        if let Some(counters) = counters {
            *lock(&self.before) = counters;
        }
    }

    /// Takes note that the process before this one is gone.
    pub(crate) fn alone(&self) {
        *lock(&self.elsewhere) = None;
        for before in &mut *lock(&self.before) {
            (before.in_flight, before.tunnels) = (0, 0);
        }
    }

    /// Takes no new connections any more, and ends when those that there are have ended.
    pub(crate) fn leave(&self) {
        self.leaving.send_replace(true);
    }

    pub(crate) fn is_leaving(&self) -> bool {
        *self.leaving.borrow()
    }

    /// Returns a receiver that says when this process takes no new connections any more.
    pub(crate) fn leaving(&self) -> watch::Receiver<bool> {
        self.leaving.subscribe()
    }

    /// Returns whether no client is connected.
    pub(crate) fn is_empty(&self) -> bool {
        self.connections.load(SeqCst) == 0
    }
}

/// A connection of a client, counted until it is dropped.
pub(crate) struct Connected(Arc<Hub>);

impl Connected {
    pub(crate) fn new(hub: &Arc<Hub>) -> Self {
        hub.connections.fetch_add(1, SeqCst);
        Self(Arc::clone(hub))
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.0
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the addresses of upstreams that can get traffic.
pub(crate) fn check(upstreams: &[Upstream], may_be_empty: bool) -> Result<Vec<SocketAddr>, Problem> {
    let refuse = |what: String| Problem::new(Code::ProxyAsked, what);
    if upstreams.iter().all(|upstream| upstream.weight == 0) && !(may_be_empty && upstreams.is_empty()) {
        return Err(refuse("no upstream would get a request".into()).wanted("one with a weight above 0"));
    }
    let mut sockets = vec![];
    for upstream in upstreams {
        let socket = upstream.address.parse::<SocketAddr>().map_err(|_| {
            refuse(format!("{} is not an address and a port", upstream.address))
                .wanted("such as 127.0.0.1:8081")
        })?;
        if upstream.release.is_empty() {
            return Err(refuse(format!("the release at {socket} has no name")));
        }
        if sockets.contains(&socket) {
            return Err(refuse(format!("{socket} is there twice")));
        }
        sockets.push(socket);
    }
    Ok(sockets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(release: &str, port: u16, weight: u32) -> Upstream {
        Upstream { release: release.into(), address: format!("127.0.0.1:{port}"), weight }
    }

    fn hub(upstreams: &[Upstream]) -> Hub {
        Hub::new("127.0.0.1:1".parse().unwrap(), upstreams, None).unwrap()
    }

    #[test]
    fn turns_are_spread_evenly_by_weight() {
        let hub = hub(&[upstream("a", 1, 3), upstream("b", 2, 1), upstream("c", 3, 0)]);
        let live = hub.live.read().unwrap();
        let turns: String = (0..8).map(|_| live.pick().unwrap().target.release.clone()).collect();
        assert_eq!(turns, "aabaaaba");
    }

    #[test]
    fn what_is_in_flight_is_counted_until_it_ends() {
        let hub = hub(&[upstream("a", 1, 1)]);
        let flight = hub.live.read().unwrap().pick().unwrap();
        hub.switch(&[upstream("b", 2, 1)], false).unwrap();
        assert_eq!(hub.state().draining(), 1);
        let tunnel = flight.into_tunnel();
        assert_eq!((hub.state().draining(), hub.state().in_flight[0].tunnels), (0, 1));
        drop(tunnel);
        assert!(hub.state().in_flight.is_empty());
    }

    #[test]
    fn a_set_that_cannot_work_is_refused() {
        let wrong = [
            vec![],
            vec![upstream("a", 1, 0)],
            vec![upstream("", 1, 1)],
            vec![upstream("a", 1, 1), upstream("b", 1, 1)],
            vec![Upstream { release: "a".into(), address: "localhost".into(), weight: 1 }],
        ];
        let hub = hub(&[upstream("a", 1, 1)]);
        for upstreams in wrong {
            assert_eq!(hub.switch(&upstreams, false).unwrap_err().code, Code::ProxyAsked, "{upstreams:?}");
            assert_eq!(hub.state().upstreams, [upstream("a", 1, 1)]);
        }
    }

    #[test]
    fn a_few_old_upstreams_are_remembered() {
        let hub = hub(&[]);
        for port in 1..100 {
            hub.switch(&[upstream(&port.to_string(), port, 1)], false).unwrap();
        }
        assert_eq!(hub.counters().len(), REMEMBERED);
        assert_eq!(hub.counters().last().unwrap().release, "99");
    }
}
