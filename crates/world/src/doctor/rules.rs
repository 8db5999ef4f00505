//! The policy that holds, and the owners beside it.

use std::path::Path;

use shipway_core::policy::owners::Owners;
use shipway_core::policy::{self, Policy};
use shipway_core::problem::{Code, Problem};

use super::{Line, Server, State, Subject};
use crate::guard::publish::GUARD;
use crate::guard::{self, Guard};
use crate::hooks::staged::InHook;
use crate::policy::{Base, Bootstrap, texts};

/// Looks at what the protected branch says, as it was last fetched, or as the repository itself has it.
pub(super) fn look(subject: &Subject<'_>) -> Vec<Line> {
    let Some((git, rev, branch, base)) = base(subject) else { return vec![] };
    let base = match base {
        Ok(base) => base,
        Err(problems) => return Line::all("policy", problems, ""),
    };
    let written = texts(&git, &rev, &[policy::PATH]).is_ok_and(|texts| texts[0].is_some());
    let mut lines = vec![policy_line(&base.policy, written, &rev)];
    lines.push(protects(&base.policy, &branch));
    if let Some((path, text)) = &base.owners {
        lines.extend(owners(&base.policy, path, text));
    }
    lines
}

type Found<'a> = (InHook<'a>, String, String, Result<Base, Vec<Problem>>);

/// Returns git, the ref that the policy is read from, the branch that it is there, and the policy.
fn base<'a>(subject: &Subject<'a>) -> Option<Found<'a>> {
    match (&subject.server, subject.repository()) {
        (Server::Here(path), _) if !guard::is_closed(path) => Some(of_server(subject, path)),
        (Server::Here(_) | Server::Away(_) | Server::Nowhere(_), Some(repository)) => {
            of_tree(subject, &repository.top)
        }
        (Server::Here(_) | Server::Away(_) | Server::Nowhere(_), None) => None,
    }
}

fn of_server<'a>(subject: &Subject<'a>, path: &Path) -> Found<'a> {
    let git = subject.git(path);
    let (rev, base) = match Guard::open(path) {
        Ok(guard) => (guard.settings.policy.clone(), guard.base(&git)),
        Err(_) => ("HEAD".to_owned(), Base::at(&git, "HEAD", None)),
    };
    let head = git.run(&git.git().args(["symbolic-ref", "--quiet", "HEAD"]));
    let head = head.map(|output| output.text()).unwrap_or_default();
    let name = if rev == "HEAD" { &head } else { &rev };
    let branch = name.strip_prefix("refs/heads/").unwrap_or(name).to_owned();
    (git, rev, branch, base)
}

fn of_tree<'a>(subject: &Subject<'a>, top: &Path) -> Option<Found<'a>> {
    let facts = subject.facts.as_ref()?.as_ref().ok()?;
    let git = subject.git(top);
    let default =
        facts.remote.as_ref().and_then(|remote| Some((&remote.name, remote.default_branch.clone()?)));
    let (rev, branch) = match default {
        Some((remote, branch)) => (format!("refs/remotes/{remote}/{branch}"), branch),
        // A remote that was never cloned from has told no default branch.
        None => ("HEAD".to_owned(), facts.head.branch().unwrap_or("main").to_owned()),
    };
    let base = Base::at(&git, &rev, Some(Bootstrap::Ref(GUARD)));
    Some((git, rev, branch, base))
}

fn policy_line(policy: &Policy, written: bool, rev: &str) -> Line {
    let short = policy.digest().short().to_owned();
    let state = if written {
        State::Ok(format!("{short}, as {rev} has it"))
    } else {
        let what =
            format!("{rev} has no {}, so what holds is what the guard was given, or the usual", policy::PATH);
        State::Warning(Problem::new(Code::PolicyRule, what).hint("shipway init --flow github-flow --dry-run"))
    };
    Line::new("policy", state)
}

fn protects(policy: &Policy, branch: &str) -> Line {
    let classes = policy.classes_of(branch.as_bytes());
    let class = classes.iter().find(|(_, class)| class.protected);
    let state = match class {
        Some((name, _)) => State::Ok(format!("{branch}, by branch.{name}")),
        None => State::Wrong(
            Problem::new(Code::PolicyRule, format!("no class of the policy protects {branch}"))
                .found(format!("{branch} is open to whoever is known"))
                .wanted("a class with `protected = true` and this branch among its patterns")
                .hint(format!(
                    "[branch.main] patterns = [\"{branch}\"] and protected = true in {}",
                    policy::PATH
                ))
                .hint("shipway policy show"),
        ),
    };
    Line::new("protected", state)
}

fn owners(policy: &Policy, path: &str, text: &str) -> Vec<Line> {
    let owners = Owners::read(text, path);
    let mut wrong: Vec<Problem> = owners.problems().to_vec();
    let is_known = |owner: &str| policy.people.keys().any(|person| policy.owns(owner, person));
    let named = owners.named();
    let unknown: Vec<&str> = named.iter().copied().filter(|owner| !is_known(owner)).collect();
    if unknown.is_empty() {
        return Line::all("owners", wrong, &format!("{path} reads, and the policy knows all its owners"));
    }
    let counts = policy.branches.values().any(|class| class.protected && class.approvals.owners);
    let problem =
        Problem::new(Code::OwnersLine, format!("{path} names owners that the policy does not know"))
            .found(unknown.join(", "))
            .wanted("people or groups of the policy")
            .hint(format!("[person.NAME] in {}", policy::PATH));
    if counts {
        // Whoever is not known can never approve.
        wrong.push(problem);
        return Line::all("owners", wrong, "");
    }
    let mut lines = if wrong.is_empty() { vec![] } else { Line::all("owners", wrong, "") };
    lines.push(Line::new("owners", State::Warning(problem)));
    lines
}
