//! A request that says twice how long it is may be read differently by two readers, so it is refused
//! (RFC 9112, 6.3). The parser leaves out the second length before anybody sees it; so the bytes are looked at as they
//! come.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

const FIELD: &[u8] = b"\ncontent-length";
const END: &[u8] = b"\r\n\r\n";

/// Whether the head that came last has a length in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Length(Arc<AtomicBool>);

impl Length {
    /// Returns it, and forgets it.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Relaxed)
    }
}

/// A connection of a client whose heads are looked at. What is sent ahead of its turn is left to the parser.
pub(crate) struct Watched {
    stream: TcpStream,
    length: Length,
    /// Whether what comes belongs to a head.
    in_head: bool,
    /// The end of what came before, in which a field may have begun.
    tail: Vec<u8>,
}

impl Watched {
    pub(crate) fn new(stream: TcpStream, length: Length) -> Self {
        Self { stream, length, in_head: true, tail: vec![] }
    }

    fn look(&mut self, bytes: &[u8]) {
        if self.tail.is_empty() {
            return self.look_at(bytes);
        }
        let mut joined = std::mem::take(&mut self.tail);
        joined.extend_from_slice(bytes);
        self.look_at(&joined);
    }

    fn look_at(&mut self, bytes: &[u8]) {
        let end = bytes.windows(END.len()).position(|window| window == END);
        let head = &bytes[..end.unwrap_or(bytes.len())];
        if head.windows(FIELD.len()).any(|window| window[0] == b'\n' && window.eq_ignore_ascii_case(FIELD)) {
            self.length.0.store(true, Relaxed);
        }
        self.in_head = end.is_none();
        if self.in_head {
            self.tail = bytes[bytes.len().saturating_sub(FIELD.len() - 1)..].to_vec();
        }
    }

    fn answered(&mut self, bytes: &[u8]) {
        // After this the body comes, and no head.
        self.in_head |= !bytes.starts_with(b"HTTP/1.1 100");
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if self.in_head {
            self.look(&buf.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.answered(bytes);
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.answered(slices.first().map_or(&[], |slice| slice));
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
