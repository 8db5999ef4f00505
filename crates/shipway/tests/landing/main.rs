//! Change requests on a guarded repository: real git, real keys, the real program.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod anchors;
mod begin;
mod contract;
mod crashed;
mod crowd;
mod documents;
mod forge;
mod holes;
mod life;
mod proven;
mod release;
mod runners;
mod signed;
mod stage;
mod stolen;
mod tricks;
mod versions;
mod vouched;
mod words;
