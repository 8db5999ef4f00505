//! Cases of a policy: what somebody asks, and how it is to be decided. `policy test` puts them to the evaluator.

use serde_json::Value as Json;

use super::owners::Owners;
use super::verdict::{Rule, Verdict};
use super::{
    Commit, Facts, FileChange, Identity, Landing, Method, ObjectKind, Policy, Purpose, Signature, TicketSeen,
    Update, UpdateKind, evaluate,
};
use crate::config::form::{Form, Type};
use crate::config::keys::Absent::{Detected, Required, Value as Default};
use crate::config::keys::{Key, Section, Shape, key};
use crate::config::place::{Problems, Source};
use crate::config::read::{Found, document};
use crate::config::suggest;
use crate::config::value::Value;
use crate::problem::{Code, Problem};
use crate::time::Time;

/// Where cases stand in a repository.
pub const CASES: &str = ".shipway/policy_test.toml";

/// What a case expects where nothing may be refused.
const ALLOW: &str = "allow";
const TICKETS: &[&str] = &["change", "release", "bootstrap", "break-glass"];
const KINDS: &[&str] = &["create", "forward", "rewind", "delete"];
const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NEW: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const HEAD: &str = "dddddddddddddddddddddddddddddddddddddddd";

static ROOT: Section = Section {
    name: "policy_test.toml",
    shape: Shape::One,
    doc: "Cases of the policy: what somebody asks, and how it is to be decided.",
    keys: &[key("schema", Type::One, Default("1"), "The form of this file.")],
    sections: &[Section {
        name: "case",
        shape: Shape::Many,
        doc: "One question. What it does not say is as the policy wants it, so that a case is about one thing.",
        keys: CASE,
        sections: &[],
    }],
};

const NAMES: Type = Type::List(Form::Any);

const CASE: &[Key] = &[
    key("name", Type::Text(Form::Any), Required, "What the case shows."),
    key(
        "by",
        Type::Text(Form::Any),
        Detected("nobody who is known"),
        "Who asks: a login, as the transport says.",
    ),
    key("ref", Type::Text(Form::Word), Required, "The ref, in full or as a branch."),
    key(
        "kind",
        Type::Text(Form::Of(KINDS)),
        Default("\"forward\""),
        "How it moves: it is made, goes forward, goes anywhere else, or is removed.",
    ),
    key("message", Type::Text(Form::Word), Default("\"fix: a case\""), "The message of the one commit."),
    key("files", NAMES, Default("[]"), "The paths that it changes."),
    key("signed", Type::Flag, Default("false"), "Whether the commit, or the tag, has a good signature."),
    key("annotated", Type::Flag, Default("false"), "For a tag: whether it is an annotated one."),
    key(
        "landed",
        Type::Flag,
        Default("false"),
        "For a tag: whether it names a commit of a protected branch.",
    ),
    key(
        "land",
        Type::Text(Form::Any),
        Detected("nobody: there is no ticket"),
        "Who lands it, with a good ticket.",
    ),
    key("ticket", Type::Text(Form::Of(TICKETS)), Default("\"change\""), "What the ticket is for."),
    key("from", Type::Text(Form::Any), Detected("none"), "For a change: its source branch."),
    key(
        "method",
        Type::Text(Form::Of(Method::NAMES)),
        Default("\"merge\""),
        "For a change: how it is merged.",
    ),
    key("author", Type::Text(Form::Any), Detected("none"), "For a change: who opened it."),
    key(
        "contributors",
        NAMES,
        Default("[]"),
        "For a change: logins and addresses of all who wrote any of it.",
    ),
    key(
        "approvals",
        NAMES,
        Default("[]"),
        "For a change: who has approved it, such as `anna`, or `anna:2` for a grade.",
    ),
    key("objections", NAMES, Default("[]"), "For a change: who asks for changes."),
    key(
        "checks",
        NAMES,
        Default("[]"),
        "For a change: checks that passed, such as `test`, or `test:ci` for a runner.",
    ),
    key("failed", NAMES, Default("[]"), "For a change: checks that did not."),
    key("obligations", NAMES, Default("[]"), "For a change: what must come first."),
    key("expect", Type::Text(Form::Any), Required, "`allow`, or the rule that refuses it."),
];

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Where it stands, such as `.shipway/policy_test.toml:3:1`.
    pub place: String,
    /// The rule that is to refuse it; nothing if it is to be allowed.
    pub expect: Option<Rule>,
    facts: Facts,
}

