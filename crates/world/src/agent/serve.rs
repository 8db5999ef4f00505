//! The life of an agent: one connection, requests in, answers out.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use shipway_core::action::Fault;
use shipway_core::problem::{Code, Problem};

use super::act::{Session, act};
use super::hooks::When;
use super::protocol::{Call, Hello, Look, PROTOCOL, Reply, Request, Response, State, Welcome};
use super::root::Root;
use super::setup::{Agent, Setup};
use super::{lease, look as looking, watchdog, wire};

pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How often an agent says that it is alive.
const BEAT: Duration = Duration::from_secs(2);
/// How many requests may wait; the rest waits in the pipe, and so with the client.
const WAITING: usize = 4;

type Out = Arc<Mutex<Box<dyn Write + Send>>>;

/// Serves one client until it goes. A directory that is given here is not the client's to choose.
///
/// What a client began is brought to its end when the client goes: a switch is never left half done for that.
pub fn serve(
    dir: Option<&Path>,
    setup: Setup,
    mut from: impl Read + Send + 'static,
    mut out: impl Write + Send + 'static,
) -> Result<(), Problem> {
    let lost = |error: io::Error| Problem::new(Code::HostLost, format!("the client is gone: {error}"));
    out.write_all(wire::GREETING).and_then(|()| out.flush()).map_err(lost)?;
    let Some((hello, _)) = wire::read::<Hello>(&mut from).map_err(lost)? else { return Ok(()) };
    let root = dir.map_or_else(|| home().join(&hello.root), Path::to_owned);
    let welcome = Welcome { protocol: PROTOCOL, version: VERSION.into(), root: root.display().to_string() };
    wire::write(&mut out, &welcome, b"").map_err(lost)?;
    if hello.protocol != PROTOCOL {
        return Err(Problem::new(Code::AgentUnusable, "the client speaks another protocol"));
    }
    let out: Out = Arc::new(Mutex::new(Box::new(out)));
    let mut agent = Agent::new(Root::new(root), setup);
    let current = Arc::new(Mutex::new(0_u64));
    agent.say = {
        let (out, current) = (Arc::clone(&out), Arc::clone(&current));
        Box::new(move |line: &str| {
            let id = *current.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = send(&out, &Reply::Say(id, line.to_owned()));
        })
    };
    let agent = Arc::new(agent);
    // A host whose watchdog died with it is put right before anything else; what fails is said when it is asked.
    let _ = watchdog::settle(&agent);
    let _ = revive(&agent);
    let (calls, waiting) = sync_channel(WAITING);
    let alive = beat(&out);
    read_on(Arc::clone(&agent), from, Arc::clone(&out), calls);
    let ended = work(&agent, &out, &current, &waiting);
    drop(alive);
    // The reader may still wait for the client, which is to see the end now.
    *out.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(io::sink());
    ended
}

fn revive(agent: &Agent) -> Result<(), Problem> {
    // A directory that is not there yet is not made by a look.
    if !agent.root.dir.join("watchdog.json").exists() {
        return Ok(());
    }
    let _brief = agent.root.lock_lease()?;
    watchdog::revive(agent)
}

/// Looks at a directory without a client.
pub fn look(dir: &Path, setup: Setup, what: Look) -> Result<State, Problem> {
    looking::look(&Agent::new(Root::new(dir), setup), what)
}

fn home() -> PathBuf {
    std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"))
}

/// Carries out requests in their order.
fn work(
    agent: &Agent,
    out: &Out,
    current: &Mutex<u64>,
    waiting: &Receiver<(Call, Vec<u8>)>,
) -> Result<(), Problem> {
    let mut session = Session::default();
    for (call, body) in waiting {
        let (id, word) = (call.id, call.request.word());
        *current.lock().unwrap_or_else(PoisonError::into_inner) = id;
        agent.setup.hooks.pass(When::Before, &format!("do {word}"))?;
        let answer = act(agent, &mut session, call, &body);
        agent.setup.hooks.pass(When::After, &format!("do {word}"))?;
        let Some(answer) = answer else { continue };
        if let Err(Fault { problem, .. }) = &answer
            && problem.code == Code::Stopped
        {
            // A hook has ended it, as a crash would.
            return Err(problem.clone());
        }
        answer_to(agent, out, id, answer, word)?;
    }
    Ok(())
}

fn answer_to(
    agent: &Agent,
    out: &Out,
    id: u64,
    answer: Result<Response, Fault>,
    word: &str,
) -> Result<(), Problem> {
    agent.setup.hooks.pass(When::Before, &format!("answer {word}"))?;
    // A client that is gone does not hear it; the next one looks.
    let _ = send(out, &Reply::Done(id, answer));
    agent.setup.hooks.pass(When::After, &format!("answer {word}"))
}

/// Reads requests. Pings are answered here, since they must not wait for what takes long.
fn read_on(
    agent: Arc<Agent>,
    mut from: impl Read + Send + 'static,
    out: Out,
    calls: SyncSender<(Call, Vec<u8>)>,
) {
    thread::spawn(move || {
        // What cannot be understood ends the connection, as its end does.
        while let Ok(Some((call, body))) = wire::read::<Call>(&mut from) {
            if call.request == Request::Ping {
                let answer = match (&call.run, call.fence) {
                    (Some(run), Some(fence)) => lease::renew(&agent, run, fence),
                    (Some(_) | None, _) => Ok(()),
                };
                let answer = answer.map(|()| Response::Done(true)).map_err(Fault::clean);
                let _ = send(&out, &Reply::Done(call.id, answer));
            } else if calls.send((call, body)).is_err() {
                return;
            }
        }
    });
}

/// Says that the agent is alive, until what is returned is dropped.
fn beat(out: &Out) -> impl Drop + use<> {
    struct Alive(Arc<AtomicBool>, std::sync::mpsc::Sender<()>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.store(false, Ordering::SeqCst);
            let _ = self.1.send(());
        }
    }
    let (end, ended) = channel();
    let alive = Arc::new(AtomicBool::new(true));
    let (out, goes_on) = (Arc::clone(out), Arc::clone(&alive));
    thread::spawn(move || {
        while goes_on.load(Ordering::SeqCst)
            && ended.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout)
            && send(&out, &Reply::Beat).is_ok()
        {}
    });
    Alive(alive, end)
}

fn send(out: &Out, reply: &Reply) -> io::Result<()> {
    wire::write(&mut *out.lock().unwrap_or_else(PoisonError::into_inner), reply, b"")
}
