//! The built-in proxy: it is told on its control socket, and keeps by itself what it was told.

use std::time::Duration;

use shipway_core::deployment::{ALL, Traffic};
use shipway_core::problem::{Code, Problem};
use shipway_core::proxy::{State, Upstream};

use super::Upstreams;
use crate::proxy::Client;

/// A proxy that sends its traffic to one of two ports of this machine.
pub(super) struct Proxy {
    pub(super) client: Client,
    pub(super) ports: [u16; 2],
}

impl Upstreams for Proxy {
    fn live(&self) -> Result<Option<u16>, Problem> {
        let state = self.client.state().map_err(failed)?;
        let weight = |port: &&u16| weight(&state, **port);
        Ok(self.ports.iter().filter(|port| weight(port) > 0).max_by_key(weight).copied())
    }

    fn share(&self, port: u16) -> Result<Option<u32>, Problem> {
        let state = self.client.state().map_err(failed)?;
        let all: u64 = self.ports.iter().map(|port| weight(&state, *port)).sum();
        let share = (weight(&state, port) * u64::from(ALL)).checked_div(all);
        Ok(share.map(|share| u32::try_from(share).unwrap_or(ALL)))
    }

    fn split(&self, port: u16, release: &str, share: u32) -> Result<(), Problem> {
        let state = self.client.state().map_err(failed)?;
        let other = self.ports.iter().find(|other| **other != port).map(|other| address(*other));
        let other = state.upstreams.iter().find(|it| it.weight > 0 && Some(&it.address) == other.as_ref());
        let none = || Problem::new(Code::SwitchFailed, format!("nobody shares the traffic with port {port}"));
        // The release that is named there stays: what is counted for it and under way to it goes on.
        let other = Upstream { weight: ALL.saturating_sub(share), ..other.ok_or_else(none)?.clone() };
        let upstreams =
            [other, Upstream { release: release.to_owned(), address: address(port), weight: share }];
        if state.upstreams == upstreams {
            return Ok(());
        }
        self.client.switch(&upstreams, Duration::ZERO).map(|_| ()).map_err(failed)
    }

    fn switch(&self, port: u16, release: &str) -> Result<(), Problem> {
        let upstream = Upstream { release: release.to_owned(), address: address(port), weight: 1 };
        if self.client.state().map_err(failed)?.upstreams == [upstream.clone()] {
            return Ok(());
        }
        // Whoever asks waits by itself for what is in flight.
        self.client.switch(&[upstream], Duration::ZERO).map(|_| ()).map_err(failed)
    }

    fn in_flight(&self, port: u16) -> Result<u64, Problem> {
        Ok(self.client.state().map_err(failed)?.in_flight_to(&address(port)))
    }

    fn counted(&self, port: u16) -> Result<Traffic, Problem> {
        let address = address(port);
        let state = self.client.state().map_err(failed)?;
        let counters = self.client.counters().map_err(failed)?;
        let live = state.upstreams.iter().find(|it| it.address == address).map(|it| &it.release);
        let mut of_port = counters.iter().filter(|it| it.address == address);
        // Several releases have had this port; the one that has it now counts, else the one that had it last.
        let found = of_port.rfind(|it| live.is_none_or(|live| *live == it.release));
        Ok(found.map_or_else(Traffic::default, |it| Traffic {
            requests: it.requests,
            failed: it.classes[4] + it.connect_errors + it.resets + it.timeouts,
            median_us: it.quantile_us(0.5),
        }))
    }

    fn settle(&self, _: u16) -> Result<(), Problem> {
        // The proxy answers a switch only when it is kept.
        Ok(())
    }
}

/// Returns the weight of a port among all that the proxy sends requests to.
fn weight(state: &State, port: u16) -> u64 {
    let of_port = state.upstreams.iter().filter(|it| it.address == address(port));
    of_port.map(|it| u64::from(it.weight)).sum()
}

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn failed(problem: Problem) -> Problem {
    let problem_is = problem.to_string();
    Problem { code: Code::SwitchFailed, ..problem }.details([problem_is])
}
