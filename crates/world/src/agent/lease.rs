//! The lease of a host: one run at a time may change something, and a forgotten client cannot.
//!
//! It ends by a clock that nobody can set, and by a new start of the host. Its numbers only grow.

use serde::{Deserialize, Serialize};
use shipway_core::id::{Fence, RunId};
use shipway_core::problem::{Code, Problem};

use super::clock::Clock;
use super::journal::Event;
use super::protocol::Leased;
use super::root::{Root, read_json, remove, replace_json};
use super::setup::Agent;
use super::watchdog;

/// The longest time a lease lasts without being renewed.
const LONGEST_MS: u64 = 3_600_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Lease {
    run: RunId,
    holder: String,
    fence: Fence,
    ttl_ms: u64,
    boot: String,
    until_ms: u64,
}

impl Lease {
    fn left_ms(&self, clock: &dyn Clock) -> u64 {
        if self.boot == clock.boot() { self.until_ms.saturating_sub(clock.uptime_ms()) } else { 0 }
    }
}

fn path(root: &Root) -> std::path::PathBuf {
    root.dir.join("lease.json")
}

fn read(root: &Root) -> Result<Option<Lease>, Problem> {
    read_json(&path(root))
}

/// Returns who has the lease, if anybody has had it last.
pub(super) fn look(root: &Root, clock: &dyn Clock) -> Result<Option<Leased>, Problem> {
    let lease = read(root)?;
    Ok(lease.map(|lease| Leased {
        left_ms: lease.left_ms(clock),
        run: lease.run,
        holder: lease.holder,
        fence: lease.fence,
    }))
}

/// Gives the lease to a run, with a higher number than any before. The caller holds no lock.
pub(super) fn grant(agent: &Agent, run: &RunId, holder: &str, ttl_ms: u64) -> Result<Fence, Problem> {
    let root = &agent.root;
    root.prepare()?;
    // Nobody is given the lease while what another run began is still at work.
    let _lock = root.lock()?;
    let _brief = root.lock_lease()?;
    let clock = &*agent.setup.clock;
    let old = read(root)?;
    if let Some(old) = &old
        && old.run != *run
        && old.left_ms(clock) > 0
    {
        return Err(held(old, clock));
    }
    let mut journal = agent.journal()?;
    let newest = old.map_or(Fence(0), |old| old.fence).max(journal.history.fence);
    let fence = Fence(newest.0 + 1);
    // The journal first: a number that was used once is never used again, whatever happens to the small file.
    agent.append(&mut journal, &Event::Leased { run: run.clone(), fence, holder: holder.into() })?;
    let ttl_ms = ttl_ms.min(LONGEST_MS);
    let until_ms = clock.uptime_ms().saturating_add(ttl_ms);
    let lease =
        Lease { run: run.clone(), holder: holder.into(), fence, ttl_ms, boot: clock.boot(), until_ms };
    replace_json(&path(root), &lease)?;
    Ok(fence)
}

/// Lets a lease last longer, even one that is over, as long as nobody else has taken it; the watchdog of the run waits
/// longer, too, and one that has died is started again.
pub(super) fn renew(agent: &Agent, run: &RunId, fence: Fence) -> Result<(), Problem> {
    let root = &agent.root;
    let _brief = root.lock_lease()?;
    let clock = &*agent.setup.clock;
    let mut lease = newest(root, run, fence, clock)?;
    lease.boot = clock.boot();
    lease.until_ms = clock.uptime_ms().saturating_add(lease.ttl_ms);
    replace_json(&path(root), &lease)?;
    watchdog::put_off(root, run, clock)?;
    watchdog::revive(agent)
}

/// Proves that a run has the newest lease. Whoever is to change something asks this under the lock.
pub(super) fn prove(agent: &Agent, run: &RunId, fence: Fence) -> Result<(), Problem> {
    let _brief = agent.root.lock_lease()?;
    newest(&agent.root, run, fence, &*agent.setup.clock).map(|_| ())
}

/// Gives the lease back, if it is still this one.
pub(super) fn release(agent: &Agent, run: &RunId, fence: Fence) -> Result<bool, Problem> {
    let _brief = agent.root.lock_lease()?;
    match read(&agent.root)? {
        Some(lease) if lease.run == *run && lease.fence == fence => {
            remove(&path(&agent.root))?;
            Ok(true)
        }
        Some(_) | None => Ok(false),
    }
}

fn newest(root: &Root, run: &RunId, fence: Fence, clock: &dyn Clock) -> Result<Lease, Problem> {
    match read(root)? {
        Some(lease) if lease.run == *run && lease.fence == fence => Ok(lease),
        Some(lease) if lease.left_ms(clock) > 0 && lease.run != *run => {
            Err(fenced(fence).found(shown(&lease, clock)))
        }
        Some(lease) => Err(fenced(fence).found(format!("lease {} of run {}", lease.fence.0, lease.run))),
        None => Err(fenced(fence).found("the lease was given back")),
    }
}

fn fenced(fence: Fence) -> Problem {
    Problem::new(Code::HostFenced, format!("lease {} of the host is not the newest any more", fence.0))
        .hint("shipway status")
}

fn held(lease: &Lease, clock: &dyn Clock) -> Problem {
    Problem::new(Code::HostLeased, format!("run {} has the lease of the host", lease.run))
        .found(shown(lease, clock))
}

fn shown(lease: &Lease, clock: &dyn Clock) -> String {
    let seconds = lease.left_ms(clock).div_ceil(1000);
    format!("run {}, driven by {}, for {seconds} s unless it is renewed", lease.run, lease.holder)
}
