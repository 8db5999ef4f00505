//! What a user may type, and what the environment says.

mod approve;
mod change;
mod deploy;
mod doctor;
mod environment;
mod flow;
mod guard;
mod incident;
mod init;
mod log;
mod of_git;
mod passed;
mod policy;
mod proxy;
mod push;
mod trigger;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub use approve::Approve;
pub use change::{Change, Check, Land, Open, Verify};
pub use deploy::{
    Backup, BackupVerb, Deploy, Deps, DepsVerify, Drill, DrillKind, Env, EnvStatus, EnvVerify, Promote,
    Runbook, Status,
};
pub use doctor::Doctor;
pub use environment::Environment;
pub use flow::Flow;
pub use guard::{Guard, GuardHook, GuardInstall, GuardShell, Hook};
pub use incident::{Incident, IncidentVerb};
pub use init::{Init, Preset};
pub use log::Log;
pub use passed::passed;
pub use policy::Policy;
pub use proxy::{Proxy, ProxyVerb};
pub use push::{Ask, Push, Rollback};
pub use trigger::Trigger;

/// The heading of the options that every command takes.
const EVERYWHERE: &str = "Options of every command";

/// From commit to production, and back: a release is a transaction.
#[derive(Debug, Parser)]
#[command(
    name = "shipway",
    version,
    max_term_width = 100,
    after_help = "Begin with `shipway plan`: it shows what would happen and changes nothing.\n\
                  Every error has a code; `shipway explain CODE` tells what it means and what to do."
)]
pub struct Args {
    /// Run as if started in this directory
    #[arg(short = 'C', long, global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    pub directory: Option<PathBuf>,
    /// Print JSON: one document for a question, one line an entry for a run
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Print nothing but results and problems
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    pub quiet: bool,
    /// Show the output of every step as it comes
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    pub verbose: bool,
    /// When to use colour; auto: on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, value_name = "auto|always|never", default_value = "auto")]
    #[arg(hide_default_value = true, hide_possible_values = true, help_heading = EVERYWHERE)]
    pub color: Color,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what a release would do, step by step; changes nothing
    #[command(
        after_help = "examples:\n  shipway plan\n  shipway plan minor\n  shipway plan 2.0.0-rc.1 --json"
    )]
    Plan(Ask),
    /// Release: check, decide the version, write, commit, tag, push, verify
    #[command(mut_arg("version", |arg| arg.help(
        "patch, minor, major, a version, or the digest of a plan that was shown; decided from the commits if left out"
    )))]
    #[command(after_help = "examples:\n  shipway push              the version follows from the commits\n  \
                            shipway push minor\n  shipway push 2.0.0\n  \
                            shipway push 4e1c09ab     exactly the plan that was shown")]
    Push(Push),
    /// Bring a release to an environment: stage, switch, prove, watch, confirm, or take it all back
    #[command(after_help = "examples:\n  shipway deploy staging            the last release\n  \
                            shipway deploy staging 1.4.0\n  shipway deploy staging HEAD       a commit without a release\n  \
                            shipway deploy production         what the environment before it has\n  \
                            shipway deploy staging --plan     what would happen, and what would stop it")]
    Deploy(Deploy),
    /// Bring to an environment exactly what the environment before it has proven
    #[command(after_help = "examples:\n  shipway promote production\n  shipway promote production --plan")]
    Promote(Promote),
    /// Show the open run and what it needs, else the last runs; and which release is live where
    #[command(
        after_help = "All hosts are asked at once, and for 3 seconds at most: one that does not answer is shown as \
                            not reached.\n\nexamples:\n  shipway status\n  shipway status --no-hosts\n  \
                            shipway status --json | jq '.hosts[] | {environment, host, version: .release.version}'"
    )]
    Status(Status),
    /// Show what a run did, or what one of its steps printed
    #[command(
        after_help = "examples:\n  shipway log               the last run\n  shipway log 7f3a          one run\n  \
                            shipway log 7f3a commit   what that step printed\n  shipway log --verify      prove the journal"
    )]
    Log(Log),
    /// Go on with a run that was interrupted or stuck
    #[command(
        after_help = "examples:\n  shipway resume            the open run\n  shipway resume 7f3a       this one"
    )]
    Resume {
        /// The run; the open one if left out
        run: Option<String>,
    },
    /// Take a run back, or put the release before back into an environment
    #[command(
        after_help = "examples:\n  shipway rollback --plan         what would happen; changes nothing\n  \
                            shipway rollback                the open run, else the last release\n  \
                            shipway rollback 7f3a           this run\n  \
                            shipway rollback --delete-tag   and delete the tag on the remote\n  \
                            shipway rollback production     the release before, on all its hosts\n  \
                            shipway rollback production --to 1.3.2"
    )]
    Rollback(Rollback),
    /// Stop the run that another process drives; resume or rollback goes on with it
    #[command(
        after_help = "examples:\n  shipway abort             asks for a stop at a safe point; a second time: at once"
    )]
    Abort {
        /// The run; the one in progress if left out
        run: Option<String>,
    },
    /// Say yes to the plan of a run that waits for it; it does not go on by itself: resume or wait does
    #[command(
        after_help = "examples:\n  shipway approve           shows the plan, and asks for the first eight digits of its digest\n  \
                            shipway approve 7f3a      of this run\n  \
                            shipway approve --key ~/.ssh/id_ed25519_sk\n\n\
                            from another machine, which proves more (P3):\n  \
                            shipway approve 7f3a --export >ask.json\n  \
                            shipway approve --sign ask.json >yes.json      there, by another person\n  \
                            shipway approve 7f3a --import yes.json\n\n\
                            The digits are typed at a terminal by a person, which is the weakest grade (P0). Where a gate\n\
                            asks for more, what was shown is signed with a key of ssh besides: P1 with a passphrase, P2\n\
                            on a device that is touched. What is recorded counts for this very plan. The run goes on\n\
                            with `shipway resume`; a `shipway wait` that follows it goes on by itself."
    )]
    Approve(Approve),
    /// Follow a run that waits at a gate, and go on with it when the gate opens; Ctrl-C leaves it waiting
    #[command(
        after_help = "examples:\n  shipway wait              the open run\n  shipway wait 7f3a         this one"
    )]
    Wait {
        /// The run; the open one if left out
        run: Option<String>,
    },
    /// Say that something is broken, or is no longer: gates wait while an incident is open
    #[command(
        after_help = "examples:\n  shipway incident                            those that are open\n  \
                            shipway incident open \"the queue stands\" --env production\n  \
                            shipway incident close 1c9e"
    )]
    Incident(Incident),
    /// Make the configured backups, and prove each by restoring it into a scratch place
    #[command(
        after_help = "examples:\n  shipway backup                    all of them\n  shipway backup db\n  shipway backup list\n  \
                            shipway backup verify db\n  shipway backup restore db --into /tmp/db-again"
    )]
    Backup(Backup),
    /// Print how a release or a deployment is carried out, watched and taken back, from its own plan
    #[command(
        after_help = "examples:\n  shipway runbook                    the next release\n  shipway runbook --env production > RUNBOOK.md"
    )]
    Runbook(Runbook),
    /// Practise a recovery on an environment that is marked for it, and measure it
    #[command(
        after_help = "examples:\n  shipway drill rollback staging    back to the release before, and forward again\n  \
                            shipway drill restore staging     its backups, into a scratch place"
    )]
    Drill(Drill),
    /// Run the proxy in front of a service, or ask the one that runs
    #[command(
        after_help = "examples:\n  shipway proxy serve --control p.sock --listen 127.0.0.1:8080 --state p.json\n  \
                            shipway proxy status --control p.sock\n  \
                            shipway proxy switch --control p.sock --to 1.4.0=127.0.0.1:8081 --drain 30s\n  \
                            shipway proxy pause --control p.sock --limit 10s"
    )]
    Proxy(Proxy),
    /// Explain the next version, a version, or a commit: commit, rule, bump
    #[command(
        after_help = "examples:\n  shipway why               the next version\n  shipway why 1.4.0\n  shipway why HEAD"
    )]
    Why {
        /// A version, a tag or a commit; the next version if left out
        what: Option<String>,
    },
    /// Print the changelog of the whole history
    Changelog,
    /// Carry out a sentence such as "push as major version"; shows the plan unless --yes
    #[command(
        after_help = "examples:\n  shipway say push as major version\n  shipway say \"push, plan only\"\n  \
                            shipway say --yes push version 2.0.0-rc.1\n  shipway say roll back"
    )]
    Say {
        /// The sentence
        #[arg(required = true)]
        sentence: Vec<String>,
        /// Carry the plan out
        #[arg(long)]
        yes: bool,
    },
    /// Write a short shipway.toml from what is detected, or all files of a governed repository; shows them first
    #[command(
        after_help = "examples:\n  shipway init                    shows it; at a terminal, asks whether to write it\n  \
                      shipway init --yes              writes it\n  \
                      shipway init --flow gitflow --dry-run\n  \
                      shipway init --flow trunk --yes\n\n\
                      With --flow it writes the policy, the keys, templates of change requests and commits, CODEOWNERS,\n\
                      a page about branches with a diagram, and a block for coding agents in AGENTS.md. What is there\n\
                      already is never overwritten."
    )]
    Init(Init),
    /// Check a commit message, as a commit-msg hook does
    #[command(after_help = "examples:\n  git log -1 --format=%B | shipway lint -\n  \
                            echo 'exec shipway lint \"$1\"' >.git/hooks/commit-msg && chmod +x .git/hooks/commit-msg")]
    Lint {
        /// The file with the message; `-` for standard input
        file: PathBuf,
    },
    /// Change requests: open, review, approve and land them
    Change {
        /// What is done
        #[command(subcommand)]
        command: Change,
    },
    /// Prove that every commit of a protected branch was let in by a ticket, approvals and checks
    #[command(after_help = "examples:\n  shipway verify main\n  shipway verify main --json | jq .\n\n\
                            Exit code 0: all of it is proven. 1: some commits are not; they are listed.")]
    Verify(Verify),
    /// Start and finish branches as the policy says, and see what they owe each other
    Flow {
        /// What to do
        #[command(subcommand)]
        command: Flow,
    },
    /// Keep the policy by hooks: install them, and see whether they are in force
    Guard {
        /// What to do
        #[command(subcommand)]
        command: Guard,
    },
    /// Is everything set up and in force? Look, and with --prove try to break each gate on a copy
    #[command(
        after_help = "examples:\n  shipway doctor                        the work tree, its hooks, its policy, its remote\n  \
                      shipway doctor --prove                try every way past them\n  \
                      shipway doctor --prove /srv/git/app.git\n  shipway doctor --json | jq '.lines[] | select(.state == \"wrong\")'\n\n\
                      Nothing is changed: what is tried is tried on a copy of the repository, with its hooks and its\n\
                      settings, and the copy is removed. A remote on another machine is asked one thing that cannot do\n\
                      harm; the rest is named. Exit code 0: all is well. 1: something is wrong, or a way past is open.\n\
                      Warnings fail nothing."
    )]
    Doctor(Doctor),
    /// Run what an event asks for, as `on` says in shipway.toml: checks, and deployments
    #[command(
        after_help = "examples:\n  shipway trigger change:develop                in a CI job or a hook, after a push\n  \
                      shipway trigger change:main --dry-run         what would run\n  \
                      shipway trigger tag:v1.4.0\n  \
                      shipway trigger schedule:weekly               from cron\n  \
                      shipway trigger --received                    as a post-receive hook\n\n\
                      Checks run on a clean checkout of the commit. What only asks to land on a branch is checked and\n\
                      not deployed. The exit code is that of the worst of all; from bad to worse: 3 waiting at a gate,\n\
                      1 refused, 2 wrongly asked or configured, 4 rolled back, 5 stuck, 70 a defect."
    )]
    Trigger(Trigger),
    /// Compare declared dependencies with what is installed
    Deps {
        /// What to do
        #[command(subcommand)]
        command: Deps,
    },
    /// Look at the hosts of an environment
    Env {
        /// What to do
        #[command(subcommand)]
        command: Env,
    },
    /// Show, check and test the policy: who may do what to which branch, and what must be true of a landing
    Policy {
        /// What to do
        #[command(subcommand)]
        command: Policy,
    },
    /// Explain an error code
    #[command(after_help = "examples:\n  shipway explain           all codes\n  shipway explain SW0106")]
    Explain {
        /// The code, such as SW0101; all codes if left out
        code: Option<String>,
    },
    /// Print the JSON Schema of the configuration, or of a document that --json prints
    #[command(
        after_help = "examples:\n  shipway schema config > shipway.schema.json\n  shipway schema plan\n  \
                            shipway schema landed --json | jq .schema.properties\n\n\
                            Every document that --json prints says its kind, and has a schema of that name."
    )]
    Schema {
        /// Which one: config, policy, policy-test, or the kind of a document, such as plan
        #[arg(default_value = "config")]
        name: String,
    },
    /// Print a generated page of the documentation
    #[command(hide = true)]
    Docs {
        /// Which one
        page: String,
    },
    /// A hook of git; the scripts of `guard install` start it
    #[command(hide = true)]
    Hook(Hook),
    /// What the hooks of a guarded repository start
    #[command(hide = true)]
    GuardHook(GuardHook),
    /// The hand on a host; a run starts it through ssh
    #[command(hide = true)]
    Agent {
        /// What it does
        #[command(subcommand)]
        command: Agent,
    },
}

