//! Deployments over several hosts that are agents of this machine: the contracts of their actions, and whole runs whose
//! client or agents are killed at every message and every entry.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod contract;
mod crash;
mod migrating;
mod scene;
