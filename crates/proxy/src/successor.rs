//! One proxy takes over from another: the listening socket is passed on, so no connection is refused in between.
//!
//! The new process asks on the control socket, gets the listening socket (`unix(7)`, `SCM_RIGHTS`), and says that it is
//! ready. From then on the old one takes no new connection, and ends when those it has have ended. As long as it lives,
//! the new one tells it who gets traffic and learns what it still has in flight and has counted, so that a switch is one
//! for both and no count begins anew.

use std::io::{self, BufRead, BufReader, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use shipway_core::problem::{Code, Problem};
use shipway_core::proxy::{Answer, Ask, Counters, InFlight, State, Upstream};

use crate::hub::Hub;

/// How long one of the two may take to answer the other.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the new one asks the old one.
const ROUND: Duration = Duration::from_millis(25);

/// What the new process says, again and again; the first time it means that it is ready.
#[derive(Serialize, Deserialize)]
struct Word {
    upstreams: Vec<Upstream>,
    paused_ms: Option<u64>,
}

/// What the old process says to each.
#[derive(Serialize, Deserialize)]
struct Echo {
    in_flight: Vec<InFlight>,
    /// All that it counted; nothing from a process of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counters: Option<Vec<Counters>>,
}

/// The process before this one.
pub(crate) struct Predecessor {
    stream: BufReader<UnixStream>,
    pub(crate) listener: TcpListener,
    pub(crate) state: State,
}

impl Predecessor {
    /// Asks a running proxy for its listening socket; there is none where nobody answers.
    pub(crate) fn find(control: &Path) -> Result<Option<Self>, Problem> {
        use io::ErrorKind::{ConnectionRefused, NotFound};
        let failed = |found: String| {
            let what = "the running proxy does not pass its socket on";
            Problem::new(Code::ProxyHandover, what).at(control.display().to_string()).found(found)
        };
        let stream = match UnixStream::connect(control) {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), ConnectionRefused | NotFound) => return Ok(None),
            Err(error) => return Err(failed(error.to_string())),
        };
        let (stream, answer, passed) = ask(stream).map_err(|error| failed(error.to_string()))?;
        match (answer, passed) {
            (Answer::State(state), Some(passed)) => {
                Ok(Some(Self { stream, listener: TcpListener::from(passed), state }))
            }
            (Answer::Problem(problem), _) => Err(failed(problem.what)),
            (other, _) => Err(failed(format!("{other:?}"))),
        }
    }

    /// Says that this process is ready, and stays in touch until the other is gone.
    pub(crate) fn follow(self, hub: Arc<Hub>, link: Arc<Link>) -> Result<(), Problem> {
        let mut stream = self.stream;
        tell(&mut stream, &hub).map_err(|error| {
            Problem::new(Code::ProxyHandover, "the running proxy does not stand back")
                .found(error.to_string())
        })?;
        link.begin();
        thread::spawn(move || {
            loop {
                let round = link.asked.load(SeqCst);
                if tell(&mut stream, &hub).is_err() {
                    break;
                }
                link.done(Some(round));
                thread::sleep(ROUND);
            }
            hub.alone();
            link.done(None);
        });
        Ok(())
    }
}

fn ask(stream: UnixStream) -> io::Result<(BufReader<UnixStream>, Answer, Option<OwnedFd>)> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let question = serde_json::to_string(&Ask::Handover).map_err(io::Error::other)?;
    (&stream).write_all(format!("{question}\n").as_bytes())?;
    // The descriptor comes with the first byte; the rest is read as usual.
    let mut byte = [0_u8];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(&stream, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    if got.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let passed = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut passed) => passed.next(),
        _ => None,
    });
    let mut stream = BufReader::new(stream);
    let mut line = vec![byte[0]];
    stream.read_until(b'\n', &mut line)?;
    Ok((stream, serde_json::from_slice(&line).map_err(io::Error::other)?, passed))
}

