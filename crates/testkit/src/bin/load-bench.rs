//! Deploys a small web service again and again under constant load, and then takes a bad release back. In front of it is
//! `HAProxy`, or the proxy of shipway, which is replaced now and then as well, or nothing but a socket that systemd holds.
//!
//! Usage: `load-bench AGENT WEB FRONT DIR COUNT`, where the front is the path of `HAProxy`, or `-`, or `socket`, which
//! boots a machine and needs root and `SHIPWAY_TEST_FULL=1`. It prints what became of the requests and how long they
//! took: failed during the deployments, p99 in milliseconds with nothing going on, p99 during the deployments, and then
//! of the bad release: milliseconds from the verdict until the host is back, and failed requests after it. The last
//! number are requests on a kept connection that was closed at that moment, which are counted apart behind a socket.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use shipway_core::action::Stop;
use shipway_core::deployment::{Deployment, Health, Host, Keeper, Manifest, Probe, Runtime, Service, Switch};
use shipway_core::id::RunId;
use shipway_core::problem::{Code, Problem};
use shipway_testkit::host::{Machine, Network, free_port, until};
use shipway_testkit::load::{Load, Method, Report};
use shipway_world::agent::protocol::{Keep, Request};
use shipway_world::artifact::{Selection, Store, manifest};
use shipway_world::host::{AgentBinary, By, Fleet};

/// How many clients there are, and how long each waits between two requests.
const CLIENTS: usize = 8;
const PAUSE: Duration = Duration::from_millis(4);
/// How many requests the steady state is measured with, and how many are sent between two deployments.
const STEADY: usize = 4000;
const BETWEEN: usize = 100;
/// After how many deployments the proxy is replaced.
const REPLACED: u32 = 5;
/// The port of a machine that has an address of its own.
const PORT: u16 = 8080;
/// How long an answer of the host may take.
const LIMIT: Duration = Duration::from_mins(5);

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let ([agent, web, front, dir], Some(count)) = (match args.as_slice() {
        [agent, web, front, dir, count] => ([agent, web, front, dir], count.parse().ok()),
        _ => return ExitCode::from(2),
    }) else {
        return ExitCode::from(2);
    };
    let measured = Site::new([agent, web, front], Path::new(dir)).and_then(|site| {
        let (line, told) = (site.measure(count), site.retire());
        told.and(line)
    });
    match measured {
        Ok(line) => {
            let _ = writeln!(io::stdout(), "{line}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            let _ = writeln!(io::stderr(), "{problem} {:?} {:?}", problem.found, problem.details);
            ExitCode::FAILURE
        }
    }
}

/// What is in front of the service.
struct Front {
    command: Vec<String>,
    running: Mutex<Child>,
}

impl Front {
    fn start(command: Vec<String>) -> Self {
        let running = Mutex::new(spawn(&command));
        Self { command, running }
    }

    /// Starts it once more; the one that runs hands everything over and ends.
    fn replace(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut old = std::mem::replace(&mut *running, spawn(&self.command));
        let ended = old.wait().expect("a child can be waited for");
        assert!(ended.success(), "the proxy that was replaced ended with {ended}");
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = running.kill();
        let _ = running.wait();
    }
}

fn spawn(words: &[String]) -> Child {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("what is in front can be started")
}

/// A host that is this machine, and what is in front of its service.
struct Site {
    dir: PathBuf,
    web: PathBuf,
    host: Host,
    store: Arc<Store>,
    fleet: Fleet,
    address: SocketAddr,
    service: Service,
    front: Option<Front>,
    /// It ends last: until then somebody asks it.
    machine: Option<Machine>,
}

impl Site {
    fn new([agent, web, front]: [&String; 3], dir: &Path) -> Result<Self, Problem> {
        fs::create_dir_all(dir).expect("the directory can be made");
        if front == "socket" {
            return Self::on_machine([agent, web], dir);
        }
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let ports = [free_port(), free_port()];
        let store = Arc::new(Store::open(dir.join("store"))?);
        let fleet = Fleet::new(Arc::clone(&store), AgentBinary::new(agent), BTreeMap::new());
        let socket = dir.join("front.sock");
        let (switch, command) = match front.as_str() {
            "-" => built_in(agent, (dir, &socket), address, ports),
            haproxy => haproxy_of(haproxy, (dir, &socket), address, ports),
        };
        let front = Front::start(command);
        until("what is in front has its socket", || socket.exists());
        let path = dir.join("host").display().to_string();
        let host = Host { name: "here".into(), address: String::new(), path, ssh: vec![], roles: vec![] };
        let service = service(switch);
        let (dir, web, front) = (dir.to_owned(), web.into(), Some(front));
        Ok(Self { dir, web, host, store, fleet, address, service, front, machine: None })
    }

