//! What can be tried on a repository that only git reaches, on another machine.
//!
//! A try that is let through would change it, so there is only one: a branch below a branch that is there. Git itself
//! can never make it, whatever its hooks say; and its name has a character that a guard refuses first, in its own words.

use shipway_core::action::Ended;
use shipway_core::problem::{Code, Problem};

use super::Tried;
use super::judge::Answer;
use super::tries::Stops;
use crate::git::cmd::remote_git;
use crate::hooks::place::Asker;

/// Tries what can do no harm on a remote, and says what was not tried.
pub fn prove(asker: &Asker<'_>, remote: &str) -> Result<Vec<Tried>, Problem> {
    let tried = |what: &str, answer| Tried { what: what.to_owned(), stops: Stops::Guard, answer };
    let rest = "it would change the remote if it were let through; on its own machine: shipway doctor --prove REPO.git";
    Ok(vec![
        tried("push to a branch that cannot be, whose name no guard lets pass", name(asker, remote)?),
        tried("all other ways past the guard", Answer::NotTried(rest.into())),
    ])
}

fn name(asker: &Asker<'_>, remote: &str) -> Result<Answer, Problem> {
    let git = || remote_git(&asker.repository.top, &asker.repository.reach);
    let run = |cmd| {
        let failed = |error| Problem::new(Code::Io, format!("git could not be started: {error}"));
        let output = asker.shell.run(&cmd, asker.stop).map_err(failed)?;
        if output.ended == Ended::Stopped {
            return Err(Problem::new(Code::Stopped, "trying was stopped"));
        }
        Ok(output)
    };
    let heads = run(git().args(["ls-remote", "--heads", "--", remote]))?.text();
    let mut lines = heads.lines().filter_map(|line| line.split_once("\trefs/heads/"));
    let known = lines.find(|(id, _)| {
        let object = format!("{id}^{{commit}}");
        run(git().args(["cat-file", "-e", &object]).env("GIT_NO_LAZY_FETCH", "1"))
            .is_ok_and(|output| output.ok())
    });
    let Some((id, branch)) = known else {
        return Ok(Answer::NotTried(format!("no commit of {remote} is here: git fetch {remote}")));
    };
    let refspec = format!("{id}:refs/heads/{branch}/doctor\u{200b}");
    let options = ["-c", "push.gpgSign=false", "push", "--no-verify", "--no-follow-tags"];
    let output = run(git().args(options).args(["--recurse-submodules=no", "--", remote, &refspec]))?;
    Ok(told(&format!("{}\n{}", output.error_text(), output.text())))
}

/// Returns who has refused.
fn told(said: &str) -> Answer {
    let lines = || said.lines().map(|line| line.trim_start_matches("remote:").trim());
    let short = |line: &str| shipway_core::version::excerpt(line, 110);
    if let Some(line) = lines().find(|line| line.starts_with("error[SW")) {
        return Answer::Refused(short(line));
    }
    let line = lines().find(|line| line.contains("rejected]") || line.starts_with("fatal:"));
    Answer::NotTried(format!(
        "no guard has answered, only git: {}",
        short(line.unwrap_or("nothing was said"))
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_known_by_its_words() {
        let said = "remote: error[SW1101]: confusable: x\n ! [remote rejected] a (pre-receive hook declined)";
        assert_eq!(told(said), Answer::Refused("error[SW1101]: confusable: x".into()));
        let said = " ! [remote rejected] a (failed to update ref)";
        assert!(matches!(told(said), Answer::NotTried(why) if why.contains("no guard has answered")));
    }
}
