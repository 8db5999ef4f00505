//! Trying the hooks of a work tree, in a repository of its own with the same hooks and the same policy.
//!
//! Hooks of others that run after ours are left out: what is tried is ours, and theirs may do anything.

use std::fs;
use std::path::{Path, PathBuf};

use shipway_core::action::{Cmd, Ended, Output};
use shipway_core::policy::{self, Policy};
use shipway_core::problem::{Code, Problem};

use super::judge::{Answer, Refs, judge};
use super::scratch::{copy, make, refs};
use super::tries::Stops;
use super::{KEY, Tried};
use crate::git::cmd::git;
use crate::hooks::Hook;
use crate::hooks::place::Asker;
use crate::hooks::staged::InHook;
use crate::hooks::wrapper::{self, Kind};

/// A repository to try hooks in; it goes with its directory.
struct Bench<'a> {
    asker: &'a Asker<'a>,
    dir: PathBuf,
    tree: PathBuf,
    policy: Option<Policy>,
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Tries the hooks of a work tree; nothing where there are none of ours.
pub fn prove(asker: &Asker<'_>, place: &Path) -> Result<Vec<Tried>, Problem> {
    let hooks = ours(&asker.place()?.dir);
    let tried = |what: &str, answer| Tried { what: what.to_owned(), stops: Stops::Hooks, answer };
    if hooks.is_empty() {
        let why = "no hooks of ours are installed in this work tree: shipway guard install";
        return Ok(vec![tried("the local hooks", Answer::NotTried(why.into()))]);
    }
    let bench = Bench::open(asker, &hooks, place)?;
    Ok(vec![
        tried("commit with a message without a type", bench.message()?),
        tried("commit of a private key", bench.secret()?),
        tried("commit --no-verify", bench.no_verify()?),
        tried("push to a protected branch", bench.push()?),
    ])
}

/// Returns the scripts of ours in a directory.
fn ours(dir: &Path) -> Vec<PathBuf> {
    let all = Hook::USUAL.iter().chain(&[Hook::ReferenceTransaction]);
    let paths = all.map(|hook| dir.join(hook.name()));
    paths.filter(|path| fs::read(path).is_ok_and(|text| wrapper::kind(&text) != Kind::Foreign)).collect()
}

/// Copies a script as it is, but for what it would run after ours.
fn write(from: &Path, dir: &Path) -> std::io::Result<()> {
    let to = dir.join(from.file_name().unwrap_or_default());
    fs::copy(from, &to)?;
    let text = fs::read(&to)?;
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let alone: Vec<&[u8]> = lines
        .map(|line| if line.starts_with(b"next='") { &b"next='/nonexistent'\n"[..] } else { line })
        .collect();
    fs::write(to, alone.concat())
}

impl<'a> Bench<'a> {
    fn open(asker: &'a Asker<'a>, hooks: &[PathBuf], place: &Path) -> Result<Self, Problem> {
        let io = |error: std::io::Error| {
            Problem::new(Code::Io, format!("{} is no place to try things: {error}", place.display()))
        };
        let dir = make(place).map_err(io)?;
        let top = &asker.repository.top;
        let text = fs::read_to_string(top.join(policy::PATH)).ok();
        let policy = text.as_ref().and_then(|text| policy::read(text, policy::PATH).ok());
        let bench = Self { asker, tree: dir.join("tree"), dir, policy };
        fs::create_dir(&bench.tree).map_err(io)?;
        bench.expect(&bench.git(&["init", "-q", "--template=", "--initial-branch=feature/doctor"]))?;
        let server = bench.dir.join("server.git").display().to_string();
        bench.expect(&bench.git(&["init", "-q", "--bare", "--template=", &server]))?;
        let own = bench.tree.join(".git/hooks").display().to_string();
        for (key, value) in [
            ("core.hooksPath", own.as_str()),
            ("user.name", "shipway doctor"),
            ("user.email", "doctor@example.invalid"),
            ("commit.gpgSign", "false"),
        ] {
            bench.expect(&bench.git(&["config", key, value]))?;
        }
        if top.join(".shipway").is_dir() {
            copy(&top.join(".shipway"), &bench.tree.join(".shipway")).map_err(io)?;
        }
        let begin = ["-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", "-m", "chore: begin"];
        bench.expect(&bench.git(&begin))?;
        fs::create_dir_all(&own).map_err(io)?;
        for hook in hooks {
            write(hook, Path::new(&own)).map_err(io)?;
        }
        Ok(bench)
    }

