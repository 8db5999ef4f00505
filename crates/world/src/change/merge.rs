//! The exact commit that would land: made from object ids alone, without a work tree, and equal for equal inputs.

use shipway_core::change::ChangeRequest;
use shipway_core::policy::Method;
use shipway_core::problem::{Code, Problem};

use crate::guard::see;
use crate::hooks::staged::InHook;

/// Makes the commit that lands a change on a tip by a method, and returns its object id.
pub fn make(
    git: &InHook<'_>,
    change: &ChangeRequest,
    method: Method,
    (tip, head): (Option<&str>, &str),
) -> Result<String, Problem> {
    let Some(tip) = tip else { return Ok(head.to_owned()) };
    match method {
        Method::FastForward if see::is_ahead(git, tip, head)? => Ok(head.to_owned()),
        Method::FastForward => {
            Err(Problem::new(Code::LandingConflict, format!("{} has moved on", change.target)).hint(format!(
                "git rebase origin/{} && git push origin HEAD:refs/for/{}",
                change.target, change.target
            )))
        }
        Method::Merge => {
            let tree = tree(
                git,
                change,
                &["merge-tree", "--write-tree", "--no-messages", "--name-only", tip, head],
            )?;
            let message =
                format!("Merge change {}: {}\n\n{}\n", change.number, change.title, trailers(change));
            commit(git, &tree, &[tip, head], &message, head)
        }
        Method::Squash => {
            let tree = tree(
                git,
                change,
                &["merge-tree", "--write-tree", "--no-messages", "--name-only", tip, head],
            )?;
            let body = if change.description.trim().is_empty() {
                String::new()
            } else {
                format!("{}\n\n", change.description.trim())
            };
            commit(git, &tree, &[tip], &format!("{}\n\n{body}{}\n", change.title, trailers(change)), head)
        }
        Method::Rebase => rebase(git, change, tip, head),
    }
}

fn rebase(git: &InHook<'_>, change: &ChangeRequest, tip: &str, head: &str) -> Result<String, Problem> {
    let args = ["rev-list", "--reverse", "--topo-order", "--no-merges", &format!("{tip}..{head}")];
    let listed = git.expect(&git.git().args(args))?.text();
    let mut onto = tip.to_owned();
    for id in listed.lines() {
        let base = format!("--merge-base={id}^");
        let tree = tree(
            git,
            change,
            &["merge-tree", "--write-tree", "--no-messages", "--name-only", &base, &onto, id],
        )?;
        let message = git.expect(&git.git().args(["log", "-1", "--format=%B", id]))?.text();
        onto = commit(git, &tree, &[&onto], &format!("{}\n", message.trim_end()), id)?;
    }
    Ok(onto)
}

/// Runs a merge of trees; a conflict names the files.
fn tree(git: &InHook<'_>, change: &ChangeRequest, args: &[&str]) -> Result<String, Problem> {
    let output = git.run(&git.git().args(args))?;
    let text = output.text();
    let mut lines = text.lines();
    let tree = lines.next().unwrap_or_default().to_owned();
    if output.ok() {
        return Ok(tree);
    }
    let files: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    let what = format!("change {} does not merge into {}", change.number, change.target);
    Err(Problem::new(Code::LandingConflict, what)
        .found(format!("conflicts in {}", files.join(", ")))
        .hint(format!("git fetch origin && git merge origin/{}", change.target))
        .hint(format!("git push origin HEAD:refs/for/{} -o change={}", change.target, change.number)))
}

fn trailers(change: &ChangeRequest) -> String {
    let closes = change
        .issues()
        .into_iter()
        .filter(|(_, closes)| *closes)
        .map(|(issue, _)| format!("Closes: {issue}\n"));
    closes.collect::<String>() + &format!("Change: {}", change.number)
}

/// Makes a commit with the author and the dates of another one, so that making it again gives the same.
fn commit(
    git: &InHook<'_>,
    tree: &str,
    parents: &[&str],
    message: &str,
    like: &str,
) -> Result<String, Problem> {
    let format = "--format=%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%cd";
    let who = git.expect(&git.git().args(["log", "-1", "--no-mailmap", "--date=raw", format, like]))?.text();
    let fields: Vec<&str> = who.split('\0').collect();
    let mut cmd = git.git().args(["commit-tree", "--no-gpg-sign", "-F", "-", tree]).stdin(message);
    for parent in parents {
        cmd = cmd.args(["-p", parent]);
    }
    let names =
        ["AUTHOR_NAME", "AUTHOR_EMAIL", "AUTHOR_DATE", "COMMITTER_NAME", "COMMITTER_EMAIL", "COMMITTER_DATE"];
    for (name, value) in names.iter().zip(fields) {
        cmd = cmd.env(format!("GIT_{name}"), value);
    }
    git.expect(&cmd).map(|output| output.text())
}
