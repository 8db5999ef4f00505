//! Change requests as a clone sees them: fetched, signed for, and landed.

pub mod client;
pub mod land;
pub mod merge;
pub mod prove;

pub use client::Client;
