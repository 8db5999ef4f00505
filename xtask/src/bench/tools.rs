//! Bringing a directory to hosts, against tools that people use for it: Ansible's `synchronize`, over the connections
//! that are open, and Capistrano, whose hosts fetch the files from a repository of git on their own disk.
//!
//! Capistrano knows one path for all hosts, so each of its hosts is an sshd that sees a directory of its own there.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::measure::{Cost, median};
use super::row::Row;
use super::site::{find, run as ask};
use super::transfer::{FILES, HOSTS, Lot, change, make};

/// How many times all of it is measured; the tools take their time.
const ROUNDS: usize = 3;

/// The deployments that are compared.
const NAMES: [&str; 2] = ["first", "second, 1 % changed"];

/// The tools, and how long ours may take as a share of what they take.
const ANSIBLE: (&str, f64) = ("Ansible synchronize", 0.25);
const CAPISTRANO: (&str, f64) = ("Capistrano", 0.5);

/// What it took, in milliseconds.
type Wall = f64;

/// Brings a directory to all hosts, under a name.
type Deploy<'a> = dyn Fn(&Path, &str) -> io::Result<Wall> + 'a;

/// Returns the rows of both tools.
pub(super) fn rows(lot: &Lot<'_>) -> Vec<Row> {
    let capistrano = Capistrano::start(&lot.hosts.dir);
    let mut rows = row_of(lot, ANSIBLE, missing("ansible"), |source, name| ansible(lot, source, name));
    let (why, there) = match &capistrano {
        Ok(capistrano) => (None, Some(capistrano)),
        Err(why) => (Some(why.to_string()), None),
    };
    rows.extend(row_of(lot, CAPISTRANO, why, |source, _| {
        there.map_or_else(|| Err(io::Error::other("no Capistrano")), |capistrano| capistrano.deploy(source))
    }));
    rows
}

/// Returns the rows of both where nothing can be measured.
pub(super) fn skipped(why: &str) -> Vec<Row> {
    let of = |(name, goal): (&str, f64)| {
        NAMES.map(|at| Row::skipped(what(name, at), format!("<= {goal:.2}"), why))
    };
    [ANSIBLE, CAPISTRANO].into_iter().flat_map(of).collect()
}

fn what(name: &str, at: &str) -> String {
    format!("2,000 files, 50 MB to {HOSTS} hosts, {name}: {at}")
}

