//! All hosts of a run: a connection to each, opened when it is needed and kept, and the lease under which the run
//! changes something there.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use shipway_core::action::{Fault, Stop};
use shipway_core::deployment::Host;
use shipway_core::id::{Fence, RunId};
use shipway_core::problem::{Code, Problem};

use super::link::{Link, SILENCE};
use super::start::{AgentBinary, Waited, start, wait};
use super::trouble;
use crate::agent::hooks::{Hooks, NoHooks, When};
use crate::agent::protocol::{Call, Look, Request, Response, State};
use crate::artifact::Store;
use crate::lease::this_host;

/// How many connections are opened at once; sshd turns away what is more than its `MaxStartups`.
const STARTS: usize = 10;
/// Which part of its time a call waits for its turn at most, so that dead hosts keep no living one waiting.
const PART: u32 = 4;
/// How long a lease lasts without a word from the run.
const TTL: Duration = Duration::from_mins(1);
/// How long a look may take.
const LOOKING: Duration = Duration::from_mins(2);
/// How long a lease may take: it waits for what an earlier client left at work.
const LEASING: Duration = Duration::from_mins(10);

/// Is told what a host says while it works: its name, and a line.
pub type Teller = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// All hosts of a run.
pub struct Fleet {
    pub(super) store: Arc<Store>,
    pub(super) secrets: BTreeMap<String, String>,
    agent: AgentBinary,
    hooks: Arc<dyn Hooks>,
    holder: String,
    teller: Option<Teller>,
    silence: Duration,
    seats: Mutex<BTreeMap<Host, Arc<Seat>>>,
    starts: Starts,
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("agent", &self.agent).finish_non_exhaustive()
    }
}

/// Who asks, how long the answer may take, and what ends the wait.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// The run; what changes something needs one.
    pub run: Option<&'a RunId>,
    /// How long the answer may take.
    pub limit: Duration,
    /// The switch: when it says now, nobody waits any more.
    pub stop: &'a Stop,
}

