//! The logs of steps: one file an attempt, in numbered chunks, sealed with their count and digest.
//!
//! A log that could not be written does not stop its step. But lost chunks keep their numbers and the seal covers
//! what should be in the file, so that [`Logs::verify`] names every chunk that is missing.

use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Write as _};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shipway_core::action::{LogKey, LogSeal};
use shipway_core::id::Digest;
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;

use super::now;

/// Which of its two streams a command wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// One piece of output, as the log holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its number in the log, from 1.
    pub n: u64,
    /// When it was written.
    pub at: Time,
    /// The stream it came from.
    pub from: Stream,
    /// What was written, with secrets masked; bytes that are not UTF-8 are U+FFFD.
    pub text: String,
}

/// Is told of every chunk when it comes.
pub type Listener = Arc<dyn Fn(&LogKey, &Chunk) + Send + Sync>;

/// All logs below one directory.
pub struct Logs {
    dir: PathBuf,
    listener: Option<Listener>,
    open: Mutex<HashMap<LogKey, Arc<Mutex<OpenLog>>>>,
    troubles: Mutex<Vec<Problem>>,
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Logs {
    /// Returns the logs below `dir`, which is made when the first chunk comes.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), listener: None, open: Mutex::default(), troubles: Mutex::default() }
    }

    /// Sets who is told of every chunk.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.listener = Some(listener);
        self
    }

    /// Returns the file of a log.
    pub fn path(&self, key: &LogKey) -> PathBuf {
        let file = format!("{}.{}.log", file_name(key.step.as_str()), key.attempt);
        self.dir.join("runs").join(file_name(key.run.as_str())).join(file)
    }

    /// Adds a chunk. What goes wrong is remembered for [`Logs::troubles`] and shows when the log is verified.
    pub fn add(&self, key: &LogKey, from: Stream, text: String) {
        let log = Arc::clone(
            lock(&self.open)
                .entry(key.clone())
                .or_insert_with(|| Arc::new(Mutex::new(OpenLog::open(&self.path(key))))),
        );
        let mut log = lock(&log);
        let chunk = log.add(from, text);
        if let Some(error) = log.first_error() {
            self.remember(key, &error);
        }
        if let Some(listener) = &self.listener {
            listener(key, &chunk);
        }
    }

    /// Closes a log and returns what it should hold, or nothing if this process wrote nothing to it.
    pub fn seal(&self, key: &LogKey) -> Option<LogSeal> {
        let log = lock(&self.open).remove(key)?;
        let mut log = lock(&log);
        if let Some(error) = log.sync() {
            self.remember(key, &error);
        }
        Some(LogSeal { chunks: log.chunks, digest: hex(&log.hasher) })
    }

    /// Returns the chunks of a log, without lines that are not chunks; none if there is no such log.
    pub fn read(&self, key: &LogKey) -> io::Result<Vec<Chunk>> {
        Ok(chunks(&self.bytes(key)?))
    }

    /// Tells whether a log begins with what its seal says; the problem names the missing chunks.
    ///
    /// Undoing a step, or looking at it once more, adds to the log of an attempt that is sealed already.
    pub fn verify(&self, key: &LogKey, seal: &LogSeal) -> Result<(), Problem> {
        let bytes = self.bytes(key).map_err(|error| {
            Problem::new(Code::LogIncomplete, format!("the log of {} cannot be read: {error}", name(key)))
                .at(self.path(key).display().to_string())
        })?;
        if Digest::of(sealed(&bytes, seal.chunks)) == seal.digest {
            return Ok(());
        }
        let there: BTreeSet<u64> = chunks(&bytes).iter().map(|chunk| chunk.n).collect();
        let missing = ranges((1..=seal.chunks).filter(|n| !there.contains(n)));
        let what = if missing.is_empty() {
            format!("the log of {} was changed after it was sealed", name(key))
        } else {
            format!("chunks are missing from the log of {}: {missing} of {}", name(key), seal.chunks)
        };
        Err(Problem::new(Code::LogIncomplete, what)
            .at(self.path(key).display().to_string())
            .found(format!("{} chunks", there.len()))
            .wanted(format!("{} chunks", seal.chunks)))
    }

    /// Returns what went wrong with writing logs so far, once for each log.
    pub fn troubles(&self) -> Vec<Problem> {
        lock(&self.troubles).clone()
    }

    fn bytes(&self, key: &LogKey) -> io::Result<Vec<u8>> {
        match std::fs::read(self.path(key)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
            read => read,
        }
    }

    fn remember(&self, key: &LogKey, error: &io::Error) {
        let what = format!("lines are missing from the log of {}: {error}", name(key));
        let place = self.path(key).display().to_string();
        lock(&self.troubles).push(Problem::new(Code::LogIncomplete, what).at(place));
    }
}

