//! `drill`: going the way back for practice, on an environment that is marked for it.

use std::time::{Duration, Instant};

use serde_json::json;
use shipway_core::config::duration_text;
use shipway_core::gate::Need;
use shipway_core::journal::Journal as _;
use shipway_core::kinds::deploy::MIGRATE;
use shipway_core::plan::{Plan, Release, Verb, Work};
use shipway_core::planner::drill::{self, BACK, FORWARD, Half, RESTORE};
use shipway_core::problem::{Code, Problem};

use super::carry::{self, Load};
use super::{DONE, End};
use crate::args::{self, DrillKind};
use crate::prepare::{self, glance_with_files, onward};
use crate::session::{Session, of_journal};
use crate::view::Document;

/// Practises a rollback there and back, or a restore, and says how long it took.
pub fn run(session: &Session<'_>, asked: &args::Drill) -> End {
    let (name, environment) =
        onward::environment(session, &asked.environment).map_err(|problem| vec![problem])?;
    if !environment.drill {
        let what = format!("environment `{name}` is not marked for drills");
        let problem =
            Problem::new(Code::DrillFailed, what).wanted(format!("[environment.{name}] drill = true"));
        return Err(vec![problem.hint("practise where it harms nobody, such as staging")]);
    }
    match asked.kind {
        DrillKind::Rollback => rollback(session, name),
        DrillKind::Restore => restore(session, name),
    }
}

fn rollback(session: &Session<'_>, name: &str) -> End {
    let back = prepare::deploy::back(session, name, None, false)?;
    if back.steps().any(|step| matches!(&step.work, Work::Act { kind, .. } if kind == MIGRATE)) {
        let what = "the way back would take migrations back, for real".to_owned();
        return Err(vec![
            Problem::new(Code::DrillFailed, what).wanted("a way back that leaves the database alone"),
        ]);
    }
    let version = back.release.from.clone().unwrap_or_default();
    let begun = Instant::now();
    let code = carry_out(session, name, back, BACK)?;
    if code != DONE {
        return Ok(code);
    }
    let took = begun.elapsed();
    let code = forward(session, name, &version)?;
    if code != DONE {
        return Ok(code);
    }
    let target = session.config.target.rollback;
    let whole = |span: Duration| Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
    let fields = json!({
        "environment": name,
        "drill": "rollback",
        "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "target_ms": u64::try_from(target.as_millis()).unwrap_or(u64::MAX),
        "within_target": took <= target,
    });
    let text = format!(
        "drill: back from {version} in {} of {}, and forward again",
        duration_text(whole(took)),
        duration_text(target)
    );
    session.view.answer(Document::Drill, &fields, &text);
    if took <= target {
        Ok(DONE)
    } else {
        Err(vec![
            Problem::new(Code::DrillFailed, "the way back took too long")
                .found(duration_text(whole(took)))
                .wanted(duration_text(target)),
        ])
    }
}

/// Brings the release back that was live before a drill.
fn forward(session: &Session<'_>, name: &str, version: &str) -> End {
    let plan = prepare::deploy::back(session, name, Some(version), false)?;
    let code = carry_out(session, name, plan, FORWARD)?;
    if code != DONE {
        unfinished(session).map_err(|problem| vec![problem])?;
    }
    Ok(code)
}

/// Goes forward again where a drill was left after its way back; nothing if none was. `run` is the one that is asked for.
pub fn finish(session: &Session<'_>, run: Option<&str>) -> Result<Option<u8>, Vec<Problem>> {
    let one = |problem| vec![problem];
    let halves = left(session).map_err(one)?;
    let asked = |half: &&Half| run.is_none_or(|run| half.run.as_str().starts_with(run));
    let Some(half) = halves.iter().rev().find(asked) else { return Ok(None) };
    let place = onward::environment(session, &half.environment).map_err(one)?;
    let project = glance_with_files(session)?.name();
    let place = onward::look(session, &session.hands().map_err(one)?, place, &project)?;
    if place.hosts.iter().any(|(_, state)| state.current.as_ref() != Some(&half.run)) {
        let name = &half.environment;
        session
            .view
            .note(&format!("{name} is left as it is: somebody has brought something else there since"));
        return Ok(None);
    }
    forward(session, &half.environment, &half.version).map(Some)
}

/// Warns of drills that went back and not forward again.
pub fn unfinished(session: &Session<'_>) -> Result<(), Problem> {
    let warning = |half: Half| {
        let what = format!("a drill of {} went back and not forward again", half.environment);
        let problem = Problem::new(Code::DrillFailed, what).at(format!("run {}", half.run));
        let problem = problem.found(format!("{} live", half.live)).wanted(format!("{} live", half.version));
        problem.hint(format!("bring it back: shipway resume {}", half.run))
    };
    session.view.warnings(&left(session)?.into_iter().map(warning).collect::<Vec<_>>());
    Ok(())
}

fn left(session: &Session<'_>) -> Result<Vec<Half>, Problem> {
    Ok(drill::halves(&session.journal_to_read()?.runs().map_err(of_journal)?))
}

/// Makes the backups of an environment, and restores each into a scratch place.
fn restore(session: &Session<'_>, name: &str) -> End {
    let one = |problem| vec![problem];
    let project = glance_with_files(session)?.name();
    let ours = session.config.backup.iter().filter(|(_, backup)| backup.environment.as_deref() == Some(name));
    let needs = ours.map(|(backup, _)| prepare::backup::need_of(session, backup, &project));
    let needs = needs.collect::<Result<Vec<Need>, Problem>>().map_err(one)?;
    if needs.is_empty() {
        let problem = Problem::new(Code::DrillFailed, format!("no backup is made in `{name}`"));
        return Err(vec![problem.hint(format!("[backup.NAME] environment = \"{name}\""))]);
    }
    let release = Release {
        verb: Verb::Deploy,
        project,
        from: None,
        to: "backups".into(),
        tag: String::new(),
        environment: Some(name.to_owned()),
        why: RESTORE.into(),
    };
    let hands = session.hands().map_err(one)?;
    let plan = drill::restore(release, needs, (session.config.target.rollback, &session.catalog(&hands)));
    let lock = session.lock(None).map_err(one)?;
    carry::out(session, lock, Load::Plan(Box::new(plan)))
}

fn carry_out(session: &Session<'_>, name: &str, plan: Plan, why: &str) -> End {
    let lock = session.lock(None).map_err(|problem| vec![problem])?;
    session.free(name).map_err(|problem| vec![problem])?;
    let plan = Plan { release: Release { why: why.to_owned(), ..plan.release.clone() }, ..plan };
    carry::out(session, lock, Load::Plan(Box::new(plan)))
}
