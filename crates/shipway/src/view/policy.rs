//! Policies in words, and how they decide cases.

use std::fmt::Write as _;

use serde_json::{Value, json};
use shipway_core::config::{duration_text, size_text};
use shipway_core::policy::cases::{Case, Decided};
use shipway_core::policy::{BranchClass, Method, Policy, Rule, TagClass};

/// Returns what a policy says, class by class.
pub fn explain(policy: &Policy, source: &str) -> String {
    let preset = policy.preset.as_ref().map(|name| format!("   preset {name}")).unwrap_or_default();
    let mut out = format!("policy {}{preset}   {source}\n", policy.digest().short());
    if policy.solo {
        out.push_str("solo: authors may approve their own changes\n");
    }
    people(policy, &mut out);
    for (name, class) in &policy.branches {
        branch(name, class, policy.solo, &mut out);
    }
    let rest = if policy.names.is_empty() {
        "whoever is known may make, push to, rewind and delete it".to_owned()
    } else {
        format!("it is called like {}, and open to whoever is known", policy.names.join(", "))
    };
    let _ = write!(out, "\nany other branch\n  {rest}\n");
    for (name, class) in &policy.tags {
        tag(name, class, &mut out);
    }
    contents(policy, &mut out);
    out
}

fn people(policy: &Policy, out: &mut String) {
    let named = |agent: bool| -> Vec<String> {
        let people = policy.people.iter().filter(|(_, person)| person.agent == agent);
        let one = |name: &str, logins: &[String]| {
            if logins.is_empty() || logins == [name] {
                name.to_owned()
            } else {
                format!("{name} ({})", logins.join(", "))
            }
        };
        people.map(|(name, person)| one(name, &person.logins)).collect()
    };
    for (title, names) in [("people", named(false)), ("agents", named(true))] {
        if !names.is_empty() {
            let _ = writeln!(out, "{title}  {}", names.join(", "));
        }
    }
    for (name, members) in &policy.groups {
        let _ = writeln!(out, "group {name}  {}", members.join(", "));
    }
}

/// Returns a list of people in words.
fn who(list: &[String]) -> String {
    if list.is_empty() {
        "nobody".to_owned()
    } else if list.iter().any(|name| name == "*") {
        "whoever is known".to_owned()
    } else {
        list.join(", ")
    }
}

fn who_or(list: &[String], otherwise: &str) -> String {
    if list.is_empty() { otherwise.to_owned() } else { who(list) }
}

fn branch(name: &str, class: &BranchClass, solo: bool, out: &mut String) {
    let kind = if class.protected { "protected" } else { "open" };
    let _ = write!(out, "\n{}   {kind} (class {name})\n", class.patterns.join(", "));
    let mut line = |text: String| {
        let _ = writeln!(out, "  {text}");
    };
    if class.protected {
        line("moved by landings only, and never deleted".to_owned());
        line(format!("landed by {}; begun by {}", who_or(&class.land, "every person"), who(&class.create)));
    } else {
        line(format!(
            "made by {}; pushed to by {}; deleted by {}; rewound by {}",
            who(&class.create),
            who(&class.push),
            who(&class.delete),
            who(&class.force)
        ));
    }
    for pair in &class.pairs {
        let methods: Vec<&str> = pair.methods.iter().map(|method| Method::as_str(*method)).collect();
        line(format!("gets {} by {}", pair.from.join(", "), methods.join(" or ")));
    }
    approvals(class, solo, &mut line);
    if !class.checks.is_empty() {
        let runners = who_or(&class.runners, "whoever lands");
        line(format!("checks on the very commit: {}, vouched for by {runners}", class.checks.join(", ")));
    }
    for (list, words) in [(&class.release, "released on"), (&class.break_glass, "landed on by exception")] {
        if !list.is_empty() {
            line(format!("{words} by {}", who(list)));
        }
    }
    if class.linear {
        line("holds no merges".to_owned());
    }
    if class.signed {
        line("holds signed commits only".to_owned());
    }
}

