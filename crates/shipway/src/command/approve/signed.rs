//! Approvals that are signed with a key of ssh: here, or on another machine and brought as a file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shipway_core::action::Catalog as _;
use shipway_core::gate::{self, Need, Vouched, Yes};
use shipway_core::grade;
use shipway_core::id::StepId;
use shipway_core::journal::Event;
use shipway_core::plan::Plan;
use shipway_core::problem::{Code, Problem};
use shipway_core::run::Run;
use shipway_core::statement::{PlanApproval, Signed, Signer, Statement, Use};
use shipway_world::keys::{self, Keys, SigningKey};
use shipway_world::lease::this_host;
use shipway_world::shell;

use super::{again, carry, confirm, person, resume, show, steps, terminal, told, waiting};
use crate::session::Session;
use crate::view::Document;

/// How long a signed approval holds.
const HOLDS: Duration = Duration::from_hours(7 * 24);

/// What is taken to another machine: what is to be signed, and the plan that it is about.
#[derive(Serialize, Deserialize)]
struct Ask {
    statement: PlanApproval,
    plan: Plan,
}

/// Signs here, with a key of the person at the terminal.
pub(super) fn here(session: &Session<'_>, run: &Run, key: Option<&Path>) -> Result<u8, Problem> {
    let (gate, needs) = waiting(run)?;
    let key = session.signing_key(key)?;
    let statement = statement(run, &gate)?;
    let expected = expected(session, run, &statement, &key)?;
    suits(run, &gate, &needs, &expected)?;
    let mut terminal = terminal()?;
    show(session, run, &gate);
    session.view.note(&format!("you are {}, by the key {}", expected.person, expected.key));
    session.view.note(&format!("the grade will be {}: {}", grade::name(expected.grade), expected.why));
    confirm(session, &run.digest, &mut terminal)?;
    drop(terminal);
    let signed = keys::sign(&key, Statement::Plan(statement), &|line| session.view.note(line))?;
    record(session, run, &signed)
}

/// Prints what is to be signed on another machine.
pub(super) fn export(session: &Session<'_>, prefix: Option<&str>) -> Result<u8, Problem> {
    let run = resume::open_run(session, prefix)?;
    let (gate, _) = waiting(&run)?;
    let ask = Ask { statement: statement(&run, &gate)?, plan: run.plan };
    let fields = json!({ "ask": ask });
    session.view.answer(Document::Ask, &fields, &fields.to_string());
    Ok(super::DONE)
}

/// Signs what was printed on another machine, and prints that.
pub(super) fn elsewhere(session: &Session<'_>, file: &Path, key: Option<&Path>) -> Result<u8, Problem> {
    person(session)?;
    let Ask { statement, plan } = read(file, "ask")?;
    let digest = plan.digest();
    if digest != statement.plan {
        return Err(Problem::new(
            Code::StatementElsewhere,
            "the plan in the file is not the one to be approved",
        )
        .at(file.display().to_string())
        .found(digest.to_string())
        .wanted(statement.plan.to_string()));
    }
    let key = session.signing_key(key)?;
    let mut terminal = terminal()?;
    let gate = statement.gate.clone().unwrap_or_default();
    let release = &plan.release;
    session
        .view
        .note(&format!("{} {}   run {}, waiting at {gate}", release.project, release.to, statement.run));
    steps(session, &plan, |_| true);
    session.view.note(&format!("plan {digest}"));
    let key_name = key.public.fingerprint();
    session
        .view
        .note(&format!("you sign with the key {key_name}; what that proves is found where the run is"));
    confirm(session, &digest, &mut terminal)?;
    drop(terminal);
    let statement = PlanApproval { host: this_host(), ..statement };
    let signed = keys::sign(&key, Statement::Plan(statement), &|line| session.view.note(line))?;
    let fields = json!({ "signed": signed });
    session.view.answer(Document::Signed, &fields, &fields.to_string());
    Ok(super::DONE)
}

/// Takes what was signed on another machine.
pub(super) fn import(session: &Session<'_>, prefix: Option<&str>, file: &Path) -> Result<u8, Problem> {
    person(session)?;
    let run = resume::open_run(session, prefix)?;
    record(session, &run, &read(file, "signed")?)
}

/// Writes a signed approval down, if its signature is good and it is one that the run waits for.
fn record(session: &Session<'_>, run: &Run, signed: &Signed) -> Result<u8, Problem> {
    let vouched = session.catalog(&session.hands()?).vouch(&yes(run, signed))?;
    // Others may have gone on while the person was reading.
    let lock = session.lock(Some(&run.id))?;
    let now = resume::fold(session, &run.id)?;
    let (gate, needs) = waiting(&now)?;
    suits(&now, &gate, &needs, &vouched)?;
    let (grade, why) = (vouched.grade, vouched.why.clone());
    let (step, signed) = (Some(gate.clone()), Some(Box::new(vouched)));
    let event = Event::Approved { step, plan: run.digest.clone(), grade, signed };
    let run = carry::note(session, lock, &run.id, event)?;
    Ok(told(session, &run, &gate, (grade, &why)))
}

