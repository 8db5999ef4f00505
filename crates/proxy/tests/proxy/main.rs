//! The proxy as a process of its own, with real connections on both sides.

mod http;
mod lasting;
mod scene;
mod switching;
