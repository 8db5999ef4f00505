//! Who makes commits, and whether signing works.

use std::time::Duration;

use shipway_core::action::{Cmd, Ended};
use shipway_core::facts::Signing;
use shipway_core::problem::{Code, Problem};

use super::ask::Git;
use super::settings::Settings;
use super::{Here, Look, TrySigning, shown};

/// How long a signature may take. A key that asks for its passphrase would wait for ever.
const SIGNATURE: Duration = Duration::from_secs(20);

/// Returns who git says makes commits; what keeps it from saying so is the inner result.
pub(super) fn identity(git: Git<'_>, settings: &Settings) -> Result<Result<String, Problem>, Problem> {
    // Where both names come from one setting, one of them tells for both.
    let author = ["user.email", "user.name"].iter().any(|key| settings.get(key).is_none());
    if author && let Err(problem) = name(git, "GIT_AUTHOR_IDENT")? {
        return Ok(Err(problem));
    }
    name(git, "GIT_COMMITTER_IDENT")
}

fn name(git: Git<'_>, which: &str) -> Result<Result<String, Problem>, Problem> {
    let output = git.run(&["var", which])?;
    let text = shown(output.text().as_bytes());
    // `Jane Doe <jane@example.org> 1795178588 +0000`
    let person = text.rsplit_once('>').map(|(person, _)| format!("{person}>"));
    if let Some(person) = person.filter(|_| output.ok()) {
        return Ok(Ok(person));
    }
    let told = output.error_text();
    let lines = told.lines().filter(|line| line.starts_with("fatal:")).map(|line| shown(line.as_bytes()));
    let problem = Problem::new(Code::IdentityMissing, "git does not know who you are")
        .found("no name or no email address")
        .wanted("a name and an email address for commits and tags")
        .details(lines)
        .hint("git config user.name 'YOUR NAME'")
        .hint("git config user.email YOU@EXAMPLE.ORG");
    Ok(Err(problem))
}

/// Looks whether commits and tags are signed, and tries it where it is asked for and possible.
pub(super) fn look(git: Git<'_>, here: &Here, ask: &Look) -> Result<Signing, Problem> {
    let on = |key: &str| here.settings.on(key);
    let commits = on("commit.gpgsign");
    let tags = on("tag.gpgsign") || on("tag.forcesignannotated");
    let possible = here.identity.is_ok() && !here.tree.is_empty();
    let wanted = match ask.try_signing {
        TrySigning::Never => false,
        TrySigning::AsConfigured => commits || tags,
        TrySigning::Always => true,
    };
    let tried = if wanted && possible { Some(trial(git, here)?) } else { None };
    Ok(Signing { commits, tags, tried })
}

/// Signs a commit that nothing refers to. Its date is fixed, so that many trials with one ssh key are one object.
fn trial(git: Git<'_>, here: &Here) -> Result<Result<(), Problem>, Problem> {
    let date = "946684800 +0000";
    let cmd = git.command(&["commit-tree", "-S", "-m", "trial signature", &here.tree]);
    let cmd = cmd.env("GIT_AUTHOR_DATE", date).env("GIT_COMMITTER_DATE", date).timeout(SIGNATURE);
    let output = git.send(&Cmd { stdin: None, ..cmd })?;
    if output.ok() {
        return Ok(Ok(()));
    }
    let found = match output.ended {
        Ended::TimedOut => format!("no signature in {} seconds", SIGNATURE.as_secs()),
        Ended::Exit(_) | Ended::Signal(_) | Ended::Stopped => "no signature".to_owned(),
    };
    let told = output.error_text();
    let problem = Problem::new(Code::SigningUnusable, "the signing key cannot be used")
        .found(found)
        .wanted("a signature without a prompt")
        .details(told.lines().take(20).map(|line| shown(line.as_bytes())))
        .hint(unlock(&here.settings))
        .hint("git config --get-regexp 'sign|gpg'");
    Ok(Err(problem))
}

/// Returns a command that makes the usual agent remember the passphrase.
fn unlock(settings: &Settings) -> &'static str {
    match settings.get("gpg.format") {
        Some("ssh") => "ssh-add",
        Some(_) | None => "echo test | gpg --clearsign",
    }
}
