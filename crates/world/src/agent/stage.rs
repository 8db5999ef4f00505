//! Brings a release to its place: nothing that is live changes.
//!
//! Files are on disk before the release has its name, by one sync of the file system for all of them; the name is on
//! disk before the journal says that it is staged.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use shipway_core::deployment::{Deployment, File as Listed, Manifest, directories};
use shipway_core::id::{Digest, RunId};
use shipway_core::problem::{Code, Problem};

use super::blobs::{self, Incoming};
use super::journal::{Event, History};
use super::protocol::{Piece, Standing};
use super::release;
use super::root::{Current, problem, replace, replace_json};
use super::setup::Agent;
use super::{disk, owner, root};
use crate::artifact::{EarlySync, changed, hash_file, sync_all};

/// The longest file that is unpacked in memory.
const IN_MEMORY: u64 = 8 << 20;

/// A release on its way to the host.
pub(super) struct Staging {
    deployment: Deployment,
    manifest: Manifest,
    /// The files of the release that are not as they should be, where the release is there.
    to_mend: Option<Vec<String>>,
    /// The bytes in the store that no release before has seen to be on disk.
    fresh: BTreeSet<PathBuf>,
    incoming: Option<(u32, Incoming)>,
    decoder: zstd::bulk::Decompressor<'static>,
    early: EarlySync,
    /// What went wrong with pieces that were not answered.
    failed: Option<Problem>,
}

/// Begins: says which files have to be sent.
pub(super) fn begin(
    agent: &Agent,
    deployment: Deployment,
    manifest: Manifest,
    secrets: &BTreeMap<String, String>,
) -> Result<(Staging, Vec<u32>), Problem> {
    let root = &agent.root;
    root.prepare()?;
    let _lock = root.lock()?;
    prove_request(agent, &deployment, &manifest)?;
    if let Some(digest) = &deployment.secrets {
        keep_secrets(agent, digest, secrets)?;
    }
    release::clear_half(root)?;
    let dir = root.release(&deployment.artifact);
    let to_mend = dir.is_dir().then(|| changed(&dir, &manifest));
    let (missing, fresh) = missing(agent, &manifest, to_mend.as_deref())?;
    let wanted = || missing.iter().map(|index| &manifest.files[*index as usize]);
    let links = manifest.files.iter().filter(|file| file.link.is_some()).count();
    let names = if to_mend.is_some() { 0 } else { manifest.directories().len() + links };
    disk::prove(&root.dir, wanted().map(|file| file.size), names as u64)?;
    let decoder = zstd::bulk::Decompressor::new().map_err(|error| problem(&root.dir, &error))?;
    let staging = Staging {
        deployment,
        manifest,
        to_mend,
        fresh,
        incoming: None,
        decoder,
        early: EarlySync::default(),
        failed: None,
    };
    Ok((staging, missing))
}

fn prove_request(agent: &Agent, deployment: &Deployment, manifest: &Manifest) -> Result<(), Problem> {
    if let Some(path) = manifest.unsafe_path() {
        let what = format!("`{path}` must not be written to a host");
        return Err(Problem::new(Code::ArtifactUnusable, what));
    }
    if manifest.digest() != deployment.artifact {
        let what = format!("the manifest is not that of artifact {}", deployment.artifact.short());
        return Err(Problem::new(Code::ArtifactChanged, what));
    }
    let journal = agent.journal()?;
    owner::prove(&agent.root, &journal.history.deployments, deployment)?;
    match journal.history.of(&deployment.run).map(|known| known.standing) {
        // One that is there already finds nothing missing.
        None
        | Some(
            Standing::Staged
            | Standing::Discarded
            | Standing::Switching
            | Standing::Live
            | Standing::Confirmed,
        ) => Ok(()),
        Some(Standing::Reverting | Standing::Failed) => Err(failed_before(&deployment.run)),
    }
}

/// Returns the problem of a run that the host has gone back from.
pub(super) fn failed_before(run: &RunId) -> Problem {
    let what = format!("the host has gone back from what run {run} brought");
    Problem::new(Code::WatchdogFired, what).hint("shipway rollback")
}

/// Returns which files have to be sent, each content once, and the bytes that are not known to be on disk: these, and
/// what lies in the store without a release.
fn missing(
    agent: &Agent,
    manifest: &Manifest,
    to_mend: Option<&[String]>,
) -> Result<(Vec<u32>, BTreeSet<PathBuf>), Problem> {
    let mut seen = BTreeSet::new();
    let (mut missing, mut fresh) = (vec![], BTreeSet::new());
    let shelf = blobs::Shelf::open(&agent.root)?;
    for (index, file) in manifest.files.iter().enumerate() {
        let index = u32::try_from(index)
            .map_err(|_| Problem::new(Code::ArtifactUnusable, "the manifest has too many files"))?;
        let wanted = to_mend.is_none_or(|paths| paths.contains(&file.path));
        if file.link.is_some() || !wanted || !seen.insert((&file.blake3, file.executable)) {
            continue;
        }
        // Where a release was changed, the bytes behind it may have been, through the link.
        let mut linked = shelf.linked(file);
        if to_mend.is_some() && linked.is_some() {
            let path = blobs::path(&agent.root, file);
            if !hash_file(&path).is_ok_and(|hash| hash == file.blake3) {
                root::remove(&path)?;
                linked = None;
            }
        }
        if linked.is_none() {
            missing.push(index);
        }
        if linked != Some(true) {
            fresh.insert(blobs::path(&agent.root, file));
        }
    }
    Ok((missing, fresh))
}

