//! The standard error stream: lines that stay, and on a terminal one status line below them that does not.
//!
//! Everything goes through one lock, so a status line and the lines of steps never mix.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::paint::{Ink, Paint};
use super::text;

/// What takes less time than this is not worth a status.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the seconds are counted on.
const TICK: Duration = Duration::from_millis(500);
/// Go to the first column and erase the line (ECMA-48 §8.3.41).
const ERASE: &str = "\r\x1b[K";

/// A stream to write to.
pub type Sink = Box<dyn Write + Send>;

/// Tells how wide the terminal is right now; nothing if there is none to move a cursor on.
pub type Columns = fn() -> Option<usize>;

/// The talk of a command.
pub(super) struct Talk {
    shared: Arc<Shared>,
    ticker: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    board: Mutex<Board>,
    over: Condvar,
}

/// What is on the screen.
pub(super) struct Board {
    sink: Sink,
    paint: Paint,
    columns: Columns,
    shown: bool,
    doing: Vec<(String, Instant)>,
    over: bool,
}

impl Talk {
    /// Returns the talk on a stream.
    pub(super) fn new(sink: Sink, paint: Paint, columns: Columns) -> Self {
        let board = Board { sink, paint, columns, shown: false, doing: vec![], over: false };
        let shared = Arc::new(Shared { board: Mutex::new(board), over: Condvar::new() });
        Self { shared, ticker: Mutex::new(None) }
    }

    /// Writes lines that stay. What cannot be written is lost: talk is never a reason to fail.
    pub(super) fn say(&self, lines: &str) {
        lock(&self.shared.board).say(lines);
    }

    /// Sets what is going on; what went on before keeps its clock.
    pub(super) fn doing(&self, what: Vec<String>) {
        let mut board = lock(&self.shared.board);
        board.set(what, Instant::now());
        if !board.doing.is_empty() && (board.columns)().is_some() {
            lock(&self.ticker).get_or_insert_with(|| tick(Arc::clone(&self.shared)));
        }
    }

    /// Takes the status line away until the next tick, so that another stream can write to the same terminal.
    pub(super) fn step_aside(&self) {
        lock(&self.shared.board).say("");
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let mut board = lock(&self.shared.board);
        board.over = true;
        board.set(vec![], Instant::now());
        drop(board);
        self.shared.over.notify_all();
        if let Some(ticker) = lock(&self.ticker).take() {
            // A ticker that panicked has nothing left to say.
            let _ = ticker.join();
        }
    }
}

fn tick(shared: Arc<Shared>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut board = lock(&shared.board);
        while !board.over {
            board.draw(Instant::now());
            board = shared.over.wait_timeout(board, TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
    })
}

/// Returns the guard even after a panic elsewhere: what is on the screen is not worth a second one.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    fn say(&mut self, lines: &str) {
        let mut out = String::new();
        if std::mem::take(&mut self.shown) {
            out.push_str(ERASE);
        }
        out.push_str(lines);
        self.write(&out);
    }

    fn set(&mut self, what: Vec<String>, now: Instant) {
        let since = |name: &String| {
            let known = self.doing.iter().find(|(known, _)| known == name);
            known.map_or(now, |(_, since)| *since)
        };
        self.doing = what.into_iter().map(|name| (name.clone(), since(&name))).collect();
        if self.shown {
            self.draw(now);
        }
    }

    /// Draws the status line anew, in one write.
    fn draw(&mut self, now: Instant) {
        let Some(columns) = (self.columns)() else { return };
        let status = self.status(now);
        let mut out = String::new();
        if std::mem::take(&mut self.shown) {
            out.push_str(ERASE);
        }
        if !status.is_empty() {
            // One column stays free: a full line makes some terminals wrap.
            let status = text::fit(&status, columns.saturating_sub(1)).into_owned();
            out.push_str(&self.paint.ink(Ink::Faint, &status));
            self.shown = true;
        }
        self.write(&out);
    }

    fn status(&self, now: Instant) -> String {
        let long = |(name, since): &(String, Instant)| {
            let time = now.saturating_duration_since(*since);
            (time >= PATIENCE).then(|| {
                let seconds = Duration::from_secs(time.as_secs());
                format!("{} {}", text::clean(name), clock(seconds))
            })
        };
        let parts: Vec<String> = self.doing.iter().filter_map(long).collect();
        if parts.is_empty() { String::new() } else { format!("… {}", parts.join(", ")) }
    }

    fn write(&mut self, out: &str) {
        if !out.is_empty() {
            let _ = self.sink.write_all(out.as_bytes()).and_then(|()| self.sink.flush());
        }
    }
}

/// Returns whole seconds, without the fraction that a short span has.
fn clock(time: Duration) -> String {
    if time.as_secs() < 10 { format!("{}s", time.as_secs()) } else { text::span(time) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample::Shared as Buffer;

    fn board(buffer: &Buffer, columns: Columns) -> Board {
        let sink = Box::new(buffer.clone());
        Board { sink, paint: Paint::new(false), columns, shown: false, doing: vec![], over: false }
    }

    #[test]
    fn a_status_shows_what_takes_long_and_makes_way_for_lines() {
        let buffer = Buffer::default();
        let mut board = board(&buffer, || Some(40));
        let begin = Instant::now();
        let at = |ms: u64| begin + Duration::from_millis(ms);
        board.set(vec!["push".into()], at(0));
        board.draw(at(500));
        assert_eq!(buffer.take(), "");
        board.draw(at(1_200));
        assert_eq!(buffer.take(), "… push 1s");
        board.say("line\n");
        assert_eq!(buffer.take(), "\r\x1b[Kline\n");
        board.set(vec!["push".into(), "tag".into()], at(2_000));
        assert_eq!(buffer.take(), "");
        board.draw(at(12_700));
        assert_eq!(buffer.take(), "… push 12s, tag 10s");
        board.set(vec![], at(13_000));
        assert_eq!(buffer.take(), "\r\x1b[K");
    }

    #[test]
    fn a_status_never_wraps_and_steers_nothing() {
        let buffer = Buffer::default();
        let mut board = board(&buffer, || Some(12));
        let begin = Instant::now();
        board.set(vec!["a\x1b[2J long name".into()], begin);
        board.draw(begin + Duration::from_secs(3));
        assert_eq!(buffer.take(), "… a␛[2J lo…");
    }

    #[test]
    fn without_a_terminal_there_are_only_lines() {
        let buffer = Buffer::default();
        let mut board = board(&buffer, || None);
        let begin = Instant::now();
        board.set(vec!["push".into()], begin);
        board.draw(begin + Duration::from_secs(3));
        board.say("line\n");
        assert_eq!(buffer.take(), "line\n");
    }

    #[test]
    fn many_writers_leave_whole_lines() {
        let buffer = Buffer::default();
        let talk = Talk::new(Box::new(buffer.clone()), Paint::new(false), || Some(80));
        thread::scope(|scope| {
            for name in ["a", "b", "c"] {
                let talk = &talk;
                scope.spawn(move || {
                    for _ in 0..50 {
                        talk.doing(vec![name.into()]);
                        talk.say(&format!("{}\n", name.repeat(20)));
                    }
                });
            }
        });
        drop(talk);
        let text = buffer.take().replace(ERASE, "");
        let whole = |line: &&str| ["a", "b", "c"].iter().any(|name| *line == name.repeat(20));
        assert_eq!(text.lines().filter(whole).count(), 150, "{text}");
    }
}
