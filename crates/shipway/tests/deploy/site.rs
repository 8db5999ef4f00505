//! A project with a small web service, environments, and looks at what is live that do not use shipway.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use shipway_testkit::host::{self, Answer, Fleet};
use shipway_testkit::remote::Remote;
use shipway_testkit::repo::Repo;

/// A project, its remote, and the directories of its hosts.
pub(crate) struct Site {
    pub(crate) repo: Repo,
    pub(crate) remote: Remote,
    pub(crate) port: u16,
}

impl Site {
    /// Returns a project at 1.0.0 whose service answers on a free port. `ROOT` in the configuration is a directory of
    /// this site, `PORT` the port.
    pub(crate) fn new(environments: &str) -> Self {
        let repo = Repo::plain("1.0.0");
        let port = host::free_port();
        let site = Self { remote: Remote::of(&repo), repo, port };
        site.configure(environments);
        site
    }

    /// Writes the configuration anew and pushes it.
    pub(crate) fn configure(&self, environments: &str) {
        let root = self.root();
        fs::create_dir_all(&root).unwrap();
        let text = environments
            .replace("SERVICE", SERVICE)
            .replace("ROOT", root.to_str().unwrap())
            .replace("WEB", host::web_program().to_str().unwrap())
            .replace("PORT", &self.port.to_string());
        self.repo.file("shipway.toml", format!("[checks]\ndetect = false\noutdated = false\n{text}"));
        self.push("chore: configure the deployment");
    }

    /// Commits everything and pushes it.
    pub(crate) fn push(&self, message: &str) {
        self.repo.commit(message);
        self.repo.git(["push", "--quiet", "origin", "main"]);
    }

    /// Makes a commit that releases, in which the service has some modes.
    pub(crate) fn change(&self, message: &str, modes: &str) {
        self.repo.file("MODES", modes).file("change", message);
        self.push(message);
    }

    /// Clones the remote, as another person of the team has it.
    pub(crate) fn clone(&self) -> PathBuf {
        let to = self.repo.home().join("clone");
        let url = self.repo.git(["remote", "get-url", "origin"]);
        self.repo.git(["clone", "--quiet", url.trim(), to.to_str().unwrap()]);
        to
    }

    /// Returns the directory of all hosts here.
    pub(crate) fn root(&self) -> PathBuf {
        self.repo.home().join("hosts")
    }

    /// Returns a call of shipway.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.repo.command(env!("CARGO_BIN_EXE_shipway"));
        command.args(args).stdin(Stdio::null());
        command
    }

    /// Runs shipway, which must end with this code, and returns all it said.
    #[track_caller]
    pub(crate) fn code(&self, code: i32, args: &[&str]) -> String {
        said(code, &self.command(args).output().unwrap())
    }

    /// Returns the version that is live on each host of an environment, as shipway tells it.
    pub(crate) fn live(&self, environment: &str) -> BTreeMap<String, String> {
        let output = self.command(&["env", "status", environment, "--json"]).output().unwrap();
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let hosts = value["hosts"].as_array().unwrap().iter();
        hosts.map(|host| (text(&host["host"]), text(&host["release"]["version"]))).collect()
    }

    /// Returns what the service answers.
    pub(crate) fn ask(&self) -> Option<Answer> {
        host::get(([127, 0, 0, 1], self.port).into(), "/").ok()
    }

    /// Asserts that the service answers as this release.
    #[track_caller]
    pub(crate) fn serves(&self, version: &str) {
        let answer = self.ask().expect("the service answers");
        assert_eq!((answer.status, answer.release()), (200, version));
    }

    /// Returns where `current` leads on a host.
    pub(crate) fn current(&self, host: &str) -> Option<PathBuf> {
        fs::read_link(self.root().join(host).join("current")).ok()
    }

    /// Returns the words of the journal of a host.
    pub(crate) fn events(&self, host: &str) -> String {
        fs::read_to_string(self.root().join(host).join("journal.jsonl")).unwrap_or_default()
    }
}

impl Drop for Site {
    /// Ends the services, which nobody keeps.
    fn drop(&mut self) {
        let Ok(hosts) = fs::read_dir(self.root()) else { return };
        for host in hosts.flatten() {
            let Ok(files) = fs::read_dir(host.path().join("live")) else { continue };
            for file in files.flatten().filter(|file| file.path().extension().is_some_and(|end| end == "pid"))
            {
                let text = fs::read_to_string(file.path()).unwrap_or_default();
                let pid = text.split_whitespace().next().and_then(|pid| pid.parse().ok());
                if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
                    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
                }
            }
        }
    }
}

/// The artifact and the service of most tests.
pub(crate) const SERVICE: &str = r#"
[artifact]
build = ["cp", "WEB", "web"]
include = ["web", "VERSION", "MODES"]
[service.web]
run = ["{release}/web", "--listen", "127.0.0.1:PORT"]
stop-timeout = "2s"
health = { http = "http://127.0.0.1:PORT/health", expect = "{version}", passes = 2, over = "200ms", within = "5s" }
"#;

/// One environment on this machine.
pub(crate) const STAGING: &str = r#"SERVICE
[environment.staging]
hosts = ["local"]
path = "ROOT/staging"
watch = { for = false }
"#;

/// An artifact without a service.
pub(crate) const FILES: &str = r#"
[artifact]
include = ["VERSION", "change"]
"#;

/// Returns the configuration of an environment of hosts behind ssh, with what is brought there.
pub(crate) fn over_ssh(what: &str, names: &[&str], config: &Path, more: &str) -> String {
    format!(
        "{what}\n[environment.staging]\nhosts = {names:?}\npath = \"app\"\nssh = [\"ssh\", \"-F\", \"{}\"]\n{more}\n",
        config.display()
    )
}

/// Returns the same for the hosts of a fleet.
pub(crate) fn over_fleet(what: &str, fleet: &Fleet, more: &str) -> String {
    let names: Vec<&str> = fleet.iter().map(host::Sshd::name).collect();
    over_ssh(what, &names, &fleet.ssh_config(), more)
}

/// Asserts a code and returns all that was said.
#[track_caller]
pub(crate) fn said(code: i32, output: &Output) -> String {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

/// A process that ends with the test.
pub(crate) struct Ends(pub(crate) Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
