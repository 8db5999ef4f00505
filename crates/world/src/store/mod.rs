//! The stores behind the journal port: one on disk (`SQLite`), one in memory, and one conformance suite for both.
//!
//! What the entries mean is not known here. A store keeps texts in a chain, says who may append, and proves on demand
//! that no text was changed, moved, or lost.

mod chain;
mod checkpoint;
mod durability;
mod fault;
mod memory;
mod migrate;
mod open;
mod seal;
mod sqlite;
mod torn;
mod transfer;
mod verify;

#[cfg(test)]
mod sample;

pub use memory::MemoryJournal;
pub use migrate::FORM;
pub use open::Options;
pub use seal::{Sealer, kept, proven};
pub use sqlite::SqliteJournal;
pub use torn::torn;
pub use transfer::Transfer;

/// The name of the journal in its directory.
pub const FILE: &str = "journal.db";