/// One log that is being written.
#[derive(Debug)]
struct OpenLog {
    file: io::Result<File>,
    /// How many good bytes the file has.
    len: u64,
    chunks: u64,
    hasher: Sha256,
    /// The first error, and whether it was told.
    error: Option<io::Error>,
    told: bool,
}

impl OpenLog {
    fn open(path: &Path) -> Self {
        let mut log =
            Self { file: open(path), len: 0, chunks: 0, hasher: Sha256::new(), error: None, told: false };
        if let Ok(file) = &mut log.file
            && file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
        {
            // A process that was killed has left it; what it had begun to write is cut off.
            let mut bytes = vec![];
            log.error = file.read_to_end(&mut bytes).err();
            bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1));
            log.len = bytes.len() as u64;
            log.error = log.error.take().or_else(|| file.set_len(log.len).err());
            log.chunks = chunks(&bytes).last().map_or(0, |chunk| chunk.n);
            log.hasher.update(&bytes);
        }
        log
    }

    fn add(&mut self, from: Stream, text: String) -> Chunk {
        self.chunks += 1;
        let chunk = Chunk { n: self.chunks, at: now(), from, text };
        let mut line = serde_json::to_vec(&chunk).expect("a chunk has only numbers and text");
        line.push(b'\n');
        // Also when writing fails: the seal is about what should be there.
        self.hasher.update(&line);
        if let Err(error) = self.write(&line) {
            self.error.get_or_insert(error);
        }
        chunk
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let file = self.file.as_mut().map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
        let written = file.write_all(line);
        match written {
            Ok(()) => self.len += line.len() as u64,
            // Half a line would make the next one unreadable, too.
            Err(_) => drop(file.set_len(self.len)),
        }
        written
    }

    fn sync(&mut self) -> Option<io::Error> {
        if let Ok(file) = &self.file
            && let Err(error) = file.sync_all()
        {
            self.error.get_or_insert(error);
        }
        self.first_error()
    }

    /// Returns the first error, the first time it is asked for.
    fn first_error(&mut self) -> Option<io::Error> {
        if self.told {
            return None;
        }
        let error = self.error.take();
        self.told = error.is_some();
        error
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

/// Returns a name as one part of a path.
fn file_name(name: &str) -> String {
    if matches!(name, "" | "." | "..") { "~".to_owned() } else { name.replace(['/', '\0'], "~") }
}

fn name(key: &LogKey) -> String {
    format!("step {}, attempt {}", key.step, key.attempt)
}

fn chunks(bytes: &[u8]) -> Vec<Chunk> {
    bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// Returns a log without what was added behind its first chunks. Only chunks can be added: whatever else follows stays.
fn sealed(bytes: &[u8], chunks: u64) -> &[u8] {
    let later = |line: &&[u8]| serde_json::from_slice(line).is_ok_and(|chunk: Chunk| chunk.n > chunks);
    let end =
        bytes.split_inclusive(|&byte| byte == b'\n').take_while(|line| !later(line)).map(<[u8]>::len).sum();
    &bytes[..end]
}

/// Returns numbers as text, with runs of them joined: `2, 4-6`.
fn ranges(numbers: impl Iterator<Item = u64>) -> String {
    let mut found: Vec<(u64, u64)> = vec![];
    for n in numbers {
        match found.last_mut() {
            Some(last) if last.1 + 1 == n => last.1 = n,
            Some(_) | None => found.push((n, n)),
        }
    }
    let texts: Vec<_> = found
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect();
    texts.join(", ")
}

fn hex(hasher: &Sha256) -> Digest {
    let mut text = String::new();
    for byte in hasher.clone().finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Digest::new(text)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A listener that panicked has not touched the log itself.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
