//! `HAProxy`: a line of a map chooses between two backends. Nothing is reloaded: the runtime socket changes the map in
//! the process, and the file of the map is changed with it, so that a reload or a reboot agrees.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use shipway_core::deployment::Traffic;
use shipway_core::problem::{Code, Problem};

use super::Upstreams;
use crate::live::files;

/// How long the runtime socket may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A key of a map, and the backends it chooses from.
pub(super) struct Haproxy<'a> {
    pub(super) socket: &'a str,
    pub(super) map: &'a str,
    pub(super) key: &'a str,
    pub(super) backends: &'a [String; 2],
    pub(super) ports: [u16; 2],
}

impl Haproxy<'_> {
    fn ask(&self, command: &str) -> Result<String, Problem> {
        let answer = ask(self.socket, command).map_err(|error| {
            let problem = Problem::new(Code::SwitchFailed, "HAProxy does not answer on its runtime socket");
            problem.at(self.socket).found(error.to_string())
        })?;
        Ok(answer)
    }

    fn backend(&self, port: u16) -> &str {
        &self.backends[usize::from(self.ports[1] == port)]
    }

    fn value(&self) -> Result<Option<String>, Problem> {
        let answer = self.ask(&format!("show map {}", self.map))?;
        if answer.starts_with("Unknown") {
            return Err(self.refused(&answer, "a map that the configuration uses"));
        }
        Ok(value(&answer, self.key))
    }

    fn refused(&self, answer: &str, wanted: &str) -> Problem {
        let what = format!("HAProxy does not take {} for {}", self.map, self.key);
        Problem::new(Code::SwitchFailed, what).found(answer.trim()).wanted(wanted)
    }
}

impl Upstreams for Haproxy<'_> {
    fn live(&self) -> Result<Option<u16>, Problem> {
        let value = self.value()?;
        let index = value.and_then(|value| self.backends.iter().position(|backend| *backend == value));
        Ok(index.map(|index| self.ports[index]))
    }

    fn switch(&self, port: u16, _: &str) -> Result<(), Problem> {
        let backend = self.backend(port);
        if !self.ask("show stat")?.lines().any(|line| line.starts_with(&format!("{backend},"))) {
            return Err(self.refused("", &format!("a backend of the name {backend}")));
        }
        // The new one is well, so a reload between these two does no harm.
        persist(Path::new(self.map), self.key, backend)?;
        let value = self.value()?;
        if value.as_deref() != Some(backend) {
            let verb = if value.is_some() { "set" } else { "add" };
            self.ask(&format!("{verb} map {} {} {backend}", self.map, self.key))?;
        }
        match self.value()? {
            Some(value) if value == backend => Ok(()),
            other => Err(self.refused(&other.unwrap_or_default(), backend)),
        }
    }

    fn in_flight(&self, port: u16) -> Result<u64, Problem> {
        let backend = self.backend(port);
        Ok(sum(&self.ask("show stat")?, backend, &["qcur", "scur"]))
    }

    fn counted(&self, port: u16) -> Result<Traffic, Problem> {
        let (backend, stat) = (self.backend(port), self.ask("show stat")?);
        let requests = sum(&stat, backend, &["req_tot"]);
        // The mean of the last 1024 requests is the nearest to a median that it keeps.
        let time = sum(&stat, backend, &["rtime"]).saturating_mul(1000);
        Ok(Traffic {
            requests,
            // An error of the connection ends as a status of 500 and above, so it is counted once.
            failed: sum(&stat, backend, &["hrsp_5xx"]),
            median_us: (requests > 0 && time > 0).then_some(time),
        })
    }

    fn settle(&self, port: u16) -> Result<(), Problem> {
        persist(Path::new(self.map), self.key, self.backend(port)).map(|_| ())
    }
}

fn ask(socket: &str, command: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{command}\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Returns the value of a key in what `show map` answers: lines of an address, a key and a value.
fn value(answer: &str, key: &str) -> Option<String> {
    let of = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        (words.next()? == key).then(|| words.next().unwrap_or_default().to_owned())
    };
    answer.lines().find_map(of)
}

/// Returns the sum of some columns of a backend, from what `show stat` answers.
fn sum(stat: &str, backend: &str, columns: &[&str]) -> u64 {
    let mut lines = stat.lines();
    let head: Vec<_> = lines.next().unwrap_or_default().trim_start_matches("# ").split(',').collect();
    let at = |name: &&str| head.iter().position(|column| column == name);
    let fields = lines.map(|line| line.split(',').collect::<Vec<_>>());
    let row = fields
        .into_iter()
        .find(|fields| fields.first() == Some(&backend) && fields.get(1) == Some(&"BACKEND"));
    let Some(row) = row else { return 0 };
    columns.iter().filter_map(at).filter_map(|at| row.get(at)?.parse::<u64>().ok()).sum()
}

/// Lets the file of a map give a key a value, and leaves all else in it as it is.
fn persist(path: &Path, key: &str, backend: &str) -> Result<bool, Problem> {
    let text = files::read(path)?.unwrap_or_default();
    let mode = std::fs::metadata(path).map_or(0o644, |file| file.permissions().mode() & 0o7777);
    files::write(path, &with_value(&text, key, backend), mode)
}

fn with_value(text: &str, key: &str, backend: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut found = false;
    for line in text.lines() {
        if line.split_ascii_whitespace().next() == Some(key) {
            // The first line of a key is the one that counts.
            if !found {
                let _ = writeln!(out, "{key} {backend}");
            }
            found = true;
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    if !found {
        let _ = writeln!(out, "{key} {backend}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_of_the_map_changes() {
        for (before, after) in [
            ("", "shop b\n"),
            ("# by hand\nother x\nshop a\n", "# by hand\nother x\nshop b\n"),
            ("shop   a\nshop c\nshopping d", "shop b\nshopping d\n"),
            ("shop b\n", "shop b\n"),
        ] {
            assert_eq!(with_value(before, "shop", "b"), after);
        }
    }

    #[test]
    fn what_haproxy_says_is_understood() {
        let map = "0x55 other x\n0x56 shop web-a\n\n";
        assert_eq!(value(map, "shop").as_deref(), Some("web-a"));
        assert_eq!(value(map, "none"), None);
        let stat = "# pxname,svname,qcur,qmax,scur,smax\nweb-a,s1,0,0,2,9\nweb-a,BACKEND,1,0,2,9\nweb-b,BACKEND,0,0,0,1\n";
        assert_eq!(sum(stat, "web-a", &["qcur", "scur"]), 3);
        assert_eq!(sum(stat, "web-a", &["smax"]), 9);
        assert_eq!(sum(stat, "web", &["scur"]), 0);
        assert_eq!(sum(stat, "web-a", &["unheard"]), 0);
    }
}
