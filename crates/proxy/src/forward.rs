//! The way of one request: to the upstream whose turn it is, and its answer back.
//!
//! A request is sent a second time only when the first cannot have had an effect: when none of it was sent, or when it
//! has no body, only reads (RFC 9110, 9.2.1), and a kept connection turned out to be closed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::body::{Asked, Reply};
use crate::counts::Trouble;
use crate::hub::{Hub, Refused};
use crate::target::{Flight, Sender, Target};
use crate::{head, tunnel};

/// How long a connection to an upstream may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a kept connection may take to be ready again after its last answer.
const READY: Duration = Duration::from_millis(100);
/// How long the head of an answer may take.
const ANSWER: Duration = Duration::from_mins(5);

/// Answers a request of a client.
pub(crate) async fn answer(
    hub: Arc<Hub>,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Response<Reply> {
    let wanted = head::upgrade(request.headers()).is_some().then(|| hyper::upgrade::on(&mut request));
    let mut response = match prepare(&mut request, peer) {
        Err((status, text)) => own(status, text),
        Ok(()) => match hub.begin().await {
            Err(Refused::Nobody) => own(StatusCode::SERVICE_UNAVAILABLE, "no release is here"),
            Err(Refused::Held) => {
                own(StatusCode::SERVICE_UNAVAILABLE, "requests are held, and this one was for too long")
            }
            Ok(flight) => pass(&hub, flight, request, wanted).await,
        },
    };
    if hub.is_leaving() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Makes a request that of the next hop, or says why it is none.
fn prepare(request: &mut Request<Incoming>, peer: SocketAddr) -> Result<(), (StatusCode, &'static str)> {
    if request.method() == Method::CONNECT {
        return Err((StatusCode::METHOD_NOT_ALLOWED, "this is no proxy for CONNECT"));
    }
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Err((StatusCode::BAD_REQUEST, "a request names one host"));
    }
    if let Some(authority) = request.uri().authority() {
        // The host of a whole address goes before the field (RFC 9112, 3.2.2).
        let host =
            HeaderValue::try_from(authority.as_str()).map_err(|_| (StatusCode::BAD_REQUEST, "no host"))?;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let uri = Uri::try_from(path).map_err(|_| (StatusCode::BAD_REQUEST, "no path"))?;
        request.headers_mut().insert(header::HOST, host);
        *request.uri_mut() = uri;
    }
    head::forwarded(request.headers_mut(), peer.ip());
    *request.version_mut() = Version::HTTP_11;
    Ok(())
}

async fn pass(
    hub: &Arc<Hub>,
    flight: Flight,
    request: Request<Incoming>,
    wanted: Option<OnUpgrade>,
) -> Response<Reply> {
    let (started, target) = (Instant::now(), Arc::clone(&flight.target));
    target.counts.request();
    let sent = timeout(ANSWER, send(&target, request)).await.unwrap_or(Err(Trouble::Timeout));
    let (mut response, sender) = match sent {
        Ok(answered) => answered,
        Err(trouble) => {
            target.counts.trouble(trouble);
            return match trouble {
                Trouble::Connect => own(StatusCode::BAD_GATEWAY, "the release does not take connections"),
                Trouble::Reset => own(StatusCode::BAD_GATEWAY, "the release ended the connection"),
                Trouble::Timeout => own(StatusCode::GATEWAY_TIMEOUT, "the release does not answer"),
            };
        }
    };
    target.counts.answered(response.status().as_u16(), started.elapsed());
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let Some(client) = wanted else {
            return own(StatusCode::BAD_GATEWAY, "the release changed to a protocol that nobody asked for");
        };
        return tunnel::open(hub, flight.into_tunnel(), client, response);
    }
    head::strip(response.headers_mut());
    *response.version_mut() = Version::HTTP_11;
    response.map(|body| Reply::passed(body, flight, sender))
}

/// Sends a request on a kept connection, or on a new one.
async fn send(
    target: &Arc<Target>,
    request: Request<Incoming>,
) -> Result<(Response<Incoming>, Sender), Trouble> {
    let (head, body) = request.into_parts();
    let body = if body.is_end_stream() { Asked::Empty } else { Asked::Once(body) };
    let repeatable = matches!(body, Asked::Empty) && head.method.is_safe();
    let mut request = Request::from_parts(head, body);
    if matches!(request.body(), Asked::Once(_)) && !request.headers().contains_key(header::CONTENT_LENGTH) {
        // Without this the body of a GET would be left out.
        request.headers_mut().insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    while let Some(mut sender) = target.take(!repeatable) {
        if !matches!(timeout(READY, sender.ready()).await, Ok(Ok(()))) {
            continue;
        }
        let again = repeatable.then(|| copy(&request));
        match sender.try_send_request(request).await {
            Ok(response) => return Ok((response, sender)),
            Err(mut error) => request = error.take_message().or(again).ok_or(Trouble::Reset)?,
        }
    }
    let mut sender = connect(target).await?;
    let response = sender.try_send_request(request).await.map_err(|_| Trouble::Reset)?;
    Ok((response, sender))
}

/// Returns a request without a body once more.
fn copy(request: &Request<Asked>) -> Request<Asked> {
    let mut copy = Request::new(Asked::Empty);
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    copy
}

async fn connect(target: &Arc<Target>) -> Result<Sender, Trouble> {
    let stream = timeout(CONNECT, TcpStream::connect(target.socket)).await;
    let stream = stream.map_err(|_| Trouble::Connect)?.map_err(|_| Trouble::Connect)?;
    // Without this, small writes wait for each other; it is no loss where it cannot be had.
    let _ = stream.set_nodelay(true);
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| Trouble::Connect)?;
    // How it ends is told to whoever waits for an answer.
    tokio::spawn(async move { connection.with_upgrades().await.ok() });
    Ok(sender)
}

/// Returns the answer to a request of which nobody knows where it ends. What follows is not read.
pub(crate) fn two_lengths() -> Response<Reply> {
    let mut response = own(StatusCode::BAD_REQUEST, "a request has one length");
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Returns an answer of the proxy's own.
pub(crate) fn own(status: StatusCode, text: &'static str) -> Response<Reply> {
    let mut response = Response::new(Reply::Own(Some(Bytes::from(format!("{text}\n")))));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
