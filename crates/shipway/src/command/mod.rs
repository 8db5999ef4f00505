//! The commands: each asks, decides and hands over; none of them prints by itself.

pub mod abort;
pub mod approve;
pub mod agent;
pub mod backup;
pub mod carry;
pub mod change;
pub mod changelog;
pub mod deploy;
pub mod drill;
pub mod env_status;
pub mod deps;
pub mod doctor;
pub mod env;
pub mod explain;
pub mod flow;
pub mod guard;
mod guard_hook;
mod guard_server;
mod guard_shell;
pub mod incident;
pub mod init;
pub mod lint;
pub mod local_hook;
pub mod local_hooks;
pub mod log;
pub mod plan;
pub mod policy;
pub mod proxy;
pub mod push;
pub mod resume;
pub mod rollback;
pub mod runbook;
pub mod say;
pub mod schema;
pub mod status;
pub mod trigger;
pub mod verify;
pub mod wait;
pub mod why;

use std::sync::Arc;

use shipway_core::problem::{Kind, Problem};

use crate::args::{Args, Command, Deps, Env, Environment};
use crate::session::Session;
use crate::view::View;

/// How a command ends: with an exit code, or with the problems that say why not.
pub type End = Result<u8, Vec<Problem>>;

/// Everything went as asked.
pub const DONE: u8 = 0;

/// Carries out a command.
pub fn run(args: &Args, environment: &Environment, view: &Arc<dyn View>) -> End {
    let open = || Session::open(args, environment, Arc::clone(view));
    match &args.command {
        Command::Plan(ask) => plan::run(&open()?, ask),
        Command::Push(push) => push::run(&mut open()?, push),
        Command::Deploy(deploy) => deploy::run(&open()?, deploy),
        Command::Promote(promote) => deploy::promote(&open()?, promote),
        Command::Backup(asked) => backup::run(&open()?, asked),
        Command::Runbook(asked) => runbook::run(&open()?, asked),
        Command::Drill(asked) => drill::run(&open()?, asked),
        Command::Status(status) => status::run(&open()?, status),
        Command::Log(log) => log::run(&open()?, log),
        Command::Resume { run } => resume::run(&open()?, run.as_deref()),
        Command::Rollback(rollback) => rollback::run(&open()?, rollback),
        Command::Abort { run } => abort::run(&open()?, run.as_deref()),
        Command::Approve(asked) => approve::run(&open()?, asked),
        Command::Wait { run } => wait::run(&open()?, run.as_deref()),
        Command::Incident(incident) => incident::run(&open()?, incident),
        Command::Why { what } => why::run(&open()?, what.as_deref()),
        Command::Changelog => changelog::run(&open()?),
        Command::Say { sentence, yes } => say::run(&mut open()?, &sentence.join(" "), *yes),
        Command::Init(asked) => init::run(&open()?, asked),
        Command::Lint { file } => lint::run(file, view.as_ref()),
        Command::Deps { command: Deps::Verify(verify) } => deps::run(args, environment, verify, view),
        Command::Env { command: Env::Verify(verify) } => env::run(&open()?, verify),
        Command::Env { command: Env::Status(status) } => env_status::run(&open()?, status),
        Command::Policy { command } => policy::run(&open()?, command),
        Command::Explain { code } => explain::run(code.as_deref(), view.as_ref()),
        Command::Schema { name } => schema::run(name, view.as_ref()),
        Command::Docs { page } => schema::page(page, view.as_ref()),
        Command::Proxy(proxy) => proxy::run(proxy, view.as_ref()),
        Command::Agent { command } => agent::run(command, view.as_ref()),
        Command::Flow { command } => flow::run(&open()?, command),
        Command::Trigger(asked) => trigger::run(args, asked, view.as_ref()),
        Command::Change { command } => change::run(&open()?, command),
        Command::Verify(asked) => verify::run(&open()?, asked),
        Command::Guard { command } => guard::run(command, environment, view.as_ref(), open),
        Command::Doctor(asked) => doctor::run(args, environment, asked, view.as_ref()),
        Command::Hook(hook) => local_hook::run(hook, environment, view.as_ref()),
        Command::GuardHook(hook) => guard_hook::run(hook, environment, view.as_ref()),
    }
}

/// How a command may end that did not do as asked, the gravest first.
const GRAVEST: [Kind; 8] = [
    Kind::Bug,
    Kind::Stuck,
    Kind::RolledBack,
    Kind::Usage,
    Kind::Refused,
    Kind::Waiting,
    Kind::NoneReleases,
    Kind::Nothing,
];

/// Returns the exit code for some problems: that of the gravest.
pub fn exit_code(problems: &[Problem]) -> u8 {
    worst(problems.iter().map(|problem| problem.code.kind().exit_code()))
}

/// Returns the gravest of some exit codes. One that is none of ours is graver than all that are.
pub fn worst(codes: impl IntoIterator<Item = u8>) -> u8 {
    let rank = |code: &u8| GRAVEST.iter().position(|kind| kind.exit_code() == *code);
    codes.into_iter().filter(|code| *code != DONE).min_by_key(rank).unwrap_or(DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_exit_code_counts_wherever_it_stands() {
        assert_eq!(worst([]), DONE);
        assert_eq!(worst([DONE, 10, 3]), 3);
        assert_eq!(worst([1, 3]), 1);
        assert_eq!(worst([3, 1, 2, 4]), 4);
        assert_eq!(worst([5, 70, 4]), 70);
        assert_eq!(worst([70, 139]), 139);
    }
}
