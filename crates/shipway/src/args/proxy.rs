//! What `proxy` takes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// A verb, and what it works on.
#[derive(Clone, Debug, Args)]
pub struct Proxy {
    /// serve, status, switch, pause, resume, counters, metrics or stop
    #[arg(value_name = "VERB", default_value = "status")]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    pub what: ProxyVerb,
    /// The control socket of the proxy
    #[arg(long, value_name = "FILE")]
    pub control: PathBuf,
    /// Where clients connect, for serve; may be left out where systemd passes the socket
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The file that keeps who gets traffic, for serve
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// How many threads serve; as many as there are cores if left out
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<usize>,
    /// Who gets the traffic, for switch: 1.4.0=127.0.0.1:8081, with *9 behind it for a weight; may be given again
    #[arg(long, value_name = "UPSTREAM")]
    pub to: Vec<String>,
    /// How long a switch waits for what is in flight; 30s if left out
    #[arg(long, value_name = "DURATION")]
    pub drain: Option<String>,
    /// How long a pause holds a request; 30s if left out
    #[arg(long, value_name = "DURATION")]
    pub limit: Option<String>,
}

/// What is done with a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProxyVerb {
    /// Run it.
    Serve,
    /// Show how it stands.
    Status,
    /// Send new requests elsewhere.
    Switch,
    /// Hold new requests.
    Pause,
    /// Let them go on.
    Resume,
    /// Show what was counted.
    Counters,
    /// Show it as text for Prometheus.
    Metrics,
    /// Let it end.
    Stop,
}
