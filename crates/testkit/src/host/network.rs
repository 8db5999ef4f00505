//! Networks of hosts that have addresses of their own: a bridge, and a network namespace for every host.

use std::net::{IpAddr, Ipv4Addr};
use std::process::{self, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::disk::run;
use super::process::AtEnd;
use super::{Unable, is_root, program};

/// As many as there are networks of 254 addresses in 198.18.0.0/15, which is set aside for tests (RFC 2544).
const NETWORKS: u32 = 512;

/// A network of its own, with the machine as its first member. It is taken down with the last host in it.
#[derive(Debug)]
pub struct Network {
    number: u32,
    bridge: String,
    hosts: AtomicU8,
    _end: AtEnd,
}

impl Network {
    /// Makes a network that no other process uses. Needs root.
    pub fn new() -> Result<Arc<Self>, Unable> {
        if !is_root() {
            return Err("network namespaces need root".to_owned());
        }
        program("ip")?;
        let mut why = String::new();
        // A bridge of one name can be made once: the kernel deals out the numbers.
        for number in (0..NETWORKS).map(|add| (process::id() + add) % NETWORKS) {
            let bridge = format!("shipway{number}");
            match ip(&["link", "add", &bridge, "type", "bridge"]) {
                Ok(()) => return Self::of(number, bridge),
                Err(error) if error.contains("exists") => why = error,
                Err(error) => return Err(format!("no bridge can be made here: {error}")),
            }
        }
        Err(format!("all networks for tests are in use: {why}"))
    }

    fn of(number: u32, bridge: String) -> Result<Arc<Self>, Unable> {
        let end = AtEnd::run(&format!("PATH=$PATH:/usr/sbin:/sbin; ip link del {bridge}"));
        let network = Self { number, bridge, hosts: AtomicU8::new(1), _end: end };
        let address = format!("{}/24", network.address(1));
        ip(&["link", "set", &network.bridge, "address", &network.hardware(1)])?;
        ip(&["addr", "add", &address, "dev", &network.bridge])?;
        ip(&["link", "set", &network.bridge, "up"])?;
        Ok(Arc::new(network))
    }

    /// Returns the address of this machine in the network.
    pub fn gateway(&self) -> IpAddr {
        self.address(1)
    }

    fn address(&self, host: u8) -> IpAddr {
        let [.., high, low] = self.number.to_be_bytes();
        Ipv4Addr::new(198, 18 + high, low, host).into()
    }

    fn hardware(&self, host: u8) -> String {
        let [.., high, low] = self.number.to_be_bytes();
        format!("02:53:57:{high:02x}:{low:02x}:{host:02x}")
    }
}

/// The line of a host to a network.
#[derive(Debug)]
pub(super) struct Line {
    network: Arc<Network>,
    host: u8,
    device: String,
}

impl Line {
    pub(super) fn new(network: &Arc<Network>) -> Result<Self, Unable> {
        let host = network.hosts.fetch_add(1, Ordering::Relaxed).checked_add(1).filter(|host| *host < 255);
        let host = host.ok_or("the network is full")?;
        Ok(Self { network: Arc::clone(network), host, device: format!("shipway{}h{host}", network.number) })
    }

    pub(super) fn address(&self) -> IpAddr {
        self.network.address(self.host)
    }

    /// Connects the network namespace of a process, which finds its end as eth0 and sets it up with
    /// [`script`](Self::script).
    pub(super) fn join(&self, pid: i32) -> Result<(), Unable> {
        let (device, hardware, pid) = (&*self.device, self.network.hardware(self.host), pid.to_string());
        ip(&[
            "link", "add", device, "type", "veth", "peer", "name", "eth0", "address", &hardware, "netns",
            &pid,
        ])?;
        ip(&["link", "set", device, "master", &self.network.bridge, "up"])?;
        // Without this, a host behind a line that is cut would be reported as unreachable after some seconds; what is
        // sent to it is to vanish.
        let address = self.address().to_string();
        ip(&[
            "neigh",
            "replace",
            &address,
            "lladdr",
            &hardware,
            "dev",
            &self.network.bridge,
            "nud",
            "permanent",
        ])
    }

    /// Returns what a host runs inside its namespace.
    pub(super) fn script(&self) -> String {
        let (address, gateway, hardware) = (self.address(), self.network.gateway(), self.network.hardware(1));
        format!(
            "PATH=$PATH:/usr/sbin:/sbin\nuntil ip link show eth0 >/dev/null 2>&1; do sleep 0.01; done\n\
             ip link set lo up\nip addr add {address}/24 dev eth0\nip link set eth0 up\n\
             ip neigh replace {gateway} lladdr {hardware} dev eth0 nud permanent\n"
        )
    }

    pub(super) fn cut(&self, cut: bool) {
        let how = if cut { "down" } else { "up" };
        ip(&["link", "set", &self.device, how]).expect("the host is up and has its line");
    }

    /// Limits what goes to the host.
    pub(super) fn slow(&self, bytes_per_second: Option<u64>) {
        let mut tc = Command::new(program("tc").expect("tc comes with ip"));
        match bytes_per_second {
            Some(rate) => {
                let rate = format!("{}bit", rate * 8);
                let limit = ["rate", &rate, "burst", "16kb", "latency", "400ms"];
                tc.args(["qdisc", "replace", "dev", &self.device, "root", "tbf"]).args(limit);
            }
            None => {
                tc.args(["qdisc", "del", "dev", &self.device, "root"]);
            }
        }
        // There may be no limit to take away.
        let limited = run(&mut tc);
        assert!(bytes_per_second.is_none() || limited.is_ok(), "{limited:?}");
    }

    /// Takes the line away; the kernel does it as well when the namespace has ended, but in its own time.
    pub(super) fn part(&self) {
        let _ = ip(&["link", "del", &self.device]);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.part();
    }
}

fn ip(args: &[&str]) -> Result<(), Unable> {
    run(Command::new(program("ip")?).args(args))
}
