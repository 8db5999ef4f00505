//! Carries out one request.

use std::time::Duration;

use shipway_core::action::{Cmd, Ended, Fault, Output, Shell as _};
use shipway_core::deployment::Deployment;
use shipway_core::id::{Fence, RunId};
use shipway_core::problem::{Code, Problem};

use super::protocol::{Call, Command, Request, Response, Standing};
use super::root::doubt;
use super::setup::Agent;
use super::stage::{self, Staging};
use super::switch::Leave;
use super::{lease, look, sweep, switch};
use crate::{backup, live};

/// How much of what a command wrote is sent back.
const TAIL: usize = 1 << 20;

/// What one connection holds.
#[derive(Default)]
pub(super) struct Session {
    staging: Option<Staging>,
}

/// Carries out a request; those that are not answered return nothing.
pub(super) fn act(
    agent: &Agent,
    session: &mut Session,
    call: Call,
    body: &[u8],
) -> Option<Result<Response, Fault>> {
    let proven = prove(agent, &call);
    if let Request::Blobs(pieces) = &call.request {
        // It is not answered, so that many may be under way; the end tells what was wrong.
        let staging = session.staging.as_mut()?;
        match proven {
            Ok(()) => staging.take(agent, pieces, body),
            Err(problem) => staging.fail(problem),
        }
        return None;
    }
    Some(proven.map_err(Fault::clean).and_then(|()| answer(agent, session, call)))
}

/// Proves that whoever changes something may.
fn prove(agent: &Agent, call: &Call) -> Result<(), Problem> {
    if !call.request.needs_lease() {
        return Ok(());
    }
    let (run, fence) = leased(call)?;
    lease::prove(agent, run, fence)
}

fn leased(call: &Call) -> Result<(&RunId, Fence), Problem> {
    let missing =
        || Problem::new(Code::HostFenced, format!("{} needs the lease of the host", call.request.word()));
    Ok((run_of(call)?, call.fence.ok_or_else(missing)?))
}

fn run_of(call: &Call) -> Result<&RunId, Problem> {
    let run = call.run.as_ref().filter(|run| is_name(run.as_str()));
    run.ok_or_else(|| Problem::new(Code::AgentUnusable, format!("{} needs a run", call.request.word())))
}

/// Names become names of files.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn answer(agent: &Agent, session: &mut Session, call: Call) -> Result<Response, Fault> {
    let run = || run_of(&call).map_err(Fault::clean);
    let done = |result: Result<bool, Problem>| result.map(Response::Done).map_err(doubt);
    match &call.request {
        Request::Look(what) => {
            look::look(agent, *what).map(|state| Response::State(Box::new(state))).map_err(Fault::clean)
        }
        Request::Lease { holder, ttl_ms } => {
            lease::grant(agent, run()?, holder, *ttl_ms).map(Response::Leased).map_err(Fault::clean)
        }
        Request::Ping => {
            let (run, fence) = leased(&call).map_err(Fault::clean)?;
            lease::renew(agent, run, fence).map_err(Fault::clean)?;
            Ok(Response::Done(true))
        }
        Request::Release => {
            let (run, fence) = leased(&call).map_err(Fault::clean)?;
            done(lease::release(agent, run, fence))
        }
        Request::Stage { .. } => begin(agent, session, call),
        Request::Adopt { deployment } if deployment.run != *run()? => {
            Err(Fault::clean(Problem::new(Code::AgentUnusable, "the deployment is not that of the run")))
        }
        Request::Adopt { deployment } => done(stage::adopt(agent, deployment)),
        Request::Blobs(_) => Err(Fault::clean(Problem::new(Code::Bug, "pieces are not answered"))),
        Request::Finish => {
            let none = || Problem::new(Code::ArtifactMissing, "nothing is being staged in this connection");
            let staging = session.staging.take().ok_or_else(none).map_err(Fault::clean)?;
            done(staging.finish(agent))
        }
        Request::Discard => {
            session.staging = None;
            done(stage::discard(agent, run()?))
        }
        Request::Share { from, within_ms, share } => {
            let leave = Leave { from: from.as_ref(), within_ms: *within_ms };
            switch::share(agent, run()?, leave, *share).map(Response::Switched).map_err(doubt)
        }
        Request::Switch { from, within_ms } => {
            let leave = Leave { from: from.as_ref(), within_ms: *within_ms };
            switch::switch(agent, run()?, leave).map(Response::Switched).map_err(doubt)
        }
        Request::Revert => done(switch::revert(agent, run()?, "the run was taken back")),
        Request::Confirm => done(switch::confirm(agent, run()?)),
        Request::Health => well(agent, run()?, |deployment| live::healthy(&agent.place(), deployment)),
        Request::Smoke => well(agent, run()?, |deployment| live::smoke(&agent.place(), deployment)),
        Request::Watch { text } => watched(agent, run()?, text.as_deref()),
        Request::Backup { ask, spec } => {
            let place = backup::Place {
                dir: &agent.root.dir,
                shell: &agent.shell,
                stop: &agent.stop,
                say: &*agent.say,
            };
            backup::answer(ask, spec, &place).map(Response::Backup).map_err(doubt)
        }
        Request::Command(command) => run_command(agent, command),
        Request::Preflight(wants) => match agent.setup.preflight {
            Some(look) => look(wants, &agent.root.dir).map(Response::Preflight).map_err(Fault::clean),
            None => Err(Fault::clean(Problem::new(Code::AgentUnusable, "this agent knows no preflight"))),
        },
        Request::Sweep(keep) => {
            sweep::sweep(agent, call.run.as_ref(), keep).map(Response::Swept).map_err(doubt)
        }
    }
}

