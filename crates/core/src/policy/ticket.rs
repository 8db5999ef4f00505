//! Landing tickets: the signed right to move one ref from one object to another, once.

use super::evaluate::{Case, Place, Step, Verdicts, branch_text, is_none, shown};
use super::verdict::{Rule, Verdict};
use super::{BranchClass, PATH, Purpose, TicketSeen, content, landing};

/// Judges the ticket of a protected branch that is made or moved, and what lands by it.
pub(super) fn judge(case: &Case<'_>, seen: &TicketSeen, out: &mut Verdicts) {
    let Place::Branch(short) = case.place else { return };
    let branch = branch_text(short);
    let by = seen.by.as_deref().filter(|by| case.policy.people.contains_key(*by));
    if let Some(flaw) = flaw(case, seen) {
        let land = match case.update.landing.as_ref().map(|landing| landing.change) {
            Some(change) if change > 0 => format!("shipway change land {change}"),
            Some(_) | None => "shipway change land NUMBER".to_owned(),
        };
        out.add(
            Verdict::new(Rule::TicketInvalid, format!("the ticket for {} does not count", shown(short)))
                .found(flaw)
                .wanted("a ticket that is signed, in time, and written under the policy in force")
                .hint(land),
        );
    }
    let Some(by) = by else { return };
    if let Some(reason) = &seen.exception {
        if reason.trim().is_empty() {
            out.add(
                Verdict::new(Rule::TicketInvalid, "the exception gives no reason")
                    .hint("say why it cannot wait, for whoever reads it later"),
            );
        }
        restricted(case, by, ("land by exception on", "break-glass"), |class| &class.break_glass, out);
        return;
    }
    match seen.purpose {
        Purpose::Change => match &case.update.landing {
            Some(lands) => landing::judge(case, lands, Some(by), out),
            None => out.add(
                Verdict::new(Rule::TicketInvalid, "nothing is known of the change that the ticket is for")
                    .hint("shipway change show NUMBER"),
            ),
        },
        Purpose::Release => {
            restricted(case, by, ("release on", "release"), |class| &class.release, out);
            one_commit(case, &branch, out);
            governs_nothing(case, &branch, out);
        }
        Purpose::Bootstrap => {
            restricted(case, by, ("begin", "create"), |class| &class.create, out);
            if case.step != Step::Create {
                out.add(
                    Verdict::new(Rule::TicketInvalid, format!("{} is there already", shown(short)))
                        .wanted("a branch that is not there yet")
                        .hint(format!("git push origin HEAD:refs/for/{branch}")),
                );
            } else if !case.update.on_protected {
                out.add(
                    Verdict::new(
                        Rule::TicketInvalid,
                        format!("{} would begin with what nobody has approved", shown(short)),
                    )
                    .found(case.update.new.clone())
                    .wanted("a commit that a protected branch has; the first of them begins with any")
                    .hint(format!("begin it where a protected branch is, and then propose the rest: git push origin HEAD:refs/for/{branch}")),
                );
            }
        }
    }
}

/// Returns why a ticket does not count, whatever it is for.
fn flaw(case: &Case<'_>, seen: &TicketSeen) -> Option<String> {
    let policy = &case.facts.policy;
    match &seen.by {
        _ if seen.flaw.is_some() => seen.flaw.clone(),
        None => Some("nobody has signed it".to_owned()),
        Some(by) if !case.policy.people.contains_key(by) => {
            Some(format!("it is signed by {by}, who is not in the policy"))
        }
        Some(_) if seen.policy.is_empty() || seen.policy != *policy => {
            Some("it was written under another policy".to_owned())
        }
        Some(_) if seen.expires <= case.facts.now => Some(format!("it ended at {}", seen.expires)),
        Some(_) => None,
    }
}

/// Refuses whoever is not in the list of each protected class; a release or an exception is never an agent's.
fn restricted(
    case: &Case<'_>,
    by: &str,
    (verb, key): (&str, &str),
    list: fn(&BranchClass) -> &[String],
    out: &mut Verdicts,
) {
    let refuses = |class: &BranchClass| {
        class.protected && !(case.policy.is_person(by) && case.policy.names(list(class), Some(by)))
    };
    if let Some((name, class)) = case.classes.iter().find(|(_, class)| refuses(class)) {
        let list = list(class);
        let who = if list.is_empty() { "nobody".to_owned() } else { list.join(", ") };
        let Place::Branch(short) = case.place else { return };
        out.add(
            Verdict::new(Rule::PushRestricted, format!("{by} may not {verb} {}", shown(short)))
                .wanted(format!("{who} (class {name})"))
                .hint(format!("name them in branch.{name}.{key} of {PATH}, by a change request")),
        );
    }
}

/// A release lands one commit on top of the branch, so that a ticket for it carries nothing else along.
fn one_commit(case: &Case<'_>, branch: &str, out: &mut Verdicts) {
    let update = case.update;
    let on_top = match update.commits.as_slice() {
        [commit] => {
            let parent = commit.parents.as_slice();
            commit.id == update.new
                && (parent == [update.current.clone()] || (is_none(&update.current) && parent.is_empty()))
        }
        _ => false,
    };
    if !on_top {
        out.add(
            Verdict::new(Rule::TicketInvalid, "a release is one commit on top of the branch")
                .found(format!("{} commits", update.commits.len()))
                .hint(format!("git push origin HEAD:refs/for/{branch}")),
        );
    }
}

/// Whoever may release does not thereby decide about the policy, the keys and the owners.
fn governs_nothing(case: &Case<'_>, branch: &str, out: &mut Verdicts) {
    let update = case.update;
    let mut files = update.commits.iter().flat_map(|commit| &commit.files).chain(&update.total);
    if let Some(file) = files.find(|file| content::governs(&file.path)) {
        out.add(
            Verdict::new(Rule::PathRestricted, format!("a release does not change {}", shown(&file.path)))
                .wanted("a change request of its own, which its owners approve")
                .hint(format!("git push origin HEAD:refs/for/{branch}")),
        );
    }
}
