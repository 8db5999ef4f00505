//! The life of the process: get the listening socket, take connections, and end when the last one has.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use shipway_core::problem::{Code, Problem};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{interval, sleep};

use crate::control::{Control, Socket};
use crate::forward;
use crate::hub::{Connected, Hub};
use crate::lengths::{Length, Watched};
use crate::store::Store;
use crate::successor::{Heir, Link, Predecessor};

/// How long a client may be silent, or take for the head of a request.
const CLIENT: Duration = Duration::from_secs(75);
/// How often what is over is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// How a proxy is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// The control socket. Whoever answers there already is replaced.
    pub control: PathBuf,
    /// The file that remembers who gets traffic.
    pub state: PathBuf,
    /// How many threads; as many as there are cores if left out.
    pub threads: Option<usize>,
    /// How long a silent connection is kept by a process that is ending: its next request is still answered.
    pub parting: Duration,
}

/// Runs a proxy until it is stopped or replaced, and what it has begun has ended.
///
/// It takes the socket of a running proxy over, else one that was passed to it by whoever started it, else it makes one.
pub fn serve(options: &Options, passed: Option<TcpListener>) -> Result<(), Problem> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = options.threads {
        runtime.worker_threads(threads);
    }
    let runtime =
        runtime.enable_io().enable_time().build().map_err(|error| cannot(options, &error.to_string()))?;
    let before = Predecessor::find(&options.control)?;
    let listener = match (&before, passed) {
        (Some(before), _) => taken_over(options, before)?,
        (None, Some(passed)) => as_asked(options, passed)?,
        (None, None) => {
            TcpListener::bind(options.listen).map_err(|error| cannot(options, &error.to_string()))?
        }
    };
    let address = listener.local_addr().map_err(|error| cannot(options, &error.to_string()))?;
    let store = Store::new(&options.state);
    let upstreams = store.read()?;
    let held = before.as_ref().and_then(|before| before.state.paused_ms).map(Duration::from_millis);
    let hub = Arc::new(Hub::new(address, &upstreams, held)?);
    let link = Arc::new(Link::default());
    let own = listener.try_clone().and_then(|own| own.set_nonblocking(true).map(|()| own));
    let own = own.map_err(|error| cannot(options, &error.to_string()))?;
    let socket = Socket::bind(&options.control)?;
    let (path, inode) = socket.name();
    if let Some(before) = before {
        before.follow(Arc::clone(&hub), Arc::clone(&link))?;
    }
    let (heir, change) = (Arc::<Heir>::default(), Mutex::default());
    let control = Control { hub: Arc::clone(&hub), store, listener, link, heir: Arc::clone(&heir), change };
    Arc::new(control).listen(socket);
    runtime.block_on(run(own, hub, options.parting)).map_err(|error| cannot(options, &error.to_string()))?;
    heir.wait();
    Socket::remove(&path, inode);
    Ok(())
}

/// Returns the socket that was passed, if it is where it was said to be.
fn as_asked(options: &Options, passed: TcpListener) -> Result<TcpListener, Problem> {
    let found = passed.local_addr().map_err(|error| cannot(options, &error.to_string()))?;
    let asked = found == options.listen || options.listen.port() == 0;
    asked
        .then_some(passed)
        .ok_or_else(|| cannot(options, &format!("the socket that was passed is at {found}")))
}

fn taken_over(options: &Options, before: &Predecessor) -> Result<TcpListener, Problem> {
    let found = before.listener.local_addr().map_err(|error| cannot(options, &error.to_string()))?;
    if found != options.listen && options.listen.port() != 0 {
        let problem = Problem::new(Code::ProxyHandover, "the running proxy listens at another address");
        let problem = problem.at(options.control.display().to_string());
        return Err(problem.found(found.to_string()).wanted(options.listen.to_string()));
    }
    before.listener.try_clone().map_err(|error| cannot(options, &error.to_string()))
}

fn cannot(options: &Options, found: &str) -> Problem {
    Problem::new(Code::ProxyAddress, format!("the proxy cannot listen at {}", options.listen)).found(found)
}

async fn run(listener: TcpListener, hub: Arc<Hub>, parting: Duration) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut asked = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut leaving = hub.leaving();
    let mut sweep = interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    tokio::spawn(connection(Connected::new(&hub), stream, peer, parting));
                }
                // A client that is gone again, or a shortage that passes.
                Err(_) => sleep(LOOK).await,
            },
            _ = sweep.tick() => hub.sweep(),
            _ = asked.recv() => hub.leave(),
            _ = interrupted.recv() => hub.leave(),
            _ = leaving.wait_for(|leaving| *leaving) => break,
        }
    }
    drop(listener);
    while !hub.is_empty() {
        sleep(LOOK).await;
    }
    Ok(())
}

/// Answers the requests of one client.
async fn connection(connected: Connected, stream: TcpStream, peer: SocketAddr, parting: Duration) {
    let hub = connected.hub();
    // Without this, small writes wait for each other; it is no loss where it cannot be had.
    let _ = stream.set_nodelay(true);
    let mut leaving = hub.leaving();
    let length = Length::default();
    let stream = Watched::new(stream, length.clone());
    let service = service_fn(|request: Request<Incoming>| {
        let hub = Arc::clone(hub);
        let twice = length.take() && request.headers().contains_key(header::TRANSFER_ENCODING);
        async move {
            let answer =
                if twice { forward::two_lengths() } else { forward::answer(hub, peer, request).await };
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(CLIENT);
    let mut connection =
        std::pin::pin!(server.serve_connection(TokioIo::new(stream), service).with_upgrades());
    // How a connection ends is the client's matter; what an upstream did was counted before.
    let ended = tokio::select! {
        _ = &mut connection => true,
        _ = leaving.wait_for(|leaving| *leaving) => false,
    };
    if !ended && tokio::time::timeout(parting, &mut connection).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
