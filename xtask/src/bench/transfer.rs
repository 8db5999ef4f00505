//! Bringing a directory to hosts, against rsync with `--link-dest`: both over multiplexed connections that are open,
//! to all hosts at once.
//!
//! The hosts are directories behind an sshd on a loopback port, which runs as the user and ends with the measurement.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::measure::{Cost, median};
use super::row::Row;
use super::site::{find, run as ask};
use super::tools;

/// How many files there are, and how long each is: 50 MB in all.
pub(super) const FILES: u64 = 2000;
const LENGTH: usize = 25_000;
/// Every which file changes before the second deployment: one of a hundred.
const EVERY: usize = 100;
/// How many times all of it is measured.
const ROUNDS: usize = 5;
/// How many hosts there are, and how many there are where more are compared with them.
pub(super) const HOSTS: usize = 10;
const MORE: usize = 50;

/// Returns the rows of transfers, with the programs `host-bench` and `shipway`.
pub(super) fn rows([bench, agent]: [&str; 2], scratch: &Path) -> Vec<Row> {
    let goals = [("first", 0.9), ("second, 1 % changed", 0.8), ("third, new times only", 0.3)];
    let what = |name: &str| format!("2,000 files, 50 MB to {HOSTS} hosts, rsync: {name}");
    let more = format!("files to {MORE} hosts, {HOSTS} hosts");
    let skipped = |why: &str| {
        let mut rows: Vec<Row> =
            goals.iter().map(|(name, goal)| Row::skipped(what(name), format!("<= {goal:.2}"), why)).collect();
        rows.extend(tools::skipped(why));
        rows.push(Row::skipped(more.clone(), "<= 2.00".into(), why));
        rows
    };
    if let Some(missing) =
        ["sshd", "ssh", "ssh-keygen", "rsync"].into_iter().find(|name| find(name).is_none())
    {
        return skipped(missing);
    }
    let measured = Hosts::start(scratch).and_then(|hosts| {
        let lot = Lot { hosts: &hosts, bench, agent };
        Ok((lot.three()?, tools::rows(&lot), lot.many()?))
    });
    match measured {
        Ok((three, tools, many)) => {
            let took = |wall: f64| Ok(Cost { wall, ..Cost::default() });
            let row = |((name, goal), [ours, theirs]): (&(&str, f64), [f64; 2])| {
                Row::at_most(what(name), &took(ours), &took(theirs), *goal)
            };
            let mut rows: Vec<Row> = goals.iter().zip(three).map(row).collect();
            rows.extend(tools);
            rows.push(Row::at_most(more, &took(many[0]), &took(many[1]), 2.0));
            rows
        }
        Err(error) => vec![Row::failed("files to hosts".into(), "-".into(), &error.to_string())],
    }
}

pub(super) struct Lot<'a> {
    pub(super) hosts: &'a Hosts,
    bench: &'a str,
    agent: &'a str,
}

