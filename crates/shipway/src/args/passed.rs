//! The listening socket that systemd, or whoever speaks its protocol (`sd_listen_fds(3)`), has opened for this process.

use std::net::TcpListener;
use std::os::fd::OwnedFd;

use rustix::net::AddressFamily;
use rustix::net::sockopt::{socket_acceptconn, socket_domain};
use shipway_core::problem::{Code, Problem};

/// Takes the one socket that was passed to this process; there is none where nobody passed one.
pub fn passed() -> Result<Option<TcpListener>, Problem> {
    let refuse = |found: String| {
        Problem::new(Code::ProxyAddress, "the proxy cannot use the sockets that were passed to it")
            .found(found)
            .wanted("one socket that listens for TCP, as of `ListenStream=127.0.0.1:8080`")
            .hint("systemctl cat '*.socket'")
    };
    let mut sockets = sd_listen_fds::get().map_err(|error| refuse(error.to_string()))?;
    let count = sockets.len();
    match sockets.pop() {
        None => Ok(None),
        Some((_, socket)) if count == 1 => {
            let socket = socket.into_std();
            if !listens(&socket) {
                return Err(refuse("something else".into()));
            }
            // The copy is not inherited by children; what was passed is.
            let copy = TcpListener::from(socket).try_clone().map_err(|error| refuse(error.to_string()))?;
            Ok(Some(copy))
        }
        Some(_) => Err(refuse(format!("{count} of them"))),
    }
}

fn listens(socket: &OwnedFd) -> bool {
    let tcp = matches!(socket_domain(socket), Ok(AddressFamily::INET | AddressFamily::INET6));
    tcp && socket_acceptconn(socket).unwrap_or(false)
}
