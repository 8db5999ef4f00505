//! How refs move: who may make, push, rewind and delete what is not protected, and that tickets alone move what is.

use super::evaluate::{Case, Place, Step, Verdicts, branch_text, is_none, shown};
use super::verdict::{Rule, Verdict};
use super::{BranchClass, ObjectKind, Signature, ticket};

/// Judges how a ref moves.
pub(super) fn judge(case: &Case<'_>, out: &mut Verdicts) {
    stale(case, out);
    symbolic(case, out);
    object(case, out);
    match case.place {
        Place::Branch(short) if case.is_protected() => protected(case, short, out),
        Place::Branch(short) => open(case, short, out),
        Place::Tag(short) => tag(case, short, out),
        Place::For(_) | Place::Event(_) => {
            if case.step == Step::Delete {
                out.add(
                    Verdict::new(
                        Rule::Delete,
                        format!("{} is no branch that could be deleted", shown(case.name)),
                    )
                    .hint("shipway change close NUMBER"),
                );
            }
        }
        Place::Foreign => {}
    }
}

fn stale(case: &Case<'_>, out: &mut Verdicts) {
    let (old, current) = (case.update.old.as_str(), case.update.current.as_str());
    if old == current || (is_none(old) && is_none(current)) {
        return;
    }
    let id = |id: &str| if is_none(id) { "nothing".to_owned() } else { id.to_owned() };
    out.add(
        Verdict::new(Rule::StaleOld, format!("{} is not what the push takes it for", shown(case.name)))
            .found(id(current))
            .wanted(id(old))
            .hint("git fetch origin"),
    );
}

fn symbolic(case: &Case<'_>, out: &mut Verdicts) {
    let Some(target) = case.update.target.as_deref() else { return };
    let branch = target.strip_prefix(b"refs/heads/");
    let covers = |short: &[u8]| case.policy.is_protected(short);
    // Told once, for the name that was pushed.
    if case.name != target && branch.is_none_or(covers) {
        let what = format!("{} stands for {}", shown(case.name), shown(target));
        let to = branch.map_or("BRANCH".to_owned(), branch_text);
        out.add(
            Verdict::new(Rule::Symref, what)
                .wanted("a symbolic ref to a branch that is not protected")
                .hint(format!("git push origin HEAD:refs/for/{to}")),
        );
    }
}

fn object(case: &Case<'_>, out: &mut Verdicts) {
    let fits = match case.update.object {
        ObjectKind::Commit => true,
        ObjectKind::Tag => matches!(case.place, Place::Tag(_)),
        ObjectKind::Other => matches!(case.place, Place::Tag(_) | Place::Foreign),
    };
    if !fits && case.step != Step::Delete {
        out.add(
            Verdict::new(Rule::ObjectKind, format!("{} would not name a commit", shown(case.name)))
                .found(case.update.new.clone())
                .hint("git push origin 'COMMIT^{commit}':refs/heads/BRANCH"),
        );
    }
}

fn protected(case: &Case<'_>, short: &[u8], out: &mut Verdicts) {
    if case.step == Step::Delete {
        out.add(
            Verdict::new(Rule::Delete, format!("{} is protected and is never deleted", shown(short)))
                .hint("to end it, take its pattern out of .shipway/policy.toml by a change request"),
        );
        return;
    }
    let Some(seen) = &case.update.ticket else {
        let target = branch_text(short);
        let verdict = Verdict::new(
            Rule::PushRestricted,
            format!("{} is protected: only landings move it", shown(short)),
        );
        out.add(
            verdict
                .wanted("a change request that lands")
                .hint(format!("git push origin HEAD:refs/for/{target}"))
                .hint("shipway change land NUMBER"),
        );
        rewind(case, short, out);
        return;
    };
    ticket::judge(case, seen, out);
    let forced = seen.exception.is_some()
        && seen.by.as_deref().is_some_and(|by| {
            let allowed = |class: &BranchClass| !class.protected || case.policy.names(&class.force, Some(by));
            case.classes.iter().all(|(_, class)| allowed(class))
        });
    if !forced {
        rewind(case, short, out);
    }
}

/// Refuses any move that is not forward.
fn rewind(case: &Case<'_>, short: &[u8], out: &mut Verdicts) {
    if case.step == Step::Rewind {
        let target = branch_text(short);
        out.add(
            Verdict::new(Rule::NonFastForward, format!("the new commit is not ahead of {}", shown(short)))
                .found(case.update.new.clone())
                .wanted(format!("a commit that has {} behind it", case.update.current))
                .hint(format!("git fetch origin {target} && git rebase origin/{target}")),
        );
    }
}

