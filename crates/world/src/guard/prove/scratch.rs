//! A copy of a repository to try things on: its hooks, settings and refs as they are, its objects borrowed.
//!
//! Nothing here writes to the repository itself. What cannot refuse (`post-receive`, `post-update`) is left out of the
//! copy, since what it does may reach further than the copy.

use std::cell::OnceCell;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};

use shipway_core::action::{Cmd, Ended, Output};
use shipway_core::problem::{Code, Problem};

use super::judge::Refs;
use crate::guard::see;
use crate::hooks::install::is_executable;
use crate::hooks::staged::InHook;

/// What is not copied: it has no say, and may be large.
const LEFT_OUT: [&str; 7] = ["objects", "logs", "lfs", "annex", "worktrees", "modules", "gc.pid"];

/// Hooks that come too late to refuse.
const AFTERWARDS: [&str; 2] = ["post-receive", "post-update"];

/// Settings of the client: nothing of the user's own stands between a try and its answer.
const CLIENT: [(&str, &str); 8] = [
    ("core.hooksPath", "/dev/null"),
    ("user.name", "shipway doctor"),
    ("user.email", "doctor@example.invalid"),
    ("push.gpgSign", "false"),
    ("push.followTags", "false"),
    ("push.recurseSubmodules", "no"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
];

/// A scratch copy, and a client beside it; both go with it.
pub struct Scratch<'a> {
    git: &'a InHook<'a>,
    real: PathBuf,
    dir: PathBuf,
    /// Refs that every copy gets besides, each with its object id, so that there is something to be tried on.
    pub extra: OnceCell<Vec<(String, String)>>,
    /// The copy.
    pub server: PathBuf,
    /// A repository without branches that has all objects of the other one.
    pub client: PathBuf,
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

impl<'a> Scratch<'a> {
    /// Copies a bare repository, which `git` is in, to a new directory below `place`.
    pub fn open(git: &'a InHook<'a>, real: &Path, place: &Path) -> Result<Self, Problem> {
        let dir = make(place).map_err(|error| unusable(place, &error.to_string()))?;
        let (server, client) = (dir.join("server.git"), dir.join("client.git"));
        let extra = OnceCell::new();
        let scratch = Self { git, real: real.to_owned(), dir, extra, server, client };
        scratch.renew()?;
        scratch.begin()?;
        Ok(scratch)
    }

    /// Copies once more, after a try that has moved something.
    pub fn renew(&self) -> Result<(), Problem> {
        let _ = fs::remove_dir_all(&self.server);
        self.copy().map_err(|error| unusable(&self.server, &error.to_string()))?;
        let effective = self.in_real(&["rev-parse", "--path-format=absolute", "--git-path", "hooks"])?.text();
        let effective = PathBuf::from(effective);
        let hooks = self.hooks(&effective).map_err(|error| unusable(&self.server, &error.to_string()))?;
        let runs = |name: &fs::DirEntry| {
            AFTERWARDS.iter().any(|late| name.file_name() == *late)
                || !is_executable(&name.path())
                || is_executable(&hooks.join(name.file_name()))
        };
        let entries = fs::read_dir(&effective).map(|entries| entries.flatten().collect()).unwrap_or_default();
        let entries: Vec<fs::DirEntry> = entries;
        if !entries.iter().all(runs) {
            let problem = unusable(&self.dir, "programs cannot be run there");
            return Err(problem.hint("TMPDIR=DIR shipway doctor --prove"));
        }
        for (name, id) in self.extra.get().into_iter().flatten() {
            self.expect(&self.there(&["-c", "core.hooksPath=/dev/null", "update-ref", name, id]))?;
        }
        Ok(())
    }

    fn copy(&self) -> io::Result<()> {
        fs::create_dir(&self.server)?;
        // When git packs refs it first writes the pack, so whoever reads it last misses none.
        copy(&self.real.join("refs"), &self.server.join("refs"))?;
        for entry in fs::read_dir(&self.real)?.flatten() {
            let name = entry.file_name();
            if name != "refs" && !LEFT_OUT.iter().any(|left| name == *left) {
                copy(&entry.path(), &self.server.join(name))?;
            }
        }
        borrow(&self.real, &self.server)?;
        let own = if self.server.join("config.worktree").exists() { "config.worktree" } else { "config" };
        let mut config = OpenOptions::new().append(true).create(true).open(self.server.join(own))?;
        config.write_all(b"\n[gc]\n\tauto = 0\n[receive]\n\tautogc = false\n[maintenance]\n\tauto = false\n")
    }

    /// Makes the copy use hooks of its own, the same as the repository does, and returns where they are.
    fn hooks(&self, effective: &Path) -> io::Result<PathBuf> {
        let dir = match effective.strip_prefix(&self.real) {
            Ok(inside) => self.server.join(inside),
            Err(_) if effective.is_dir() => self.elsewhere(effective)?,
            Err(_) => return Ok(effective.to_owned()),
        };
        for late in AFTERWARDS {
            let _ = fs::remove_file(dir.join(late));
        }
        let own = if self.server.join("config.worktree").exists() { "config.worktree" } else { "config" };
        let quoted = dir.display().to_string().replace('\\', r"\\").replace('"', "\\\"");
        let mut config = OpenOptions::new().append(true).open(self.server.join(own))?;
        // At the end, after all that the file may include.
        config.write_all(format!("[core]\n\thooksPath = \"{quoted}\"\n").as_bytes())?;
        Ok(dir)
    }

    /// Links to hooks that are outside of the repository.
    fn elsewhere(&self, effective: &Path) -> io::Result<PathBuf> {
        let dir = self.server.join("hooks-elsewhere");
        fs::create_dir(&dir)?;
        for entry in fs::read_dir(effective)?.flatten() {
            symlink(entry.path(), dir.join(entry.file_name()))?;
        }
        Ok(dir)
    }

    fn begin(&self) -> Result<(), Problem> {
        let format = self.in_real(&["rev-parse", "--show-object-format"])?.text();
        let format = format!("--object-format={format}");
        let path = self.client.display().to_string();
        let new = self.git.git().dir(&self.dir).args(["init", "-q", "--bare", "--template=", &format, &path]);
        self.expect(&new)?;
        borrow(&self.real, &self.client).map_err(|error| unusable(&self.client, &error.to_string()))?;
        for (key, value) in CLIENT {
            self.expect(&self.client(&["config", key, value]))?;
        }
        let server = self.server.display().to_string();
        let goes_to = self.expect(&self.client(&["ls-remote", "--get-url", &server]))?.text();
        if goes_to == server {
            return Ok(());
        }
        // A setting of the user could lead a push to a repository that is no copy.
        Err(unusable(&self.server, "a setting url.*.insteadOf leads git elsewhere")
            .found(goes_to)
            .wanted(server))
    }

    /// Returns git in the client.
    pub fn client(&self, args: &[&str]) -> Cmd {
        self.git.git().dir(&self.client).args(args)
    }

    /// Returns a push from the client to the copy.
    pub fn push(&self, options: &[&str], names: &[&str]) -> Cmd {
        let server = self.server.display().to_string();
        self.client(&["push"]).args(options).arg("--").arg(server).args(names)
    }

    /// Returns git in the copy, as somebody with an account on the server has it.
    pub fn there(&self, args: &[&str]) -> Cmd {
        self.git.git().dir(&self.server).args(args)
    }

    /// Runs a command, whatever comes of it, unless it was stopped.
    pub fn run(&self, cmd: &Cmd) -> Result<Output, Problem> {
        let output = self.git.run(cmd)?;
        match output.ended {
            Ended::Stopped => Err(Problem::new(Code::Stopped, "trying was stopped")),
            Ended::Exit(_) | Ended::Signal(_) | Ended::TimedOut => Ok(output),
        }
    }

    /// Runs a command that must succeed.
    pub fn expect(&self, cmd: &Cmd) -> Result<Output, Problem> {
        let output = self.run(cmd)?;
        if output.ok() {
            return Ok(output);
        }
        Err(unusable(&self.dir, "git failed in it").details(output.error_text().lines().take(20)))
    }

    fn in_real(&self, args: &[&str]) -> Result<Output, Problem> {
        self.expect(&self.git.git().args(args))
    }

    /// Returns git in the client, for what makes records.
    pub fn client_git(&self) -> InHook<'a> {
        InHook { top: self.client.clone(), variables: vec![], shell: self.git.shell, stop: self.git.stop }
    }

    /// Returns the refs of the copy.
    pub fn refs(&self) -> Result<Refs, Problem> {
        let top = self.server.clone();
        refs(&InHook { top, variables: vec![], shell: self.git.shell, stop: self.git.stop })
    }
}

