//! Ends the agent at every place at which it can be ended, and goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shipway_core::action::Fault;
use shipway_core::problem::{Code, Problem};

use super::host::{Built, TestHost, built, run};
use crate::agent::act::Session;
use crate::agent::hooks::{Hooks, When};
use crate::agent::protocol::{Request, Standing};
use crate::agent::watchdog::settle;

#[derive(Debug)]
struct Dies {
    passed: AtomicUsize,
    at: usize,
}

impl Hooks for Dies {
    fn pass(&self, _when: When, place: &str) -> Result<(), Problem> {
        let passed = self.passed.fetch_add(1, Ordering::SeqCst);
        // Dead is dead.
        if passed < self.at { Ok(()) } else { Err(Problem::new(Code::Stopped, place)) }
    }
}

/// How the second run is to end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    Confirmed,
    Reverted,
    Discarded,
    /// Taken back from a share of the traffic.
    Shared,
    /// Confirmed after some shares.
    Grown,
}

/// Does what a client does for the second run, until something fails.
fn carry(host: &TestHost, two: &Built, wanted: Wanted, hooks: Option<Arc<Dies>>) -> Result<(), Fault> {
    let mut client = host.client(run(2));
    if let Some(hooks) = hooks {
        client.agent = host.agent_with(hooks);
    }
    client.session = Session::default();
    client.lease()?;
    let state = host.state();
    let known = state.deployments.iter().find(|known| known.deployment.run == run(2));
    let left = [Standing::Reverting, Standing::Failed, Standing::Discarded];
    // As an engine that goes on with a run: what is done is not done again.
    if !known.is_some_and(|known| left.contains(&known.standing)) {
        client.stage(two)?;
        if matches!(wanted, Wanted::Shared | Wanted::Grown) {
            client.share(Some(1), 5_000)?;
            client.share(Some(1), 50_000)?;
        }
        if !matches!(wanted, Wanted::Discarded | Wanted::Shared) {
            client.switch(Some(1))?;
        }
    }
    let last = match wanted {
        Wanted::Confirmed | Wanted::Grown => Request::Confirm,
        Wanted::Reverted | Wanted::Shared => Request::Revert,
        Wanted::Discarded => Request::Discard,
    };
    client.ask(last)?;
    client.ask(Request::Release).map(|_| ())
}

fn check(wanted: Wanted, restarted: bool) -> usize {
    let (one, two) = (built("one"), built("two"));
    let mut at = 0;
    loop {
        let host = TestHost::new();
        host.deploy(1, &one);
        let dies = Arc::new(Dies { passed: AtomicUsize::new(0), at });
        if carry(&host, &two, wanted, Some(dies)).is_ok() {
            return at;
        }
        let version = host.version();
        assert!(version == "one" || version == "two", "killed at {at}: {version:?}");
        if restarted {
            host.boot("two");
            settle(&host.agent()).unwrap();
        }
        let again = carry(&host, &two, wanted, None);
        let state = host.state();
        let second = state.deployments.iter().find(|known| known.deployment.run == run(2)).unwrap();
        let fired = restarted && second.why.contains("started anew");
        let expected = match wanted {
            Wanted::Confirmed | Wanted::Grown if fired => (Some(run(1)), "one", Standing::Failed),
            Wanted::Confirmed | Wanted::Grown => (Some(run(2)), "two", Standing::Confirmed),
            Wanted::Reverted | Wanted::Shared => (Some(run(1)), "one", Standing::Failed),
            Wanted::Discarded => (Some(run(1)), "one", Standing::Discarded),
        };
        let lost = fired && matches!(wanted, Wanted::Confirmed | Wanted::Grown);
        assert_eq!(again.is_err(), lost, "killed at {at}: {again:?}");
        assert_eq!((state.current, &*host.version(), second.standing), expected, "killed at {at}");
        assert_eq!((state.watchdog, state.drift), (None, vec![]), "killed at {at}");
        at += 1;
    }
}

#[test]
fn an_agent_that_is_killed_anywhere_is_whole_when_the_run_goes_on() {
    // A share is journaled as the begin of a switch, and nothing more.
    let shared = [(Wanted::Shared, 10), (Wanted::Grown, 10)];
    let others = [(Wanted::Confirmed, 10), (Wanted::Reverted, 12), (Wanted::Discarded, 6)];
    for (wanted, places) in others.into_iter().chain(shared) {
        assert_eq!(check(wanted, false), places, "{wanted:?}");
    }
}

#[test]
fn a_host_that_is_started_anew_anywhere_is_whole_when_the_run_goes_on() {
    for wanted in [Wanted::Confirmed, Wanted::Reverted, Wanted::Discarded, Wanted::Shared, Wanted::Grown] {
        assert!(check(wanted, true) > 4);
    }
}