/// Returns the rows of one tool, or why it is not measured.
fn row_of(
    lot: &Lot<'_>,
    (name, goal): (&'static str, f64),
    missing: Option<String>,
    deploy: impl Fn(&Path, &str) -> io::Result<Wall>,
) -> Vec<Row> {
    if let Some(why) = missing {
        return NAMES.map(|at| Row::skipped(what(name, at), format!("<= {goal:.2}"), &why)).into();
    }
    let took = |wall: f64| Ok(Cost { wall, ..Cost::default() });
    match both(lot, name, &deploy) {
        Ok(walls) => {
            let row = |(at, [ours, theirs]): (&str, [f64; 2])| {
                Row::at_most(what(name, at), &took(ours), &took(theirs), goal)
            };
            NAMES.into_iter().zip(walls).map(row).collect()
        }
        Err(error) => vec![Row::failed(what(name, "first"), format!("<= {goal:.2}"), &error.to_string())],
    }
}

/// Measures ours and a tool in turns: a first deployment, and one with some changed files.
fn both(lot: &Lot<'_>, name: &str, deploy: &Deploy<'_>) -> io::Result<[[f64; 2]; 2]> {
    let tool = name.replace(' ', "-");
    let source = lot.hosts.dir.join(format!("source-{tool}"));
    make(&source, 20)?;
    deploy(&source, "warm")?;
    let mut walls: [[Vec<f64>; 2]; 2] = Default::default();
    for round in 0..ROUNDS {
        fs::remove_dir_all(&source)?;
        make(&source, FILES)?;
        let name = format!("{tool}-{round}");
        for (at, walls) in walls.iter_mut().enumerate() {
            if at > 0 {
                change(&source, round)?;
            }
            for side in [(round + at) % 2, (round + at + 1) % 2] {
                ask(&lot.hosts.dir, &["sync"], "")?;
                walls[side].push(match side {
                    0 => lot.ours(&source, &name, HOSTS)?,
                    _ => deploy(&source, &name)?,
                });
            }
        }
        lot.hosts.clear()?;
    }
    Ok(walls.map(|sides| sides.map(median)))
}

fn missing(program: &str) -> Option<String> {
    find(program).is_none().then(|| program.to_owned())
}

/// Lets Ansible synchronize a directory, without gathering facts, to all hosts at once.
fn ansible(lot: &Lot<'_>, source: &Path, name: &str) -> io::Result<Wall> {
    let dir = &lot.hosts.dir;
    let inventory = dir.join("inventory");
    let line = |number| format!("h{number} place={}", lot.hosts.root(number).display());
    let hosts = (0..HOSTS).map(line).collect::<Vec<_>>().join("\n");
    let python = "[all:vars]\nansible_python_interpreter=/usr/bin/python3\n";
    fs::write(&inventory, format!("[all]\n{hosts}\n{python}"))?;
    let args = format!("src={}/ dest={{{{ place }}}}/ansible-{name}/ use_ssh_args=yes", source.display());
    let begun = Instant::now();
    for number in 0..HOSTS {
        fs::create_dir_all(lot.hosts.root(number))?;
    }
    let mut command = Command::new("ansible");
    command.args(["all", "-m", "ansible.posix.synchronize", "-i"]).arg(&inventory).args(["-a", &args]);
    command.args(["--forks", &HOSTS.to_string(), "--ssh-common-args", ""]);
    command.env("ANSIBLE_SSH_ARGS", format!("-F {}", lot.hosts.config.display()));
    // Its own file, so that nobody's settings count.
    let settings = dir.join("ansible.cfg");
    fs::write(&settings, "[defaults]\n")?;
    command.env("ANSIBLE_CONFIG", &settings).env("HOME", dir);
    done(&mut command)?;
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

/// Runs a command that has to do well.
fn done(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let why = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no word");
    Err(io::Error::other(format!("{}: {why}", command.get_program().to_string_lossy())))
}

/// A project of Capistrano, and its hosts.
struct Capistrano {
    dir: PathBuf,
    hosts: Vec<Child>,
}

impl Capistrano {
    /// Starts the hosts, or says why they cannot be had.
    fn start(dir: &Path) -> Result<Self, io::Error> {
        for program in ["cap", "unshare", "sshd"] {
            if let Some(missing) = missing(program) {
                return Err(io::Error::other(missing));
            }
        }
        if ask(dir, &["id", "-u"], "")? != "0" {
            return Err(io::Error::other("hosts that see their own files need root"));
        }
        let dir = dir.join("capistrano");
        let mut this = Self { dir: dir.clone(), hosts: vec![] };
        for path in ["place", "repository", "project/config/deploy"] {
            fs::create_dir_all(dir.join(path))?;
        }
        // The library of Capistrano reads keys of this kind without a further one.
        for key in ["host", "user"] {
            ask(&dir, &["ssh-keygen", "-q", "-t", "ecdsa", "-m", "PEM", "-N", "", "-f", key], "")?;
        }
        fs::copy(dir.join("user.pub"), dir.join("authorized"))?;
        ask(&dir.join("repository"), &["git", "init", "--quiet", "--initial-branch=main"], "")?;
        let ports = (0..HOSTS).map(|number| this.host(number)).collect::<io::Result<Vec<u16>>>()?;
        this.configure(&ports)?;
        Ok(this)
    }

    /// Starts a host: what it has at `place` nobody else sees.
    fn host(&mut self, number: usize) -> io::Result<u16> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let (here, own) = (self.dir.display().to_string(), self.dir.join(format!("h{number}")));
        fs::create_dir_all(&own)?;
        let config = self.dir.join(format!("sshd-{number}"));
        let text = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {here}/host\nAuthorizedKeysFile {here}/authorized\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\n"
        );
        fs::write(&config, text)?;
        let script = "mount --bind \"$1\" \"$2\" && exec \"$3\" -D -f \"$4\" -E \"$4.log\"";
        let sshd = find("sshd").ok_or_else(|| io::Error::other("sshd is not installed"))?;
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]);
        command.arg(&own).arg(self.dir.join("place")).arg(sshd).arg(&config).stdin(Stdio::null());
        self.hosts.push(command.spawn()?);
        Ok(port)
    }

    fn configure(&self, ports: &[u16]) -> io::Result<()> {
        let (here, project) = (self.dir.display(), self.dir.join("project"));
        let capfile = "require 'capistrano/setup'\nrequire 'capistrano/deploy'\nrequire 'capistrano/scm/git'\n\
                       install_plugin Capistrano::SCM::Git\n";
        fs::write(project.join("Capfile"), capfile)?;
        let deploy = format!(
            "set :application, 'site'\nset :repo_url, '{here}/repository'\nset :branch, 'main'\n\
             set :deploy_to, '{here}/place/site'\nset :format, :simpletext\nset :log_level, :error\n\
             set :ssh_options, config: false, keys: ['{here}/user'], keys_only: true, verify_host_key: :never, \
             auth_methods: ['publickey']\n"
        );
        fs::write(project.join("config/deploy.rb"), deploy)?;
        let server = |port: &u16| format!("server '127.0.0.1', port: {port}, user: 'root', roles: %w[app]");
        let servers = ports.iter().map(server).collect::<Vec<_>>().join("\n");
        fs::write(project.join("config/deploy/production.rb"), servers)
    }

    /// Commits the files, which is not measured, and deploys them.
    fn deploy(&self, source: &Path) -> io::Result<Wall> {
        let repository = self.dir.join("repository");
        ask(
            &repository,
            &["rsync", "-a", "--delete", "--exclude=.git", &format!("{}/", source.display()), "."],
            "",
        )?;
        ask(&repository, &["git", "add", "--all"], "")?;
        ask(&repository, &["git", "commit", "--quiet", "--allow-empty", "-m", "chore: change"], "")?;
        ask(&repository, &["sync"], "")?;
        let begun = Instant::now();
        let mut command = Command::new("cap");
        done(command.args(["production", "deploy"]).current_dir(self.dir.join("project")))?;
        Ok(begun.elapsed().as_secs_f64() * 1000.0)
    }
}

impl Drop for Capistrano {
    fn drop(&mut self) {
        for host in &mut self.hosts {
            let _ = host.kill();
            let _ = host.wait();
        }
    }
}
