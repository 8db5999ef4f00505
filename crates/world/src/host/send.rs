//! Sends the files that a host does not have: many in a frame, and without waiting for each.

use std::io::{self, Read as _};
use std::time::Duration;

use shipway_core::action::{Fault, Stop, Urgency};
use shipway_core::deployment::{Deployment, Host, Manifest};
use shipway_core::problem::{Code, Problem};

use super::fleet::{Asked, Fleet, unexpected};
use super::link::Link;
use super::trouble;
use crate::agent::hooks::When;
use crate::agent::protocol::{Call, Piece, Request, Response};

/// How many bytes go into a frame.
const FRAME: usize = 1 << 20;
/// How long the host may take to make a release ready.
const FINISHING: Duration = Duration::from_hours(1);
/// How long it may take to see what it has.
const BEGINNING: Duration = Duration::from_mins(10);

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Staged {
    /// How many different files were sent.
    pub sent_files: u64,
    /// How many bytes these are, compressed.
    pub sent_bytes: u64,
    /// How many files of the release the host had already.
    pub had_files: u64,
}

impl Fleet {
    /// Brings a release to a host and makes it ready to run; nothing that is live changes.
    pub fn stage(
        &self,
        host: &Host,
        deployment: &Deployment,
        (manifest, secrets): (&Manifest, &[String]),
        stop: &Stop,
    ) -> Result<Staged, Fault> {
        let run = &deployment.run;
        let link = self.link(host, BEGINNING, stop)?;
        let fence = self.fence(host, &link, run, stop)?;
        // A host is given the secrets of its own environment and no others.
        let value = |name: &String| Some((name.clone(), self.secrets.get(name)?.clone()));
        let secrets = secrets.iter().filter_map(value).collect();
        let request =
            Request::Stage { deployment: Box::new(deployment.clone()), manifest: manifest.clone(), secrets };
        let asked = Asked { host, run: Some(run), fence: Some(fence), limit: BEGINNING, stop };
        let missing = match self.ask(&link, &asked, request)? {
            Response::Missing(missing) => missing,
            other => return Err(unexpected(host, &other)),
        };
        let mut sending = Sending { fleet: self, link: &link, asked, pieces: vec![], body: vec![], sent: 0 };
        for index in &missing {
            sending.file(*index, manifest)?;
        }
        sending.flush()?;
        let sent_bytes = sending.sent;
        // Pieces belong to the connection, so the end of them must go over the same one.
        self.ask(&link, &Asked { limit: FINISHING, ..asked }, Request::Finish)?;
        let (all, sent_files) = (manifest.files.len() as u64, missing.len() as u64);
        Ok(Staged { sent_files, sent_bytes, had_files: all.saturating_sub(sent_files) })
    }
}

struct Sending<'a> {
    fleet: &'a Fleet,
    link: &'a Link,
    asked: Asked<'a>,
    pieces: Vec<Piece>,
    body: Vec<u8>,
    sent: u64,
}

impl Sending<'_> {
    fn file(&mut self, index: u32, manifest: &Manifest) -> Result<(), Fault> {
        let missing =
            || Fault::clean(Problem::new(Code::AgentUnusable, "the host wants a file that is none"));
        let file = manifest.files.get(index as usize).ok_or_else(missing)?;
        let mut blob = self.fleet.store.encoded(&file.blake3).map_err(Fault::clean)?;
        let mut left = blob.metadata().map_err(Fault::from)?.len();
        loop {
            if self.body.len() >= FRAME {
                self.flush()?;
            }
            let room = (FRAME - self.body.len()) as u64;
            let start = self.body.len();
            let read = io::Read::by_ref(&mut blob).take(left.min(room)).read_to_end(&mut self.body);
            let read = read.map_err(|error| Fault::clean(Fault::from(error).problem))? as u64;
            if read == 0 && left > 0 {
                let what = format!("blob {} became shorter while it was sent", file.blake3);
                return Err(Fault::clean(Problem::new(Code::ArtifactChanged, what)));
            }
            left -= read;
            let length = u32::try_from(self.body.len() - start).expect("a frame is short");
            self.pieces.push(Piece { index, length, last: left == 0 });
            if left == 0 {
                return Ok(());
            }
        }
    }

    /// Sends what there is. Nothing is live that was not, so what is lost here is lost without an effect; what has
    /// arrived shortens the next attempt.
    fn flush(&mut self) -> Result<(), Fault> {
        if self.pieces.is_empty() {
            return Ok(());
        }
        let host = self.asked.host;
        if self.asked.stop.urgency() == Urgency::Now {
            self.link.give_up("a stop was asked for");
            let what = format!("a stop was asked for while files were sent to {}", host.name);
            return Err(Fault::clean(Problem::new(Code::Stopped, what)));
        }
        self.fleet.pass(When::Before, "send blobs").map_err(Fault::clean)?;
        let request = Request::Blobs(std::mem::take(&mut self.pieces));
        let (run, fence) = (self.asked.run.cloned(), self.asked.fence);
        let sent = self.link.tell(|id| Call { id, run, fence, request }, &self.body);
        sent.map_err(|error| {
            self.link.give_up(&error.to_string());
            trouble::lost(host, &self.link.why(), false)
        })?;
        self.sent += self.body.len() as u64;
        self.body.clear();
        self.fleet.pass(When::After, "send blobs").map_err(Fault::clean)
    }
}
