//! The standard output stream: data, which another program may read.

use std::io::{self, ErrorKind, Write as _};
use std::sync::Mutex;

use super::talk::{Sink, lock};

/// The data of a command. What goes wrong is remembered for the end, because a run does not stop for its reader.
pub(super) struct Data(Mutex<State>);

struct State {
    sink: Sink,
    gone: bool,
    error: Option<io::Error>,
}

impl Data {
    /// Returns the data on a stream.
    pub(super) fn new(sink: Sink) -> Self {
        Self(Mutex::new(State { sink, gone: false, error: None }))
    }

    /// Writes a text. After the reader has gone, or after an error, nothing more is written.
    pub(super) fn write(&self, text: &str) {
        let mut state = lock(&self.0);
        if state.gone {
            return;
        }
        let written = state.sink.write_all(text.as_bytes());
        if let Err(error) = written.and_then(|()| state.sink.flush()) {
            state.gone = true;
            // A reader that has seen enough, such as `head`, is no problem.
            state.error = (error.kind() != ErrorKind::BrokenPipe).then_some(error);
        }
    }

    /// Returns the first error that was not a reader who left.
    pub(super) fn finish(&self) -> io::Result<()> {
        lock(&self.0).error.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample::Shared;

    fn check(kind: Option<ErrorKind>, expect: Option<ErrorKind>) {
        let buffer = Shared::default();
        let data = Data::new(Box::new(buffer.clone()));
        if let Some(kind) = kind {
            buffer.fail(kind);
        }
        data.write("one\n");
        data.write("two\n");
        assert_eq!(data.finish().err().map(|error| error.kind()), expect);
        assert_eq!(buffer.take(), if kind.is_none() { "one\ntwo\n" } else { "" });
    }

    #[test]
    fn a_reader_who_leaves_is_no_error_and_a_full_disk_is() {
        check(None, None);
        check(Some(ErrorKind::BrokenPipe), None);
        check(Some(ErrorKind::StorageFull), Some(ErrorKind::StorageFull));
    }
}
