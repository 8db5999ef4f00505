//! `doctor`: whether everything is set up and in force; and, if asked, every way past it is tried.

use std::path::{Path, PathBuf};

use shipway_core::action::Urgency;
use shipway_core::problem::{Code, Problem};
use shipway_world::doctor::{self, Server, Subject};
use shipway_world::guard;
use shipway_world::guard::prove::{self, local, outside};
use shipway_world::shell::LocalShell;

use super::{DONE, End};
use crate::args::{Args, Doctor, Environment};
use crate::session::reach;
use crate::view::doctor::{self as view, Report};
use crate::view::{Document, View};

/// The exit code when something is wrong. Each wrong thing is told in the report, so no problem is told beside it.
const WRONG: u8 = 1;

/// Looks, and tries if asked.
pub fn run(args: &Args, environment: &Environment, asked: &Doctor, view: &dyn View) -> End {
    let io = |what: &str, error: std::io::Error| vec![Problem::new(Code::Io, format!("{what}: {error}"))];
    let switches = shipway_world::stop::signals().map_err(|error| io("signals cannot be heard", error))?;
    let program = std::env::current_exe().map_err(|error| io("our own program cannot be found", error))?;
    let dir = args.directory.clone().unwrap_or_else(|| PathBuf::from("."));
    let shell = LocalShell::new();
    let hands = (&shell as _, &switches.look);
    let subject = match &asked.repository {
        Some(repository) => Subject::bare(&dir.join(repository), program, hands),
        None => Subject::around(&dir, (program, reach(environment), environment.keys(None)), hands),
    };
    let sections = doctor::look(&subject);
    let (proof, failed) = match asked.prove.then(|| proof(&subject)).transpose() {
        Ok(proof) => (proof, None),
        Err(problem) => (None, Some(problem)),
    };
    if switches.look.urgency() != Urgency::None {
        // What was cut off says nothing of how things stand.
        return Err(vec![Problem::new(Code::Stopped, "the doctor was stopped; nothing is left behind")]);
    }
    let report = Report { sections, proof };
    view.answer(Document::Doctor, &view::fields(&report), &view::render(&report));
    match failed {
        Some(problem) => Err(vec![problem]),
        None => Ok(if report.is_wrong() { WRONG } else { DONE }),
    }
}

/// Tries the guard and the hooks.
fn proof(subject: &Subject<'_>) -> Result<view::Proven, Problem> {
    let place = std::env::temp_dir();
    let mut proven = view::Proven { repository: String::new(), server: None, tried: vec![], unseen: None };
    if let Some(asker) = subject.asker() {
        proven.tried.extend(local::prove(&asker, &place)?);
    }
    match &subject.server {
        Server::Here(path) => {
            proven.repository = path.display().to_string();
            if let Some(why) = untried(subject, path)? {
                proven.unseen = Some(why);
            } else {
                let proof = prove::prove(&subject.git(path), path, &place)?;
                proven.tried.extend(proof.tried.iter().cloned());
                proven.server = Some(proof);
            }
        }
        Server::Away(remote) => {
            if let Some(asker) = subject.asker() {
                proven.tried.extend(outside::prove(&asker, remote)?);
            }
        }
        Server::Nowhere(why) => proven.unseen = Some(format!("the guard was not tried: {why}")),
    }
    Ok(proven)
}

/// Returns why nothing can be tried on a repository of this machine, if so.
fn untried(subject: &Subject<'_>, path: &Path) -> Result<Option<String>, Problem> {
    let shown = path.display();
    if guard::is_closed(path) {
        let why = format!(
            "the files of {shown} are read by its own account; there: shipway doctor --prove {shown}"
        );
        return Ok(Some(why));
    }
    let git = subject.git(path);
    let bare = git.run(&git.git().args(["rev-parse", "--is-bare-repository"]))?;
    if bare.ok() && bare.text() == "true" {
        return Ok(None);
    }
    let why = if bare.ok() { "it has a work tree".to_owned() } else { bare.error_text() };
    Ok(Some(format!("{shown} cannot be tried: {why}")))
}