fn keep_secrets(agent: &Agent, digest: &Digest, secrets: &BTreeMap<String, String>) -> Result<(), Problem> {
    if Digest::of_json(secrets) != *digest {
        return Err(Problem::new(Code::ArtifactChanged, "the secrets are not those of the deployment"));
    }
    let mut text = String::new();
    for (name, value) in secrets {
        if value.contains(['\n', '\r', '\0']) {
            let what = format!("secret {name} has more than one line");
            return Err(Problem::new(Code::ArtifactUnusable, what)
                .hint("store it in base64 and decode it in the service"));
        }
        text += &format!("{name}={value}\n");
    }
    replace(&agent.root.secrets(digest), text.as_bytes(), 0o600)
}

impl Staging {
    /// Takes pieces of files. What goes wrong is said when the end is asked for, since pieces are not answered.
    pub(super) fn take(&mut self, agent: &Agent, pieces: &[Piece], body: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.try_take(agent, pieces, body).err();
        }
    }

    /// Says what went wrong elsewhere.
    pub(super) fn fail(&mut self, problem: Problem) {
        self.failed.get_or_insert(problem);
    }

    fn try_take(&mut self, agent: &Agent, pieces: &[Piece], mut body: &[u8]) -> Result<(), Problem> {
        for piece in pieces {
            let bad = || Problem::new(Code::AgentUnusable, "pieces of files came in an order that is none");
            let (bytes, rest) = body.split_at_checked(piece.length as usize).ok_or_else(bad)?;
            body = rest;
            let file = self.manifest.files.get(piece.index as usize).ok_or_else(bad)?;
            let size = if piece.last { file.size } else { 0 };
            match self.incoming.take() {
                None if piece.last && file.size <= IN_MEMORY => {
                    blobs::put(&agent.root, file, bytes, &mut self.decoder)?;
                }
                None => self.go_on(piece, Incoming::begin(&agent.root, file)?, bytes)?,
                Some((index, incoming)) if index == piece.index => self.go_on(piece, incoming, bytes)?,
                Some(_) => return Err(bad()),
            }
            self.early.wrote(&agent.root.dir, size);
        }
        Ok(())
    }

    fn go_on(&mut self, piece: &Piece, mut incoming: Incoming, bytes: &[u8]) -> Result<(), Problem> {
        incoming.push(bytes)?;
        if piece.last {
            return incoming.end();
        }
        self.incoming = Some((piece.index, incoming));
        Ok(())
    }

    /// Sees to it that the files of the release are on disk, and the names that lead to them.
    ///
    /// Bytes that another release links to have been synced for that one.
    fn sync(&self, agent: &Agent, laid_out: Option<&Path>) -> Result<(), Problem> {
        let root = &agent.root;
        let place = root.release(&self.deployment.artifact);
        let release = laid_out.unwrap_or(&place);
        let named = |file: &&Listed| self.to_mend.as_ref().is_none_or(|paths| paths.contains(&file.path));
        let files: Vec<&Listed> = self.manifest.files.iter().filter(named).collect();
        let inner = directories(files.iter().map(|file| file.path.as_str()));
        let mut paths: Vec<PathBuf> = inner.into_iter().map(|dir| release.join(dir)).collect();
        paths.push(release.to_owned());
        let mut shelves = BTreeSet::new();
        for file in files {
            let blob = blobs::path(root, file);
            if file.link.is_none() && self.fresh.contains(&blob) {
                // Where links are not possible, the release has a copy.
                paths.extend([release.join(&file.path), blob.clone()]);
                shelves.extend(blob.ancestors().skip(1).take(2).map(Path::to_owned));
            }
        }
        paths.extend(shelves);
        let synced = sync_all(&root.dir, paths.iter().map(PathBuf::as_path));
        synced.map_err(|error: io::Error| problem(&root.dir, &error))
    }

    /// Returns the run that puts files of the live release right, now or when it was staged before: what was mended
    /// then finds nothing to mend any more.
    fn mended(&self, root: &root::Root, history: &History) -> Option<RunId> {
        let run = &self.deployment.run;
        let known = history.of(run);
        let before = known.and_then(|known| known.deployment.mended.clone());
        if known.is_some_and(|known| !matches!(known.standing, Standing::Staged | Standing::Discarded)) {
            // What runs is of this very run, and is not begun anew by staging it again.
            return before;
        }
        let live = history.live().map(|known| &known.deployment);
        // What is brought once more is what it was, mended or not.
        let kept = live.filter(|live| live.artifact == self.deployment.artifact);
        let wrong = self.to_mend.as_ref().is_some_and(|paths| !paths.is_empty());
        let is_live =
            matches!(root.look_at_current(), Current::Release(live) if live == self.deployment.artifact);
        let now = (wrong && is_live).then(|| run.clone());
        now.or(before).or_else(|| kept?.mended.clone())
    }

    /// Ends: puts the release in its place, and makes it ready to run.
    pub(super) fn finish(mut self, agent: &Agent) -> Result<bool, Problem> {
        if let Some(problem) = self.failed {
            return Err(problem);
        }
        let (root, artifact) = (&agent.root, &self.deployment.artifact.clone());
        let _lock = root.lock()?;
        let mut journal = agent.journal()?;
        self.deployment.mended = self.mended(root, &journal.history);
        release::keep_manifest(root, artifact, &self.manifest)?;
        let fresh = match &self.to_mend {
            Some(paths) => {
                release::mend(root, artifact, &self.manifest, paths)?;
                None
            }
            None => Some(release::lay_out(root, artifact, &self.manifest)?),
        };
        self.sync(agent, fresh.as_deref())?;
        if let Some(dir) = &fresh {
            release::put_in_place(root, artifact, dir)?;
        }
        crate::live::prepare(&agent.place(), &self.deployment)?;
        replace_json(&root.deployment(&self.deployment.run), &self.deployment)?;
        match journal.history.of(&self.deployment.run) {
            Some(known) if known.standing != Standing::Discarded && known.deployment == self.deployment => {
                Ok(false)
            }
            Some(known) if !matches!(known.standing, Standing::Staged | Standing::Discarded) => {
                let what = format!("run {} has another deployment live already", self.deployment.run);
                Err(Problem::new(Code::HostMoved, what))
            }
            Some(_) | None => {
                let deployment = Box::new(self.deployment);
                agent.append(&mut journal, &Event::Staged { deployment })?;
                Ok(true)
            }
        }
    }
}

