//! The hand of shipway on a host: it keeps releases, switches between them, and goes back by itself when it is alone.
//!
//! A client speaks to it over two pipes, through ssh or not; see [`protocol`]. What a host knows is in one directory:
//!
//! - `store/`: the bytes of all releases, each once, read-only; `releases/DIGEST/`: hard links to them
//! - `current`: a link to the release that is live
//! - `journal.jsonl`: what happened here; `deployments/RUN.json`: what was brought, for people; `secrets/`: its secrets
//! - `lease.json`: who may change something; `watchdog.json`: when the host goes back by itself
//! - `lock`: held by whoever changes releases; `lease.lock`: held for a moment to change lease or watchdog
//!
//! How services are run is in `live`, and how a client gets here in `host`.

mod act;
mod blobs;
pub mod clock;
mod disk;
pub mod hooks;
pub mod journal;
mod lease;
mod look;
mod owner;
pub mod protocol;
mod release;
pub mod root;
mod serve;
mod setup;
mod stage;
mod sweep;
mod switch;
mod watchdog;
pub mod wire;
#[cfg(test)]
mod tests;

pub use serve::{look, serve};
pub use setup::{Preflight, Setup};
pub use watchdog::{Ended, watch};