impl Lot<'_> {
    /// Returns what ours and rsync took for the three deployments, in milliseconds.
    fn three(&self) -> io::Result<[[f64; 2]; 3]> {
        // The agent is brought, and what both sides start from is read once.
        let source = self.hosts.dir.join("source");
        make(&source, 20)?;
        self.ours(&source, "warm", HOSTS)?;
        self.theirs(&source, "warm", 0)?;
        let mut walls: [[Vec<f64>; 2]; 3] = Default::default();
        for round in 0..ROUNDS {
            fs::remove_dir_all(&source)?;
            make(&source, FILES)?;
            let name = format!("round-{round}");
            for (at, walls) in walls.iter_mut().enumerate() {
                match at {
                    0 => {}
                    1 => change(&source, round)?,
                    _ => touch(&source)?,
                }
                // Each side goes first in its turn.
                for side in [(round + at) % 2, (round + at + 1) % 2] {
                    // Nobody waits for what the other has written.
                    ask(&self.hosts.dir, &["sync"], "")?;
                    walls[side].push(match side {
                        0 => self.ours(&source, &name, HOSTS)?,
                        _ => self.theirs(&source, &name, at)?,
                    });
                }
            }
            self.hosts.clear()?;
        }
        Ok(walls.map(|sides| sides.map(median)))
    }

    /// Returns what many hosts take, and what few take, in milliseconds.
    fn many(&self) -> io::Result<[f64; 2]> {
        let source = self.hosts.dir.join("small");
        make(&source, 100)?;
        let mut walls: [Vec<f64>; 2] = Default::default();
        for round in 0..ROUNDS {
            for (walls, count) in walls.iter_mut().zip([MORE, HOSTS]) {
                let name = format!("many-{round}-{count}");
                ask(&self.hosts.dir, &["sync"], "")?;
                walls.push(self.ours(&source, &name, count)?);
            }
            self.hosts.clear()?;
        }
        Ok(walls.map(median))
    }

    /// Returns what ours takes to bring a directory to some hosts, in milliseconds.
    pub(super) fn ours(&self, source: &Path, name: &str, count: usize) -> io::Result<f64> {
        let places = |number| format!("h{number}:{}", self.hosts.root(number).join(name).display());
        let places: Vec<String> = (0..count).map(places).collect();
        // The store of this machine is as new as the hosts are.
        let store = self.hosts.dir.join("roots").join(format!("store-{name}"));
        let [store, source, config] =
            [&store, source, &self.hosts.config].map(|path| path.display().to_string());
        let words = [self.bench, &store, self.agent, &source, &config];
        let words: Vec<&str> = words.into_iter().chain(places.iter().map(String::as_str)).collect();
        let begun = Instant::now();
        ask(&self.hosts.dir, &words, "")?;
        Ok(begun.elapsed().as_secs_f64() * 1000.0)
    }

    fn theirs(&self, source: &Path, name: &str, at: usize) -> io::Result<f64> {
        let begun = Instant::now();
        let start = |number| -> io::Result<Child> {
            let base = self.hosts.root(number).join(format!("rsync-{name}"));
            let mut command = Command::new("rsync");
            // Releases of rsync 3.2.7 with later fixes cannot send parts of files with --link-dest.
            command.args([
                "-a",
                "--whole-file",
                "--mkpath",
                "-e",
                &format!("ssh -F {}", self.hosts.config.display()),
            ]);
            if at > 0 {
                command.arg(format!("--link-dest=../{}", at - 1));
            }
            command.arg(format!("{}/", source.display())).arg(format!("h{number}:{}/{at}/", base.display()));
            command.stdin(Stdio::null()).spawn()
        };
        let children: Vec<Child> = (0..HOSTS).map(start).collect::<Result<_, _>>()?;
        let ends: Vec<_> = children.into_iter().map(|mut child| child.wait()).collect::<Result<_, _>>()?;
        if let Some(status) = ends.iter().find(|status| !status.success()) {
            return Err(io::Error::other(format!("rsync --link-dest, deployment {at}, {status}")));
        }
        Ok(begun.elapsed().as_secs_f64() * 1000.0)
    }
}

/// Makes files of which every other one can be compressed, always the same.
pub(super) fn make(dir: &Path, files: u64) -> io::Result<()> {
    for number in 0..files {
        let place = dir.join(format!("{}", number % 40));
        fs::create_dir_all(&place)?;
        // SplitMix64: what is like the bytes of another file would be sent once only.
        let mut state = number << 32;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)).to_le_bytes()
        };
        let mut content: Vec<u8> = std::iter::repeat_with(&mut next).flatten().take(LENGTH).collect();
        if number % 2 == 0 {
            for byte in &mut content {
                *byte = b'a' + *byte % 16;
            }
        }
        fs::write(place.join(format!("{number}.bin")), content)?;
    }
    Ok(())
}

fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in fs::read_dir(dir)? {
        for file in fs::read_dir(entry?.path())? {
            files.push(file?.path());
        }
    }
    files.sort();
    Ok(files)
}

