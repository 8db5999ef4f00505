//! Watches over one child: moves its streams, and ends it when its time is over.

use std::io::{self, ErrorKind, PipeReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use shipway_core::action::{Ended, Stop, Urgency};

use super::feed::Feed;
use super::group::Group;
use super::keep::Kept;
use super::log::Stream;

/// How often the switch is looked at.
const TICK: Duration = Duration::from_millis(50);

/// How long children that were asked to end may take.
const GRACE: Duration = Duration::from_secs(2);

/// How long the streams may stay open when the child itself is dead.
const LINGER: Duration = Duration::from_secs(1);

/// How long a killed child may take to die; one that hangs in the kernel takes longer.
const GIVE_UP: Duration = Duration::from_secs(10);

/// What can end a child before it ends by itself, and how.
#[derive(Clone, Copy)]
pub(super) struct Ending<'a> {
    pub(super) stop: &'a Stop,
    pub(super) deadline: Option<Instant>,
    pub(super) group: Option<&'a Group>,
}

#[derive(Clone, Copy)]
enum Phase {
    /// The child runs.
    Running,
    /// It has ended by itself, but somebody keeps its streams open.
    Lingering(Instant),
    /// It was asked to end.
    Asked(Ended, Instant),
    /// It was killed.
    Killed(Ended, Instant),
    /// There is nothing to wait for.
    Over(Option<Ended>),
}

/// One child and its streams.
pub(super) struct Watch<'a> {
    child: Child,
    pid: Pid,
    ending: Ending<'a>,
    phase: Phase,
    /// Closed by the other side when the child is dead.
    alive: Option<PipeReader>,
    input: Option<ChildStdin>,
    to_write: &'a [u8],
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
}

/// Which pipes will not make the next read or write wait, in the order of [`Watch::pipes`].
type Ready = [bool; 4];

impl<'a> Watch<'a> {
    /// Starts to watch a child that is to read `input`.
    pub(super) fn new(mut child: Child, input: &'a [u8], ending: Ending<'a>) -> io::Result<Self> {
        let pid = Pid::from_child(&child);
        let stdin = child.stdin.take();
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let mut watch = Self {
            child,
            pid,
            ending,
            phase: Phase::Running,
            alive: None,
            input: None,
            to_write: input,
            out,
            err,
        };
        // From here on an error kills the child.
        watch.alive = Some(watch_death(pid)?);
        if let Some(stdin) = stdin {
            fcntl_setfl(&stdin, OFlags::NONBLOCK)?;
            watch.input = Some(stdin).filter(|_| !input.is_empty());
        }
        Ok(watch)
    }

    /// Returns how the child ended and what it wrote.
    pub(super) fn run(
        &mut self,
        mut kept: [Kept; 2],
        mut feed: Option<Feed>,
    ) -> io::Result<(Ended, [Kept; 2])> {
        let mut buffer = vec![0; 64 * 1024];
        let ended = loop {
            if let Phase::Over(killed) = self.phase {
                break self.ended(killed)?;
            }
            let Some([death, input, out, err]) = self.wait()? else {
                if let Some(feed) = &mut feed {
                    feed.pause();
                }
                self.advance();
                continue;
            };
            if input {
                self.write();
            }
            let mut take = |from: Stream, bytes: &[u8]| {
                kept[usize::from(from == Stream::Err)].push(bytes);
                if let Some(feed) = &mut feed {
                    feed.push(from, bytes);
                }
            };
            if out {
                read(&mut self.out, &mut buffer, |bytes| take(Stream::Out, bytes));
            }
            if err {
                read(&mut self.err, &mut buffer, |bytes| take(Stream::Err, bytes));
            }
            if death {
                self.alive = None;
            }
            self.advance();
        };
        if let Some(feed) = feed {
            feed.end();
        }
        Ok((ended, kept))
    }

    /// Waits until something is ready, or returns nothing when it is time to look at the clock.
    fn wait(&self) -> io::Result<Option<Ready>> {
        let pipes = self.pipes();
        let mut fds: Vec<_> =
            pipes.iter().flatten().map(|(fd, events)| PollFd::from_borrowed_fd(*fd, *events)).collect();
        let time = Timespec::try_from(self.time_to_next_look()).expect("a tick is short");
        match poll(&mut fds, Some(&time)) {
            Ok(0) | Err(Errno::INTR) => return Ok(None),
            Ok(_) => (),
            Err(error) => return Err(error.into()),
        }
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        Ok(Some(pipes.map(|pipe| pipe.is_some() && ready.next().unwrap_or_default())))
    }