    /// Returns a host with a systemd of its own, which holds the socket of the service.
    fn on_machine([agent, web]: [&String; 2], dir: &Path) -> Result<Self, Problem> {
        let machine = Network::new().and_then(|network| Machine::new("web", &network));
        let machine = machine.map_err(|why| Problem::new(Code::HostUnreachable, why))?;
        let address = SocketAddr::new(machine.address().ip(), PORT);
        let store = Arc::new(Store::open(dir.join("store"))?);
        let fleet = Fleet::new(Arc::clone(&store), AgentBinary::new(agent), BTreeMap::new());
        let name = machine.name().to_owned();
        let ssh = ["ssh", "-F", &machine.ssh_config().display().to_string()].map(str::to_owned).to_vec();
        let host = Host { address: name.clone(), name, path: "app".into(), ssh, roles: vec![] };
        let manager = Keeper::Systemd { unit: "web".into(), user: false, extra: vec![] };
        let plain = service(Switch::Socket { listen: PORT.to_string() });
        let probe = Probe::Http(format!("http://127.0.0.1:{PORT}/health"));
        let health = plain.health.clone().map(|health| Health { probe, ..health });
        let run = vec!["{release}/web".to_owned()];
        let service = Service { run, manager, health, overlap: false, ..plain };
        let (dir, web, machine) = (dir.to_owned(), web.into(), Some(machine));
        Ok(Self { dir, web, host, store, fleet, address, service, front: None, machine })
    }

    fn measure(&self, count: u32) -> Result<String, Problem> {
        self.live(0, "", None)?;
        let steady = self.load();
        steady.wait_for(STEADY);
        let steady = steady.stop();
        let load = self.load();
        for number in 1..=count {
            load.wait_for(BETWEEN);
            self.live(number, "", Some(number - 1))?;
            let replaced = number % REPLACED == 0 && matches!(self.service.switch, Switch::Proxy { .. });
            if let Some(front) = self.front.as_ref().filter(|_| replaced) {
                front.replace();
            }
        }
        load.wait_for(BETWEEN);
        let busy = load.stop();
        say(&format!("{count} deployments: {} good, {} failed", busy.ok, busy.failed.len()));
        for why in steady.failed.iter().chain(&busy.failed).take(10) {
            say(why);
        }
        let (back, after) = self.bad(count + 1)?;
        let p99 = |report: &Report| report.percentile(99).as_secs_f64() * 1000.0;
        let closed =
            if self.front.is_none() { busy.failed.iter().filter(|why| is_closed(why)).count() } else { 0 };
        let failed = steady.failed.len() + busy.failed.len() - closed;
        Ok(format!("{failed} {:.3} {:.3} {back:.1} {after} {closed}", p99(&steady), p99(&busy)))
    }

    /// Lets a bad release get the traffic; its first error is the verdict. Returns how long it then took until the host
    /// was back, and how many requests failed after that.
    fn bad(&self, number: u32) -> Result<(f64, usize), Problem> {
        let before = self.load();
        let run = self.switch(number, "error-rate 20\n", Some(number - 1))?;
        before.wait_for(10 * CLIENTS);
        let verdict = Instant::now();
        self.ask(&run, Request::Revert)?;
        let back = verdict.elapsed().as_secs_f64() * 1000.0;
        // What was asked before the host was back may end after it.
        before.wait_for(2 * CLIENTS);
        let after = self.load();
        after.wait_for(STEADY / 4);
        let (before, after) = (before.stop(), after.stop());
        assert!(!before.failed.is_empty(), "the bad release was asked");
        let bad = format!("{number}");
        assert!(!after.by_release.contains_key(&bad), "a release that was gone back from is asked no more");
        let _ = self.fleet.release(&self.host, &run, &Stop::default());
        Ok((back, after.failed.len()))
    }

    fn load(&self) -> Load {
        Load::start(self.address, CLIENTS, Method::Get, PAUSE)
    }

    /// Brings a release live and confirms it.
    fn live(&self, number: u32, modes: &str, before: Option<u32>) -> Result<(), Problem> {
        let run = self.switch(number, modes, before)?;
        self.ask(&run, Request::Confirm)?;
        self.ask(&run, Request::Sweep(Keep { confirmed: 3, failed: 1, ..Keep::default() }))?;
        self.fleet.release(&self.host, &run, &Stop::default()).map_err(|fault| fault.problem)
    }

    fn switch(&self, number: u32, modes: &str, before: Option<u32>) -> Result<RunId, Problem> {
        let (run, listed) = (run_of(number), self.release(number, modes)?);
        let deployment = self.deployment(number, &listed);
        let staged = self.fleet.stage(&self.host, &deployment, (&listed, &[]), &Stop::default());
        staged.map_err(|fault| fault.problem)?;
        let within_ms = 120_000;
        self.ask(&run, Request::Switch { from: before.map(run_of), within_ms })?;
        Ok(run)
    }