/// What the hand on a host does.
#[derive(Clone, Debug, Subcommand)]
pub enum Agent {
    /// Serve the client at the standard input and output
    Serve {
        /// The directory of the environment; the client says which one if left out
        root: Option<PathBuf>,
    },
    /// Watch over a release that is not confirmed, and go back from it when its time is over
    Watchdog {
        /// The host was started anew; said by whatever starts this then, and found out in any case
        #[arg(long)]
        boot: bool,
        /// The directory of the environment
        root: PathBuf,
    },
    /// Show what is live here, as the host itself knows it
    Status {
        /// The directory of the environment
        root: PathBuf,
    },
    /// Print the digest of this binary
    Digest,
}

impl Command {
    /// Tells whether the command may speak to a remote.
    pub fn reaches_out(&self) -> bool {
        match self {
            Self::Plan(_)
            | Self::Push(_)
            | Self::Deploy(_)
            | Self::Promote(_)
            | Self::Drill(_)
            | Self::Runbook(_)
            | Self::Backup(_)
            | Self::Resume { .. }
            | Self::Wait { .. }
            | Self::Rollback(_)
            | Self::Abort { .. }
            | Self::Flow { .. }
            | Self::Doctor(_)
            | Self::Say { .. } => true,
            Self::Status(_)
            | Self::Approve(_)
            | Self::Incident(_)
            | Self::Proxy(_)
            | Self::Log(_)
            | Self::Why { .. }
            | Self::Changelog
            | Self::Init(_)
            | Self::Lint { .. }
            | Self::Guard { .. }
            | Self::Change { .. }
            | Self::Verify(_)
            | Self::Trigger(_)
            | Self::Hook(_)
            | Self::GuardHook(_)
            | Self::Deps { .. }
            | Self::Env { .. }
            | Self::Policy { .. }
            | Self::Explain { .. }
            | Self::Schema { .. }
            | Self::Docs { .. }
            | Self::Agent { .. } => false,
        }
    }
}
