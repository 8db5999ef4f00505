//! What is counted for an upstream.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use shipway_core::proxy::{BUCKETS_US, Counters};

/// Why an upstream gave no whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// There was no connection.
    Connect,
    /// The connection ended before the answer did.
    Reset,
    /// The answer did not begin in time.
    Timeout,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    requests: AtomicU64,
    classes: [AtomicU64; 5],
    connect_errors: AtomicU64,
    resets: AtomicU64,
    timeouts: AtomicU64,
    latency: [AtomicU64; BUCKETS_US.len() + 1],
    latency_sum_us: AtomicU64,
}

impl Counts {
    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(crate) fn answered(&self, status: u16, after: Duration) {
        if let Some(class) = usize::from(status / 100).checked_sub(1).and_then(|at| self.classes.get(at)) {
            class.fetch_add(1, Relaxed);
        }
        let us = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        self.latency[BUCKETS_US.partition_point(|end| *end < us)].fetch_add(1, Relaxed);
        self.latency_sum_us.fetch_add(us, Relaxed);
    }

    pub(crate) fn trouble(&self, trouble: Trouble) {
        let counter = match trouble {
            Trouble::Connect => &self.connect_errors,
            Trouble::Reset => &self.resets,
            Trouble::Timeout => &self.timeouts,
        };
        counter.fetch_add(1, Relaxed);
    }

    /// Returns the numbers of now, without the names they belong to.
    pub(crate) fn read(&self) -> Counters {
        let of = |counter: &AtomicU64| counter.load(Relaxed);
        Counters {
            requests: of(&self.requests),
            classes: std::array::from_fn(|at| of(&self.classes[at])),
            connect_errors: of(&self.connect_errors),
            resets: of(&self.resets),
            timeouts: of(&self.timeouts),
            latency: self.latency.iter().map(of).collect(),
            latency_sum_us: of(&self.latency_sum_us),
            ..Counters::default()
        }
    }
}
