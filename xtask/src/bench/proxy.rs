//! The built-in proxy against `HAProxy`: the same requests to the same service, measured by wrk in turns.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::measure::{Cost, median};
use super::row::Row;
use super::site::{find, run as ask};

/// How many times each is measured, for how long, and over how many connections.
const ROUNDS: usize = 5;
const WRK: [&str; 3] = ["--threads=1", "--connections=16", "--duration=3s"];
/// How much slower a request may be where 0.8 times as many are answered.
const SLOWER: f64 = 1.0 / 0.8;
/// How much memory the proxy may have at its peak, in MiB.
const MEMORY: f64 = 20.0;

/// Returns the rows of the proxy, with the programs `shipway` and `web`.
pub(super) fn rows([shipway, web]: [&str; 2], scratch: &Path) -> Vec<Row> {
    let what = || "proxy: 1,000 requests, HAProxy".to_owned();
    let memory = || "proxy: peak memory, its goal".to_owned();
    if let Some(missing) = ["haproxy", "wrk"].into_iter().find(|name| find(name).is_none()) {
        return vec![
            Row::skipped(what(), format!("<= {SLOWER:.2}"), missing),
            Row::skipped(memory(), "<= 1.00".into(), missing),
        ];
    }
    match measured([shipway, web], &scratch.join("proxy")) {
        Ok(([ours, theirs], peak)) => {
            let cost = |wall: f64| Ok(Cost { wall, ..Cost::default() });
            let shown = [peak, MEMORY].map(|mib| format!("{mib:.1} MiB"));
            vec![
                Row::at_most(what(), &cost(ours), &cost(theirs), SLOWER),
                Row::compared(memory(), [peak, MEMORY], shown, 1.0),
            ]
        }
        Err(error) => vec![Row::failed(what(), "-".into(), &error.to_string())],
    }
}

/// A process that ends with its value.
struct Ends(Child);

impl Ends {
    fn start(words: &[&str], listens: u16) -> io::Result<Self> {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Self(command.spawn()?);
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(("127.0.0.1", listens)).is_err() {
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("{} does not listen", words[0])));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(started)
    }

    /// Returns the peak of its resident memory in MiB.
    fn peak(&self) -> io::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        kib.map(|kib| kib / 1024.0).ok_or_else(|| io::Error::other("the kernel tells no peak"))
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the milliseconds that 1,000 requests take through each, and the peak of ours in MiB.
fn measured([shipway, web]: [&str; 2], dir: &Path) -> io::Result<([f64; 2], f64)> {
    fs::create_dir_all(dir)?;
    let [behind, ours, theirs] = [free_port()?, free_port()?, free_port()?];
    let listen = |port: u16| format!("127.0.0.1:{port}");
    let _web = Ends::start(&[web, "--listen", &listen(behind), "--release", "1"], behind)?;
    let [control, state, config] =
        ["p.sock", "p.json", "h.cfg"].map(|name| dir.join(name).display().to_string());
    let serve =
        [shipway, "proxy", "serve", "--listen", &listen(ours), "--control", &control, "--state", &state];
    let proxy = Ends::start(&serve, ours)?;
    ask(
        dir,
        &[shipway, "proxy", "switch", "--control", &control, "--to", &format!("1={}", listen(behind))],
        "",
    )?;
    let text = format!(
        "global\n  maxconn 200\ndefaults\n  mode http\n  timeout connect 20s\n  timeout client 120s\n  \
         timeout server 120s\nfrontend f\n  bind {}\n  default_backend b\nbackend b\n  server s {}\n",
        listen(theirs),
        listen(behind)
    );
    fs::write(&config, text)?;
    let haproxy = find("haproxy").ok_or_else(|| io::Error::other("HAProxy is not installed"))?;
    let _haproxy = Ends::start(&[&haproxy.display().to_string(), "-db", "-f", &config], theirs)?;
    let mut took: [Vec<f64>; 2] = Default::default();
    for round in 0..=ROUNDS {
        for side in [round % 2, (round + 1) % 2] {
            let rate = rate(dir, [ours, theirs][side])?;
            // The first round warms up.
            if round > 0 {
                took[side].push(1_000_000.0 / rate);
            }
        }
    }
    Ok((took.map(median), proxy.peak()?))
}

/// Returns how many requests a second are answered on a port; one that fails is an error.
fn rate(dir: &Path, port: u16) -> io::Result<f64> {
    let url = format!("http://127.0.0.1:{port}/");
    let told = ask(dir, &["wrk", WRK[0], WRK[1], WRK[2], &url], "")?;
    if let Some(wrong) = told.lines().find(|line| line.contains("Socket errors") || line.contains("Non-2xx"))
    {
        return Err(io::Error::other(wrong.trim().to_owned()));
    }
    let rate = told.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    rate.and_then(|rate| rate.trim().parse().ok()).ok_or_else(|| io::Error::other("wrk tells no rate"))
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