fn begin(agent: &Agent, session: &mut Session, call: Call) -> Result<Response, Fault> {
    let run = run_of(&call).map_err(Fault::clean)?.clone();
    let Request::Stage { deployment, manifest, secrets } = call.request else {
        return Err(Fault::clean(Problem::new(Code::Bug, "this is not a request to stage")));
    };
    if deployment.run != run || !is_name(deployment.artifact.as_str()) {
        return Err(Fault::clean(Problem::new(Code::AgentUnusable, "the deployment is not that of the run")));
    }
    session.staging = None;
    let (staging, missing) = stage::begin(agent, *deployment, manifest, &secrets).map_err(Fault::clean)?;
    session.staging = Some(staging);
    Ok(Response::Missing(missing))
}

fn well(
    agent: &Agent,
    run: &RunId,
    look: impl Fn(&Deployment) -> Result<(), Problem>,
) -> Result<Response, Fault> {
    let deployment = brought(agent, run).map_err(Fault::clean)?;
    look(&deployment).map(|()| Response::Done(true)).map_err(doubt)
}

/// Returns what a run has brought here, as far as it can be looked at: while it shares the traffic with another release,
/// that is what shares it.
fn brought(agent: &Agent, run: &RunId) -> Result<Deployment, Problem> {
    let history = agent.journal()?.history;
    let missing =
        || Problem::new(Code::ArtifactMissing, format!("run {run} has brought nothing to the host"));
    let known = history.of(run).ok_or_else(missing)?;
    if known.standing == Standing::Switching {
        return live::sharing(&agent.place(), &known.deployment);
    }
    Ok(known.deployment.clone())
}

fn watched(agent: &Agent, run: &RunId, text: Option<&str>) -> Result<Response, Fault> {
    let deployment = brought(agent, run).map_err(Fault::clean)?;
    let seen = live::watched(&agent.place(), &deployment, text).map_err(Fault::clean)?;
    Ok(Response::Watched { now: seen.now, before: seen.before, lines: seen.lines })
}

fn run_command(agent: &Agent, command: &Command) -> Result<Response, Fault> {
    let dir = agent.root.dir.join(&command.dir);
    let mut cmd = Cmd::default()
        .args(&command.argv)
        .dir(dir)
        .timeout(Duration::from_millis(command.timeout_ms))
        .stdin(command.stdin.as_bytes());
    for (name, value) in &command.env {
        cmd = cmd.env(name, value);
    }
    let Output { ended, stdout, stderr } = agent.shell.run(&cmd, &agent.stop).map_err(|error| {
        let fault = Fault::from(error);
        Fault { problem: Problem { code: Code::HostCommand, ..fault.problem }, ..fault }
    })?;
    let (code, why) = match ended {
        Ended::Exit(code) => (Some(code), String::new()),
        Ended::Signal(signal) => (None, format!("ended by signal {signal}")),
        Ended::TimedOut => (None, "took too long and was ended".into()),
        Ended::Stopped => (None, "was stopped".into()),
    };
    Ok(Response::Output { code, ended: why, stdout: end_of(&stdout), stderr: end_of(&stderr) })
}

fn end_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(TAIL)..]).into_owned()
}
