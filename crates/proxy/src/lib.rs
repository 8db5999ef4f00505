//! The built-in proxy: it stands in front of the copies of a service and switches between them without losing a
//! request.
//!
//! The path of a request is asynchronous and has a dependency tree of its own, so it is a crate of its own. What is
//! asked on the control socket is handled by plain threads. There is no TLS here, and nothing decides when to switch.

mod body;
mod control;
mod counts;
mod forward;
mod head;
mod hub;
mod lengths;
mod metrics;
mod serve;
mod store;
mod successor;
mod target;
mod tunnel;

pub use serve::{Options, serve};
