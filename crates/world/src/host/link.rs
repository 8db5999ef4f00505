//! One connection to the agent of one host: requests go out, answers come back under their numbers, and a side that
//! says nothing for too long is given up.

use std::collections::HashMap;
use std::io::{self, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use shipway_core::action::Fault;
use shipway_core::deployment::Host;
use shipway_core::id::{Fence, RunId};
use shipway_core::problem::{Code, Problem};

use super::start::{Started, Words, end};
use super::trouble;
use crate::agent::protocol::{Call, Hello, PROTOCOL, Reply, Request, Response, Welcome};
use crate::agent::wire;

/// How long the other side may say nothing; it beats every two seconds.
pub(super) const SILENCE: Duration = Duration::from_secs(20);
/// How often a run is said to be alive.
const PING: Duration = Duration::from_secs(5);
/// How often silence is looked for.
const TICK: Duration = Duration::from_millis(250);

type Answer = Result<Response, Fault>;

/// A connection.
pub(super) struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    child: Mutex<Child>,
    /// Nothing once the connection is given up.
    input: Mutex<Option<ChildStdin>>,
    waiting: Mutex<HashMap<u64, Sender<Answer>>>,
    next: AtomicU64,
    heard: Mutex<Instant>,
    pinged: Mutex<Instant>,
    lease: Mutex<Option<(RunId, Fence)>>,
    dead: AtomicBool,
    why: Mutex<String>,
    words: Words,
    told: Box<dyn Fn(&str) + Send + Sync>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    /// Greets an agent that was started.
    pub(super) fn new(
        host: &Host,
        started: Started,
        silence: Duration,
        told: Box<dyn Fn(&str) + Send + Sync>,
    ) -> Result<Self, Fault> {
        let Started { child, mut input, output, words } = started;
        let hello =
            Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").into(), root: host.path.clone() };
        let said = wire::write(&mut input, &hello, b"");
        let shared = Arc::new(Shared {
            child: Mutex::new(child),
            input: Mutex::new(Some(input)),
            waiting: Mutex::default(),
            next: AtomicU64::new(1),
            heard: Mutex::new(Instant::now()),
            pinged: Mutex::new(Instant::now()),
            lease: Mutex::default(),
            dead: AtomicBool::new(false),
            why: Mutex::default(),
            words,
            told,
        });
        let (tell, welcomed) = channel();
        let (reader, watcher) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::spawn(move || reader.read(output, &tell));
        thread::spawn(move || watcher.watch(silence));
        let link = Self { shared };
        if let Err(error) = said {
            link.shared.give_up(&error.to_string());
        }
        // Silence ends this, too.
        match welcomed.recv() {
            Ok(welcome) if welcome.protocol == PROTOCOL => Ok(link),
            Ok(welcome) => {
                let what = format!("the agent of {} is of version {}", host.name, welcome.version);
                Err(Fault::clean(Problem::new(Code::AgentUnusable, what).wanted(env!("CARGO_PKG_VERSION"))))
            }
            Err(_) => Err(trouble::lost(host, &link.why(), false)),
        }
    }

    /// Tells whether the connection is gone.
    pub(super) fn is_dead(&self) -> bool {
        self.shared.dead.load(Ordering::SeqCst)
    }

    /// Returns why it is gone, with the last word of ssh.
    pub(super) fn why(&self) -> String {
        let (why, words) = (lock(&self.shared.why).clone(), self.shared.words.text());
        let last = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
        if last.is_empty() { why } else { format!("{why}: {last}") }
    }

    /// Says for which run the host is told that it is alive.
    pub(super) fn hold(&self, lease: Option<(RunId, Fence)>) {
        *lock(&self.shared.lease) = lease;
    }

    /// Sends a request. When this fails, it has not arrived: half a frame is none.
    pub(super) fn ask(&self, call: impl FnOnce(u64) -> Call, body: &[u8]) -> io::Result<Receiver<Answer>> {
        let id = self.shared.next.fetch_add(1, Ordering::SeqCst);
        let (tell, answer) = channel();
        lock(&self.shared.waiting).insert(id, tell);
        let sent = self.shared.send(&call(id), body);
        if sent.is_err() || self.is_dead() {
            // Without this nobody would end the wait.
            lock(&self.shared.waiting).remove(&id);
        }
        sent.map(|()| answer)
    }

    /// Sends what is not answered.
    pub(super) fn tell(&self, call: impl FnOnce(u64) -> Call, body: &[u8]) -> io::Result<()> {
        self.shared.send(&call(self.shared.next.fetch_add(1, Ordering::SeqCst)), body)
    }

    /// Gives the connection up.
    pub(super) fn give_up(&self, why: &str) {
        self.shared.give_up(why);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The end of its input ends the agent, and its end ends ssh.
        drop(lock(&self.shared.input).take());
        self.shared.dead.store(true, Ordering::SeqCst);
        // One that is still at work brings it to its end.
        let _ = end(&mut lock(&self.shared.child), Duration::from_secs(2));
    }
}

impl Shared {
    fn send(&self, call: &Call, body: &[u8]) -> io::Result<()> {
        let mut input = lock(&self.input);
        let pipe = input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        wire::write(pipe, call, body)?;
        self.ping(pipe)
    }

    /// Says that the run is alive, if it is time to.
    fn ping(&self, pipe: &mut impl Write) -> io::Result<()> {
        let Some((run, fence)) = lock(&self.lease).clone() else { return Ok(()) };
        if lock(&self.pinged).elapsed() < PING {
            return Ok(());
        }
        *lock(&self.pinged) = Instant::now();
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        // What a ping is answered does not matter: a host that does not know the lease refuses the next change.
        wire::write(pipe, &Call { id, run: Some(run), fence: Some(fence), request: Request::Ping }, b"")
    }

    fn read(&self, mut output: ChildStdout, welcomed: &Sender<Welcome>) {
        let ended = (|| -> io::Result<()> {
            let Some((welcome, _)) = wire::read::<Welcome>(&mut output)? else { return Ok(()) };
            let _ = welcomed.send(welcome);
            while let Some((reply, _)) = wire::read::<Reply>(&mut output)? {
                *lock(&self.heard) = Instant::now();
                match reply {
                    Reply::Beat => {}
                    Reply::Say(_, line) => (self.told)(&line),
                    Reply::Done(id, answer) => {
                        if let Some(waiting) = lock(&self.waiting).remove(&id) {
                            let _ = waiting.send(answer);
                        }
                    }
                }
            }
            Ok(())
        })();
        self.give_up(
            &ended.err().map_or_else(|| "the other side ended it".into(), |error| error.to_string()),
        );
    }

    fn watch(&self, silence: Duration) {
        while !self.dead.load(Ordering::SeqCst) {
            thread::sleep(TICK);
            if lock(&self.heard).elapsed() > silence {
                self.give_up(&format!("the other side said nothing for {} s", silence.as_secs()));
            }
            // Whoever holds the pipe sends the ping with what it sends.
            if let Ok(mut input) = self.input.try_lock()
                && let Some(pipe) = input.as_mut()
            {
                // A pipe that is broken is seen by the reader.
                let _ = self.ping(pipe);
            }
        }
    }

    /// Ends the connection from here; everybody who waits for an answer is told so by the end of the channel.
    fn give_up(&self, why: &str) {
        if self.dead.swap(true, Ordering::SeqCst) {
            return;
        }
        why.clone_into(&mut lock(&self.why));
        // Killed first: a writer that waits for the pipe holds its lock.
        let _ = lock(&self.child).kill();
        lock(&self.waiting).clear();
        drop(lock(&self.input).take());
    }
}
