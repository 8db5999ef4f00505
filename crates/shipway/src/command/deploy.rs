//! `deploy`, `promote`: bringing a release to an environment.

use shipway_core::id::RunId;
use shipway_core::problem::Problem;

use super::carry::{self, Load};
use super::{DONE, End, plan, push};
use crate::args;
use crate::prepare;
use crate::session::Session;

/// Plans a deployment and carries it out, shows it, or carries out exactly the plan that a digest names.
pub fn run(session: &Session<'_>, deploy: &args::Deploy) -> End {
    let one = |problem: Problem| vec![problem];
    let digest = deploy.what.as_deref().filter(|text| push::names_a_plan(text));
    let kept = digest.and_then(|digest| plan::kept(session, digest));
    let what = match &kept {
        Some(kept) => kept.version.as_deref(),
        None => deploy.what.as_deref(),
    };
    // What was said for the plan that was shown is said for it still.
    let restored = deploy.restored || kept.as_ref().is_some_and(|kept| kept.restored);
    if deploy.plan {
        let plan = prepare::deploy::plan(session, &deploy.environment, what, restored)?;
        return show(session, (what, restored), &plan);
    }
    let lock = session.lock(None).map_err(one)?;
    session.free(&deploy.environment).map_err(one)?;
    let plan = prepare::deploy::plan(session, &deploy.environment, what, restored)?;
    if let (Some(digest), Some(kept)) = (digest, kept.as_ref()) {
        let flags = if restored { " --restored --plan" } else { " --plan" };
        let what = what.map_or_else(String::new, |what| format!(" {what}"));
        let again = format!("shipway deploy {}{what}{flags}", deploy.environment);
        push::same(digest, (Some(kept.plan.clone()), &plan), &again).map_err(one)?;
    }
    carry::out(session, lock, Load::Plan(Box::new(plan)))
}

/// Brings what the environment before has to an environment.
pub fn promote(session: &Session<'_>, promote: &args::Promote) -> End {
    let (name, environment) =
        prepare::onward::environment(session, &promote.environment).map_err(|problem| vec![problem])?;
    if environment.from.is_none() {
        let what = format!("environment `{name}` has none before it");
        let problem = Problem::new(shipway_core::problem::Code::EnvironmentUnknown, what)
            .wanted(format!("[environment.{name}] from = \"…\""))
            .hint(format!("bring the last release to it: shipway deploy {name}"));
        return Err(vec![problem]);
    }
    let deploy = args::Deploy {
        environment: promote.environment.clone(),
        what: promote.digest.clone(),
        plan: promote.plan,
        restored: false,
    };
    run(session, &deploy)
}

/// Puts the release before, or a version that was confirmed, back into an environment.
pub fn back(session: &Session<'_>, name: &str, rollback: &args::Rollback) -> End {
    let one = |problem: Problem| vec![problem];
    let (to, restored) = (rollback.to.as_deref(), rollback.restored);
    if rollback.plan {
        return show(session, (None, restored), &prepare::deploy::back(session, name, to, restored)?);
    }
    let lock = session.lock(None).map_err(one)?;
    session.free(name).map_err(one)?;
    let plan = prepare::deploy::back(session, name, to, restored)?;
    carry::out(session, lock, Load::Plan(Box::new(plan)))
}

/// Puts the release before back into an environment, if what a run brought is live on all its hosts that have
/// anything.
pub fn leave(session: &Session<'_>, name: &str, run: &RunId) -> End {
    let one = |problem: Problem| vec![problem];
    let place = prepare::onward::environment(session, name).map_err(one)?;
    let project = prepare::glance_with_files(session)?.name();
    let place = prepare::onward::look(session, &session.hands().map_err(one)?, place, &project)?;
    let mut live = place.hosts.iter().filter_map(|(_, state)| state.current.as_ref()).peekable();
    if live.peek().is_some() && live.all(|current| current == run) {
        return back(session, name, &args::Rollback::default());
    }
    session.view.note(&format!("{name} is left as it is: something else than run {run} is live there"));
    Ok(DONE)
}

fn show(session: &Session<'_>, asked: (Option<&str>, bool), shown: &shipway_core::plan::Plan) -> End {
    plan::keep(session, asked, shown);
    session.view.plan(shown);
    session.view.warnings(&prepare::outlook::problems(session, shown)?);
    Ok(DONE)
}
