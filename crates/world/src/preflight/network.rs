//! The network: ports, names and certificates.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, TcpStream, ToSocketAddrs as _};

use shipway_core::action::Cmd;
use shipway_core::preflight::{Seen, certificate as x509};

use super::{Eyes, LIMIT, failed, first_line, missing, unread, within_limit};

/// The state of a socket that listens, in the tables of the kernel.
const LISTENS: &str = "0A";

pub(super) fn listening(port: u16) -> Seen {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    if tables.iter().all(Result::is_err) {
        return connect(&[(IpAddr::V4(Ipv4Addr::LOCALHOST), port).into()]);
    }
    let open = tables.iter().flatten().any(|table| table.lines().any(|line| listens(line, port)));
    Seen::Port { open, why: String::new() }
}

/// Tells whether a line of the kernel's table is a socket that listens on a port.
fn listens(line: &str, port: u16) -> bool {
    let mut fields = line.split_whitespace().skip(1);
    let (local, state) = (fields.next().unwrap_or_default(), fields.nth(1).unwrap_or_default());
    let hex = local.rsplit_once(':').map(|(_, port)| port);
    state == LISTENS && hex.and_then(|hex| u16::from_str_radix(hex, 16).ok()) == Some(port)
}

pub(super) fn open(address: &str) -> Seen {
    if let Ok(port) = address.parse() {
        return listening(port);
    }
    let target = address.to_owned();
    let found = within_limit(move || target.to_socket_addrs().map(Iterator::collect::<Vec<_>>));
    match found {
        None => failed("its name was not resolved in time"),
        Some(Err(error)) => Seen::Port { open: false, why: first_line(&error.to_string()) },
        Some(Ok(found)) => connect(&found),
    }
}

fn connect(addresses: &[std::net::SocketAddr]) -> Seen {
    let mut why = "it has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(address, LIMIT / 2) {
            Ok(_) => return Seen::Port { open: true, why: String::new() },
            Err(error) => why = first_line(&error.to_string()),
        }
    }
    Seen::Port { open: false, why }
}

pub(super) fn addresses(name: &str) -> Seen {
    let asked = name.to_owned();
    let found = within_limit(move || (asked.as_str(), 0).to_socket_addrs().map(Iterator::collect::<Vec<_>>));
    match found {
        None => failed("it was not resolved in time"),
        Some(Err(error)) => missing(first_line(&error.to_string())),
        Some(Ok(found)) => {
            let mut list: Vec<String> = found.iter().map(|address| address.ip().to_string()).collect();
            list.sort();
            list.dedup();
            Seen::Addresses { list }
        }
    }
}

pub(super) fn certificate(eyes: &Eyes<'_>, place: &str) -> Result<Seen, Seen> {
    let server = place.rsplit_once(':').filter(|_| !place.starts_with(['/', '.', '~']));
    let Some((host, _)) = server else {
        let bytes = fs::read(eyes.path(place)?).map_err(|error| unread(&error))?;
        let der = x509::pem(&String::from_utf8_lossy(&bytes)).unwrap_or(bytes);
        return Ok(until(&der).unwrap_or_else(|| Seen::Broken { why: "no certificate is in it".into() }));
    };
    let mut cmd = Cmd::new("openssl").args(["s_client", "-connect", place]).stdin(Vec::new());
    if host.trim_matches(['[', ']']).parse::<IpAddr>().is_err() {
        cmd = cmd.args(["-servername", host]);
    }
    let output = eyes.run(cmd).map_err(|seen| match seen {
        Seen::Missing { .. } => failed("`openssl` is not installed, and nothing else here asks a server"),
        seen => seen,
    })?;
    // How the handshake ended is not the question: an expired certificate is shown too.
    let der = x509::pem(&output.text()).ok_or_else(|| {
        let error = output.error_text();
        let line = error.lines().find(|line| line.contains("rror")).unwrap_or(&error);
        failed(format!("it shows no certificate: {}", first_line(line)))
    })?;
    Ok(until(&der).unwrap_or_else(|| failed("its certificate cannot be read")))
}

fn until(der: &[u8]) -> Option<Seen> {
    x509::until(der).map(|until| Seen::Certificate { until })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_a_port_that_is_listened_on_or_not() {
        let line = "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000";
        assert!(listens(line, 8000));
        assert!(!listens(line, 8001));
        assert!(!listens(&line.replace(" 0A ", " 01 "), 8000));
        assert!(listens("1: 00000000000000000000000000000000:0050 0:0 0A", 80));
        for line in ["", "  sl  local_address rem_address   st", "1: x 0A 0A", "1: :zz 0 0A"] {
            assert!(!listens(line, 8000), "{line}");
        }
    }
}
