//! `proxy`: runs the built-in proxy, or asks one that runs.

use std::net::TcpListener;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use shipway_core::config::parse_duration;
use shipway_core::problem::{Code, Problem};
use shipway_core::proxy::{Counters, State, Upstream};
use shipway_proxy::{Options, serve};
use shipway_world::proxy::Client;

use super::{DONE, End};
use crate::args::{self, ProxyVerb};
use crate::view::{Document, View};

/// How long a switch waits for what is in flight, and a pause holds a request, if nothing is said.
const WAIT: Duration = Duration::from_secs(30);

/// How long a proxy that is ending keeps silent connections; most clients ask again sooner, or not for long.
const PARTING: Duration = Duration::from_secs(5);

/// Runs a proxy, or asks one.
pub fn run(asked: &args::Proxy, view: &dyn View) -> End {
    act(asked, view).map_err(|problem| vec![problem])
}

fn act(asked: &args::Proxy, view: &dyn View) -> Result<u8, Problem> {
    let client = Client::new(&asked.control);
    let state = match asked.what {
        ProxyVerb::Serve => {
            let passed = args::passed()?;
            return serve(&options(asked, passed.as_ref())?, passed).map(|()| DONE);
        }
        ProxyVerb::Counters => {
            let counters = client.counters()?;
            let lines: Vec<String> = counters.iter().map(counted).collect();
            return Ok(show(view, Document::ProxyCounters, &json!({ "counters": counters }), &lines));
        }
        ProxyVerb::Metrics => {
            let text = client.metrics()?;
            return Ok(show(
                view,
                Document::ProxyMetrics,
                &json!({ "text": text }),
                &[text.trim_end().to_owned()],
            ));
        }
        ProxyVerb::Status => client.state()?,
        ProxyVerb::Switch => client.switch(&upstreams(&asked.to)?, time(asked.drain.as_deref())?)?,
        ProxyVerb::Pause => client.pause(time(asked.limit.as_deref())?)?,
        ProxyVerb::Resume => client.resume()?,
        ProxyVerb::Stop => client.stop()?,
    };
    Ok(show(view, Document::Proxy, &json!({ "proxy": state }), &lines(&state)))
}

fn show(view: &dyn View, kind: Document, fields: &impl Serialize, lines: &[String]) -> u8 {
    let fields = serde_json::to_value(fields).expect("text and numbers are always JSON");
    view.answer(kind, &fields, &lines.join("\n"));
    DONE
}

fn options(asked: &args::Proxy, passed: Option<&TcpListener>) -> Result<Options, Problem> {
    let missing = |what: &str| {
        Problem::new(Code::Usage, format!("{what} is to be said"))
            .hint("shipway proxy serve --listen 127.0.0.1:8080 --control proxy.sock --state proxy.json")
    };
    let passed = passed.and_then(|passed| passed.local_addr().ok());
    Ok(Options {
        listen: asked.listen.or(passed).ok_or_else(|| missing("where clients connect (--listen)"))?,
        control: asked.control.clone(),
        state: asked.state.clone().ok_or_else(|| missing("where it is kept who gets traffic (--state)"))?,
        threads: asked.threads,
        parting: PARTING,
    })
}

fn upstreams(to: &[String]) -> Result<Vec<Upstream>, Problem> {
    let parse = |text: &String| {
        upstream(text).ok_or_else(|| {
            let problem = Problem::new(Code::Usage, format!("`{text}` is no upstream"));
            problem.wanted("a release, an address and a port, perhaps a weight: 1.4.0=127.0.0.1:8081*9")
        })
    };
    to.iter().map(parse).collect()
}

fn upstream(text: &str) -> Option<Upstream> {
    // A release may hold anything, an address no `=`.
    let (release, address) = text.rsplit_once('=')?;
    let (address, weight) = match address.split_once('*') {
        Some((address, weight)) => (address, weight.parse().ok()?),
        None => (address, 1),
    };
    Some(Upstream { release: release.into(), address: address.into(), weight })
}

fn time(text: Option<&str>) -> Result<Duration, Problem> {
    let Some(text) = text else { return Ok(WAIT) };
    parse_duration(text).ok_or_else(|| {
        Problem::new(Code::Usage, format!("`{text}` is no span of time")).wanted("such as 30s")
    })
}

fn lines(state: &State) -> Vec<String> {
    let mut lines = vec![format!("{}  process {}", state.listen, state.pid)];
    for upstream in &state.upstreams {
        lines.push(format!("{}  {}  weight {}", upstream.release, upstream.address, upstream.weight));
    }
    if state.upstreams.is_empty() {
        lines.push("no release gets traffic".into());
    }
    if let Some(limit) = state.paused_ms {
        lines.push(format!("new requests are held for up to {limit} ms"));
    }
    for flight in &state.in_flight {
        let (requests, tunnels) = (flight.requests, flight.tunnels);
        let place = format!("{} at {}", flight.release, flight.address);
        lines.push(format!("in flight to {place}: {requests} requests, {tunnels} upgraded connections"));
    }
    if state.predecessor {
        lines.push("the process before this one still finishes what it has begun".into());
    }
    lines
}

fn counted(of: &Counters) -> String {
    let median = match of.quantile_us(0.5) {
        None => "no answer yet".into(),
        Some(u64::MAX) => "median above 30 s".into(),
        Some(us) => format!("median up to {} ms", Duration::from_micros(us).as_secs_f64() * 1000.0),
    };
    let [_, ok, moved, wrong, failed] = of.classes;
    format!(
        "{}  {}  {} requests: {ok} 2xx, {moved} 3xx, {wrong} 4xx, {failed} 5xx; {} not connected, {} reset, {} timed out; \
         {} in flight; {median}",
        of.release, of.address, of.requests, of.connect_errors, of.resets, of.timeouts, of.in_flight
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_a_release_an_address_and_perhaps_a_weight() {
        for (text, expected) in [
            ("1.4.0=127.0.0.1:8081", Some(("1.4.0", "127.0.0.1:8081", 1))),
            ("a=b=[::1]:80*9", Some(("a=b", "[::1]:80", 9))),
            ("1.4.0", None),
            ("1.4.0=127.0.0.1:8081*many", None),
        ] {
            let found = upstream(text);
            let found = found.as_ref().map(|it| (it.release.as_str(), it.address.as_str(), it.weight));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_state_says_what_is_unusual() {
        let plain = State { listen: "127.0.0.1:80".into(), pid: 7, ..State::default() };
        assert_eq!(lines(&plain), ["127.0.0.1:80  process 7", "no release gets traffic"]);
        let text = lines(&State { paused_ms: Some(5), predecessor: true, ..plain }).join("\n");
        assert!(text.contains("held for up to 5 ms") && text.contains("the process before"), "{text}");
    }
}
