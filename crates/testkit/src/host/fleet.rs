//! Several cheap hosts at once.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use tempfile::TempDir;

use super::Unable;
use super::sshd::{Sshd, Wanted};
use crate::hermetic;

/// Hosts with one configuration of clients for all; otherwise a slice of them.
#[derive(Debug)]
pub struct Fleet {
    hosts: Vec<Sshd>,
    dir: TempDir,
}

impl Fleet {
    /// Starts so many hosts on loopback addresses, with the names `host-1` and so on.
    pub fn new(count: usize) -> Result<Self, Unable> {
        Self::of((1..=count).map(|number| Wanted::new(&format!("host-{number}"))).collect())
    }

    /// Starts these hosts, all at once.
    pub fn of(wanted: Vec<Wanted>) -> Result<Self, Unable> {
        let dir = TempDir::new().map_err(|error| error.to_string())?;
        let start = |wanted: Wanted| thread::spawn(|| wanted.start());
        let starting: Vec<_> = wanted.into_iter().map(start).collect();
        let started = starting.into_iter().map(|host| host.join().expect("a host that cannot start says so"));
        let fleet = Self { hosts: started.collect::<Result<_, _>>()?, dir };
        for (name, file) in
            [("ssh_config", Sshd::ssh_config as fn(&Sshd) -> PathBuf), ("direct_config", Sshd::direct_config)]
        {
            let entries = fleet.hosts.iter().map(|host| fs::read_to_string(file(host)));
            let entries = entries.collect::<Result<String, _>>().expect("every host has a configuration");
            fs::write(fleet.dir.path().join(name), entries).expect("the directory is the test's own");
        }
        Ok(fleet)
    }

    /// Returns the configuration for `ssh -F` that names all hosts.
    pub fn ssh_config(&self) -> PathBuf {
        self.dir.path().join("ssh_config")
    }

    /// Returns a configuration that goes past the forwarders, for measurements.
    pub fn direct_config(&self) -> PathBuf {
        self.dir.path().join("direct_config")
    }

    /// Returns an `ssh` that runs a shell script on one of the hosts.
    pub fn ssh(&self, host: &str, script: &str) -> Command {
        let mut command = hermetic::command("ssh", self.dir.path());
        command.arg("-F").arg(self.ssh_config()).args([host, script]);
        command
    }
}

impl Deref for Fleet {
    type Target = [Sshd];

    fn deref(&self) -> &[Sshd] {
        &self.hosts
    }
}

impl DerefMut for Fleet {
    fn deref_mut(&mut self) -> &mut [Sshd] {
        &mut self.hosts
    }
}
