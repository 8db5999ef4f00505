//! Death of the process at any call, without a process: a call panics with a payload that only [`survive`] catches.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use shipway_core::action::{Cmd, LogKey, LogSeal, Output, Shell, Stop, World};
use shipway_core::id::{Fence, RunId, Seq};
use shipway_core::journal::{Draft, Durability, Entry, Error, Journal, Lease, RunHead};
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;
use shipway_world::agent::hooks::{Hooks, When as Side};

/// What `thread::scope` panics with when one of its threads did, whatever that thread panicked with.
const SCOPE: &str = "a scoped thread panicked";

/// On which side of a call the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The call has not happened.
    Before,
    /// The call has had its whole effect, and the caller does not learn of it.
    After,
}

/// The death of the process: where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Killed {
    number: u64,
    when: When,
    call: String,
}

impl fmt::Display for Killed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = match self.when {
            When::Before => "before",
            When::After => "after",
        };
        write!(f, "killed {when} call {}: {}", self.number, self.call)
    }
}

/// Runs `f` and returns its value, or the death in it. Every other panic goes on.
///
/// A death in a thread of a `thread::scope` becomes another panic there; use [`Fuse::live`] for code with threads.
pub fn survive<R>(f: impl FnOnce() -> R) -> Result<R, Killed> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(value) => Ok(value),
        Err(payload) => match payload.downcast::<Killed>() {
            Ok(killed) => Err(*killed),
            Err(payload) => resume_unwind(payload),
        },
    }
}

/// Counts calls and kills at one of them; clones share the count.
///
/// Once it has blown, every further call dies too, in every thread: a dead process does nothing more. The next
/// [`Fuse::live`] is the next life, in which the count begins anew.
#[derive(Clone, Debug, Default)]
pub struct Fuse(Arc<Mutex<Burning>>);

#[derive(Debug, Default)]
struct Burning {
    // One for each life; a life beyond the last is not cut short.
    charges: Vec<(u64, When)>,
    life: usize,
    calls: Vec<String>,
    killed: Option<Killed>,
}

impl Fuse {
    /// Returns a fuse that never blows.
    pub fn count_only() -> Self {
        Self::lives(vec![])
    }

    /// Returns a fuse that blows at the n-th call, from 1.
    pub fn at(number: u64, when: When) -> Self {
        Self::lives(vec![(number, when)])
    }

    /// Returns a fuse that blows twice: at a call of the first life and at a call of the second.
    pub fn pair(first: (u64, When), second: (u64, When)) -> Self {
        Self::lives(vec![first, second])
    }

    /// Returns a fuse that blows once in each of these lives.
    pub fn lives(charges: Vec<(u64, When)>) -> Self {
        Self(Arc::new(Mutex::new(Burning { charges, ..Burning::default() })))
    }

    /// Returns all places to die at among a number of calls, in order.
    pub fn places(calls: u64) -> impl Iterator<Item = (u64, When)> {
        (1..=calls).flat_map(|number| [(number, When::Before), (number, When::After)])
    }

    /// Returns how many calls this life has made, the deadly one included.
    pub fn calls(&self) -> u64 {
        self.burning().calls.len() as u64
    }

    /// Returns the calls of this life, such as `shell git push origin` or `journal append started`.
    pub fn names(&self) -> Vec<String> {
        self.burning().calls.clone()
    }

    /// Tells whether this life is over.
    pub fn blown(&self) -> bool {
        self.burning().killed.is_some()
    }

    /// Begins the next life.
    pub fn next_life(&self) {
        let mut burning = self.burning();
        burning.life += 1;
        burning.calls.clear();
        burning.killed = None;
    }

    /// Runs one life, a new one if the last is over, and returns its value or its death. Other panics go on.
    pub fn live<R>(&self, f: impl FnOnce() -> R) -> Result<R, Killed> {
        if self.blown() {
            self.next_life();
        }
        let payload = match catch_unwind(AssertUnwindSafe(|| survive(f))) {
            Ok(result) => return result,
            Err(payload) => payload,
        };
        let of_scope = payload.downcast_ref::<&str>() == Some(&SCOPE);
        match self.burning().killed.clone() {
            Some(killed) if of_scope => Err(killed),
            Some(_) | None => resume_unwind(payload),
        }
    }

