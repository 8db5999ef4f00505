//! How traffic gets from the old copy of a service to the new one.

use shipway_core::deployment::Switch;
use shipway_core::problem::{Code, Problem};

use super::Instance;

/// Something in front of a service that sends its traffic to one of two ports.
pub(super) trait Upstreams {
    /// Returns the port that gets the traffic, if it is one of the two.
    fn live(&self) -> Result<Option<u16>, Problem>;
    /// Lets a port get the traffic of all new requests. Nothing happens where it does already.
    fn switch(&self, port: u16, release: &str) -> Result<(), Problem>;
    /// Returns how many requests or connections are under way to a port.
    fn in_flight(&self, port: u16) -> Result<u64, Problem>;
}

/// Returns what is in front of a service with two ports, or nothing when it has only one.
pub(super) fn of<'a>(instance: &Instance<'a>) -> Result<Option<Box<dyn Upstreams + 'a>>, Problem> {
    let unknown = |what: &str| {
        let what = format!("the switch of {} is {what}", instance.service.name);
        Err(Problem::new(Code::SwitchFailed, what))
    };
    match &instance.service.switch {
        Switch::Restart | Switch::Socket { .. } => Ok(None),
        Switch::Proxy { .. } | Switch::Haproxy { .. } | Switch::Reload { .. } => unknown("not known yet"),
        Switch::Unknown => unknown("of a newer shipway"),
    }
}
