//! One call of shipway in one repository: where it is, how it is configured, who is at the wheel.

mod bare;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use shipway_core::config::{self, Config};
use shipway_core::deployment::home;
use shipway_core::id::{Actor, ActorKind, Digest, RunId};
use shipway_core::journal::{self, Durability, Event, Journal, RunHead};
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;
use shipway_world::artifact::Store;
use shipway_world::catalog::RealCatalog;
use shipway_world::deploy::Hands;
use shipway_world::facts::{self, Git};
use shipway_world::git::cmd::Remote;
use shipway_world::git::repository::Repository;
use shipway_world::hooks::staged::InHook;
use shipway_world::host::{AgentBinary, Fleet};
use shipway_world::keys::{self, SigningKey};
use shipway_world::lease::{self, Holder, Lock, this_host};
use shipway_world::shell::{self, LocalShell, Logs, Masks};
use shipway_world::stop::Switches;
use shipway_world::store::{Options, SqliteJournal};
use shipway_world::trigger::Checkout;
use shipway_world::world::RealWorld;

use crate::args::{Args, Environment};
use crate::prepare::onward;
use crate::view::View;

/// How long a store that another process writes to is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a child that a dead process left behind is waited for.
const ORPHAN_PATIENCE: Duration = Duration::from_mins(10);

/// One call in one repository.
pub struct Session<'a> {
    /// What the environment says.
    pub environment: &'a Environment,
    /// What prints.
    pub view: Arc<dyn View>,
    /// Where.
    pub repository: Repository,
    /// How.
    pub config: Config,
    /// The hands for looking; they write no log.
    pub shell: LocalShell,
    /// The switches that signals ask.
    pub switches: Switches,
    /// The checkout that this call works in, where the repository has no work tree; it goes with the call.
    _checkout: Option<Checkout>,
}

impl<'a> Session<'a> {
    /// Opens the repository of the current directory, or of the one that the arguments name.
    pub fn open(
        args: &Args,
        environment: &'a Environment,
        view: Arc<dyn View>,
    ) -> Result<Self, Vec<Problem>> {
        let dir = args.directory.clone().unwrap_or_else(|| PathBuf::from("."));
        let shell = LocalShell::new();
        let switches = shipway_world::stop::signals()
            .map_err(|error| vec![Problem::new(Code::Io, format!("signals cannot be heard: {error}"))])?;
        let (mut repository, config, checkout) = match facts::repository(&dir, &shell, &switches.look) {
            Ok(repository) => {
                let config = configuration(&repository.top)?;
                (repository, config, None)
            }
            Err(problem) => match bare::place(&args.command, &dir, (&shell, &switches.look)) {
                Some(place) => place?,
                None => return Err(vec![problem]),
            },
        };
        repository.reach = reach(environment);
        let mut session =
            Self { environment, view, repository, config, shell, switches, _checkout: checkout };
        // A process more, so only where its answer is needed.
        if args.command.reaches_out() && !session.repository.reach.own_ssh {
            session.repository.reach.own_ssh = session.git().has_ssh_command();
        }
        Ok(session)
    }

