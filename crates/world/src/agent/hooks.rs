//! Places at which a test may end an agent or a client, as a crash would.

use std::fmt::Debug;

use shipway_core::problem::Problem;

/// Is called before and after everything that lasts or is seen by the other side.
pub trait Hooks: Debug + Send + Sync {
    /// Passes a place, such as `append switched`. With an error the work ends there, as if the process had died.
    fn pass(&self, when: When, place: &str) -> Result<(), Problem>;
}

/// On which side of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// It has not happened.
    Before,
    /// It has.
    After,
}

/// Nothing is in the way.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {
    fn pass(&self, _when: When, _place: &str) -> Result<(), Problem> {
        Ok(())
    }
}
