//! How traffic gets from the old copy of a service to the new one.

mod haproxy;
mod proxy;
mod reload;

use std::fs;

use shipway_core::deployment::{Switch, Traffic};
use shipway_core::problem::{Code, Problem};

use super::Instance;
use crate::proxy::Client;

/// Something in front of a service that sends its traffic to one of two ports.
pub(super) trait Upstreams {
    /// Returns the port that gets the traffic, if it is one of the two.
    fn live(&self) -> Result<Option<u16>, Problem>;
    /// Lets a port get the traffic of all new requests. Nothing happens where it does already.
    fn switch(&self, port: u16, release: &str) -> Result<(), Problem>;
    /// Makes what is kept for the next start of whatever is in front agree with the port that gets the traffic.
    fn settle(&self, port: u16) -> Result<(), Problem>;
    /// Returns how many requests or connections are under way to a port.
    fn in_flight(&self, port: u16) -> Result<u64, Problem>;
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
            Ok(Some(Box::new(reload::Reload { instance, file, content, command: reload, ports })))
        }
        Switch::Proxy { control, ports } => {
            Ok(Some(Box::new(proxy::Proxy { client: Client::new(control), ports: *ports })))
        }
        Switch::Unknown => unknown("of a newer shipway"),
    }
}

/// Returns how many connections this machine has to one of its ports, for servers that do not count themselves
/// (`proc_net_tcp(5)`: an address and a port in hexadecimal digits, and the state, where 01 is established).
fn connections(port: u16) -> u64 {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    tables.iter().map(|table| established(table, port)).sum()
}

fn established(table: &str, port: u16) -> u64 {
    let counts = |line: &&str| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let local = fields.get(1).and_then(|local| local.rsplit_once(':')).map(|(_, port)| port);
        local == Some(&format!("{port:04X}")) && fields.get(3) == Some(&"01")
    };
    table.lines().skip(1).filter(counts).count() as u64
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn connections_to_a_port_are_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(connections(address.port()), 0);
        let ours = TcpStream::connect(address).unwrap();
        assert_eq!(connections(address.port()), 1);
        drop((ours, listener));
    }
}
