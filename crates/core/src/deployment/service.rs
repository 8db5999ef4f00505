//! Services: what runs, under which manager, and how traffic goes from the old release to the new one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Health;

/// Something that runs on hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The name, unique in its project.
    pub name: String,
    /// The program and its arguments, with placeholders; see [`fill`]. Empty where the manager has its own definition.
    pub run: Vec<String>,
    /// Variables, with placeholders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The manager that keeps it running.
    pub manager: Keeper,
    /// How traffic gets to the new release.
    pub switch: Switch,
    /// How it shows that it is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// A command that must end with code 0 once the new release is live; empty for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub smoke: Vec<String>,
    /// Whether old and new may run at the same time.
    pub overlap: bool,
    /// How long it may take to stop by itself, in milliseconds; then it is killed.
    pub stop_ms: u64,
    /// How long requests in flight may take to end after the switch, in milliseconds.
    pub drain_ms: u64,
}

impl Service {
    /// Tells whether the release before and this one can share its traffic: both run, and what is in front of them
    /// sends a part of the requests to each.
    pub fn splits(&self) -> bool {
        self.overlap && matches!(self.switch, Switch::Proxy { .. })
    }
}

/// What keeps a service running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Keeper {
    /// Nothing: a process of its own session, known by a pid file. It does not come back after a reboot.
    Process,
    /// systemd, with a unit that shipway writes.
    Systemd {
        /// The unit without `.service`.
        unit: String,
        /// Whether it is a unit of the user.
        user: bool,
        /// Further lines of the unit's `[Service]` section.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        extra: Vec<String>,
    },
    /// s6, with a service directory that shipway writes.
    S6 {
        /// The scan directory.
        scan: String,
    },
    /// runit, with a service directory that shipway writes.
    Runit {
        /// The directory that `runsvdir` watches.
        scan: String,
    },
    /// supervisord, with a program section that shipway writes.
    Supervisor {
        /// The directory of included files.
        include: String,
        /// The configuration file that `supervisorctl` reads.
        config: String,
    },
    /// A container that podman or docker runs.
    Container {
        /// `podman` or `docker`.
        engine: String,
        /// The image, with `@sha256:` and its digest or with placeholders; `{file:PATH}` is the word in a file of the
        /// release.
        image: String,
        /// Further arguments of `run`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        args: Vec<String>,
    },
    /// A compose file of the release.
    Compose {
        /// The command, such as `docker compose` or `podman-compose`.
        command: Vec<String>,
        /// The file, relative to the release.
        file: String,
    },
    /// A quadlet unit of the release, which podman's generator turns into a systemd unit.
    Quadlet {
        /// The file, relative to the release.
        file: String,
        /// Whether it is a unit of the user.
        user: bool,
    },
    /// Commands of the user, such as presets for clusters.
    Command {
        /// Makes the release live; may be repeated.
        start: Vec<String>,
        /// Ends with code 0 if the release in the placeholders is live, and with 1 if it is not.
        status: Vec<String>,
        /// Stops what was started; empty if starting the release before is enough.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        stop: Vec<String>,
    },
    /// A manager of a newer shipway.
    #[serde(other)]
    Unknown,
}

/// How traffic gets from the old release to the new one on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Switch {
    /// The service is restarted; nobody answers meanwhile.
    Restart,
    /// systemd holds the listening socket while the service is restarted.
    Socket {
        /// What systemd listens on, as `ListenStream=` takes it.
        listen: String,
    },
    /// The built-in proxy: old and new run side by side on two ports.
    Proxy {
        /// The control socket of `shipway proxy`.
        control: String,
        /// The two ports.
        ports: [u16; 2],
    },
    /// `HAProxy`: old and new run side by side on two ports, each in a backend of its own; a line of a map chooses.
    Haproxy {
        /// The runtime socket.
        socket: String,
        /// The map file, as the configuration names it.
        map: String,
        /// The key in the map.
        key: String,
        /// The two backends, in the order of the ports.
        backends: [String; 2],
        /// The two ports.
        ports: [u16; 2],
    },
    /// nginx or Caddy: old and new run side by side; a file is written and the server reloads it.
    Reload {
        /// The file that names the upstream.
        file: String,
        /// Its content, with `{port}` in it.
        content: String,
        /// The command that reloads the server.
        reload: Vec<String>,
        /// The two ports.
        ports: [u16; 2],
    },
    /// A switch of a newer shipway.
    #[serde(other)]
    Unknown,
}

impl Switch {
    /// Returns the two ports, where old and new run side by side.
    pub fn ports(&self) -> Option<[u16; 2]> {
        match self {
            Self::Proxy { ports, .. } | Self::Haproxy { ports, .. } | Self::Reload { ports, .. } => {
                Some(*ports)
            }
            Self::Restart | Self::Socket { .. } | Self::Unknown => None,
        }
    }

    /// Returns what a user can rely on while the switch happens, for the plan.
    pub fn guarantee(&self) -> &'static str {
        match self {
            Self::Restart => "restart: requests are refused until the new process listens",
            Self::Socket { .. } => "socket activation: requests wait; a connection in use may be reset",
            Self::Proxy { .. } => "proxy: no request is lost",
            Self::Haproxy { .. } => "HAProxy map: no request is lost",
            Self::Reload { .. } => "reload: a request on a kept connection may be lost",
            Self::Unknown => "unknown",
        }
    }
}

/// Returns a text with its placeholders filled in, such as `{version}`; braces around anything else stay.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find('}').map_or(rest.len(), |end| end + 1);
        let name = rest.get(1..end.saturating_sub(1)).unwrap_or_default();
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            out.push_str(value);
            rest = &rest[end..];
        } else {
            out.push('{');
            rest = &rest[1..];
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once_and_other_braces_stay() {
        let values = [("version", "1.{port}"), ("port", "80")];
        assert_eq!(fill("a {version}:{port} {other} {", &values), "a 1.{port}:80 {other} {");
        assert_eq!(fill("{{port}}", &values), "{80}");
        assert_eq!(fill("{\"a\": {port}}", &values), "{\"a\": 80}");
    }
}