/// How a case is decided.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What refuses it; nothing if it is allowed.
    pub verdicts: Vec<Verdict>,
    /// The problem, if that is not what the case expects.
    pub problem: Option<Problem>,
}

/// Reads a file of cases; `path` is how problems name it.
///
/// # Errors
///
/// Returns all problems in the order of the file.
pub fn read(text: &str, path: &str) -> Result<Vec<Case>, Vec<Problem>> {
    let source = Source { text, path };
    let mut problems = Problems::new(source);
    let Some(found) = document(source, &ROOT, &mut problems) else { return Err(problems.sorted()) };
    if !problems.is_empty() {
        return Err(problems.sorted());
    }
    let mut cases = vec![];
    for found in found.sections("case") {
        match case(found, source) {
            Ok(case) => cases.push(case),
            Err((key, problem)) => problems.add(&found.span_of(key), problem),
        }
    }
    if problems.is_empty() { Ok(cases) } else { Err(problems.sorted()) }
}

/// Returns the JSON Schema of a file of cases.
pub fn schema() -> Json {
    crate::config::schema::of(&ROOT)
}

/// Adds the keys of a file of cases to a page.
pub(super) fn chapter(page: &mut String) {
    crate::config::schema::chapter(&ROOT, "", page);
}

impl Case {
    /// Puts the case to the evaluator. Who owns the files is as `owners` says.
    pub fn decide(&self, policy: &Policy, owners: Option<&Owners>) -> Decided {
        let mut facts = self.facts.clone();
        policy.digest().as_str().clone_into(&mut facts.policy);
        for update in &mut facts.updates {
            if let Some(ticket) = &mut update.ticket {
                ticket.policy.clone_from(&facts.policy);
            }
            let paths = update.total.iter().map(|file| file.path.as_slice());
            let required = owners.map(|owners| owners.required(paths)).unwrap_or_default();
            if let Some(landing) = &mut update.landing {
                landing.owners = required;
                let lander = update.ticket.as_ref().and_then(|ticket| ticket.by.clone()).unwrap_or_default();
                landing
                    .checks
                    .iter_mut()
                    .filter(|(_, by)| by.is_empty())
                    .for_each(|(_, by)| by.clone_from(&lander));
            }
        }
        let verdicts = evaluate(policy, &facts);
        let as_expected = match self.expect {
            None => verdicts.is_empty(),
            Some(rule) => verdicts.iter().any(|verdict| verdict.rule == rule),
        };
        let problem = (!as_expected).then(|| self.problem(&verdicts));
        Decided { verdicts, problem }
    }

    fn problem(&self, verdicts: &[Verdict]) -> Problem {
        let mut rules: Vec<&str> = verdicts.iter().map(|verdict| verdict.rule.as_str()).collect();
        rules.dedup();
        let found = if rules.is_empty() { ALLOW.to_owned() } else { rules.join(", ") };
        let told = verdicts.iter().map(|verdict| format!("{}: {}", verdict.rule.as_str(), verdict.what));
        Problem::new(Code::PolicyCase, format!("`{}` is decided otherwise", self.name))
            .at(&self.place)
            .found(found)
            .wanted(self.expect.map_or(ALLOW, Rule::as_str))
            .details(told)
            .hint("shipway policy show")
    }
}

fn text(found: &Found, key: &str) -> String {
    if let Some(Value::Text(text)) = found.value(key) { text.clone() } else { String::new() }
}

fn texts(found: &Found, key: &str) -> Vec<String> {
    if let Some(Value::Texts(texts)) = found.value(key) { texts.clone() } else { vec![] }
}

fn flag(found: &Found, key: &str) -> bool {
    matches!(found.value(key), Some(Value::Flag(true)))
}

