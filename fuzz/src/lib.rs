//! What the parsers of strangers' bytes must hold, whatever the bytes. Each function here is a target of the fuzzer, and
//! `crates/core/tests/fuzz.rs` tries all of them with the corpus in every ordinary run of the tests.

use shipway_core::policy::owners::Owners;
use shipway_core::policy::{
    self, Commit, Facts, Identity, ObjectKind, Policy, Rule, Update, UpdateKind, cases, evaluate,
    parse_updates,
};
use shipway_core::time::Time;
use shipway_core::version;

const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NEW: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn facts(update: Update) -> Facts {
    let by = Identity { login: "anna".to_owned(), how: "fuzz".to_owned() };
    let refs = ["refs/heads/main", "refs/heads/develop", "refs/heads/feature/x", "refs/tags/v1.0.0"];
    Facts {
        by: Some(by),
        now: Time(1),
        policy: "in force".to_owned(),
        refs: refs.map(|name| name.as_bytes().to_vec()).to_vec(),
        updates: vec![update],
    }
}

/// Every refusal has a rule that is told in one line, and a remedy.
fn rules(policy: &Policy, facts: &Facts) -> Vec<Rule> {
    let verdicts = evaluate(policy, facts);
    for verdict in &verdicts {
        assert!(!verdict.hints.is_empty(), "{verdict:?}");
        assert!(!verdict.what.is_empty() && !verdict.what.contains(['\n', '\u{1b}']), "{verdict:?}");
    }
    verdicts.into_iter().map(|verdict| verdict.rule).collect()
}

/// Commit messages: the parser, the linter and the evaluator agree, and nothing that hides passes.
pub fn message(data: &[u8]) {
    let commit =
        Commit { id: NEW.into(), parents: vec![OLD.into()], message: data.to_vec(), ..Commit::default() };
    let update = Update {
        name: b"refs/heads/feature/x".to_vec(),
        old: OLD.into(),
        current: OLD.into(),
        new: NEW.into(),
        commits: vec![commit],
        ..Update::default()
    };
    let allowed = rules(&Policy::default(), &facts(update)).is_empty();
    let Ok(text) = std::str::from_utf8(data) else {
        assert!(!allowed, "what is not UTF-8 has passed");
        return;
    };
    let parsed = version::parse(text);
    let linted = version::lint(text);
    version::without_comments(text);
    version::issues(text);
    version::reverts(text, &parsed);
    if allowed {
        assert!(linted.is_empty(), "{linted:?}");
        assert!(!text.contains(['\0', '\u{1b}', '\u{202e}', '\u{200b}']), "{text:?}");
    }
    if let Ok(commit) = parsed {
        assert!(!commit.kind.is_empty() && !commit.description.is_empty(), "{text:?}");
        for footer in &commit.footers {
            assert!(!footer.token.is_empty() && text.contains(footer.text), "{text:?}");
        }
    }
}

/// Names of refs: nobody makes, moves or removes a protected branch, and no name passes that could be taken for one.
pub fn names(data: &[u8]) {
    let policy = policy::read("preset = 'gitflow'", "p").expect("a preset is a policy");
    let (how, name) = data.split_first().map_or((0, data), |(how, name)| (*how, name));
    let (old, new, kind) = match how % 3 {
        0 => ("", NEW, UpdateKind::Create),
        1 => (OLD, NEW, UpdateKind::Forward),
        _ => (OLD, "", UpdateKind::Delete),
    };
    let commit = Commit { id: new.into(), message: b"fix: x".to_vec(), ..Commit::default() };
    let update = Update {
        name: name.to_vec(),
        target: (how & 64 != 0).then(|| b"refs/heads/main".to_vec()),
        old: old.into(),
        current: old.into(),
        new: new.into(),
        object: ObjectKind::Commit,
        kind,
        commits: if kind == UpdateKind::Forward { vec![commit] } else { vec![] },
        ..Update::default()
    };
    if !rules(&policy, &facts(update)).is_empty() {
        return;
    }
    assert!(how & 64 == 0, "an alias of a protected branch has passed");
    let open = ["refs/heads/", "refs/tags/", "refs/for/", "refs/events/"];
    let prefix = open.iter().find(|prefix| name.starts_with(prefix.as_bytes()));
    let prefix = prefix.expect("only branches, tags and change requests pass");
    let short = &name[prefix.len()..];
    if *prefix == "refs/events/" || kind == UpdateKind::Delete {
        assert!(*prefix != "refs/heads/" || !policy.is_protected(short), "a protected branch was removed");
        return;
    }
    let short = std::str::from_utf8(short).expect("names that pass are UTF-8");
    assert!(!short.is_empty() && !short.starts_with(['-', '.', '/']) && !short.contains(".."), "{short:?}");
    assert!(!short.chars().any(|c| c.is_control() || c.is_whitespace()), "{short:?}");
    if *prefix == "refs/heads/" {
        let lower = short.to_lowercase();
        assert!(!policy.is_protected(lower.as_bytes()), "{short:?}");
        assert!(!["head", "fetch_head", "@"].contains(&lower.as_str()), "{short:?}");
    }
}

