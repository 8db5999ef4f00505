//! Agents as processes: over pipes, over ssh, killed, stopped, and left alone.

mod kill;
mod local;
mod scene;
mod ssh;