/// Takes a deployment whose release is there already as staged. Every byte of the release is proven.
pub(super) fn adopt(agent: &Agent, deployment: &Deployment) -> Result<bool, Problem> {
    let root = &agent.root;
    let _lock = root.lock()?;
    release::prove(root, &deployment.artifact)?;
    if let Some(digest) = deployment.secrets.as_ref().filter(|digest| !root.secrets(digest).is_file()) {
        let what = format!("the secrets {} of the release are not there any more", digest.short());
        return Err(Problem::new(Code::NoWayBack, what));
    }
    let mut journal = agent.journal()?;
    if journal.history.of(&deployment.run).is_some_and(|known| known.standing != Standing::Discarded) {
        return Ok(false);
    }
    crate::live::prepare(&agent.place(), deployment)?;
    replace_json(&root.deployment(&deployment.run), deployment)?;
    agent.append(&mut journal, &Event::Staged { deployment: Box::new(deployment.clone()) })?;
    Ok(true)
}

/// Takes back what a run has staged: its release, unless another deployment has the same, and bytes that are no
/// release's.
pub(super) fn discard(agent: &Agent, run: &RunId) -> Result<bool, Problem> {
    let root = &agent.root;
    if !root.dir.join("releases").is_dir() {
        return Ok(false);
    }
    let _lock = root.lock()?;
    let mut journal = agent.journal()?;
    let standing = journal.history.of(run).map(|known| known.standing);
    match standing {
        None | Some(Standing::Staged | Standing::Discarded | Standing::Failed) => {}
        Some(Standing::Switching | Standing::Live | Standing::Confirmed | Standing::Reverting) => {
            let what = format!("what run {run} brought is live; it is gone back from, not discarded");
            return Err(Problem::new(Code::HostMoved, what));
        }
    }
    let staged = standing == Some(Standing::Staged);
    if staged {
        // The journal first: from here on nobody may count on it.
        agent.append(&mut journal, &Event::Discarded { run: run.clone() })?;
    }
    clear(agent, &journal.history)?;
    if standing != Some(Standing::Failed) {
        root::remove(&root.deployment(run))?;
    }
    Ok(staged)
}

/// Removes every release that no deployment names any more, half releases, and bytes that are no release's. What
/// `current` leads to stays in any case: a journal that was lost names nothing, and what is live is needed all the same.
pub(super) fn clear(agent: &Agent, history: &History) -> Result<(), Problem> {
    let root = &agent.root;
    let named: BTreeSet<&str> = history
        .deployments
        .iter()
        .filter(|known| known.standing != Standing::Discarded && !known.swept)
        .map(|known| known.deployment.artifact.as_str())
        .collect();
    let current = match root.look_at_current() {
        Current::Release(artifact) => Some(artifact),
        Current::Missing | Current::Foreign(_) => None,
    };
    let stays =
        |name: &str| named.contains(name) || current.as_ref().is_some_and(|live| live.as_str() == name);
    release::clear_half(root)?;
    let dir = root.dir.join("releases");
    let entries = std::fs::read_dir(&dir).map_err(|error| problem(&dir, &error))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if !stays(name) && name.len() == 64 {
            release::remove_release(root, &Digest::new(name))?;
            root::remove(&root.manifest(&Digest::new(name)))?;
        }
    }
    blobs::sweep(root)?;
    Ok(())
}