fn approvals(class: &BranchClass, solo: bool, line: &mut impl FnMut(String)) {
    let wanted = &class.approvals;
    if wanted.count > 0 {
        let plural = if wanted.count == 1 { "approval" } else { "approvals" };
        let grade =
            if wanted.grade == 0 { String::new() } else { format!(" of grade P{} or more", wanted.grade) };
        let apart = if solo { "" } else { ", none of them an author" };
        let from = who_or(&wanted.from, "any person");
        line(format!("{} {plural}{grade} from {from}{apart}", wanted.count));
    }
    if wanted.owners {
        line("paths that have owners are approved by one of them".to_owned());
    }
}

fn tag(name: &str, class: &TagClass, out: &mut String) {
    let _ = write!(
        out,
        "\ntags {}   (class {name})\n  made by {}",
        class.patterns.join(", "),
        who(&class.create)
    );
    for (holds, words) in [
        (class.immutable, "never moved or deleted"),
        (class.signed, "annotated and signed"),
        (class.landed, "on a protected branch"),
    ] {
        if holds {
            let _ = write!(out, "; {words}");
        }
    }
    out.push('\n');
}

fn contents(policy: &Policy, out: &mut String) {
    let (commits, files) = (&policy.commits, &policy.files);
    let mut rules = vec![];
    if commits.conventional {
        let types = if commits.types.is_empty() {
            String::new()
        } else {
            format!(" and {}", commits.types.join(", "))
        };
        rules.push(format!("messages follow Conventional Commits{types}"));
    }
    if commits.issue {
        rules.push("each names an issue".to_owned());
    }
    if commits.subject > 0 {
        rules.push(format!("the first line has at most {} bytes", commits.subject));
    }
    rules.push(format!("at most {} and {} parents", size_text(commits.size), commits.parents));
    let _ = write!(out, "\ncommits\n  {}\n", rules.join("; "));
    let mut rules = vec![format!("at most {}", size_text(files.size))];
    if files.secrets {
        rules.push("no secrets".to_owned());
    }
    if !files.forbidden.is_empty() {
        rules.push(format!("nothing like {}", files.forbidden.join(", ")));
    }
    let _ = write!(out, "files\n  {}\n", rules.join("; "));
    for (path, list) in &files.restricted {
        let _ = writeln!(out, "  {path} is changed by {}", who(list));
    }
    if !policy.policy_owners.is_empty() {
        let _ = writeln!(
            out,
            "  the policy, the keys and the owners are approved by {}",
            who(&policy.policy_owners)
        );
    }
    let (ticket, approval) = (duration_text(policy.ticket_expiry), duration_text(policy.approval_expiry));
    let _ = write!(out, "time\n  a ticket holds for {ticket}, an approval for {approval}");
}

/// Returns decided cases for programs.
pub fn cases(policy: &Policy, decided: &[(Case, Decided)]) -> Value {
    let one = |(case, decided): &(Case, Decided)| {
        json!({
            "name": case.name,
            "place": case.place,
            "expect": expected(case),
            "ok": decided.problem.is_none(),
            "verdicts": decided.verdicts,
        })
    };
    let failed = decided.iter().filter(|(_, decided)| decided.problem.is_some()).count();
    json!({
        "digest": policy.digest(),
        "passed": decided.len() - failed,
        "failed": failed,
        "cases": decided.iter().map(one).collect::<Vec<_>>(),
    })
}

fn expected(case: &Case) -> &'static str {
    case.expect.map_or("allow", Rule::as_str)
}

/// Returns decided cases for people.
pub fn table(policy: &Policy, decided: &[(Case, Decided)]) -> String {
    let width = decided.iter().map(|(case, _)| case.name.chars().count()).max().unwrap_or_default();
    let mut out = String::new();
    for (case, decided) in decided {
        let sign = if decided.problem.is_none() { '✓' } else { '✗' };
        let _ = writeln!(out, "{sign} {:width$}   {}", case.name, expected(case));
    }
    let failed = decided.iter().filter(|(_, decided)| decided.problem.is_some()).count();
    let passed = decided.len() - failed;
    let _ = write!(out, "{passed} as expected, {failed} otherwise   policy {}", policy.digest().short());
    out
}