    /// Makes a call unless the process is dead, and dies on the side of it that the fuse says.
    ///
    /// A destructor that runs while the dead process unwinds must not panic again; its call does nothing, and gets the
    /// answer of the dead.
    fn call<R>(
        &self,
        name: impl FnOnce() -> String,
        dead: impl FnOnce() -> R,
        call: impl FnOnce() -> R,
    ) -> R {
        let number = match self.enter(name) {
            Ok(number) => number,
            Err(killed) => return die(killed, dead),
        };
        let answer = call();
        match self.check(number, When::After) {
            Ok(()) => answer,
            Err(killed) => die(killed, dead),
        }
    }

    /// Dies if the process is dead; counts nothing.
    fn look<R>(&self, dead: impl FnOnce() -> R, call: impl FnOnce() -> R) -> R {
        let killed = self.burning().killed.clone();
        killed.map_or_else(call, |killed| die(killed, dead))
    }

    fn enter(&self, name: impl FnOnce() -> String) -> Result<u64, Killed> {
        let number = {
            let mut burning = self.burning();
            if let Some(killed) = &burning.killed {
                return Err(killed.clone());
            }
            burning.calls.push(name());
            burning.calls.len() as u64
        };
        self.check(number, When::Before).map(|()| number)
    }

    fn check(&self, number: u64, when: When) -> Result<(), Killed> {
        let mut burning = self.burning();
        if burning.killed.is_none() && burning.charges.get(burning.life) == Some(&(number, when)) {
            let call = usize::try_from(number).ok().and_then(|number| burning.calls.get(number - 1)).cloned();
            burning.killed = Some(Killed { number, when, call: call.unwrap_or_default() });
        }
        burning.killed.clone().map_or(Ok(()), Err)
    }

    fn burning(&self) -> MutexGuard<'_, Burning> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn die<R>(killed: Killed, dead: impl FnOnce() -> R) -> R {
    if thread::panicking() {
        return dead();
    }
    // Unlike `panic_any` this runs no panic hook, so a death prints nothing.
    resume_unwind(Box::new(killed))
}

/// A client of hosts dies at its messages. Each place is passed for itself, so it is enough to die before it.
impl Hooks for Fuse {
    fn pass(&self, when: Side, place: &str) -> Result<(), Problem> {
        let gone = || Err(Problem::new(Code::HostLost, "the process is dead"));
        self.call(|| format!("{PLACE} {when:?} {place}"), gone, || Ok(()))
    }
}

/// A client that is dead when its process is, and whose own messages do not count: it dies at none of them.
#[derive(Clone, Debug)]
pub struct Uncounted(pub Fuse);

impl Hooks for Uncounted {
    fn pass(&self, _: Side, _: &str) -> Result<(), Problem> {
        self.0.look(|| Err(Problem::new(Code::HostLost, "the process is dead")), || Ok(()))
    }
}

/// How the name of a call begins that is a place of [`Hooks`].
pub const PLACE: &str = "host";

/// A port whose calls pass a fuse. It decorates a [`Journal`], a [`Shell`] or a [`World`].
///
/// Of a world, requests and rests count, and all commands of its shell. The clock and the seal of a log do not: death
/// there is death between two other calls.
#[derive(Debug)]
pub struct Crashy<'a, T: ?Sized>(Hands<'a, T>);

#[derive(Debug)]
struct Hands<'a, T: ?Sized> {
    inner: &'a T,
    fuse: Fuse,
}

impl<'a, T: ?Sized> Crashy<'a, T> {
    /// Returns a port whose calls pass a fuse.
    pub fn new(inner: &'a T, fuse: &Fuse) -> Self {
        Self(Hands { inner, fuse: fuse.clone() })
    }
}