/// Returns all refs of a repository.
pub fn refs(git: &InHook<'_>) -> Result<Refs, Problem> {
    let known = see::refs(git)?.into_iter().map(|known| {
        let name = String::from_utf8_lossy(&known.name).into_owned();
        let target = known.target.map(|target| format!("ref: {}", String::from_utf8_lossy(&target)));
        (name, target.unwrap_or(known.id))
    });
    let mut refs: Refs = known.collect();
    let head = git.run(&git.git().args(["symbolic-ref", "--quiet", "HEAD"]))?;
    let head = if head.ok() {
        format!("ref: {}", head.text())
    } else {
        git.run(&git.git().args(["rev-parse", "--verify", "--quiet", "HEAD"]))?.text()
    };
    refs.insert("HEAD".into(), head);
    Ok(refs)
}

fn unusable(place: &Path, why: &str) -> Problem {
    Problem::new(Code::Io, format!("{} is no place to try things: {why}", place.display()))
}

/// Makes a directory for its owner only that nobody could have put there before.
pub(super) fn make(place: &Path) -> io::Result<PathBuf> {
    let place = fs::canonicalize(place)?;
    let mut bytes = [0; 8];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let dir = place.join(format!("shipway-doctor-{}", shipway_core::id::hex(&bytes)));
    DirBuilder::new().mode(0o700).create(&dir)?;
    Ok(dir)
}