/// Tells the old process how it is now, and hears what it has in flight and has counted.
fn tell(stream: &mut BufReader<UnixStream>, hub: &Hub) -> io::Result<()> {
    let State { upstreams, paused_ms, .. } = hub.state();
    let word = serde_json::to_string(&Word { upstreams, paused_ms }).map_err(io::Error::other)?;
    stream.get_mut().write_all(format!("{word}\n").as_bytes())?;
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let Echo { in_flight, counters } = serde_json::from_str(&line).map_err(io::Error::other)?;
    hub.hear(in_flight, counters);
    Ok(())
}

/// Rounds of telling: who changed something waits for one that began after it.
#[derive(Default)]
pub(crate) struct Link {
    asked: AtomicU64,
    /// The newest round that has ended; nothing while there is no process to tell.
    ended: Mutex<Option<u64>>,
    wake: Condvar,
}

impl Link {
    fn begin(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(0);
    }

    fn done(&self, round: Option<u64>) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = round;
        self.wake.notify_all();
    }

    /// Waits until the old process, if there is one, does as this one does.
    pub(crate) fn wait(&self) {
        let round = self.asked.fetch_add(1, SeqCst) + 1;
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = |ended: &mut Option<u64>| ended.is_some_and(|ended| ended < round);
        drop(self.wake.wait_timeout_while(ended, PATIENCE, behind));
    }
}

/// Passes the listening socket on, and stands back once the other says that it is ready. Returns an error, and goes on
/// as before, when it never says so.
pub(crate) fn stand_back(
    stream: &mut BufReader<UnixStream>,
    hub: &Hub,
    listener: &TcpListener,
    heir: &Heir,
) -> io::Result<()> {
    let answer = serde_json::to_string(&Answer::State(hub.state())).map_err(io::Error::other)? + "\n";
    let passed = [listener.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&passed));
    let sent =
        sendmsg(stream.get_ref(), &[IoSlice::new(answer.as_bytes())], &mut control, SendFlags::NOSIGNAL)?;
    stream.get_mut().write_all(&answer.as_bytes()[sent..])?;
    stream.get_ref().set_read_timeout(Some(PATIENCE))?;
    follow(stream, hub)?;
    // Before the end is near, so that it waits for what the new one has yet to be told.
    heir.tell(Some(0));
    hub.leave();
    Ok(())
}

/// Does as the new process says until one of the two is gone; this one ends by itself.
pub(crate) fn keep_up(stream: &mut BufReader<UnixStream>, hub: &Hub, heir: &Heir) {
    let mut echoes = 0;
    while follow(stream, hub).is_ok() {
        echoes += 1;
        heir.tell(Some(echoes));
    }
    heir.tell(None);
}

/// What the new process has been told, for an end that takes no count with it.
#[derive(Default)]
pub(crate) struct Heir {
    /// How often; nothing while there is no new process.
    echoes: Mutex<Option<u64>>,
    wake: Condvar,
}

impl Heir {
    fn tell(&self, echoes: Option<u64>) {
        *self.echoes.lock().unwrap_or_else(PoisonError::into_inner) = echoes;
        self.wake.notify_all();
    }

    /// Waits until the new process, if there is one, knows all that was counted so far.
    pub(crate) fn wait(&self) {
        let echoes = self.echoes.lock().unwrap_or_else(PoisonError::into_inner);
        // The one that is under way may have been read off too early; the one after it was not.
        let Some(enough) = echoes.map(|echoes| echoes + 2) else { return };
        let behind = |echoes: &mut Option<u64>| echoes.is_some_and(|echoes| echoes < enough);
        drop(self.wake.wait_timeout_while(echoes, PATIENCE, behind));
    }
}

/// Hears the new process once, does as it says, and tells it what is in flight here.
fn follow(stream: &mut BufReader<UnixStream>, hub: &Hub) -> io::Result<()> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let word: Word = serde_json::from_str(&line).map_err(io::Error::other)?;
    let now = hub.state();
    if now.upstreams != word.upstreams {
        hub.switch(&word.upstreams, true).map_err(io::Error::other)?;
    }
    if now.paused_ms != word.paused_ms {
        hub.hold(word.paused_ms.map(Duration::from_millis));
    }
    let echo = Echo { in_flight: hub.in_flight(), counters: Some(hub.counters()) };
    let echo = serde_json::to_string(&echo).map_err(io::Error::other)?;
    stream.get_mut().write_all(format!("{echo}\n").as_bytes())
}
