//! Git, the repository, who commits, and whether the remote answers; and where environments are looked at.

use shipway_core::problem::{Code, Problem};

use super::{Line, Server, State, Subject};
use crate::facts;
use crate::git::cmd::git;

/// Looks at all of it.
pub(super) fn look(subject: &Subject<'_>) -> Vec<Line> {
    let mut lines = vec![program(subject)];
    match &subject.tree {
        Some(Ok(tree)) => lines.push(Line::new("repository", State::Ok(tree.top.display().to_string()))),
        Some(Err(problem)) => lines.push(Line::new("repository", State::Wrong(problem.clone()))),
        None => {
            if let Server::Here(path) = &subject.server {
                lines.push(Line::new("repository", State::Ok(format!("{}, bare", path.display()))));
            }
        }
    }
    if let Err(problems) = &subject.config {
        lines.extend(problems.iter().map(|problem| Line::new("shipway.toml", State::Wrong(problem.clone()))));
    }
    match &subject.facts {
        Some(Ok(facts)) => {
            let identity = match &facts.identity {
                Ok(who) => State::Ok(who.clone()),
                Err(problem) => State::Wrong(problem.clone()),
            };
            lines.push(Line::new("identity", identity));
            lines.push(Line::new("remote", remote(facts, &subject.server)));
        }
        Some(Err(problems)) => {
            lines.extend(
                problems.iter().map(|problem| Line::new("repository", State::Wrong(problem.clone()))),
            );
        }
        None => {}
    }
    lines
}

fn program(subject: &Subject<'_>) -> Line {
    let dir = std::path::Path::new("/");
    let state = match subject.shell.run(&git(dir).arg("version"), subject.stop) {
        Ok(output) if output.ok() => {
            let text = output.text();
            let problem = facts::too_old(&text);
            problem
                .map_or_else(|| State::Ok(text.trim_start_matches("git version ").to_owned()), State::Wrong)
        }
        Ok(_) | Err(_) => {
            let problem = Problem::new(Code::GitMissing, "git is not installed or not on the path");
            State::Wrong(problem.hint("git --version"))
        }
    };
    Line::new("git", state)
}

fn remote(facts: &shipway_core::facts::Facts, server: &Server) -> State {
    let Some(remote) = &facts.remote else {
        let why = match server {
            Server::Nowhere(why) => why.clone(),
            Server::Here(_) | Server::Away(_) => "none is chosen".to_owned(),
        };
        let code = if facts.remotes.is_empty() { Code::NoRemote } else { Code::ManyRemotes };
        let problem = Problem::new(code, why);
        return State::Warning(if facts.remotes.is_empty() {
            problem.hint("git remote add origin URL")
        } else {
            problem.hint("git push --set-upstream REMOTE BRANCH").hint("remote = \"NAME\" in shipway.toml")
        });
    };
    let address = facts.remotes.get(&remote.name).cloned().unwrap_or_default();
    match &remote.seen {
        Some(Ok(_)) => State::Ok(format!("{} answers: {address}", remote.name)),
        Some(Err(problem)) => State::Wrong(problem.clone()),
        None => State::Unseen("nobody asked it".into()),
    }
}

/// Names the command that looks at hosts, where there are any.
pub(super) fn environments(subject: &Subject<'_>) -> Vec<Line> {
    let Ok(config) = &subject.config else { return vec![] };
    let names: Vec<&str> = config.environment.keys().map(String::as_str).collect();
    if names.is_empty() {
        return vec![];
    }
    let commands = names.iter().map(|name| format!("shipway env verify {name}")).collect::<Vec<_>>();
    vec![Line::new("hosts", State::Unseen(format!("has a command of its own: {}", commands.join("; "))))]
}
