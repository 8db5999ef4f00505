//! The remote: its refs, how the branch stands to it, and whether it would take a push.

use std::thread;
use std::time::Duration;

use shipway_core::action::{Cmd, Ended, Output};
use shipway_core::facts::{Head, Permission, Relation, RemoteFacts, RemoteRefs};
use shipway_core::problem::{Code, Problem};

use super::ask::Git;
use super::refs::read_remote;
use super::{Here, Look, joined, status};
use crate::git::remote_error::problem;

/// How long a remote may take to answer.
const ANSWER: Duration = Duration::from_mins(1);

/// Looks at the remote that a release goes to; nothing if there is none or none is chosen.
pub(super) fn look(git: Git<'_>, here: &Here, ask: &Look) -> Result<Option<RemoteFacts>, Problem> {
    let head = &here.status.head;
    let local = head.branch().unwrap_or_default();
    let Some(name) = here.settings.chosen(ask.remote.as_deref(), local) else { return Ok(None) };
    let upstream = here.settings.upstream(local).filter(|(remote, _)| *remote == name);
    let tracked = here.status.tracked.filter(|_| upstream.is_some());
    let branch = upstream.map_or_else(|| local.to_owned(), |(_, branch)| branch);
    let (seen, permission) = thread::scope(|scope| {
        let trial = scope
            .spawn(|| if ask.try_push { trial(git, &name, &branch, head) } else { Ok(Permission::Unknown) });
        let seen = ask.network.then(|| refs(git, here, (&name, &branch), head)).transpose();
        (seen, joined(trial))
    });
    let default_branch = here.refs.defaults.get(&name).cloned();
    Ok(Some(RemoteFacts { name, branch, default_branch, tracked, seen: seen?, permission: permission? }))
}

/// Runs a command that talks to a remote. What the remote does wrong is the inner result.
fn talk(git: Git<'_>, cmd: Cmd, remote: &str) -> Result<Result<Output, Problem>, Problem> {
    let output = git.send(&cmd.timeout(ANSWER))?;
    if output.ok() {
        return Ok(Ok(output));
    }
    if output.ended == Ended::TimedOut {
        let late = Problem::new(Code::RemoteUnreachable, format!("{remote} does not answer"))
            .found(format!("no answer in {} seconds", ANSWER.as_secs()))
            .wanted("a remote that answers")
            .hint(format!("git ls-remote {}", shipway_core::validate::quoted(remote)));
        return Ok(Err(late));
    }
    Ok(Err(problem(&format!("{}\n{}", output.text(), output.error_text()), remote)))
}

/// Asks the remote for the branch and the tags.
fn refs(
    git: Git<'_>,
    here: &Here,
    (remote, branch): (&str, &str),
    head: &Head,
) -> Result<Result<RemoteRefs, Problem>, Problem> {
    let wanted = format!("refs/heads/{branch}");
    // The switches let the server leave out the refs of its pull requests; the patterns leave out other branches.
    let address = address(git, here, remote)?;
    let cmd = git.remote_command(&["ls-remote", "--heads", "--tags", "--", &address, &wanted, "refs/tags/*"]);
    let output = match talk(git, cmd, remote)? {
        Ok(output) => output,
        Err(problem) => return Ok(Err(problem)),
    };
    let (tip, tags) = read_remote(&output.stdout, branch);
    let relation = relation(git, head.commit(), tip.as_deref(), &format!("refs/remotes/{remote}/{branch}"))?;
    Ok(Ok(RemoteRefs { tip, relation, tags }))
}

/// Returns where a remote is pushed to. Only an address of its own for pushes is worth the process that tells.
fn address(git: Git<'_>, here: &Here, remote: &str) -> Result<String, Problem> {
    if !here.settings.pushes_elsewhere(remote) {
        return Ok(remote.to_owned());
    }
    let output = git.run(&["remote", "get-url", "--push", "--", remote])?;
    Ok(if output.ok() { output.text() } else { remote.to_owned() })
}

/// Returns how the commit of HEAD stands to the tip of the remote, which may not be here yet.
fn relation(git: Git<'_>, head: &str, tip: Option<&str>, tracking: &str) -> Result<Relation, Problem> {
    let Some(tip) = tip else { return Ok(Relation::New) };
    if head == tip {
        return Ok(Relation::Same);
    }
    if head.is_empty() {
        return Ok(Relation::Behind);
    }
    let cmd = git.command(&["rev-list", "--left-right", "--count", &format!("{head}...{tip}")]);
    // A partial clone would fetch the tip to answer; a look does not.
    let output = git.send(&cmd.env("GIT_NO_LAZY_FETCH", "1"))?;
    let text = output.text();
    let known = text.split_once('\t').filter(|_| output.ok());
    if let Some(relation) = known.and_then(|(ahead, behind)| status::counted(ahead, behind)) {
        return Ok(relation);
    }
    // The tip was never fetched, so the remote has more than we do; what was last fetched tells whether we have too.
    let fetched = git.run(&["merge-base", "--is-ancestor", head, tracking])?;
    Ok(if fetched.ok() { Relation::Behind } else { Relation::Diverged })
}

/// Tries a push that changes nothing. Hooks are left out: a look must not start a test suite.
fn trial(git: Git<'_>, remote: &str, branch: &str, head: &Head) -> Result<Permission, Problem> {
    if !matches!(head, Head::Branch { .. }) {
        return Ok(Permission::Unknown);
    }
    let refspec = format!("HEAD:refs/heads/{branch}");
    let options = ["--dry-run", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"];
    let cmd = git.remote_command(&["push"]).args(options).args(["--", remote, &refspec]);
    Ok(match talk(git, cmd, remote)? {
        Ok(_) => Permission::Allowed,
        Err(problem) if matches!(problem.code, Code::AuthenticationFailed | Code::PushDenied) => {
            Permission::Denied(problem)
        }
        Err(_) => Permission::Unknown,
    })
}
