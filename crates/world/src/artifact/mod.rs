//! Artifacts: which files one is made of, where their bytes are kept, and how one is built from a commit.
//!
//! An artifact is named by the digest of its manifest, so the same name means the same bytes everywhere. How it
//! reaches a host is not here.

mod build;
pub mod glob;
mod keep;
mod scan;
mod store;
#[cfg(test)]
mod tests;

pub use build::{BuildSpec, build, clear, find};
pub use keep::Swept;
pub use scan::{Selection, changed, hash_file, manifest};
pub use store::Store;
pub(crate) use store::{EarlySync, sync_all};
