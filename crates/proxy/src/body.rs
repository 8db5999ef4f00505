//! The bodies that pass through; none is held as a whole.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::counts::Trouble;
use crate::target::{Flight, Sender};

/// The body of a request on its way to an upstream.
pub(crate) enum Asked {
    /// There is none, so that the request can be built again.
    Empty,
    /// It can be sent once.
    Once(Incoming),
}

impl Body for Asked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Once(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Once(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Once(body) => body.size_hint(),
        }
    }
}

/// The body of an answer on its way to a client.
pub(crate) enum Reply {
    /// A few words of the proxy's own.
    Own(Option<Bytes>),
    /// What an upstream answers. The request is in flight until this is dropped.
    Passed {
        body: Incoming,
        flight: Flight,
        /// The connection, until the body has ended and it can be kept.
        sender: Option<Sender>,
    },
}

impl Reply {
    pub(crate) fn passed(body: Incoming, flight: Flight, sender: Sender) -> Self {
        if body.is_end_stream() {
            flight.target.keep(sender);
            return Self::Passed { body, flight, sender: None };
        }
        Self::Passed { body, flight, sender: Some(sender) }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Own(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Self::Passed { body, flight, sender } => {
                let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
                match &frame {
                    Some(Err(_)) => {
                        flight.target.counts.trouble(Trouble::Reset);
                        *sender = None;
                    }
                    Some(Ok(_)) if !body.is_end_stream() => {}
                    Some(Ok(_)) | None => {
                        if let Some(sender) = sender.take() {
                            flight.target.keep(sender);
                        }
                    }
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(text) => text.is_none(),
            Self::Passed { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(text) => SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64)),
            Self::Passed { body, .. } => body.size_hint(),
        }
    }
}
