//! Deployments with the real binary: real services, real hosts, and what goes wrong on the way.

mod faults;
mod hosts;
mod site;
mod way;