type Bad = (&'static str, Problem);

fn case(found: &Found, source: Source<'_>) -> Result<Case, Bad> {
    let login = text(found, "by");
    let by = (!login.is_empty()).then(|| Identity { login, how: "case".to_owned() });
    Ok(Case {
        name: text(found, "name"),
        place: source.place(found.span.start),
        expect: expect(found)?,
        facts: Facts { by, now: Time(0), updates: vec![update(found)?], ..Facts::default() },
    })
}

fn expect(found: &Found) -> Result<Option<Rule>, Bad> {
    let wanted = text(found, "expect");
    if wanted == ALLOW {
        return Ok(None);
    }
    let rule = Rule::ALL.iter().find(|rule| rule.as_str() == wanted).copied();
    rule.map(Some).ok_or_else(|| {
        let known = || Rule::ALL.iter().map(|rule| rule.as_str()).chain([ALLOW]);
        let problem = Problem::new(Code::ConfigValue, format!("`{}.expect` is no rule", found.path))
            .found(crate::config::place::shown(&wanted))
            .wanted(format!("`{ALLOW}`, or the name of a rule"));
        let near = suggest::nearest(&wanted, known());
        ("expect", near.map_or(problem.clone(), |near| problem.hint(format!("did you mean `{near}`?"))))
    })
}

fn update(found: &Found) -> Result<Update, Bad> {
    let name = text(found, "ref");
    let name = if name.starts_with("refs/") || name == "HEAD" { name } else { format!("refs/heads/{name}") };
    let (kind, old, new) = match text(found, "kind").as_str() {
        "create" => (UpdateKind::Create, "", NEW),
        "rewind" => (UpdateKind::Rewind, OLD, NEW),
        "delete" => (UpdateKind::Delete, OLD, ""),
        _ => (UpdateKind::Forward, OLD, NEW),
    };
    let by = text(found, "by");
    let signature = if flag(found, "signed") { Signature::Good(by) } else { Signature::None };
    let total: Vec<FileChange> = texts(found, "files").iter().map(|path| file(path)).collect();
    let land = text(found, "land");
    let lands = !land.is_empty();
    let purpose = text(found, "ticket");
    let change = lands && purpose == "change";
    let method = Method::of(&text(found, "method"));
    let merged = change && method == Some(Method::Merge);
    let commit = Commit {
        id: new.to_owned(),
        parents: if merged { vec![old.to_owned(), HEAD.to_owned()] } else { vec![old.to_owned()] },
        message: text(found, "message").into_bytes(),
        signature: Some(signature.clone()),
        files: if merged { vec![] } else { total.clone() },
        clean_merge: Some(true),
        ..Commit::default()
    };
    Ok(Update {
        landing: if change { Some(landing(found, &name, method)?) } else { None },
        ticket: lands.then(|| ticket(land, &purpose)),
        name: name.into_bytes(),
        old: old.to_owned(),
        current: old.to_owned(),
        new: new.to_owned(),
        object: if flag(found, "annotated") { ObjectKind::Tag } else { ObjectKind::Commit },
        kind,
        commits: if kind == UpdateKind::Delete { vec![] } else { vec![commit] },
        total,
        on_protected: flag(found, "landed"),
        signature: Some(signature),
        target: None,
    })
}

fn file(path: &str) -> FileChange {
    let path = path.as_bytes().to_vec();
    FileChange { path, mode: 0o100_644, blob: NEW.to_owned(), size: Some(1), ..FileChange::default() }
}

fn ticket(by: String, purpose: &str) -> TicketSeen {
    TicketSeen {
        by: Some(by),
        expires: Time(1),
        exception: (purpose == "break-glass").then(|| "a case".to_owned()),
        purpose: match purpose {
            "release" => Purpose::Release,
            "bootstrap" => Purpose::Bootstrap,
            _ => Purpose::Change,
        },
        ..TicketSeen::default()
    }
}

fn landing(found: &Found, name: &str, method: Option<Method>) -> Result<Landing, Bad> {
    let pairs = |key: &str| -> Vec<(String, String)> {
        let split = |text: &String| text.split_once(':').map_or((text.clone(), String::new()), owned);
        texts(found, key).iter().map(split).collect()
    };
    let grade = |(name, grade): (String, String)| {
        let parsed = if grade.is_empty() { Some(0) } else { grade.parse().ok().filter(|grade| *grade <= 3) };
        let problem =
            || Problem::new(Code::ConfigValue, format!("`{}.approvals` has no grade {grade}", found.path));
        parsed.map(|grade: u8| (name, grade)).ok_or_else(|| ("approvals", problem().wanted("0 to 3")))
    };
    Ok(Landing {
        change: 1,
        source: text(found, "from"),
        target: name.strip_prefix("refs/heads/").unwrap_or(name).to_owned(),
        head: if method == Some(Method::FastForward) { NEW.to_owned() } else { HEAD.to_owned() },
        method,
        contributors: texts(found, "contributors"),
        author: text(found, "author"),
        approvals: pairs("approvals").into_iter().map(grade).collect::<Result<_, _>>()?,
        objections: texts(found, "objections"),
        checks: pairs("checks"),
        failed: pairs("failed").into_iter().map(|(name, _)| (name, "failed".to_owned())).collect(),
        owners: vec![],
        unready: None,
        obligations: texts(found, "obligations"),
        replayed: Some(true),
    })
}

fn owned((a, b): (&str, &str)) -> (String, String) {
    (a.to_owned(), b.to_owned())
}
