//! Deployments with the real binary: real services, real hosts, and what goes wrong on the way.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod back;
mod clock;
mod containers;
mod faults;
mod guide;
mod hints;
mod hosts;
mod kill;
mod lost;
mod machine;
mod owner;
mod passed;
mod presets;
mod schema;
mod site;
mod way;
mod weights;