/// Policies and cases: what is read can be read again, and what is not has a problem with a place.
pub fn policy(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match policy::read(&text, "p.toml") {
        Ok(policy) => {
            let text = serde_json::to_string(&policy).expect("a policy has string keys");
            let again: Policy = serde_json::from_str(&text).expect("what we write can be read");
            assert_eq!(again, policy);
            assert_eq!(again.digest(), policy.digest());
            let update = Update {
                name: b"refs/heads/main".to_vec(),
                old: OLD.into(),
                current: OLD.into(),
                new: NEW.into(),
                ..Update::default()
            };
            let refused = rules(&policy, &facts(update)).contains(&Rule::PushRestricted);
            assert!(refused || !policy.is_protected(b"main"), "main has moved");
        }
        Err(problems) => placed(&problems),
    }
    match cases::read(&text, "c.toml") {
        Ok(cases) => {
            for case in cases {
                case.decide(&Policy::default(), None);
            }
        }
        Err(problems) => placed(&problems),
    }
}

fn placed(problems: &[shipway_core::problem::Problem]) {
    assert!(!problems.is_empty());
    for problem in problems {
        assert!(problem.place.is_some(), "{problem:?}");
        assert!(!problem.what.contains(['\n', '\u{1b}']), "{problem:?}");
    }
}

/// Files of owners: a file and the paths that are asked for, divided by NUL, in each place that a file may be in.
pub fn owners(data: &[u8]) {
    let mut parts = data.split(|byte| *byte == 0);
    let text = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let paths: Vec<&[u8]> = parts.collect();
    for place in policy::OWNERS {
        let owners = Owners::read(&text, place);
        placed_or_none(owners.problems());
        for path in &paths {
            for owned in owners.of(path) {
                assert!(!owned.owners.is_empty() && owned.count > 0, "{owned:?}");
                assert!(owned.owners.iter().all(|owner| owner.contains('@')), "{owned:?}");
            }
        }
        owners.required(paths.iter().copied());
    }
}

fn placed_or_none(problems: &[shipway_core::problem::Problem]) {
    if !problems.is_empty() {
        placed(problems);
    }
}

/// The input of a pre-receive hook: what is read is every byte of it.
pub fn pushed(data: &[u8]) {
    let Ok(updates) = parse_updates(data) else { return };
    let mut again = vec![];
    for update in &updates {
        let width = update.old.len().max(update.new.len());
        // Where both are nothing, the width is that of the input.
        let width = if width > 0 { width } else { width_of(&data[again.len()..]) };
        for id in [&update.old, &update.new] {
            again.extend(if id.is_empty() {
                "0".repeat(width).into_bytes()
            } else {
                id.clone().into_bytes()
            });
            again.push(b' ');
        }
        again.extend(&update.name);
        again.push(b'\n');
    }
    assert_eq!(again, data);
}

fn width_of(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b' ').unwrap_or_default()
}
