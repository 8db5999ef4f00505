//! How traffic gets from the old copy of a service to the new one.

mod haproxy;
mod proxy;
mod reload;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;

use shipway_core::deployment::{ALL, Switch, Traffic};
use shipway_core::problem::{Code, Problem};

use super::Instance;
use crate::proxy::Client;

/// Something in front of a service that sends its traffic to one of two ports.
pub(super) trait Upstreams {
    /// Returns the port that gets the traffic, or most of it, if it is one of the two.
    fn live(&self) -> Result<Option<u16>, Problem>;
    /// Returns the share of the traffic to the two ports that one of them gets, in thousandths of a percent; nothing
    /// where none of them gets any.
    fn share(&self, port: u16) -> Result<Option<u32>, Problem> {
        Ok(self.live()?.map(|live| if live == port { ALL } else { 0 }))
    }
    /// Lets a port get a share of the traffic, and the other one the rest. Nothing happens where it does already.
    fn split(&self, port: u16, release: &str, share: u32) -> Result<(), Problem> {
        let what = format!("the traffic of port {port} cannot be shared");
        Err(Problem::new(Code::SwitchFailed, what).found(format!("{share} for {release}")))
    }
    /// Lets a port get the traffic of all new requests. Nothing happens where it does already.
    fn switch(&self, port: u16, release: &str) -> Result<(), Problem>;
    /// Makes what is kept for the next start of whatever is in front agree with the port that gets the traffic.
    fn settle(&self, port: u16) -> Result<(), Problem>;
    /// Returns how many requests or connections are under way to a port.
    fn in_flight(&self, port: u16) -> Result<u64, Problem>;
    /// Returns how many looks in a row, a tenth of a second apart, must find nothing under way before that is believed.
    fn looks(&self) -> u32 {
        3
    }
    /// Returns what was counted of the traffic to a port since whatever is in front runs; nothing where it does not count.
    fn counted(&self, port: u16) -> Result<Traffic, Problem> {
        let _ = port;
        Ok(Traffic::default())
    }
}

/// Returns what is in front of a service with two ports, or nothing when it has only one.
pub(super) fn of<'a>(instance: &Instance<'a>) -> Result<Option<Box<dyn Upstreams + 'a>>, Problem> {
    let unknown = |what: &str| {
        let what = format!("the switch of {} is {what}", instance.service.name);
        Err(Problem::new(Code::SwitchFailed, what))
    };
    match &instance.service.switch {
        Switch::Restart | Switch::Socket { .. } => Ok(None),
        Switch::Haproxy { socket, map, key, backends, ports } => {
            Ok(Some(Box::new(haproxy::Haproxy { socket, map, key, backends, ports: *ports })))
        }
        Switch::Reload { file, content, reload, ports } => {
            let (instance, ports) = (*instance, *ports);
            let seen = RefCell::default();
            Ok(Some(Box::new(reload::Reload { instance, file, content, command: reload, ports, seen })))
        }
        Switch::Proxy { control, ports } => {
            Ok(Some(Box::new(proxy::Proxy { client: Client::new(control), ports: *ports })))
        }
        Switch::Unknown => unknown("of a newer shipway"),
    }
}

/// The connections of one port of this machine, for servers that do not count themselves.
#[derive(Debug, Default, PartialEq, Eq)]
struct Connections {
    /// How many are established.
    established: u64,
    /// All of them, also those that have ended a moment ago, by their two addresses.
    known: BTreeSet<String>,
}

impl Connections {
    fn of(port: u16) -> Self {
        let tables =
            ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
        Self::read(&tables.concat(), port)
    }

    /// Reads lines (`proc_net_tcp(5)`: an address and a port in hexadecimal digits, twice, and the state, where 01 is
    /// established and 0A listens).
    fn read(tables: &str, port: u16) -> Self {
        let mut this = Self::default();
        let ending = format!(":{port:04X}");
        for line in tables.lines() {
            let fields: Vec<_> = line.split_ascii_whitespace().collect();
            let [_, local, remote, state, ..] = fields[..] else { continue };
            if state == "0A" || !(local.ends_with(&ending) || remote.ends_with(&ending)) {
                continue;
            }
            this.established += u64::from(state == "01" && local.ends_with(&ending));
            this.known.insert(format!("{local} {remote}"));
        }
        this
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn connections_to_a_port_are_counted_and_known_when_they_have_ended() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(Connections::of(address.port()), Connections::default());
        let ours = TcpStream::connect(address).unwrap();
        assert_eq!(Connections::of(address.port()).established, 1);
        let theirs = listener.accept().unwrap();
        drop((ours, theirs));
        let after = Connections::of(address.port());
        assert_eq!(after.established, 0);
        assert!(!after.known.is_empty());
    }
}