    /// Returns git in this repository, to be asked.
    pub fn git(&self) -> Git<'_> {
        Git::new(&self.repository, &self.shell, &self.switches.look)
    }

    /// Returns where the project is at home: at its remote, else here, where clones of it have come from.
    pub fn home(&self) -> Option<String> {
        let remote = self.config.release.remote.as_deref().unwrap_or("origin");
        let here = || self.repository.common_dir.to_str().map(str::to_owned);
        self.git().address(remote).or_else(here).map(|address| home(&address))
    }

    /// Returns git as whoever reads records and lands has it.
    pub fn records(&self) -> InHook<'_> {
        InHook::new(&self.repository.top, &[], (&self.shell, &self.switches.look))
    }

    /// Returns the key that signs: the one that is named, else as git is configured, else the usual one.
    pub fn signing_key(&self, named: Option<&Path>) -> Result<SigningKey, Problem> {
        keys::find(&self.environment.keys(named), self.git())
    }

    /// Returns the name of the directory of the repository.
    pub fn directory(&self) -> String {
        self.repository.directory()
    }

    /// Returns the directory of the journal and all that belongs to it.
    pub fn state(&self) -> PathBuf {
        self.repository.state_dir()
    }

    /// Returns the date of a release made now in UTC: that of `SOURCE_DATE_EPOCH` in seconds since 1970, as
    /// reproducible builds set it, else that of the clock.
    pub fn today(&self) -> String {
        let seconds = self.environment.get("SOURCE_DATE_EPOCH").and_then(|text| text.parse::<u64>().ok());
        // Beyond that the calendar has no years of four digits.
        let seconds = seconds.filter(|seconds| *seconds < 253_402_300_800);
        seconds.map_or_else(shell::now, |seconds| Time(seconds * 1000)).date()
    }

    /// Opens the journal to write to it. One that cannot keep its promise is refused, unless that is accepted.
    pub fn journal(&self) -> Result<SqliteJournal, Problem> {
        let journal =
            SqliteJournal::open(&self.state(), Options { patience: PATIENCE }).map_err(of_journal)?;
        let durability = journal.durability();
        if durability.proven || self.config.journal.accept_loss {
            return Ok(journal);
        }
        Err(Problem::new(
            Code::JournalUnsafe,
            "the journal cannot promise that what it acknowledged is on disk",
        )
        .at(self.state().display().to_string())
        .found(durability.how)
        .wanted("wal, synchronous full, on a local disk")
        .hint("accept the loss in shipway.toml: [journal] accept-loss = true"))
    }

    /// Opens the journal to read it; one that is not there reads as empty.
    pub fn journal_to_read(&self) -> Result<SqliteJournal, Problem> {
        SqliteJournal::open_read_only(&self.state()).map_err(of_journal)
    }

    /// Returns what every plan says of a journal that may lose what it acknowledged.
    pub fn durability_note(&self) -> Option<String> {
        let journal = self.config.journal.accept_loss.then(|| self.journal_to_read().ok())??;
        let Durability { proven, how } = journal.durability();
        (!proven)
            .then(|| format!("the journal may lose its last entries in a power cut, as configured: {how}"))
    }

    /// Returns the run that is not closed, if there is one.
    pub fn open_run(&self) -> Result<Option<RunId>, Problem> {
        let runs = self.journal_to_read()?.runs().map_err(of_journal)?;
        Ok(runs.iter().find(|head| is_open(head)).map(|head| head.run.clone()))
    }

    /// Returns the run whose name begins with some digits.
    pub fn find_run(journal: &dyn Journal, prefix: &str) -> Result<RunHead, Problem> {
        let runs = journal.runs().map_err(of_journal)?;
        let mut found = runs.into_iter().filter(|head| head.run.as_str().starts_with(prefix));
        match (found.next(), found.next()) {
            (Some(head), None) => Ok(head),
            (None, _) => {
                Err(Problem::new(Code::RunUnknown, format!("there is no run {prefix}"))
                    .hint("shipway status"))
            }
            (Some(one), Some(other)) => {
                let what = format!("{prefix} begins several runs, such as {} and {}", one.run, other.run);
                Err(Problem::new(Code::RunUnknown, what).hint("shipway status"))
            }
        }
    }

    /// Takes the lock of this repository, and waits for a child that a dead process left behind.
    pub fn lock(&self, run: Option<&RunId>) -> Result<Lock, Problem> {
        let holder = Holder {
            pid: std::process::id(),
            host: this_host(),
            actor: self.actor(),
            run: run.cloned(),
            since: shell::now(),
            command: std::env::args().collect::<Vec<_>>().join(" "),
            born: None,
        };
        let mut told = false;
        let stop = self.switches.look.clone();
        let mut progress = |held: &lease::Held, _: Duration| {
            if !told {
                self.view.note(&format!("waiting for a command that a dead process left behind: {held}"));
                told = true;
            }
            if stop.urgency() > shipway_core::action::Urgency::None {
                std::ops::ControlFlow::Break(())
            } else {
                std::ops::ControlFlow::Continue(())
            }
        };
        Lock::acquire_within(&self.state(), &holder, ORPHAN_PATIENCE, &mut progress).map_err(Problem::from)
    }

    /// Returns the world with the logs of steps; every child holds the lock.
    pub fn world(&self, lock: &Arc<Lock>) -> Result<RealWorld, Problem> {
        let view = Arc::clone(&self.view);
        let logs =
            Logs::new(self.state()).listener(Arc::new(move |key, chunk| view.output(key, &chunk.text)));
        let held = Arc::clone(lock);
        let shell = LocalShell::new().masks(self.masks()?).inherited(Arc::new(move || held.share()));
        Ok(RealWorld::new(shell, Arc::new(logs)).journal(self.state()))
    }

    /// Returns the hands of deployments. Nothing is connected to before it is asked for.
    pub fn hands(&self) -> Result<Hands, Problem> {
        let store = Arc::new(Store::new(self.state().join("store")));
        let agent = AgentBinary::current()
            .map_err(|error| Problem::new(Code::Io, format!("our own program cannot be found: {error}")))?;
        let fleet = Fleet::new(Arc::clone(&store), agent, onward::values(self));
        let fleet = fleet.held_by(self.actor().signature());
        Ok(Hands { fleet: Arc::new(fleet), store })
    }

    /// Returns the actions and checks of this binary, here and on the hosts that some hands reach.
    pub fn catalog(&self, hands: &Hands) -> RealCatalog {
        RealCatalog { repository: self.repository.clone(), hands: hands.clone() }
    }

    /// Returns the world for looking: no log is written, and no lock is held.
    pub fn world_to_look(&self) -> Result<RealWorld, Problem> {
        let shell = LocalShell::new().masks(self.masks()?);
        Ok(RealWorld::new(shell, Arc::new(Logs::new(self.state()))))
    }

    /// Refuses if an open run is on its way to an environment already.
    pub fn free(&self, environment: &str) -> Result<(), Problem> {
        let runs = self.journal_to_read()?.runs().map_err(of_journal)?;
        let busy = |head: &&RunHead| match &head.opened.event {
            Event::Opened { plan, .. } => {
                is_open(head)
                    && plan.steps().any(|step| step.id.as_str().starts_with(&format!("{environment}/")))
            }
            _ => false,
        };
        let Some(head) = runs.iter().find(busy) else { return Ok(()) };
        Err(Problem::new(Code::OpenRun, format!("run {} is on its way to {environment}", head.run))
            .hint(format!("go on with it: shipway resume {}", head.run))
            .hint(format!("or take it back: shipway rollback {}", head.run)))
    }

    /// Returns the logs of steps, to read them.
    pub fn logs(&self) -> Logs {
        Logs::new(self.state())
    }

    /// Returns who is at the wheel: what the environment says, else the identity that git uses.
    pub fn actor(&self) -> Actor {
        let host = this_host();
        if let Some((kind, name)) =
            self.environment.get("SHIPWAY_ACTOR").and_then(|text| text.split_once(':'))
        {
            let kind = match kind {
                "agent" => ActorKind::Agent,
                "machine" => ActorKind::Machine,
                _ => ActorKind::Human,
            };
            return Actor { kind, name: name.to_owned(), host };
        }
        let kind = if self.environment.get("CI").is_some() { ActorKind::Machine } else { ActorKind::Human };
        let name = self.git().committer().unwrap_or_else(|| "unknown".into());
        Actor { kind, name, host }
    }

    /// Returns a name for a new run.
    pub fn new_run(plan: &Digest) -> RunId {
        let seed = format!("{plan} {} {} {}", shell::now(), std::process::id(), this_host());
        RunId::new(Digest::of(seed.as_bytes()).short())
    }

    fn masks(&self) -> Result<Masks, Problem> {
        let value = |name: &String| Some((name.clone(), self.environment.get(name)?.as_bytes().to_vec()));
        let declared: Vec<(String, Vec<u8>)> = self.config.secrets.names.iter().filter_map(value).collect();
        let variables: Vec<(OsString, OsString)> = self.environment.variables.clone();
        Masks::new(&declared, variables)
            .map_err(|error| Problem::new(Code::Io, format!("secrets cannot be masked: {error}")))
    }
}