    fn deployment(&self, number: u32, listed: &Manifest) -> Deployment {
        Deployment {
            run: run_of(number),
            project: "bench".into(),
            environment: format!("b{}", std::process::id()),
            version: number.to_string(),
            artifact: listed.digest(),
            services: vec![self.service.clone()],
            runtime: Runtime::None,
            secrets: None,
            schema: None,
            back: false,
            mended: None,
            home: None,
        }
    }

    fn release(&self, number: u32, modes: &str) -> Result<Manifest, Problem> {
        let dir = self.dir.join(format!("release-{number}"));
        let made = fs::create_dir_all(&dir)
            .and_then(|()| fs::copy(&self.web, dir.join("web")))
            .and_then(|_| fs::write(dir.join("VERSION"), number.to_string()))
            .and_then(|()| fs::write(dir.join("MODES"), modes));
        made.expect("a release can be written");
        let listed = manifest(&dir, &Selection::default())?;
        self.store.put_dir(&dir, &listed)?;
        let _ = fs::remove_dir_all(&dir);
        Ok(listed)
    }

    fn ask(&self, run: &RunId, request: Request) -> Result<(), Problem> {
        let by = By { run: Some(run), limit: LIMIT, stop: &Stop::default() };
        self.fleet.call(&self.host, &by, request).map(|_| ()).map_err(|fault| fault.problem)
    }

    /// Stops what is left of the service: whatever has its mark in its variables.
    fn retire(&self) -> Result<(), Problem> {
        if self.machine.is_some() {
            // Its processes end with it, and their numbers mean others here.
            self.fleet.disconnect();
            return Ok(());
        }
        let state = self.fleet.look(&self.host, &Stop::default()).map_err(|fault| fault.problem)?;
        for pid in state.services.iter().filter_map(|seen| seen.pid) {
            let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
            if let Some(pid) = pid {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
        }
        self.fleet.disconnect();
        Ok(())
    }
}

/// Tells whether a request met the end of its connection rather than an answer or a refusal.
fn is_closed(why: &str) -> bool {
    ["(ConnectionReset)", "(BrokenPipe)", "(UnexpectedEof)"].iter().any(|kind| why.ends_with(kind))
}

fn say(line: &str) {
    // Nobody need listen.
    let _ = writeln!(io::stderr(), "{line}");
}

fn run_of(number: u32) -> RunId {
    RunId::new(format!("{:08x}", number + 1))
}

/// Returns how traffic is switched with the proxy of shipway, and the command that starts it.
fn built_in(
    agent: &str,
    (dir, socket): (&Path, &Path),
    front: SocketAddr,
    ports: [u16; 2],
) -> (Switch, Vec<String>) {
    let (control, state) = (socket.display().to_string(), dir.join("proxy.json").display().to_string());
    let front = front.to_string();
    let words = [agent, "proxy", "serve", "--listen", &front, "--control", &control, "--state", &state]
        .map(str::to_owned);
    (Switch::Proxy { control, ports }, words.to_vec())
}

/// Writes the configuration of `HAProxy`, and returns how traffic is switched with it, and the command that starts it.
fn haproxy_of(
    program: &str,
    (dir, socket): (&Path, &Path),
    front: SocketAddr,
    ports: [u16; 2],
) -> (Switch, Vec<String>) {
    let (map, socket) = (dir.join("web.map").display().to_string(), socket.display().to_string());
    let config = format!(
        "global\n  stats socket {socket} mode 600 level admin\n  maxconn 200\n\
         defaults\n  mode http\n  timeout connect 20s\n  timeout client 120s\n  timeout server 120s\n  retries 0\n\
         frontend f\n  bind {front}\n  use_backend %[str(web),map({map},web-a)]\n\
         backend web-a\n  server s 127.0.0.1:{}\nbackend web-b\n  server s 127.0.0.1:{}\n",
        ports[0], ports[1]
    );
    let file = dir.join("haproxy.cfg");
    let written = fs::write(&map, "web web-a\n").and_then(|()| fs::write(&file, config));
    written.expect("the directory is ours");
    let backends = ["web-a".to_owned(), "web-b".to_owned()];
    let switch = Switch::Haproxy { socket, map, key: "web".into(), backends, ports };
    (switch, [program, "-db", "-f", &file.display().to_string()].map(str::to_owned).to_vec())
}

fn service(switch: Switch) -> Service {
    Service {
        name: "web".into(),
        run: ["{release}/web", "--listen", "127.0.0.1:{port}"].map(str::to_owned).to_vec(),
        env: BTreeMap::new(),
        manager: Keeper::Process,
        switch,
        health: Some(Health {
            probe: Probe::Http("http://127.0.0.1:{port}/health".into()),
            expect: Some("release={version}".into()),
            status: None,
            slowest_ms: 20_000,
            passes: 3,
            over_ms: 200,
            within_ms: 60_000,
        }),
        smoke: vec![],
        overlap: true,
        stop_ms: 5000,
        drain_ms: 60_000,
    }
}
