//! What commits hold: messages, shape, signatures, files. Each commit of a range is judged, and what the range adds up
//! to, so that nothing hides in a commit that a later one takes back.

use std::collections::HashSet;

use super::evaluate::{Case, Place, Step, Verdicts, is_none, shown};
use super::message::{self, hides};
use super::verdict::{Rule, Verdict};
use super::{
    Commit, FileChange, Landing, Method, Policy, Purpose, Signature, TicketSeen, glob, landing, looks_secret,
};
use crate::version::excerpt;

/// Judges the commits of a branch or of a change request.
pub(super) fn judge(case: &Case<'_>, out: &mut Verdicts) {
    let begins = case.update.ticket.as_ref().is_some_and(|t| t.purpose == Purpose::Bootstrap);
    match case.place {
        _ if case.step == Step::Delete => return,
        Place::Branch(_) | Place::For(_) => {}
        // What comes along with a tag or a record is in the repository all the same.
        Place::Tag(_) | Place::Event(_) => return along(case, out),
        Place::Foreign => return,
    }
    // A branch that begins with a history that was there before is vouched for as a whole.
    if begins && case.step == Step::Create {
        return;
    }
    read(case, out);
    let fresh = fresh_only(case);
    let mut told = HashSet::new();
    for commit in &case.update.commits {
        message::judge(case, commit, fresh, out);
        shape(case, commit, out);
        signed(case, commit, fresh, out);
        alone(commit, out);
        for file in &commit.files {
            told.insert((&file.path, &file.blob));
            self::file(case, file, &commit.id, out);
        }
    }
    for file in case.update.total.iter().filter(|file| !told.contains(&(&file.path, &file.blob))) {
        self::file(case, file, "", out);
    }
}

/// Judges the files of commits that no branch has, whatever brings them.
fn along(case: &Case<'_>, out: &mut Verdicts) {
    let record = |path: &[u8]| matches!(case.place, Place::Event(_)) && path == super::RECORD.as_bytes();
    for commit in &case.update.commits {
        for file in commit.files.iter().filter(|file| !record(&file.path)) {
            self::file(case, file, &commit.id, out);
        }
    }
}

/// A branch that has moved has commits; where none were read, nothing can be said of them.
fn read(case: &Case<'_>, out: &mut Verdicts) {
    let moved = case.step == Step::Forward && case.update.new != case.update.current;
    if moved && case.update.commits.is_empty() && !is_none(&case.update.new) {
        out.add(
            Verdict::new(Rule::Budget, "the commits of the push were not read")
                .hint("push less at once: git push origin COMMIT:refs/heads/BRANCH"),
        );
    }
}

/// Tells whether the commits themselves may never get to the branch that they are for, because it may squash them.
fn fresh_only(case: &Case<'_>) -> bool {
    let squashes = || {
        case.classes.iter().all(|(_, class)| {
            class.pairs.is_empty() || class.pairs.iter().any(|pair| pair.methods.contains(&Method::Squash))
        })
    };
    match case.place {
        Place::For(_) => squashes(),
        Place::Branch(_) => !case.is_protected(),
        Place::Tag(_) | Place::Event(_) | Place::Foreign => false,
    }
}

fn shape(case: &Case<'_>, commit: &Commit, out: &mut Verdicts) {
    let most = usize::try_from(case.policy.commits.parents).unwrap_or(usize::MAX);
    if commit.parents.len() > most {
        out.add(
            Verdict::new(Rule::CommitShape, "the commit has too many parents")
                .of(&commit.id)
                .found(commit.parents.len().to_string())
                .wanted(format!("at most {most}"))
                .hint("merge one branch after another"),
        );
    }
    let linear = case.classes.iter().find(|(_, class)| class.linear);
    if let (Place::Branch(short), Some((class, _))) = (case.place, linear)
        && commit.parents.len() > 1
    {
        let branch = super::evaluate::branch_text(short);
        out.add(
            Verdict::new(Rule::Linear, format!("{} holds no merges (class {class})", shown(short)))
                .of(&commit.id)
                .found("a merge commit")
                .wanted("commits with one parent")
                .hint(format!("git rebase origin/{branch}")),
        );
    }
}