    /// Returns the pipes that are open: death, input, output, errors.
    fn pipes(&self) -> [Option<(BorrowedFd<'_>, PollFlags)>; 4] {
        [
            self.alive.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::IN)),
            self.input.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::OUT)),
            self.out.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::IN)),
            self.err.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::IN)),
        ]
    }

    fn time_to_next_look(&self) -> Duration {
        let next = match self.phase {
            Phase::Running => self.ending.deadline,
            Phase::Lingering(until) | Phase::Asked(_, until) | Phase::Killed(_, until) => Some(until),
            Phase::Over(_) => None,
        };
        next.map_or(TICK, |next| next.saturating_duration_since(Instant::now()).min(TICK))
    }

    /// Goes to the next phase where it is time.
    fn advance(&mut self) {
        let now = Instant::now();
        let dead = self.alive.is_none();
        let quiet = dead && self.out.is_none() && self.err.is_none();
        self.phase = match self.phase {
            Phase::Running if quiet => Phase::Over(None),
            Phase::Running if dead => Phase::Lingering(now + LINGER),
            Phase::Running => self.running(now),
            Phase::Lingering(until) => self.lingering(until, quiet || now >= until),
            Phase::Asked(ended, until) if quiet || now >= until => {
                self.kill();
                Phase::Killed(ended, now + GIVE_UP)
            }
            Phase::Killed(ended, until) if quiet || now >= until => Phase::Over(Some(ended)),
            // Somebody who is out of reach has the streams.
            Phase::Killed(ended, until) if dead && until > now + LINGER => Phase::Killed(ended, now + LINGER),
            Phase::Asked(..) | Phase::Killed(..) | Phase::Over(_) => self.phase,
        };
    }

    fn running(&self, now: Instant) -> Phase {
        let ended = if self.ending.stop.urgency() == Urgency::Now {
            Ended::Stopped
        } else if self.ending.deadline.is_some_and(|deadline| now >= deadline) {
            Ended::TimedOut
        } else {
            return Phase::Running;
        };
        let _ = kill_process_group(self.pid, Signal::TERM);
        // A child that is stopped, such as by reading from the terminal, must wake up to hear it.
        let _ = kill_process_group(self.pid, Signal::CONT);
        Phase::Asked(ended, now + GRACE)
    }

    fn lingering(&self, until: Instant, over: bool) -> Phase {
        let stopped = self.ending.stop.urgency() == Urgency::Now;
        if stopped && let Some(group) = self.ending.group {
            group.kill();
        }
        if over || stopped { Phase::Over(None) } else { Phase::Lingering(until) }
    }

    /// Kills the process group and, where there is one, the control group.
    fn kill(&self) {
        // The child is not reaped yet, even if it is dead, so its number cannot belong to somebody else.
        let _ = kill_process_group(self.pid, Signal::KILL);
        if let Some(group) = self.ending.group {
            group.kill();
        }
    }

    fn ended(&mut self, killed: Option<Ended>) -> io::Result<Ended> {
        if self.alive.is_none() {
            let status = self.child.wait()?;
            return Ok(killed.unwrap_or_else(|| by_itself(status)));
        }
        Ok(killed.expect("a child that was not killed is waited for"))
    }

    fn write(&mut self) {
        let Some(input) = &mut self.input else { return };
        match input.write(self.to_write) {
            Ok(written) => self.to_write = &self.to_write[written..],
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return,
            // The child reads no more; what it says about that is in its output.
            Err(_) => self.to_write = &[],
        }
        if self.to_write.is_empty() {
            self.input = None;
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !matches!(self.phase, Phase::Over(_)) {
            self.kill();
            let _ = self.child.wait();
        }
    }
}

fn by_itself(status: ExitStatus) -> Ended {
    status.code().map_or_else(|| Ended::Signal(status.signal().unwrap_or_default()), Ended::Exit)
}

/// Returns a pipe that closes when the child is dead; the child stays to be reaped.
fn watch_death(pid: Pid) -> io::Result<PipeReader> {
    let (reader, writer) = io::pipe()?;
    let wait = move || {
        let dead = || waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        while matches!(dead(), Err(Errno::INTR)) {}
        drop(writer);
    };
    thread::Builder::new().name("wait".into()).stack_size(64 * 1024).spawn(wait)?;
    Ok(reader)
}

/// Reads once and closes the stream at its end.
fn read(stream: &mut Option<impl Read>, buffer: &mut [u8], take: impl FnOnce(&[u8])) {
    let Some(open) = stream else { return };
    match open.read(buffer) {
        Ok(count) if count > 0 => take(&buffer[..count]),
        Err(error) if error.kind() == ErrorKind::Interrupted => (),
        Ok(_) | Err(_) => *stream = None,
    }
}