/// What is kept of one host.
#[derive(Default)]
struct Seat {
    link: Mutex<Option<Arc<Link>>>,
    lease: Mutex<Option<(RunId, Fence)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fleet {
    /// Returns a fleet without a connection. The secrets are those that deployments name by their digest.
    pub fn new(store: Arc<Store>, agent: AgentBinary, secrets: BTreeMap<String, String>) -> Self {
        Self {
            store,
            secrets,
            agent,
            hooks: Arc::new(NoHooks),
            holder: format!("process {} on {}", std::process::id(), this_host()),
            teller: None,
            silence: SILENCE,
            seats: Mutex::default(),
            starts: Starts::default(),
        }
    }

    /// Says who drives the run, for whoever is refused because of it.
    #[must_use]
    pub fn held_by(mut self, holder: impl Into<String>) -> Self {
        self.holder = holder.into();
        self
    }

    /// Says who is told what hosts say while they work.
    #[must_use]
    pub fn telling(mut self, teller: Teller) -> Self {
        self.teller = Some(teller);
        self
    }

    /// Says how long a host may say nothing before it is given up; it beats every two seconds.
    #[must_use]
    pub fn silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// Puts something in the way, for tests.
    #[must_use]
    pub fn hooks(mut self, hooks: Arc<dyn Hooks>) -> Self {
        self.hooks = hooks;
        self
    }

    /// Asks a host, and waits for its answer. What changes something is sent under the lease of the run, which is taken
    /// first.
    ///
    /// A connection that is lost is made anew by the next call. The fault says whether the request can have arrived.
    pub fn call(&self, host: &Host, by: &By<'_>, request: Request) -> Result<Response, Fault> {
        let By { run, limit, stop } = *by;
        let link = self.link(host, limit, stop)?;
        let fence = match run {
            Some(run) if needs_fence(&request) => Some(self.fence(host, &link, run, stop)?),
            Some(_) | None => None,
        };
        let released = matches!(request, Request::Release);
        let asked = Asked { host, run, fence, limit, stop };
        if released {
            // Whether it is heard of or not: this fleet has no use for it any more.
            *lock(&self.seat(host).lease) = None;
            link.hold(None);
        }
        self.ask(&link, &asked, request)
    }

    /// Looks at a host, and at its services if anything is live.
    pub fn look(&self, host: &Host, stop: &Stop) -> Result<State, Fault> {
        self.look_at(host, Look { services: true, ..Look::default() }, stop)
    }

    /// Looks at a host, as closely as asked.
    pub fn look_at(&self, host: &Host, what: Look, stop: &Stop) -> Result<State, Fault> {
        self.look_within(host, what, LOOKING, stop)
    }

    /// Looks at a host whose answer is of no use later than this. Making the connection may take longer; the switch
    /// ends that, too.
    pub fn look_within(&self, host: &Host, what: Look, limit: Duration, stop: &Stop) -> Result<State, Fault> {
        match self.call(host, &By { run: None, limit, stop }, Request::Look(what))? {
            Response::State(state) => Ok(*state),
            other => Err(unexpected(host, &other)),
        }
    }

    /// Gives the lease of a run back on a host; one that cannot be reached forgets it by itself.
    pub fn release(&self, host: &Host, run: &RunId, stop: &Stop) -> Result<(), Fault> {
        let held = lock(&self.seat(host).lease).as_ref().is_some_and(|(holder, _)| holder == run);
        if !held {
            return Ok(());
        }
        self.call(host, &By { run: Some(run), limit: LOOKING, stop }, Request::Release).map(|_| ())
    }

    /// Does something with each of some hosts at once; the answers are in the order of the hosts.
    pub fn each<'a, T: Send>(&self, hosts: &'a [Host], work: impl Fn(&'a Host) -> T + Sync) -> Vec<T> {
        thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = hosts.iter().map(|host| scope.spawn(move || work(host))).collect();
            let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
            joined.map(|answer| answer.expect("the work does not panic")).collect()
        })
    }

    /// Ends all connections, at once. Leases that were not given back end by themselves.
    pub fn disconnect(&self) {
        let seats: Vec<Arc<Seat>> = lock(&self.seats).values().map(Arc::clone).collect();
        thread::scope(|scope| {
            for seat in &seats {
                // One that is being made ends with whoever makes it.
                if let Some(link) = seat.link.try_lock().ok().and_then(|mut kept| kept.take()) {
                    scope.spawn(move || drop(link));
                }
            }
        });
    }

    fn seat(&self, host: &Host) -> Arc<Seat> {
        Arc::clone(lock(&self.seats).entry(host.clone()).or_default())
    }

    /// Returns the connection to a host, and makes it if there is none; `limit` is how long all of it may take.
    pub(super) fn link(&self, host: &Host, limit: Duration, stop: &Stop) -> Result<Arc<Link>, Fault> {
        let seat = self.seat(host);
        let mut kept = lock(&seat.link);
        if let Some(link) = kept.as_ref().filter(|link| !link.is_dead()) {
            return Ok(Arc::clone(link));
        }
        drop(kept.take());
        self.pass(When::Before, "connect").map_err(Fault::clean)?;
        let started = {
            let _turn = self.starts.wait(limit / PART);
            start(host, &self.agent, stop)?
        };
        let (teller, name) = (self.teller.clone(), host.name.clone());
        let told = Box::new(move |line: &str| {
            if let Some(teller) = &teller {
                teller(&name, line);
            }
        });
        let link = Arc::new(Link::new(host, started, self.silence, told)?);
        link.hold(lock(&seat.lease).clone());
        *kept = Some(Arc::clone(&link));
        self.pass(When::After, "connect").map_err(Fault::clean)?;
        Ok(link)
    }

    /// Returns the number of the run's lease, which is taken if this fleet has none.
    ///
    /// It is taken once. If the host gives it to somebody else meanwhile, this fleet has lost it for good, so that two
    /// that drive one run cannot take it from each other in turn.
    pub(super) fn fence(&self, host: &Host, link: &Link, run: &RunId, stop: &Stop) -> Result<Fence, Fault> {
        let seat = self.seat(host);
        let mut lease = lock(&seat.lease);
        if let Some((holder, fence)) = &*lease
            && holder == run
        {
            return Ok(*fence);
        }
        let ttl_ms = u64::try_from(TTL.as_millis()).unwrap_or(u64::MAX);
        let request = Request::Lease { holder: self.holder.clone(), ttl_ms };
        let asked = Asked { host, run: Some(run), fence: None, limit: LEASING, stop };
        // A lease that was granted and not heard of hinders only others, and for a minute.
        let answer = self.ask(link, &asked, request);
        match answer.map_err(|fault| Fault { effect: shipway_core::action::Effect::None, ..fault })? {
            Response::Leased(fence) => {
                *lease = Some((run.clone(), fence));
                link.hold(lease.clone());
                Ok(fence)
            }
            other => Err(unexpected(host, &other)),
        }
    }

    /// Sends a request over a connection and waits for the answer.
    pub(super) fn ask(&self, link: &Link, asked: &Asked<'_>, request: Request) -> Result<Response, Fault> {
        let (host, word, changes) = (asked.host, request.word(), request.changes());
        self.pass(When::Before, &format!("send {word}")).map_err(Fault::clean)?;
        let call = |id| Call { id, run: asked.run.cloned(), fence: asked.fence, request };
        let answer = link.ask(call, b"").map_err(|error| {
            if error.kind() == std::io::ErrorKind::InvalidInput {
                return Fault::clean(Problem::new(
                    Code::ArtifactUnusable,
                    format!("{word} is too long: {error}"),
                ));
            }
            link.give_up(&error.to_string());
            trouble::lost(host, &link.why(), false)
        })?;
        self.pass(When::After, &format!("send {word}")).map_err(Fault::in_doubt)?;
        let answer = match wait(&answer, Instant::now() + asked.limit, asked.stop) {
            Waited::Came(answer) => answer,
            Waited::Late if link.is_dead() => Err(trouble::lost(host, &link.why(), changes)),
            Waited::Late => {
                let limit = asked.limit.as_secs();
                let problem = Problem::new(
                    Code::StepTimedOut,
                    format!("{word} took more than {limit} s on {}", host.name),
                );
                link.give_up("a request took too long");
                Err(if changes { Fault::in_doubt(problem) } else { Fault::clean(problem) })
            }
            Waited::Stopped => {
                let problem = Problem::new(
                    Code::Stopped,
                    format!("a stop was asked for during {word} on {}", host.name),
                );
                link.give_up("a stop was asked for");
                Err(if changes { Fault::in_doubt(problem) } else { Fault::clean(problem) })
            }
        };
        self.pass(When::After, &format!("hear {word}")).map_err(Fault::in_doubt)?;
        answer.map_err(|fault| placed(host, fault))
    }

    pub(super) fn pass(&self, when: When, place: &str) -> Result<(), Problem> {
        self.hooks.pass(when, place)
    }
}