pub(super) fn change(dir: &Path, round: usize) -> io::Result<()> {
    for path in files(dir)?.iter().step_by(EVERY) {
        let mut content = fs::read(path)?;
        content.extend(format!("changed in round {round}\n").bytes());
        fs::write(path, content)?;
    }
    Ok(())
}

fn touch(dir: &Path) -> io::Result<()> {
    for path in files(dir)? {
        fs::File::options().write(true).open(path)?.set_modified(std::time::SystemTime::now())?;
    }
    Ok(())
}

/// An sshd on a loopback port, and an open connection for each of the names of its hosts.
pub(super) struct Hosts {
    sshd: Child,
    pub(super) dir: PathBuf,
    pub(super) config: PathBuf,
    /// Where the sockets are; their paths have to be short.
    sockets: PathBuf,
}

impl Hosts {
    fn start(scratch: &Path) -> io::Result<Self> {
        let dir = scratch.join("hosts");
        let sockets = std::env::temp_dir().join(format!("shipway-bench-{}", std::process::id()));
        for path in [&dir, &dir.join("home"), &dir.join("roots"), &sockets] {
            fs::create_dir_all(path)?;
        }
        for key in ["host", "user"] {
            ask(&dir, &["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], "")?;
        }
        fs::copy(dir.join("user.pub"), dir.join("authorized"))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let here = dir.display();
        let known = format!("[127.0.0.1]:{port} {}", fs::read_to_string(dir.join("host.pub"))?);
        fs::write(dir.join("known"), known)?;
        let server = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {here}/host\nAuthorizedKeysFile {here}/authorized\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PidFile none\nMaxStartups 200\nMaxSessions 100\nSetEnv HOME={here}/home\n"
        );
        fs::write(dir.join("sshd"), server)?;
        let config = dir.join("ssh");
        let client = format!(
            "Host *\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {here}/user\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile {here}/known\n  GlobalKnownHostsFile /dev/null\n  BatchMode yes\n  \
             ControlMaster auto\n  ControlPath {}/%n\n  ControlPersist yes\n  LogLevel ERROR\n",
            sockets.display()
        );
        fs::write(&config, client)?;
        let program = find("sshd").ok_or_else(|| io::Error::other("sshd is not installed"))?;
        let mut command = Command::new(program);
        command.args(["-D", "-f"]).arg(dir.join("sshd")).arg("-E").arg(dir.join("sshd.log"));
        let sshd = command.stdin(Stdio::null()).spawn()?;
        let hosts = Self { sshd, dir, config, sockets };
        hosts.connect()?;
        Ok(hosts)
    }

    /// Opens the connections; the first one waits for sshd.
    fn connect(&self) -> io::Result<()> {
        let config = self.config.display().to_string();
        for number in 0..MORE {
            let host = format!("h{number}");
            let deadline = Instant::now() + Duration::from_mins(1);
            let open = || {
                let mut command = Command::new("ssh");
                // The one that stays would keep pipes open.
                command.args(["-F", &config, &host, "true"]).stdin(Stdio::null());
                command.stdout(Stdio::null()).stderr(Stdio::null()).status()
            };
            while !open()?.success() {
                if Instant::now() > deadline {
                    let log = fs::read_to_string(self.dir.join("sshd.log")).unwrap_or_default();
                    let why = log.lines().last().unwrap_or("sshd does not answer").to_owned();
                    return Err(io::Error::other(why));
                }
                thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(())
    }

    pub(super) fn root(&self, number: usize) -> PathBuf {
        self.dir.join("roots").join(format!("h{number}"))
    }

    pub(super) fn clear(&self) -> io::Result<()> {
        let roots = self.dir.join("roots");
        fs::remove_dir_all(&roots)?;
        fs::create_dir_all(&roots)
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let config = self.config.display().to_string();
        for number in 0..MORE {
            let mut command = Command::new("ssh");
            command.args(["-F", &config, "-O", "exit", &format!("h{number}")]).stderr(Stdio::null());
            let _ = command.status();
        }
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
        let _ = fs::remove_dir_all(&self.sockets);
    }
}
