//! What traffic says of a release: a verdict that knows when there is not enough of it.

use serde::{Deserialize, Serialize};

/// All of the traffic, in thousandths of a percent.
pub const ALL: u32 = 100_000;

/// Returns a share in thousandths of a percent as people write it, such as `0.5%`.
pub fn percent(share: u32) -> String {
    format!("{}%", thousandths(share))
}

/// What was counted of one release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// How many requests were answered, or should have been.
    pub requests: u64,
    /// How many of them failed: no answer, or a status of 500 and above.
    pub failed: u64,
    /// The median of how long an answer took, in microseconds, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_us: Option<u64>,
}

impl Traffic {
    /// Returns what was counted since an earlier count of the same release. The median is that of all.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            failed: self.failed.saturating_sub(earlier.failed),
            median_us: self.median_us,
        }
    }

    /// Returns two counts together. Medians cannot be added; the larger one is kept, which never hides a slow host.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            failed: self.failed + other.failed,
            median_us: self.median_us.max(other.median_us),
        }
    }
}

/// What is borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many of 100,000 requests may fail.
    pub errors: u32,
    /// By how many thousandths of a percent the median may be slower than before.
    pub slower: u32,
    /// How many requests a verdict needs.
    pub samples: usize,
}

/// What traffic says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Enough was seen, and it is well.
    Pass,
    /// It is not well, and that is no chance.
    Fail {
        /// What was found.
        found: String,
        /// What was wanted.
        wanted: String,
    },
    /// Too little was seen to tell.
    NotEnough(String),
}

/// A median below this difference is noise, whatever the share, in microseconds.
const NOISE_US: u64 = 2_000;

/// Judges a release by its own traffic and by that of the release before.
///
/// Errors count against it only when their share is above the limit beyond chance: the lower end of the interval of
/// Wilson (1927) at two standard deviations. Few requests that all fail are enough for that; one failure among many
/// is not.
pub fn judge(limits: Limits, now: &Traffic, before: Option<&Traffic>) -> Verdict {
    let share = |failed: u64, requests: u64| format!("{failed} of {requests} requests failed");
    if lowest_share(now.failed, now.requests) > f64::from(limits.errors) / 100_000.0 {
        return Verdict::Fail {
            found: share(now.failed, now.requests),
            wanted: format!("at most {} % of them", thousandths(limits.errors)),
        };
    }
    if now.requests < limits.samples as u64 {
        return Verdict::NotEnough(format!("{} of {} requests", now.requests, limits.samples));
    }
    let enough = before.filter(|before| before.requests >= limits.samples as u64);
    if let (Some(median), Some(usual)) = (now.median_us, enough.and_then(|before| before.median_us)) {
        let band = usual.saturating_add(usual.saturating_mul(u64::from(limits.slower)) / 100_000);
        if median > band.max(usual.saturating_add(NOISE_US)) {
            return Verdict::Fail {
                found: format!("the median answer takes {}", milliseconds(median)),
                wanted: format!("at most {}; before it took {}", milliseconds(band), milliseconds(usual)),
            };
        }
    }
    Verdict::Pass
}

/// Returns the lower end of Wilson's interval at two standard deviations, as a share from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
fn lowest_share(failed: u64, requests: u64) -> f64 {
    if requests == 0 || failed == 0 {
        return 0.0;
    }
    let (n, z) = (requests as f64, 2.0_f64);
    let p = failed as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((centre - spread) / (1.0 + z * z / n)).max(0.0)
}

fn thousandths(percent: u32) -> String {
    let text = format!("{}.{:03}", percent / 1000, percent % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn milliseconds(us: u64) -> String {
    format!("{}.{} ms", us / 1000, us % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { errors: 1000, slower: 50_000, samples: 50 };

    fn traffic(requests: u64, failed: u64, median_us: u64) -> Traffic {
        Traffic { requests, failed, median_us: Some(median_us) }
    }

    fn check(now: &Traffic, before: Option<&Traffic>, expect: &str) {
        let word = match judge(LIMITS, now, before) {
            Verdict::Pass => "pass",
            Verdict::Fail { .. } => "fail",
            Verdict::NotEnough(_) => "not enough",
        };
        assert_eq!(word, expect, "{now:?} after {before:?}");
    }

    #[test]
    fn errors_count_beyond_chance_only() {
        check(&traffic(1000, 0, 0), None, "pass");
        check(&traffic(1000, 10, 0), None, "pass");
        check(&traffic(100, 1, 0), None, "pass");
        check(&traffic(100, 2, 0), None, "pass");
        check(&traffic(1000, 30, 0), None, "fail");
        check(&traffic(10, 10, 0), None, "fail");
        check(&traffic(3, 3, 0), None, "fail");
        check(&traffic(1, 0, 0), None, "not enough");
        check(&traffic(0, 0, 0), None, "not enough");
    }

    #[test]
    fn a_median_is_compared_with_the_release_before_where_it_had_traffic() {
        let before = traffic(1000, 0, 10_000);
        check(&traffic(100, 0, 14_000), Some(&before), "pass");
        check(&traffic(100, 0, 16_000), Some(&before), "fail");
        check(&traffic(100, 0, 16_000), Some(&traffic(10, 0, 10_000)), "pass");
        check(&traffic(100, 0, 16_000), None, "pass");
        check(&traffic(100, 0, 900), Some(&traffic(1000, 0, 300)), "pass");
    }

    #[test]
    fn counts_are_told_apart_and_put_together() {
        let later = traffic(30, 3, 5);
        assert_eq!(later.since(&traffic(10, 1, 9)), traffic(20, 2, 5));
        assert_eq!(later.and(&traffic(1, 1, 9)), traffic(31, 4, 9));
    }
}
