//! What the built-in proxy is asked and answers: one line of JSON each way on its control socket.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// Upper ends of the buckets that latencies are counted in, in microseconds; one more bucket holds what is slower.
pub const BUCKETS_US: [u64; 16] = [
    250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
    5_000_000, 10_000_000, 30_000_000,
];

/// A copy of a service that gets a share of the traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// The release that answers there, as text.
    pub release: String,
    /// An address and a port, such as `127.0.0.1:8081`.
    pub address: String,
    /// Its share of the requests, against the sum of all; 0 gets none.
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

/// What the proxy is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// How it stands.
    State,
    /// Send all new requests to these; answered when the others have nothing in flight, or after `drain_ms`.
    Switch {
        /// All that get traffic from now on.
        upstreams: Vec<Upstream>,
        /// How long to wait for what is in flight elsewhere; 0 does not wait.
        #[serde(default)]
        drain_ms: u64,
    },
    /// Hold new requests, each for at most this long.
    Pause {
        /// How long a request waits before it is answered with 503.
        limit_ms: u64,
    },
    /// Let what is held go on.
    Resume,
    /// Count.
    Counters,
    /// The counters as text for Prometheus.
    Metrics,
    /// Pass the listening socket to a new process. Only a proxy asks this.
    Handover,
    /// End when what is in flight has ended.
    Stop,
}

/// What the proxy answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// How it stands now.
    State(State),
    /// The counters of every upstream.
    Counters {
        /// One for each upstream that was ever in use since the start.
        counters: Vec<Counters>,
    },
    /// The counters as text for Prometheus.
    Metrics {
        /// The text.
        text: String,
    },
    /// It does not do what was asked.
    Problem(Problem),
}

/// How a proxy stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Its process.
    pub pid: u32,
    /// Where it listens.
    pub listen: String,
    /// Those that get new requests.
    pub upstreams: Vec<Upstream>,
    /// How long a new request is held, while requests are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_ms: Option<u64>,
    /// What is under way, also to upstreams that get no new requests.
    #[serde(default)]
    pub in_flight: Vec<InFlight>,
    /// Whether a process that this one has replaced still finishes what it had begun.
    #[serde(default)]
    pub predecessor: bool,
}

impl State {
    /// Returns how many requests are in flight to an upstream.
    pub fn in_flight_to(&self, address: &str) -> u64 {
        self.in_flight.iter().filter(|it| it.address == address).map(|it| it.requests).sum()
    }

    /// Returns how many requests are in flight to upstreams that get no new ones.
    pub fn draining(&self) -> u64 {
        let live = |it: &InFlight| {
            self.upstreams.iter().any(|live| live.address == it.address && live.release == it.release)
        };
        self.in_flight.iter().filter(|it| !live(it)).map(|it| it.requests).sum()
    }
}

/// What is under way to an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// The release.
    pub release: String,
    /// Its address.
    pub address: String,
    /// Requests whose answer has not ended.
    pub requests: u64,
    /// Connections that were upgraded, such as websockets.
    pub tunnels: u64,
}

/// What was counted for an upstream since the proxy started, by this process and by those that it replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// The release.
    pub release: String,
    /// Its address.
    pub address: String,
    /// Requests that were given to it.
    pub requests: u64,
    /// Answers by the first digit of their status, 1 to 5; those that the proxy gave in its place are not among them.
    pub classes: [u64; 5],
    /// Connections that could not be made.
    pub connect_errors: u64,
    /// Connections that ended before the answer did.
    pub resets: u64,
    /// Answers that did not begin in time.
    pub timeouts: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// Upgraded connections.
    pub tunnels: u64,
    /// Answers by the time until their head came: a number for each of [`BUCKETS_US`], and one for slower ones.
    pub latency: Vec<u64>,
    /// The sum of these times, in microseconds.
    pub latency_sum_us: u64,
}

impl Counters {
    /// Tells whether these are for the same upstream.
    pub fn is_of(&self, other: &Self) -> bool {
        self.release == other.release && self.address == other.address
    }

    /// Adds what another process counted for the same upstream.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.connect_errors += other.connect_errors;
        self.resets += other.resets;
        self.timeouts += other.timeouts;
        self.in_flight += other.in_flight;
        self.tunnels += other.tunnels;
        self.latency_sum_us += other.latency_sum_us;
        self.latency.resize(self.latency.len().max(other.latency.len()), 0);
        let counts = self.classes.iter_mut().chain(&mut self.latency);
        counts.zip(other.classes.iter().chain(&other.latency)).for_each(|(own, other)| *own += other);
    }

    /// Returns the end of the bucket in which a share of the answers (0 to 1) had come, in microseconds.
    pub fn quantile_us(&self, share: f64) -> Option<u64> {
        let all: u64 = self.latency.iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "a count that large would take centuries")]
        let reached = |sum: u64| sum as f64 >= share * all as f64;
        let mut sum = 0;
        let at = self.latency.iter().position(|count| {
            sum += count;
            *count > 0 && reached(sum)
        })?;
        Some(BUCKETS_US.get(at).copied().unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_one_line() {
        let upstream = Upstream { release: "1.0.0".into(), address: "127.0.0.1:1".into(), weight: 1 };
        for ask in
            [Ask::State, Ask::Switch { upstreams: vec![upstream], drain_ms: 5 }, Ask::Pause { limit_ms: 1 }]
        {
            let line = serde_json::to_string(&ask).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Ask>(&line).unwrap(), ask);
        }
        assert_eq!(serde_json::to_string(&Ask::Resume).unwrap(), r#"{"ask":"resume"}"#);
    }

    #[test]
    fn what_two_processes_counted_is_added_number_by_number() {
        let counted = |all: u64| Counters {
            requests: all,
            classes: [0, all, 0, 1, 0],
            connect_errors: 1,
            resets: 2,
            timeouts: 3,
            in_flight: 4,
            tunnels: 5,
            latency: vec![all, 1],
            latency_sum_us: 7 * all,
            ..Counters::default()
        };
        let mut sum = counted(10);
        sum.add(&counted(1));
        let twice =
            Counters { connect_errors: 2, resets: 4, timeouts: 6, in_flight: 8, tunnels: 10, ..counted(11) };
        assert_eq!(sum, Counters { classes: [0, 11, 0, 2, 0], latency: vec![11, 2], ..twice });
    }

    #[test]
    fn a_median_is_the_end_of_its_bucket() {
        let mut counters = Counters { latency: vec![0; BUCKETS_US.len() + 1], ..Counters::default() };
        assert_eq!(counters.quantile_us(0.5), None);
        (counters.latency[2], counters.latency[4]) = (3, 2);
        assert_eq!(counters.quantile_us(0.5), Some(1_000));
        assert_eq!(counters.quantile_us(0.9), Some(5_000));
        counters.latency[BUCKETS_US.len()] = 100;
        assert_eq!(counters.quantile_us(0.5), Some(u64::MAX));
    }

    #[test]
    fn what_drains_is_what_gets_no_new_requests() {
        let of = |release: &str, address: &str| (release.to_owned(), address.to_owned());
        let flight = |(release, address), requests| InFlight { release, address, requests, tunnels: 7 };
        let state = State {
            upstreams: vec![Upstream { release: "2".into(), address: "b".into(), weight: 1 }],
            in_flight: vec![flight(of("1", "a"), 2), flight(of("2", "b"), 4), flight(of("1", "b"), 1)],
            ..State::default()
        };
        assert_eq!((state.draining(), state.in_flight_to("b"), state.in_flight_to("a")), (3, 5, 2));
    }
}