    fn git(&self, args: &[&str]) -> Cmd {
        git(&self.tree).args(args).unset("SHIPWAY_SKIP")
    }

    fn run(&self, cmd: &Cmd) -> Result<Output, Problem> {
        let failed = |error| Problem::new(Code::Io, format!("git could not be started: {error}"));
        let output = self.asker.shell.run(cmd, self.asker.stop).map_err(failed)?;
        match output.ended {
            Ended::Stopped => Err(Problem::new(Code::Stopped, "trying was stopped")),
            Ended::Exit(_) | Ended::Signal(_) | Ended::TimedOut => Ok(output),
        }
    }

    fn expect(&self, cmd: &Cmd) -> Result<Output, Problem> {
        let output = self.run(cmd)?;
        if output.ok() {
            return Ok(output);
        }
        let problem = Problem::new(Code::GitFailed, "git failed where local hooks are tried");
        Err(problem.details(output.error_text().lines().take(20)))
    }

    fn refs(&self, top: &Path) -> Result<Refs, Problem> {
        let (shell, stop) = (self.asker.shell, self.asker.stop);
        refs(&InHook { top: top.to_owned(), variables: vec![], shell, stop })
    }

    /// Tries something that must move no ref of a repository here.
    fn must_not_move(&self, top: &Path, cmd: &Cmd) -> Result<Answer, Problem> {
        let before = self.refs(top)?;
        let output = self.run(cmd)?;
        let said = format!("{}\n{}", output.error_text(), output.text());
        Ok(judge(&before, &self.refs(top)?, output.ok(), &said))
    }

    fn stage(&self, text: &str) -> Result<(), Problem> {
        let blob = self.expect(&self.git(&["hash-object", "-w", "--stdin"]).stdin(text))?.text();
        let entry = format!("100644,{blob},notes.txt");
        self.expect(&self.git(&["update-index", "--add", "--cacheinfo", &entry])).map(|_| ())
    }

    fn message(&self) -> Result<Answer, Problem> {
        if self.policy.as_ref().is_some_and(|policy| !policy.commits.conventional) {
            return Ok(Answer::NotTried("the policy takes any message".into()));
        }
        self.must_not_move(&self.tree, &self.git(&["commit", "--allow-empty", "-m", "did things"]))
    }

    fn secret(&self) -> Result<Answer, Problem> {
        if self.policy.as_ref().is_none_or(|policy| !policy.files.secrets) {
            return Ok(Answer::NotTried("the policy does not look for secrets".into()));
        }
        self.stage(&KEY.concat())?;
        let answer = self.must_not_move(&self.tree, &self.git(&["commit", "-m", "feat: notes"]))?;
        self.expect(&self.git(&["read-tree", "HEAD"]))?;
        Ok(answer)
    }

    /// No hook can refuse it; the one that comes afterwards must see it.
    fn no_verify(&self) -> Result<Answer, Problem> {
        // A tree of its own: one that was looked at before is not past the hooks.
        self.stage("tried by shipway doctor\n")?;
        let cmd = self.git(&["commit", "--no-verify", "-m", "feat: past the hooks"]);
        let answer = self.must_not_move(&self.tree, &cmd)?;
        let notes = fs::read_to_string(self.tree.join(".git/shipway/notes.jsonl")).unwrap_or_default();
        Ok(match (&answer, notes.lines().last()) {
            (Answer::WalkedPast(_), Some(_)) => Answer::Noticed("post-commit has noted it".into()),
            _ => answer,
        })
    }

    fn push(&self) -> Result<Answer, Problem> {
        let Some(policy) = &self.policy else {
            return Ok(Answer::NotTried("the work tree has no policy".into()));
        };
        let names = ["main", "master", "develop", "trunk"];
        let Some(branch) = names.iter().find(|name| policy.is_protected(name.as_bytes())) else {
            return Ok(Answer::NotTried(
                "the policy protects none of main, master, develop and trunk".into(),
            ));
        };
        let server = self.dir.join("server.git");
        let name = format!("HEAD:refs/heads/{branch}");
        let path = server.display().to_string();
        self.must_not_move(&server, &self.git(&["push", "--", &path, &name]))
    }
}
