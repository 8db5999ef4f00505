//! Every hand that shipway has outside: files, processes, remotes, and the journal on disk.
//!
//! What a release is and what may happen next is not decided here but in `shipway_core`.

pub mod lease;
pub mod store;
