//! The control socket: one line of JSON for each question and each answer.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use shipway_core::problem::{Code, Problem};
use shipway_core::proxy::{Answer, Ask, Upstream};

use crate::hub::{self, Hub};
use crate::metrics;
use crate::store::Store;
use crate::successor::{self, Heir, Link};

/// How often a switch looks whether what it waits for has ended.
const LOOK: Duration = Duration::from_millis(5);

/// A bound control socket; its name is removed with it, unless another process has taken the name over.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl Socket {
    /// Binds the name, also where another process has it. Only the own user may ask.
    pub(crate) fn bind(path: &Path) -> Result<Self, Problem> {
        let bind = || -> io::Result<Self> {
            let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
            let new = path.with_file_name(format!(".{name}.{}", std::process::id()));
            let _ = fs::remove_file(&new);
            let listener = UnixListener::bind(&new)?;
            fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
            let inode = fs::metadata(&new)?.ino();
            fs::rename(&new, path)?;
            Ok(Self { listener, path: path.to_owned(), inode })
        };
        bind().map_err(|error| {
            let problem = Problem::new(Code::ProxyAddress, "the control socket cannot be made");
            problem.at(path.display().to_string()).found(error.to_string())
        })
    }

    /// Removes the name, if it is still that of this process.
    pub(crate) fn remove(path: &Path, inode: u64) {
        if fs::metadata(path).is_ok_and(|file| file.ino() == inode) {
            let _ = fs::remove_file(path);
        }
    }

    pub(crate) fn name(&self) -> (PathBuf, u64) {
        (self.path.clone(), self.inode)
    }
}

/// What answers on the control socket.
pub(crate) struct Control {
    pub(crate) hub: Arc<Hub>,
    pub(crate) store: Store,
    pub(crate) listener: TcpListener,
    pub(crate) link: Arc<Link>,
    pub(crate) heir: Arc<Heir>,
    /// Held by whoever changes something, so that file and memory agree; and by whoever is replacing this process.
    pub(crate) change: Mutex<()>,
}

impl Control {
    /// Answers everybody, each in a thread of its own.
    pub(crate) fn listen(self: Arc<Self>, socket: Socket) {
        thread::spawn(move || {
            for stream in socket.listener.incoming() {
                // Only a shortage of descriptors or memory comes here, and it passes.
                let Ok(stream) = stream else {
                    thread::sleep(LOOK);
                    continue;
                };
                let control = Arc::clone(&self);
                // How a conversation ends is the matter of who began it.
                thread::spawn(move || control.talk(stream).ok());
            }
        });
    }

    fn talk(&self, stream: UnixStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let asked = serde_json::from_str::<Ask>(&line);
            let ends = matches!(asked, Ok(Ask::Stop));
            let answer = match asked {
                Ok(Ask::Handover) => {
                    let changing = self.change.lock().unwrap_or_else(PoisonError::into_inner);
                    if self.hub.is_leaving() {
                        leaving()
                    } else {
                        successor::stand_back(&mut stream, &self.hub, &self.listener, &self.heir)?;
                        drop(changing);
                        successor::keep_up(&mut stream, &self.hub, &self.heir);
                        return Ok(());
                    }
                }
                Ok(ask) => self.answer(ask).unwrap_or_else(Answer::Problem),
                Err(error) => {
                    let problem = Problem::new(Code::ProxyAsked, "the question is not understood");
                    Answer::Problem(problem.found(error.to_string()))
                }
            };
            let told = serde_json::to_string(&answer)
                .map_err(io::Error::other)
                .and_then(|text| stream.get_mut().write_all(format!("{text}\n").as_bytes()));
            if ends {
                // Only now: the process may end at once, and whoever asked would hear nothing.
                self.hub.leave();
            }
            told?;
        }
    }

    fn answer(&self, ask: Ask) -> Result<Answer, Problem> {
        match ask {
            // Whoever asks for the end is told first how things stand.
            Ask::State | Ask::Handover | Ask::Stop => {}
            Ask::Switch { upstreams, drain_ms } => {
                self.switch(&upstreams, Duration::from_millis(drain_ms))?;
            }
            Ask::Pause { limit_ms } => self.hold(Some(Duration::from_millis(limit_ms)))?,
            Ask::Resume => self.hold(None)?,
            Ask::Counters => return Ok(Answer::Counters { counters: self.hub.counters() }),
            Ask::Metrics => return Ok(Answer::Metrics { text: metrics::text(&self.hub.counters()) }),
        }
        Ok(Answer::State(self.hub.state()))
    }

    fn switch(&self, upstreams: &[Upstream], drain: Duration) -> Result<(), Problem> {
        hub::check(upstreams, false)?;
        {
            let _changing = self.changing()?;
            self.store.write(upstreams)?;
            self.hub.switch(upstreams, false)?;
        }
        self.link.wait();
        let start = Instant::now();
        while start.elapsed() < drain && self.hub.state().draining() > 0 {
            thread::sleep(LOOK);
        }
        Ok(())
    }

    fn hold(&self, limit: Option<Duration>) -> Result<(), Problem> {
        {
            let _changing = self.changing()?;
            self.hub.hold(limit);
        }
        self.link.wait();
        Ok(())
    }

    fn changing(&self) -> Result<std::sync::MutexGuard<'_, ()>, Problem> {
        let changing = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        if self.hub.is_leaving() {
            return Err(Problem::new(Code::ProxyAsked, "this proxy is ending").hint("ask the one after it"));
        }
        Ok(changing)
    }
}

fn leaving() -> Answer {
    Answer::Problem(Problem::new(Code::ProxyAsked, "this proxy is ending already"))
}
