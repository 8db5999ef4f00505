//! Looks at real repositories with real remotes.

#![expect(clippy::unwrap_used, reason = "a helper of a test that meets an error has found a defect")]

mod asked;
mod find;
mod history;
mod refused;
mod seen;
mod site;