/// A branch that is not protected: by the lists of all its classes.
fn open(case: &Case<'_>, short: &[u8], out: &mut Verdicts) {
    type List = fn(&BranchClass) -> &[String];
    let refused = |list: List| case.classes.iter().find(|(_, class)| !case.may(list(class)));
    let name = branch_text(short);
    let (rule, verb, list, hint): (_, _, List, _) = match case.step {
        Step::Create => {
            let hint = "push under a name that is open, or ask one of them to make it".to_owned();
            (Rule::CreateRestricted, "make", |class| &class.create, hint)
        }
        Step::Delete => (Rule::Delete, "delete", |class| &class.delete, "ask one of them".to_owned()),
        Step::Forward | Step::Rewind => {
            let hint = format!("git push origin HEAD:refs/for/{name}");
            (Rule::PushRestricted, "push to", |class| &class.push, hint)
        }
    };
    if let Some((class, rules)) = refused(list) {
        out.add(
            listed(rule, &format!("{} may not {verb} {}", case.who(), shown(short)), list(rules), class)
                .hint(hint),
        );
    }
    if case.step == Step::Rewind
        && let Some((class, rules)) = refused(|class| &class.force)
    {
        let what = format!("{} may not move {} to what is not ahead of it", case.who(), shown(short));
        let hint = format!("git fetch origin {name} && git rebase origin/{name}");
        out.add(listed(Rule::NonFastForward, &what, &rules.force, class).hint(hint));
    }
    if let Some(landing) = &case.update.landing {
        let by = case.update.ticket.as_ref().and_then(|ticket| ticket.by.as_deref());
        super::landing::judge(case, landing, by.or(case.actor), out);
    }
}

fn listed(rule: Rule, what: &str, list: &[String], class: &str) -> Verdict {
    let who = if list.is_empty() { "nobody".to_owned() } else { list.join(", ") };
    Verdict::new(rule, what).wanted(format!("{who} (class {class})"))
}

fn tag(case: &Case<'_>, short: &[u8], out: &mut Verdicts) {
    let name = shown(short);
    if case.step != Step::Delete && case.update.object == ObjectKind::Other {
        out.add(
            Verdict::new(Rule::ObjectKind, format!("tag {name} names no commit"))
                .wanted("a commit, whose files can be judged")
                .hint("git tag NAME COMMIT"),
        );
    }
    for (class, rules) in case.policy.tag_classes_of(short) {
        if case.step != Step::Create && rules.immutable {
            let what = format!("tag {name} is there for good (class {class})");
            out.add(
                Verdict::new(Rule::TagImmutable, what).hint("git tag ANOTHER-NAME COMMIT, and push that"),
            );
        }
        if case.step == Step::Delete {
            continue;
        }
        if !case.may(&rules.create) {
            let what = format!("{} may not make tag {name}", case.who());
            out.add(
                listed(Rule::CreateRestricted, &what, &rules.create, class).hint("ask one of them to tag it"),
            );
        }
        if rules.landed && !case.update.on_protected {
            out.add(
                Verdict::new(Rule::TagUnlanded, format!("tag {name} names what is on no protected branch"))
                    .found(case.update.new.clone())
                    .wanted("a commit that has landed")
                    .hint("land the commit first: git push origin COMMIT:refs/for/BRANCH"),
            );
        }
        if rules.signed {
            signed_tag(case, &name, out);
        }
    }
}

fn signed_tag(case: &Case<'_>, name: &str, out: &mut Verdicts) {
    let found = match (&case.update.object, &case.update.signature) {
        (ObjectKind::Tag, Some(Signature::Good(_))) => return,
        (ObjectKind::Tag, Some(Signature::Bad(why))) => why.clone(),
        (ObjectKind::Tag, Some(Signature::None) | None) => "a tag without a signature".to_owned(),
        (ObjectKind::Commit | ObjectKind::Other, _) => "a lightweight tag".to_owned(),
    };
    out.add(
        Verdict::new(Rule::Signed, format!("tag {name} is not signed by a key of {}", super::SIGNERS))
            .found(found)
            .wanted("an annotated tag with a good signature")
            .hint("git tag -s NAME COMMIT"),
    );
}