/// Tells whether a run is not closed.
pub fn is_open(head: &RunHead) -> bool {
    !matches!(head.last.event, Event::Closed { .. })
}

/// Returns what a user is told when the journal does not do as asked.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
pub fn of_journal(error: journal::Error) -> Problem {
    match error {
        journal::Error::Newer { .. } => Problem::new(Code::JournalNewer, error.to_string())
            .hint("use the newer shipway: shipway --version"),
        journal::Error::Corrupt { .. } => Problem::new(Code::JournalCorrupt, error.to_string())
            .hint("see which entries still prove: shipway log --verify"),
        journal::Error::Full => {
            Problem::new(Code::DiskFull, error.to_string()).hint("free some space: df -h .")
        }
        journal::Error::Fenced { .. } | journal::Error::Conflict { .. } => {
            Problem::new(Code::LeaseLost, error.to_string()).hint("see who drives it: shipway status")
        }
        journal::Error::Store(_) => Problem::new(Code::JournalUnreadable, error.to_string()),
    }
}

pub(crate) fn reach(environment: &Environment) -> Remote {
    let own = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
    Remote {
        own_ssh: own("GIT_SSH_COMMAND") || own("GIT_SSH"),
        askpass: environment.get("GIT_ASKPASS").filter(|value| !value.is_empty()).map(OsString::from),
    }
}

fn configuration(top: &Path) -> Result<Config, Vec<Problem>> {
    let path = top.join("shipway.toml");
    match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
        Err(error) => Err(vec![Problem::new(Code::Io, format!("shipway.toml cannot be read: {error}"))]),
        Ok(bytes) => read(bytes),
    }
}

/// Reads the bytes of a configuration.
pub(crate) fn read(bytes: Vec<u8>) -> Result<Config, Vec<Problem>> {
    match String::from_utf8(bytes) {
        Ok(text) => config::read(&text, "shipway.toml"),
        Err(_) => Err(vec![Problem::new(Code::ConfigSyntax, "shipway.toml is not UTF-8")]),
    }
}
