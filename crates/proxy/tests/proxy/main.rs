//! The proxy as a process of its own, with real connections on both sides.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test is a failed test")]

mod http;
mod lasting;
mod scene;
mod switching;