/// Tells whether a commit is what landing has made: then the signature of its ticket, which names it, is the one that
/// counts. What somebody has written and lands as it is, needs its own.
fn by_ticket(case: &Case<'_>, commit: &Commit) -> bool {
    let good = |ticket: &TicketSeen| ticket.by.is_some() && ticket.flaw.is_none();
    let named = commit.id == case.update.new;
    let made = match case.update.landing.as_ref().map(|landing| landing.method) {
        // A release or an exception, or one commit that is made.
        None | Some(Some(Method::Merge | Method::Squash)) => named,
        Some(Some(Method::Rebase)) => true,
        Some(Some(Method::FastForward) | None) => false,
    };
    made && case.update.ticket.as_ref().is_some_and(good)
}

fn signed(case: &Case<'_>, commit: &Commit, fresh: bool, out: &mut Verdicts) {
    let squashed = fresh && matches!(case.place, Place::For(_));
    if squashed || by_ticket(case, commit) || !case.classes.iter().any(|(_, class)| class.signed) {
        return;
    }
    let found = match &commit.signature {
        Some(Signature::Good(_)) => return,
        Some(Signature::Bad(why)) => excerpt(why, 120),
        Some(Signature::None) => "no signature".to_owned(),
        None => "nobody has looked".to_owned(),
    };
    out.add(
        Verdict::new(Rule::Signed, format!("the commit is not signed by a key of {}", super::SIGNERS))
            .of(&commit.id)
            .found(found)
            .hint("git rebase --exec 'git commit --amend --no-edit -S' BASE"),
    );
}

/// Refuses a commit that changes what governs the repository along with other files: nobody reads it then.
fn alone(commit: &Commit, out: &mut Verdicts) {
    if commit.parents.len() != 1 {
        return;
    }
    let (governing, others): (Vec<_>, Vec<_>) = commit.files.iter().partition(|file| governs(&file.path));
    if let (Some(first), Some(other)) = (governing.first(), others.first()) {
        out.add(
            Verdict::new(Rule::PathRestricted, "the policy changes in a commit together with other files")
                .of(&commit.id)
                .found(format!("{} and {}", shown(&first.path), shown(&other.path)))
                .wanted("a change of its own")
                .hint(match commit.id.as_str() {
                    // It is not made yet: what is there before it stays.
                    "" => "split it: git restore --staged . && git add .shipway && git commit",
                    _ => "split the newest one: git reset HEAD^ && git add .shipway && git commit",
                }),
        );
    }
}

/// Tells whether a path decides about others' work: the policy, the keys, and the files of owners.
pub(super) fn governs(path: &[u8]) -> bool {
    path.starts_with(b".shipway/") || super::OWNERS.iter().any(|owners| path == owners.as_bytes())
}

fn file(case: &Case<'_>, file: &FileChange, commit: &str, out: &mut Verdicts) {
    let rules = &case.policy.files;
    // Made only for a refusal: a push may have a hundred thousand files.
    let path = || shown(&file.path);
    let refuse = |rule: Rule, what: String| Verdict::new(rule, what).of(commit);
    let harmless = rules.harmless.iter().any(|pattern| glob::fits(pattern, &file.path));
    if file.mode != 0 || !file.blob.is_empty() {
        if let Some(why) = foul(&file.path) {
            let verdict = refuse(Rule::FilePath, format!("{} {why}", path()));
            out.add(verdict.hint("git mv OLD NEW, in the commit that adds it"));
        }
        if let Some(pattern) = rules.forbidden.iter().find(|pattern| glob::fits(pattern, &file.path)) {
            let verdict = refuse(Rule::FilePath, format!("{} may not be in the repository", path()));
            out.add(
                verdict
                    .wanted(format!("nothing like {pattern}"))
                    .hint("git rm --cached FILE, in the commit that adds it"),
            );
        }
        if let Some(size) = file.size.filter(|size| *size > rules.size) {
            out.add(
                refuse(Rule::FileSize, format!("{} is too large", path()))
                    .found(format!("{size} bytes"))
                    .wanted(format!("at most {} bytes", rules.size))
                    .hint("git rm --cached FILE, in the commit that adds it; keep it elsewhere"),
            );
        }
        if rules.secrets && !harmless && looks_secret(&String::from_utf8_lossy(&file.path)) {
            let verdict = refuse(Rule::Secret, format!("{} looks like a secret by its name", path()));
            out.add(verdict.hint("git rm --cached FILE, in the commit that adds it").hint(ALLOW));
        }
    }
    if rules.secrets && !harmless {
        for secret in &file.secrets {
            let verdict = refuse(Rule::Secret, format!("{} holds what looks like a secret", path()));
            let hint = "take it out of the commit that adds it, and make it invalid where it is used";
            out.add(verdict.found(format!("line {}", excerpt(secret, 100))).hint(hint).hint(ALLOW));
        }
    }
    if let Some(found) = file.unkept.as_ref().filter(|_| rules.lfs) {
        let verdict = refuse(Rule::LfsObject, format!("{} stands for content that is not here", path()));
        let wanted = "in lfs/objects of this repository, what the file says";
        out.add(verdict.found(excerpt(found, 120)).wanted(wanted).hint("git lfs push origin --all"));
    }
    restricted(case, file, commit, out);
}

