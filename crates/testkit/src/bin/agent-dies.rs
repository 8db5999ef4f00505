//! An agent that can be ended anywhere, for tests of hosts.
//!
//! Usage: `agent-dies [DIR] agent serve | watchdog ROOT | digest`. It writes every place that it passes to `DIR/passed`,
//! and dies at the one whose number, from 0, is in `DIR/die-at`, leaving `DIR/died`; the former is removed first, so that
//! the next one lives.
//! Without a directory it lives as any other.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::Mutex;

use shipway_core::problem::Problem;
use shipway_world::agent::hooks::{Hooks, When};
use shipway_world::agent::{Setup, serve, watch};
use shipway_world::artifact::hash_file;

#[derive(Debug)]
struct Dies {
    dir: PathBuf,
    at: Option<usize>,
    passed: Mutex<usize>,
}

impl Hooks for Dies {
    fn pass(&self, when: When, place: &str) -> Result<(), Problem> {
        let mut passed = self.passed.lock().expect("nobody panics here");
        let file = File::options().append(true).create(true).open(self.dir.join("passed"));
        let _ = file.and_then(|mut file| writeln!(file, "{when:?} {place}"));
        if self.at == Some(*passed) {
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