/// Refuses an approval that meets none of the needs at a gate.
fn suits(run: &Run, gate: &StepId, needs: &[&Need], vouched: &Vouched) -> Result<(), Problem> {
    let person = &vouched.person;
    if let Some(other) = vouched.gate.as_ref().filter(|other| *other != gate) {
        return Err(Problem::new(Code::StatementElsewhere, "what was signed is for another gate")
            .at(format!("run {}", run.id))
            .found(other.to_string())
            .wanted(gate.to_string()));
    }
    let may = |need: &&&Need| gate::may_sign(need, &vouched.names).is_ok();
    let least = |need: &&Need| match need {
        Need::Approval { grade, .. } => *grade,
        Need::Check { .. } => u8::MAX,
    };
    let Some(least) = needs.iter().filter(may).map(least).min() else {
        let why =
            |need: &&Need| Some(format!("{}: {}", need.name(), gate::may_sign(need, &vouched.names).err()?));
        return Err(Problem::new(Code::MayNotApprove, format!("{person} may not approve this plan"))
            .at(format!("run {}", run.id))
            .details(needs.iter().filter_map(why)));
    };
    if vouched.grade < least {
        let what = format!("the yes of {person} would be {}", grade::name(vouched.grade));
        let problem = Problem::new(Code::GradeTooLow, what)
            .at(format!("run {}, gate {gate}", run.id))
            .found(vouched.why.clone())
            .wanted(format!("{}: {}", grade::name(least), grade::wanted(least)));
        return Err(stronger(problem, run, least));
    }
    let given = run.approvals(gate).iter().filter_map(|given| given.signed.as_ref());
    if given.into_iter().any(|given| given.person == *person && given.grade >= vouched.grade) {
        return Err(again(person));
    }
    Ok(())
}

/// Adds how to give an approval of a grade.
fn stronger(problem: Problem, run: &Run, least: u8) -> Problem {
    let id = &run.id;
    match least {
        0 | 1 => problem
            .hint("give the key a passphrase: ssh-keygen -p -f FILE")
            .hint(format!("or sign with another one: shipway approve {id} --key FILE")),
        2 => problem
            .hint("make a key on a device, and have it allowed: ssh-keygen -t ed25519-sk")
            .hint(format!("then sign with it: shipway approve {id} --key FILE")),
        _ => problem
            .hint(format!("take it to another machine: shipway approve {id} --export >ask.json"))
            .hint("sign there: shipway approve --sign ask.json >yes.json")
            .hint(format!("and bring it back: shipway approve {id} --import yes.json")),
    }
}

fn statement(run: &Run, gate: &StepId) -> Result<PlanApproval, Problem> {
    Ok(PlanApproval {
        project: run.plan.release.project.clone(),
        run: run.id.to_string(),
        plan: run.digest.clone(),
        gate: Some(gate.to_string()),
        host: this_host(),
        expires: shell::now().after(HOLDS),
        nonce: keys::nonce()?,
        key_use: Use::default(),
    })
}

/// Returns what the approval will be, if all goes well: what cannot count is refused before anybody reads a plan.
fn expected(
    session: &Session<'_>,
    run: &Run,
    statement: &PlanApproval,
    key: &SigningKey,
) -> Result<Vouched, Problem> {
    let known = Keys::of_base(session.git())?;
    let statement = Statement::Plan(statement.clone()).with_use(key.key_use);
    let person = known.signers.person(&key.public, statement.namespace(), shell::now());
    let person = person.map_err(|problem| problem.at(known.from.clone()))?.to_owned();
    let (touched, verified) = (key.public.is_on_device(), false);
    let (name, kind) = (key.public.fingerprint(), key.public.kind().to_owned());
    let signer = Signer { person, key: name, kind, touched, verified };
    let unsigned = Signed { text: statement.text(), signature: String::new() };
    yes(run, &unsigned).vouched(&signer, known.who(&signer.person))
}

fn yes<'a>(run: &'a Run, signed: &'a Signed) -> Yes<'a> {
    let (project, requester) = (&run.plan.release.project, &run.by);
    Yes { project, run: &run.id, plan: &run.digest, requester, signed, at: shell::now(), used: false }
}

/// Reads one thing out of a document that another call has printed.
fn read<T: DeserializeOwned>(file: &Path, name: &str) -> Result<T, Problem> {
    let unusable = |why: String| {
        Problem::new(Code::StatementElsewhere, format!("{} holds no `{name}`", file.display())).found(why)
    };
    let text = fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    let mut document: Value = serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
    let part = document.get_mut(name).map(Value::take).unwrap_or_default();
    serde_json::from_value(part).map_err(|error| unusable(error.to_string()))
}
