//! Change requests as a clone sees them: fetched, signed for, and landed.

pub mod client;
pub mod editor;
pub mod land;
pub mod merge;
pub mod prove;
pub mod step;
pub mod vouch;

pub use client::Client;