/// A request to one host, without what is asked.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) host: &'a Host,
    pub(super) run: Option<&'a RunId>,
    pub(super) fence: Option<Fence>,
    pub(super) limit: Duration,
    pub(super) stop: &'a Stop,
}

fn needs_fence(request: &Request) -> bool {
    request.needs_lease() || matches!(request, Request::Release | Request::Ping)
}

/// Says on which host something is wrong.
fn placed(host: &Host, mut fault: Fault) -> Fault {
    let place = fault.problem.place.take();
    fault.problem.place = Some(match place {
        Some(place) => format!("{}: {place}", host.name),
        None => host.name.clone(),
    });
    fault
}

pub(super) fn unexpected(host: &Host, response: &Response) -> Fault {
    let what = format!("the agent of {} answers something else than was asked", host.name);
    let shown: String = format!("{response:?}").chars().take(80).collect();
    Fault::in_doubt(Problem::new(Code::AgentUnusable, what).found(shown))
}

/// Lets a few start at once, and the others wait.
#[derive(Default)]
struct Starts {
    running: Mutex<usize>,
    ended: Condvar,
}

struct Turn<'a>(&'a Starts);

impl Starts {
    /// Waits for a turn, and goes ahead without one after a while.
    fn wait(&self, patience: Duration) -> Turn<'_> {
        let running = lock(&self.running);
        let waited = self.ended.wait_timeout_while(running, patience, |running| *running >= STARTS);
        let (mut running, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(&self.0.running) -= 1;
        self.0.ended.notify_one();
    }
}
