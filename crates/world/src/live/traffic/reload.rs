//! nginx, Caddy and others that read a file again: it is written whole, tested where the server can, and reloaded.
//!
//! What the server was last told is kept, because a file that was written is not yet one that was read.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use shipway_core::action::Cmd;
use shipway_core::id::Digest;
use shipway_core::problem::{Code, Problem};

use super::{Connections, Upstreams};
use crate::live::{Instance, files, wait};

/// A file that a server reads again.
pub(super) struct Reload<'a> {
    pub(super) instance: Instance<'a>,
    pub(super) file: &'a str,
    pub(super) content: &'a str,
    pub(super) command: &'a [String],
    pub(super) ports: [u16; 2],
    /// What the last look at the old port has seen.
    pub(super) seen: RefCell<Connections>,
}

impl Reload<'_> {
    /// Returns the content of the file that sends traffic to a port.
    fn content(&self, port: u16) -> String {
        let slot = self.ports.iter().position(|own| *own == port);
        Instance { slot, ..self.instance }.fill(self.content)
    }

    /// Returns where it is kept what the server has read.
    fn told(&self) -> std::path::PathBuf {
        self.instance.root().join("live").join(format!("{}.reloaded", self.instance.service.name))
    }

    fn run(&self, words: &[String], what: &str) -> Result<(), Problem> {
        let (program, args) = words.split_first().ok_or_else(|| {
            Problem::new(
                Code::SwitchFailed,
                format!("{} names no command to reload", self.instance.service.name),
            )
        })?;
        let output = wait::run(self.instance.place, Cmd::new(program).args(args))
            .map_err(|problem| Problem { code: Code::SwitchFailed, ..problem })?;
        if output.ok() {
            return Ok(());
        }
        let problem = Problem::new(Code::SwitchFailed, what).found(format!("{:?}", output.ended));
        Err(problem.details(wait::last_lines(&output)))
    }

    fn apply(&self) -> Result<(), Problem> {
        if let Some(test) = test_of(self.command) {
            self.run(&test, &format!("the configuration with {} is not accepted", self.file))?;
        }
        self.run(self.command, &format!("{} could not be reloaded", self.file))
    }
}

impl Upstreams for Reload<'_> {
    fn live(&self) -> Result<Option<u16>, Problem> {
        let (told, now) = (files::read(&self.told())?, files::read(Path::new(self.file))?);
        let is_told = |port: &u16| {
            let content = self.content(*port);
            let digest = Digest::of(content.as_bytes());
            told.as_deref() == Some(digest.as_str()) && now.as_deref() == Some(&*content)
        };
        // An attempt that was cut off may have written what the server has not read; then the one that it has read is
        // still told.
        let was_told =
            |port: &u16| told.as_deref() == Some(Digest::of(self.content(*port).as_bytes()).as_str());
        let mut ports = self.ports.iter();
        Ok(ports.clone().find(|port| is_told(port)).or_else(|| ports.find(|port| was_told(port))).copied())
    }

    fn switch(&self, port: u16, _: &str) -> Result<(), Problem> {
        let path = Path::new(self.file);
        let before = files::read(path)?;
        let mode = fs::metadata(path).map_or(0o644, |file| file.permissions().mode() & 0o7777);
        let content = self.content(port);
        files::write(path, &content, mode)?;
        if let Err(problem) = self.apply() {
            // The server goes on with what it has read before; the file must not wait for its next start.
            match before {
                Some(before) => files::write(path, &before, mode).map(|_| ())?,
                None => files::remove(path)?,
            }
            return Err(problem);
        }
        files::write(&self.told(), Digest::of(content.as_bytes()).as_str(), 0o644).map(|_| ())
    }

    /// `nginx -s reload` only sends a signal, and workers of before may ask the old port for as long as the machine is
    /// busy: a connection that was not there at the last look counts too, also when it has ended again.
    fn in_flight(&self, port: u16) -> Result<u64, Problem> {
        let now = Connections::of(port);
        let mut last = self.seen.borrow_mut();
        let new = now.known.difference(&last.known).count() as u64;
        let count = now.established.max(new);
        *last = now;
        Ok(count)
    }

    fn looks(&self) -> u32 {
        10
    }

    fn settle(&self, port: u16) -> Result<(), Problem> {
        let same = files::read(Path::new(self.file))?.is_some_and(|text| text == self.content(port));
        if same { Ok(()) } else { self.switch(port, "") }
    }
}

/// Returns the command that tests a configuration, where the command that reloads it tells whose it is.
fn test_of(reload: &[String]) -> Option<Vec<String>> {
    let name = |word: &String| Path::new(word).file_name().is_some_and(|name| name == "nginx");
    if reload.first().is_some_and(name) {
        // `nginx -c FILE -s reload` is tested by `nginx -c FILE -t`.
        let at = reload.iter().position(|word| word == "-s")?;
        let mut test: Vec<_> = reload
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != at && *i != at + 1)
            .map(|(_, w)| w.clone())
            .collect();
        test.push("-t".into());
        return Some(test);
    }
    // `caddy reload` tests by itself, and of others it is not known.
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_of_nginx_is_tested_with_its_own_arguments() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            test_of(&words("/usr/sbin/nginx -c /x -s reload")),
            Some(words("/usr/sbin/nginx -c /x -t"))
        );
        assert_eq!(test_of(&words("nginx -s reload -p /y")), Some(words("nginx -p /y -t")));
        assert_eq!(test_of(&words("systemctl reload nginx")), None);
        assert_eq!(test_of(&words("caddy reload --config /x")), None);
    }
}
