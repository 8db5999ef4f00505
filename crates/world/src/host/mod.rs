//! Hosts, as a run sees them: one connection to each, over which its agent does what is asked.
//!
//! The way there is the user's own `ssh`, with its settings, agents, jump hosts and known hosts; this machine is
//! reached without it. What an agent does is in `agent`.

mod fleet;
mod link;
mod send;
mod start;
mod trouble;

pub use fleet::{By, Fleet, Teller};
pub use send::Staged;
pub use start::AgentBinary;
