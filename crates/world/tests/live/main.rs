//! Deployments made live with real processes, service managers and proxies.

#![expect(clippy::unwrap_used, reason = "a helper of a test that meets an error has found a defect")]

mod container;
mod health;
mod load;
mod managers;
mod prepare;
mod process;
mod scene;
mod systemd;
mod traffic;