const ALLOW: &str = "if it is none: files.harmless in .shipway/policy.toml";

/// Returns why a path cannot be in a repository.
fn foul(path: &[u8]) -> Option<&'static str> {
    let part = |part: &[u8]| {
        matches!(part, b"" | b"." | b"..")
            || part.trim_ascii_end().eq_ignore_ascii_case(b".git")
            || part.eq_ignore_ascii_case(b"git~1")
    };
    if path.split(|byte| *byte == b'/').any(part) {
        return Some("has a part that leads out of the work tree, or into git's own files");
    }
    if path.iter().any(u8::is_ascii_control) {
        return Some("has a control character");
    }
    if path.is_ascii() {
        return None;
    }
    let text = std::str::from_utf8(path).unwrap_or_default();
    text.chars().any(hides).then_some("has a character that hides or turns text")
}

/// Returns the author of a change, if nobody else of the policy had a part in it: what another one has pushed into it was
/// not written by whoever opened it.
fn alone_in<'a>(policy: &'a Policy, lands: &Landing) -> Option<&'a str> {
    let author = policy.people.keys().find(|name| policy.is_called(name, &lands.author))?;
    let others = |name: &String| policy.people.keys().any(|person| policy.is_called(person, name));
    // A login is always somebody's; an address that the policy does not know may be the author's own.
    let is_other = |name: &&String| !policy.is_called(author, name) && (!name.contains('@') || others(name));
    (!lands.contributors.iter().any(|name| is_other(&name))).then_some(author)
}

/// Holds restricted paths to those who may change them: whoever pushes, or for a landing its author, an approver or
/// whoever lands. A change request is only a proposal.
fn restricted(case: &Case<'_>, file: &FileChange, commit: &str, out: &mut Verdicts) {
    if !matches!(case.place, Place::Branch(_)) {
        return;
    }
    for (pattern, who) in case.policy.files.restricted.iter().filter(|(p, _)| glob::fits(p, &file.path)) {
        let allowed = match &case.update.landing {
            None => case.may(who),
            Some(lands) => {
                let lander = case.update.ticket.as_ref().and_then(|ticket| ticket.by.as_deref());
                let author = alone_in(case.policy, lands);
                let approver = landing::approvers(case, lands, 0);
                let mut people = approver.into_iter().chain(lander).chain(author);
                people.any(|person| case.policy.names(who, Some(person)))
            }
        };
        if !allowed {
            let listed = if who.is_empty() { "nobody".to_owned() } else { who.join(", ") };
            out.add(
                Verdict::new(Rule::PathRestricted, format!("{} is restricted", shown(&file.path)))
                    .of(commit)
                    .found(format!("a change by {}", case.who()))
                    .wanted(format!("{listed} (files like {pattern})"))
                    .hint("git push origin HEAD:refs/for/BRANCH, for one of them to approve"),
            );
        }
    }
}
