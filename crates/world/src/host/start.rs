//! Starts an agent: on this machine as a child, elsewhere through the user's ssh. An agent that is missing there is
//! brought first, and known by its digest, so that it is always this very binary.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use shipway_core::action::{Fault, Stop, Urgency};
use shipway_core::deployment::Host;
use shipway_core::problem::{Code, Problem};

use super::trouble;
use crate::agent::wire;
use crate::artifact::hash_file;

/// What a host prints that does not have the agent.
const WANT: &[u8] = b"\nSHIPWAY-WANT\n";
/// What it prints when it has got it.
const HAS: &[u8] = b"\nSHIPWAY-HAS\n";

/// How long it may take until the other side says anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take to bring the agent.
const BRINGING: Duration = Duration::from_mins(10);
/// How often the switch is looked at.
const TICK: Duration = Duration::from_millis(50);
/// How much of what ssh writes beside is kept.
const KEPT: usize = 64 << 10;

/// How ssh is called: it never asks, it sees a dead host within 15 seconds, and it forwards nothing.
const OPTIONS: [&str; 6] = [
    "BatchMode=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
];

/// The binary that becomes the agent.
#[derive(Debug)]
pub struct AgentBinary {
    path: PathBuf,
    digest: Mutex<Option<String>>,
}

impl AgentBinary {
    /// Returns the binary at a path; it must run on the hosts.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), digest: Mutex::default() }
    }

    /// Returns the binary that is running.
    pub fn current() -> io::Result<Self> {
        std::env::current_exe().map(Self::new)
    }

    /// Returns the digest, which is worked out once for all hosts.
    fn digest(&self) -> io::Result<String> {
        let mut known = self.digest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = &*known {
            return Ok(digest.clone());
        }
        let digest = hash_file(&self.path)?;
        Ok(known.insert(digest).clone())
    }
}

/// An agent that has greeted, and what ssh wrote meanwhile.
pub(super) struct Started {
    pub(super) child: Child,
    pub(super) input: ChildStdin,
    pub(super) output: ChildStdout,
    pub(super) words: Words,
}

/// What a child writes to its standard error; only the end is kept.
#[derive(Clone, Default)]
pub(super) struct Words(Arc<Mutex<String>>);

impl Words {
    pub(super) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hear(&self, mut from: impl Read + Send + 'static) -> Receiver<()> {
        let (words, (done, ended)) = (self.clone(), channel());
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                let mut text = words.0.lock().unwrap_or_else(PoisonError::into_inner);
                text.push_str(&String::from_utf8_lossy(&buffer[..read]));
                if text.len() > KEPT {
                    let cut = text.ceil_char_boundary(text.len() - KEPT / 2);
                    text.drain(..cut);
                }
            }
            drop(done);
        });
        ended
    }
}

/// Starts the agent of a host.
pub(super) fn start(host: &Host, agent: &AgentBinary, stop: &Stop) -> Result<Started, Fault> {
    let own = |error: io::Error| {
        let what = format!("the agent {} cannot be read: {error}", agent.path.display());
        Fault::clean(Problem::new(Code::AgentUnusable, what))
    };
    let digest = agent.digest().map_err(own)?;
    if host.is_local() {
        let mut command = Command::new(&agent.path);
        command.args(["agent", "serve"]).current_dir("/");
        let first = open(host, command, &[wire::GREETING], stop)?;
        return Ok(first.1);
    }
    let (mark, started) = open(host, ssh(host, &digest), &[wire::GREETING, WANT], stop)?;
    if mark == 0 {
        return Ok(started);
    }
    bring(host, agent, started, stop)?;
    let (mark, started) = open(host, ssh(host, &digest), &[wire::GREETING, WANT], stop)?;
    if mark == 0 {
        return Ok(started);
    }
    Err(Fault::clean(Problem::new(Code::AgentUnusable, format!("{} does not keep the agent", host.name))))
}

/// Returns the command that starts the agent, or says that it is missing and then takes it. Nothing in it is the
/// user's but the address, which stands alone.
fn ssh(host: &Host, digest: &str) -> Command {
    let script = format!(
        r#"d="$HOME/.local/share/shipway/agent"; a="$d/{digest}"; test -x "$a" && exec "$a" agent serve; \
        printf "\nSHIPWAY-WANT\n"; umask 077; t="$d/.new.$$"; \
        mkdir -p "$d" && cat >"$t" && chmod 755 "$t" && x=$("$t" agent digest) && test "$x" = {digest} && \
        mv -f "$t" "$a" && printf "\nSHIPWAY-HAS\n" && exit 0; \
        rm -f "$t"; echo "this is $(uname -sm)" >&2; exit 1"#
    );
    let (program, args) = host.ssh.split_first().map_or(("ssh", &[][..]), |(first, rest)| (first, rest));
    let mut command = Command::new(program);
    command.args(args).arg("-T");
    for option in OPTIONS {
        command.args(["-o", option]);
    }
    command.arg("--").arg(&host.address).arg(format!("sh -c '{script}'"));
    command
}