/// Makes a repository use the objects of another one.
pub(super) fn borrow(from: &Path, to: &Path) -> io::Result<()> {
    let objects = from.join("objects");
    let mut lines = format!("{}\n", objects.display());
    // What those borrow themselves; git follows relative paths for one step only.
    for line in fs::read_to_string(objects.join("info/alternates")).unwrap_or_default().lines() {
        if !line.is_empty() && !line.starts_with('#') {
            lines.push_str(&format!("{}\n", objects.join(line).display()));
        }
    }
    fs::create_dir_all(to.join("objects/info"))?;
    fs::create_dir_all(to.join("objects/pack"))?;
    fs::write(to.join("objects/info/alternates"), lines)
}

/// Copies a file, or a directory with all below it, with their modes.
///
/// Among hooks a link stays one and leads where it did. Any other is followed, since git would write through it.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let result = copy_one(from, to, from.file_name().is_some_and(|name| name == "hooks"));
    match result {
        // Git may just have taken it away; and a link that leads nowhere is nothing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn copy_one(from: &Path, to: &Path, hooks: bool) -> io::Result<()> {
    let data = fs::symlink_metadata(from)?;
    if data.is_symlink() && hooks {
        return symlink(from.parent().unwrap_or(Path::new("/")).join(fs::read_link(from)?), to);
    }
    let below = data.is_dir();
    let data = fs::metadata(from)?;
    // Refs may be linked as a whole; another directory that a link leads to is none of git's.
    if below || (data.is_dir() && from.file_name().is_some_and(|name| name == "refs")) {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)?.flatten() {
            let hooks = hooks || entry.file_name() == "hooks";
            match copy_one(&entry.path(), &to.join(entry.file_name()), hooks) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        return Ok(());
    }
    if !data.is_file() || from.extension().is_some_and(|end| end == "lock") {
        return Ok(());
    }
    fs::copy(from, to).map(|_| ())
}
