//! The switch that asks a run to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How soon a run has to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Go on.
    None,
    /// Finish the step in hand, then stop.
    Soon,
    /// Kill the children and stop.
    Now,
}

/// A switch that asks a run to stop; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicU8>);

impl Stop {
    /// Asks once more: the first time means soon, every further time means now.
    pub fn ask(&self) {
        let _ =
            self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |asked| Some(asked.saturating_add(1)));
    }

    /// Returns how soon to stop.
    pub fn urgency(&self) -> Urgency {
        match self.0.load(Ordering::SeqCst) {
            0 => Urgency::None,
            1 => Urgency::Soon,
            _ => Urgency::Now,
        }
    }
}