/// Starts a command and waits for one of some marks; returns which one came.
fn open(
    host: &Host,
    mut command: Command,
    marks: &'static [&'static [u8]],
    stop: &Stop,
) -> Result<(usize, Started), Fault> {
    // A Ctrl-C at the terminal is for shipway, which then ends its connections in order.
    command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        let program = command.get_program().to_string_lossy().into_owned();
        let what = format!("`{program}` cannot be started: {error}");
        let code = if host.is_local() { Code::AgentUnusable } else { Code::HostUnreachable };
        Fault::clean(Problem::new(code, what).hint(format!("is it installed? command -v {program}")))
    })?;
    let words = Words::default();
    let heard = child.stderr.take().map(|err| words.hear(err));
    let input = child.stdin.take().expect("the input is a pipe");
    let mut output = child.stdout.take().expect("the output is a pipe");
    let (tell, told) = channel();
    thread::spawn(move || {
        let mark = wire::skip_to(&mut output, marks);
        // Nobody listens any more when it took too long.
        let _ = tell.send((mark, output));
    });
    let deadline = Instant::now() + PATIENCE;
    match wait(&told, deadline, stop) {
        Waited::Came((Ok(mark), output)) => Ok((mark, Started { child, input, output, words })),
        Waited::Came((Err(noise), _)) => {
            drop(input);
            let code = end_now(&mut child);
            // Its last words come after its end.
            if let Some(heard) = heard {
                let _ = heard.recv_timeout(Duration::from_secs(1));
            }
            let all = format!("{noise}\n{}", words.text());
            Err(trouble::of_start(host, code, all.trim()))
        }
        Waited::Late => {
            let _ = child.kill();
            end_now(&mut child);
            Err(trouble::of_start(host, Some(255), &format!("{}\nConnection timed out", words.text())))
        }
        Waited::Stopped => {
            let _ = child.kill();
            end_now(&mut child);
            Err(stopped(host))
        }
    }
}

/// Brings the agent over a connection whose other side waits for it.
fn bring(host: &Host, agent: &AgentBinary, started: Started, stop: &Stop) -> Result<(), Fault> {
    let Started { mut child, mut input, mut output, words } = started;
    let file = File::open(&agent.path);
    let (tell, told) = channel();
    thread::spawn(move || {
        let sent = file.and_then(|mut file| io::copy(&mut file, &mut input));
        // The end of the input is the end of the file.
        drop(input);
        let kept = sent.map_err(|error| error.to_string()).and_then(|_| wire::skip_to(&mut output, &[HAS]));
        let _ = tell.send(kept);
    });
    match wait(&told, Instant::now() + BRINGING, stop) {
        Waited::Came(Ok(_)) => {
            end_now(&mut child);
            Ok(())
        }
        Waited::Came(Err(_)) => {
            end_now(&mut child);
            thread::sleep(TICK);
            let what = format!("the agent cannot be brought to {}, or does not run there", host.name);
            let problem =
                Problem::new(Code::AgentUnusable, what).details(words.text().lines().map(str::to_owned));
            let here = rustix::system::uname();
            let here = format!("{} {}", here.sysname().to_string_lossy(), here.machine().to_string_lossy());
            Err(Fault::clean(
                problem.wanted(here).hint(format!("{} uname -sm", shipway_core::preflight::reach(host, &[]))),
            ))
        }
        Waited::Late => {
            let _ = child.kill();
            end_now(&mut child);
            Err(trouble::lost(host, "it took too long to bring the agent", false))
        }
        Waited::Stopped => {
            let _ = child.kill();
            end_now(&mut child);
            Err(stopped(host))
        }
    }
}

/// What came of waiting.
pub(super) enum Waited<T> {
    Came(T),
    Late,
    Stopped,
}

/// Waits for an answer until a deadline, or until a stop is asked for. A sender that is gone counts as late.
pub(super) fn wait<T>(answer: &Receiver<T>, deadline: Instant, stop: &Stop) -> Waited<T> {
    loop {
        match answer.recv_timeout(TICK) {
            Ok(answer) => return Waited::Came(answer),
            Err(RecvTimeoutError::Disconnected) => return Waited::Late,
            Err(RecvTimeoutError::Timeout) if stop.urgency() == Urgency::Now => return Waited::Stopped,
            Err(RecvTimeoutError::Timeout) if Instant::now() >= deadline => return Waited::Late,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Waits a while for the end of a child; returns its code.
pub(super) fn end(child: &mut Child, patience: Duration) -> Option<i32> {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(Some(status)) => return status.code(),
            Ok(None) => thread::sleep(Duration::from_millis(2)),
            Err(_) => return None,
        }
    }
    None
}

/// Ends a child that has nothing more to do; returns its code.
fn end_now(child: &mut Child) -> Option<i32> {
    end(child, Duration::from_secs(5)).or_else(|| {
        let _ = child.kill();
        child.wait().ok()?.code()
    })
}

fn stopped(host: &Host) -> Fault {
    let what = format!("a stop was asked for before {} was connected", host.name);
    Fault::clean(Problem::new(Code::Stopped, what))
}
