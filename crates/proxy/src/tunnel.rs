//! Connections that have changed to another protocol, such as websockets: bytes go both ways until one end closes.

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use crate::body::Reply;
use crate::hub::{Connected, Hub};
use crate::target::Flight;
use crate::{forward, head};

/// Returns the answer that opens a tunnel, and lets the bytes flow as soon as it is sent.
pub(crate) fn open(
    hub: &Arc<Hub>,
    flight: Flight,
    client: OnUpgrade,
    answer: Response<Incoming>,
) -> Response<Reply> {
    let Some(protocol) = head::upgrade(answer.headers()) else {
        return forward::own(
            StatusCode::BAD_GATEWAY,
            "the release does not say to which protocol it changed",
        );
    };
    let (mut head, _) = answer.into_parts();
    let upstream = head.extensions.remove::<OnUpgrade>();
    head::strip(&mut head.headers);
    head.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    head.headers.insert(header::UPGRADE, protocol);
    let connected = Connected::new(hub);
    tokio::spawn(async move {
        let (_flight, _connected) = (flight, connected);
        let upstream = upstream?.await.ok()?;
        let client = client.await.ok()?;
        copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(upstream)).await.ok()
    });
    Response::from_parts(head, Reply::Own(None::<Bytes>))
}