impl<T: Journal + ?Sized> Crashy<'_, T> {
    fn journal<R>(
        &self,
        name: impl FnOnce() -> String,
        call: impl FnOnce(&T) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let dead = || Err(Error::Store("the process is dead".into()));
        self.0.fuse.call(|| format!("journal {}", name()), dead, || call(self.0.inner))
    }
}

impl<T: Journal + ?Sized> Journal for Crashy<'_, T> {
    fn lease(&self, run: &RunId) -> Result<Lease, Error> {
        self.journal(|| "lease".into(), |inner| inner.lease(run))
    }

    fn append(
        &self,
        run: &RunId,
        fence: Fence,
        after: Option<Seq>,
        drafts: &[Draft],
    ) -> Result<Vec<Entry>, Error> {
        let name = || format!("append {}", drafts.iter().map(event).collect::<Vec<_>>().join(" "));
        self.journal(name, |inner| inner.append(run, fence, after, drafts))
    }

    fn read(&self, run: &RunId, after: Option<Seq>) -> Result<Vec<Entry>, Error> {
        self.journal(|| "read".into(), |inner| inner.read(run, after))
    }

    fn runs(&self) -> Result<Vec<RunHead>, Error> {
        self.journal(|| "runs".into(), Journal::runs)
    }

    fn verify(&self) -> Result<u64, Error> {
        self.journal(|| "verify".into(), Journal::verify)
    }

    fn durability(&self) -> Durability {
        self.0.fuse.look(|| self.0.inner.durability(), || self.0.inner.durability())
    }
}

/// Returns the stored name of an event and its step.
fn event(draft: &Draft) -> String {
    let value = serde_json::to_value(&draft.event).unwrap_or_default();
    let text = |field: &str| value.get(field).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    format!("{} {}", text("event"), text("step")).trim_end().to_owned()
}

impl<T: ?Sized> Hands<'_, T> {
    fn run(&self, cmd: &Cmd, run: impl FnOnce(&T) -> io::Result<Output>) -> io::Result<Output> {
        let name = || {
            let words: Vec<_> = cmd.argv.iter().map(|word| word.to_string_lossy()).collect();
            format!("shell {}", words.join(" "))
        };
        self.fuse.call(name, || Err(dead()), || run(self.inner))
    }
}

fn dead() -> io::Error {
    io::Error::other("the process is dead")
}

impl<T: Shell + ?Sized> Shell for Crashy<'_, T> {
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output> {
        self.0.run(cmd, |inner| inner.run(cmd, stop))
    }
}

impl<T: World + ?Sized> Shell for Hands<'_, T> {
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output> {
        Hands::run(self, cmd, |inner| inner.shell().run(cmd, stop))
    }
}

impl<T: World + ?Sized> World for Crashy<'_, T> {
    fn shell(&self) -> &dyn Shell {
        &self.0
    }

    fn http_status(&self, url: &str, timeout: Duration) -> io::Result<u16> {
        self.0.fuse.call(|| format!("http {url}"), || Err(dead()), || self.0.inner.http_status(url, timeout))
    }

    fn http_text(&self, url: &str, timeout: Duration) -> io::Result<String> {
        self.0.fuse.call(|| format!("http {url}"), || Err(dead()), || self.0.inner.http_text(url, timeout))
    }

    fn now(&self) -> Time {
        self.0.fuse.look(|| self.0.inner.now(), || self.0.inner.now())
    }

    fn uptime(&self) -> Duration {
        self.0.fuse.look(|| self.0.inner.uptime(), || self.0.inner.uptime())
    }

    fn rest(&self, time: Duration, stop: &Stop) {
        self.0.fuse.call(|| format!("rest {time:?}"), || (), || self.0.inner.rest(time, stop));
    }

    fn mask(&self, text: &str) -> String {
        self.0.inner.mask(text)
    }

    fn seal(&self, key: &LogKey) -> Option<LogSeal> {
        self.0.fuse.look(|| None, || self.0.inner.seal(key))
    }
}

#[cfg(test)]
mod tests;
