//! `policy`: what the policy of a repository says, what is wrong with it, and how it decides the user's own cases.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::json;
use shipway_core::policy::cases::{self, Case, Decided};
use shipway_core::policy::owners::Owners;
use shipway_core::policy::{self as core, OWNERS, PATH, Policy};
use shipway_core::problem::{Code, Problem};
use shipway_world::facts::Tree;

use super::{DONE, End};
use crate::args;
use crate::session::Session;
use crate::view::Document;
use crate::view::policy as view;

/// Carries out what is asked.
pub fn run(session: &Session<'_>, asked: &args::Policy) -> End {
    match asked {
        args::Policy::Show { reference } => show(session, reference.as_deref()),
        args::Policy::Check { file } => check(session, file.as_deref()),
        args::Policy::Test { files } => test(session, files),
    }
}

fn show(session: &Session<'_>, reference: Option<&str>) -> End {
    let (text, source) = match reference {
        Some(name) => (at(session, name).map_err(|problem| vec![problem])?, format!("{PATH} of {name}")),
        None => (read(&session.repository.top.join(PATH))?, format!("{PATH} of the work tree")),
    };
    let source = if text.is_some() { source } else { format!("what holds without {PATH}") };
    let policy = core::read(&text.unwrap_or_default(), PATH)?;
    let digest = policy.digest();
    let fields = json!({ "source": source, "digest": digest, "policy": policy });
    session.view.answer(Document::PolicyShown, &fields, &view::explain(&policy, &source));
    Ok(DONE)
}

/// Returns the policy of a commit, if it has one.
fn at(session: &Session<'_>, name: &str) -> Result<Option<String>, Problem> {
    let commit = session.git().resolve(&format!("{name}^{{commit}}"))?.ok_or_else(|| {
        Problem::new(Code::Usage, format!("there is no commit {name}")).hint("git branch --all")
    })?;
    let bytes = Tree::at(session.git(), &commit)?.read(PATH)?;
    bytes.map(|bytes| utf8(bytes, PATH)).transpose()
}

fn utf8(bytes: Vec<u8>, path: &str) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|_| Problem::new(Code::ConfigSyntax, format!("{path} is not UTF-8")))
}

/// Returns the text of a file, or nothing if there is none.
fn read(path: &Path) -> Result<Option<String>, Vec<Problem>> {
    let shown = path.display().to_string();
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(vec![Problem::new(Code::Io, format!("{shown} cannot be read: {error}"))]),
        Ok(bytes) => utf8(bytes, &shown).map(Some).map_err(|problem| vec![problem]),
    }
}

/// Returns a file that must be there, with its name for problems.
fn wanted(session: &Session<'_>, file: Option<&Path>, usual: &str) -> Result<(String, String), Vec<Problem>> {
    let path = file.map_or_else(|| session.repository.top.join(usual), Path::to_owned);
    let name = file.map_or_else(|| usual.to_owned(), |file| file.display().to_string());
    let text = read(&path)?.ok_or_else(|| {
        let problem = Problem::new(Code::Usage, format!("there is no {name}"));
        vec![problem.hint("shipway policy --help")]
    })?;
    Ok((text, name))
}

fn check(session: &Session<'_>, file: Option<&Path>) -> End {
    let usual = session.repository.top.join(PATH);
    let (text, name) = if file.is_none() && !usual.exists() {
        (String::new(), format!("what holds without {PATH}"))
    } else {
        wanted(session, file, PATH)?
    };
    let mut problems = vec![];
    let policy = match core::read(&text, &name) {
        Ok(policy) => Some(policy),
        Err(found) => {
            problems.extend(found);
            None
        }
    };
    if let Some(policy) = &policy {
        problems.extend(unknown_checks(session, policy, &name));
    }
    if let Some((owners, _)) = owners(session)? {
        problems.extend(owners.problems().iter().cloned());
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let digest = policy.map(|policy| policy.digest());
    let short = digest.as_ref().map(|digest| digest.short().to_owned()).unwrap_or_default();
    let fields = json!({ "source": name, "digest": digest });
    session.view.answer(
        Document::PolicyCheck,
        &fields,
        &format!("{name}: nothing is wrong with it   policy {short}"),
    );
    Ok(DONE)
}

/// A check that shipway.toml does not have could never pass, and would stop every landing.
fn unknown_checks(session: &Session<'_>, policy: &Policy, name: &str) -> Vec<Problem> {
    let known: Vec<&str> = session.config.check.iter().map(|check| check.name.as_str()).collect();
    let missing = policy.branches.iter().flat_map(|(class, rules)| {
        rules.checks.iter().filter(|check| !known.contains(&check.as_str())).map(move |check| (class, check))
    });
    let problem = |(class, check): (&String, &String)| {
        let what =
            format!("check `{check}` of `branch.{class}` is not in shipway.toml, so it can never pass");
        let problem = Problem::new(Code::PolicyRule, what).at(name);
        let problem = if known.is_empty() { problem } else { problem.wanted(known.join(", ")) };
        problem.hint("[[check]] in shipway.toml")
    };
    missing.map(problem).collect()
}

/// Returns the owners of the work tree, and the file they are in.
fn owners(session: &Session<'_>) -> Result<Option<(Owners, &'static str)>, Vec<Problem>> {
    for path in OWNERS {
        if let Some(text) = read(&session.repository.top.join(path))? {
            return Ok(Some((Owners::read(&text, path), path)));
        }
    }
    Ok(None)
}

fn test(session: &Session<'_>, files: &[PathBuf]) -> End {
    let policy = read(&session.repository.top.join(PATH))?.unwrap_or_default();
    let policy = core::read(&policy, PATH)?;
    let owners = owners(session)?.map(|(owners, _)| owners);
    let files: Vec<Option<&Path>> =
        if files.is_empty() { vec![None] } else { files.iter().map(|file| Some(file.as_path())).collect() };
    let (mut cases, mut bad): (Vec<Case>, Vec<Problem>) = (vec![], vec![]);
    for file in files {
        let (text, name) = wanted(session, file, cases::CASES)?;
        match cases::read(&text, &name) {
            Ok(found) => cases.extend(found),
            Err(problems) => bad.extend(problems),
        }
    }
    if !bad.is_empty() {
        return Err(bad);
    }
    let decided: Vec<(Case, Decided)> = cases
        .into_iter()
        .map(|case| {
            let decided = case.decide(&policy, owners.as_ref());
            (case, decided)
        })
        .collect();
    session.view.answer(
        Document::PolicyTested,
        &view::cases(&policy, &decided),
        &view::table(&policy, &decided),
    );
    let problems: Vec<Problem> = decided.into_iter().filter_map(|(_, decided)| decided.problem).collect();
    if problems.is_empty() { Ok(DONE) } else { Err(problems) }
}
