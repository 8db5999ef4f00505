//! Something has been in use for a while: until a point in time, or for a time from the first look.

use std::time::Duration;

use shipway_core::action::{Cx, Fault};
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds::{self, Until};
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;

use super::waits;

/// The check.
#[derive(Debug)]
pub struct Soak {
    /// What, and until when.
    pub args: kinds::Soak,
}

impl Check for Soak {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        Ok(self.at(cx.world.now(), cx.world.now()))
    }

    fn look_again(&self, cx: &Cx<'_>, first: Time) -> Result<Vec<Finding>, Fault> {
        Ok(self.at(cx.world.now(), first))
    }
}

impl Soak {
    fn at(&self, now: Time, first: Time) -> Vec<Finding> {
        let until = match self.args.until {
            Until::At(time) => time,
            Until::AfterMs(span) => first.after(Duration::from_millis(span)),
        };
        if now >= until {
            return vec![];
        }
        let problem = Problem::new(Code::Soaking, format!("{} is to be in use for longer", self.args.what));
        waits(problem.wanted(format!("in use until {until}")), Some(until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(until: Until, (now, first): (u64, u64), expect: Option<u64>) {
        let soak = Soak { args: kinds::Soak { what: "staging".into(), until } };
        let found = soak.at(Time(now), Time(first));
        assert_eq!(found.first().and_then(|finding| finding.until), expect.map(Time), "{found:?}");
    }

    #[test]
    fn a_soak_time_counts_from_the_first_look_or_ends_at_a_time() {
        check(Until::AfterMs(60), (1_000, 1_000), Some(1_060));
        check(Until::AfterMs(60), (1_059, 1_000), Some(1_060));
        check(Until::AfterMs(60), (1_060, 1_000), None);
        // A clock that was set back waits for the same time.
        check(Until::AfterMs(60), (10, 1_000), Some(1_060));
        check(Until::At(Time(2_000)), (1_999, 0), Some(2_000));
        check(Until::At(Time(2_000)), (2_000, 0), None);
    }
}
