//! An agent that can be ended anywhere, for tests of hosts.
//!
//! Usage: `agent-dies [DIR] agent serve | watchdog ROOT | digest`. It writes every place that it passes to `DIR/passed`,
//! and dies at the one whose number, from 0, is in `DIR/die-at`, leaving `DIR/died`; the former is removed first, so that
//! the next one lives. In `DIR/die-in` is the number of a place, from 0, among those of all agents of the directory
//! together. To its clock, and to that of its watchdog, the milliseconds in `DIR/later` are added, and while there is
//! `DIR/boot`, the host counts as started anew.
//! Without a directory it lives as any other.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::Mutex;

use shipway_core::problem::Problem;
use shipway_core::time::Time;
use shipway_world::agent::clock::{Clock, RealClock};
use shipway_world::agent::hooks::{Hooks, When};
use shipway_world::agent::{Setup, serve, watch};
use shipway_world::artifact::hash_file;

#[derive(Debug)]
struct Dies {
    dir: PathBuf,
    at: Option<usize>,
    passed: Mutex<usize>,
}

impl Dies {
    /// Tells whether this is the place among those of all agents.
    fn of_all(&self) -> io::Result<bool> {
        let path = self.dir.join("die-in");
        if !path.exists() {
            return Ok(false);
        }
        let turn = File::options().append(true).create(true).open(self.dir.join("turn"))?;
        turn.lock()?;
        let left: u64 = fs::read_to_string(&path)?.trim().parse().map_err(io::Error::other)?;
        match left.checked_sub(1) {
            Some(left) => fs::write(&path, left.to_string()).map(|()| false),
            None => fs::remove_file(&path).map(|()| true),
        }
    }
}

/// The clock of this machine, moved.
#[derive(Debug)]
struct Moved(PathBuf);

impl Clock for Moved {
    fn uptime_ms(&self) -> u64 {
        let later = fs::read_to_string(self.0.join("later")).ok();
        let later: u64 = later.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        RealClock.uptime_ms() + later
    }

    fn boot(&self) -> String {
        let anew = if self.0.join("boot").exists() { "-anew" } else { "" };
        format!("{}{anew}", RealClock.boot())
    }

    fn now(&self) -> Time {
        RealClock.now()
    }
}

impl Hooks for Dies {
    fn pass(&self, when: When, place: &str) -> Result<(), Problem> {
        let mut passed = self.passed.lock().expect("nobody panics here");
        let file = File::options().append(true).create(true).open(self.dir.join("passed"));
        let _ = file.and_then(|mut file| writeln!(file, "{when:?} {place}"));
        // Another agent may have taken the last number meanwhile; then it is not this one.
        if self.at == Some(*passed) || self.of_all().unwrap_or(false) {
            let _ = File::create(self.dir.join("died"));
            // As SIGKILL does, this runs nothing on the way out.
            std::process::abort();
        }
        *passed += 1;
        Ok(())
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (dir, command) = match words.as_slice() {
        [_, "agent", command @ ..] => (None, command),
        [_, dir, "agent", command @ ..] => (Some(PathBuf::from(dir)), command),
        _ => return ExitCode::from(2),
    };
    let program = env::current_exe().expect("a process knows its program");
    let own = dir.iter().map(|dir| dir.clone().into());
    let words = ["agent", "watchdog"].map(Into::into);
    let watchdog = [program.clone().into()].into_iter().chain(own).chain(words).collect();
    let mut setup = Setup::real(watchdog);
    setup.systemd = false;
    if let Some(dir) = &dir {
        setup.clock = Arc::new(Moved(dir.clone()));
    }
    match command {
        ["serve"] => {
            if let Some(dir) = dir {
                let path = dir.join("die-at");
                let at = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
                let _ = fs::remove_file(&path);
                setup.hooks = Arc::new(Dies { dir, at, passed: Mutex::new(0) });
            }
            let served = serve(None, setup, io::stdin(), io::stdout());
            if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        ["watchdog", root] => {
            watch(root.as_ref(), setup);
            ExitCode::SUCCESS
        }
        ["digest"] => {
            let digest = hash_file(&program).expect("a process can read its program");
            // Whoever started this may be gone already.
            let _ = writeln!(io::stdout(), "{digest}");
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(2),
    }
}
