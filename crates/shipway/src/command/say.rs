//! `say`: the same verbs from a sentence, by an exact grammar. The result is a plan, unless a person says yes.

use shipway_core::problem::{Code, Problem};
use shipway_core::say::{self, Said, Verb};
use shipway_core::version::Ask;

use super::{End, deploy, plan, push, rollback, status};
use crate::args;
use crate::session::Session;

/// Understands a sentence, and shows the plan or carries it out.
pub fn run(session: &mut Session<'_>, sentence: &str, yes: bool) -> End {
    let projects: Vec<String> = session.config.project.name.clone().into_iter().collect();
    let environments: Vec<String> = session.config.environment.keys().cloned().collect();
    let said = say::understand(sentence, &projects, &environments).map_err(|problem| vec![problem])?;
    let ask = args::Ask { version: version(&said), to: said.to.clone() };
    let carry_out = yes && !said.plan_only;
    match said.verb {
        Verb::Push if carry_out => push::run(session, &args::Push { ask }),
        Verb::Push | Verb::Plan => plan::run(session, &ask),
        Verb::Deploy => {
            let environment = said.to.clone().ok_or_else(|| vec![no_environment(session)])?;
            deploy::run(
                session,
                &args::Deploy { environment, what: version(&said), plan: !carry_out, restored: false },
            )
        }
        Verb::RollBack => {
            rollback::run(session, &args::Rollback { plan: !carry_out, ..args::Rollback::default() })
        }
        Verb::Status => status::run(session, &args::Status::default()),
    }
}

fn version(said: &Said) -> Option<String> {
    match &said.ask {
        Ask::Auto => None,
        Ask::Bump(bump) => Some(bump.as_str().to_owned()),
        Ask::Exact(version) => Some(version.to_string()),
    }
}

fn no_environment(session: &Session<'_>) -> Problem {
    let known: Vec<&str> = session.config.environment.keys().map(String::as_str).collect();
    let problem = Problem::new(Code::EnvironmentUnknown, "the sentence names no environment");
    if known.is_empty() {
        return problem.hint("release without a deployment: shipway push");
    }
    problem.wanted(format!("one of {}", known.join(", ")))
}
