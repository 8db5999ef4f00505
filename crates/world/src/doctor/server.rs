//! The guard of the repository that is pushed to, where it can be looked at.

use std::path::Path;

use shipway_core::problem::{Code, Problem};

use super::{Line, Server, State, Subject};
use crate::guard::{self, audit};

/// Looks at it.
pub(super) fn look(subject: &Subject<'_>) -> Vec<Line> {
    match &subject.server {
        Server::Here(path) => here(subject, path),
        Server::Away(remote) => {
            let why = format!("{remote} is on another machine; there: shipway guard audit REPO.git");
            vec![Line::new("guard", State::Unseen(why))]
        }
        Server::Nowhere(why) => vec![Line::new("guard", State::Unseen(why.clone()))],
    }
}

fn here(subject: &Subject<'_>, path: &Path) -> Vec<Line> {
    let shown = path.display();
    let git = subject.git(path);
    let bare = git.run(&git.git().args(["rev-parse", "--is-bare-repository"]));
    if bare.is_ok_and(|output| output.ok() && output.text() == "false") {
        let problem =
            Problem::new(Code::GuardMissing, format!("{shown} has a work tree, and so cannot be guarded"));
        let problem =
            problem.wanted("a bare repository to push to").hint(format!("git clone --bare {shown} REPO.git"));
        return vec![Line::new("guard", State::Warning(problem))];
    }
    let mut lines = if guard::is_closed(path) {
        let why = format!("its files are read by its own account; there: shipway guard audit {shown}");
        vec![Line::new("guard", State::Unseen(why))]
    } else {
        match audit::look(&git, path) {
            Ok(found) => {
                let well = format!("in force in {shown}, and every protected branch is where it was put");
                Line::all("guard", found, &well)
            }
            Err(problem) => vec![Line::new("guard", State::Wrong(problem))],
        }
    };
    if guard::is_writable(path) {
        lines.push(Line::new("account", State::Warning(own(path))));
    } else {
        let text = format!("this account may not write in {shown}");
        lines.push(Line::new("account", State::Ok(text)));
    }
    lines
}

/// What no hook can change: whoever may write the files of a repository needs no push.
fn own(path: &Path) -> Problem {
    let repository = path.display();
    let who = guard::account().unwrap_or_else(|| "this account".into());
    Problem::new(
        Code::GuardInert,
        format!("{who} can walk around the guard, by writing in the repository itself"),
    )
    .at(repository.to_string())
    .found(format!("a directory that {who} may write in"))
    .wanted("a repository that belongs to an account of its own, which people reach through bound keys only")
    .hint(format!("chown -R ACCOUNT {repository}"))
    .hint("shipway guard shell --print-key NAME KEY.pub --root DIR >>~ACCOUNT/.ssh/authorized_keys")
}
