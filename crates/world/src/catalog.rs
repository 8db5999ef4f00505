//! From data to code: one match from the kinds in a plan to actions and checks.

use serde::de::DeserializeOwned;
use serde_json::Value;
use shipway_core::action::{Action, Catalog, Stop};
use shipway_core::gate::{Check, Vouched, Yes};
use shipway_core::kinds::{self, deploy as kind, land};
use shipway_core::problem::{Code, Problem};

use crate::change::step;
use crate::check::{command, health, incident, outdated, remote, soak, tree, window};
use crate::deploy::{self, Hands};
use crate::facts::Git;
use crate::git::repository::Repository;
use crate::git::{commit, push, settle, tag, withdraw};
use crate::keys::{self, Keys};
use crate::shell::{LocalShell, now};

/// The actions and checks of this binary, on one repository.
#[derive(Clone, Debug)]
pub struct RealCatalog {
    /// Where they act.
    pub repository: Repository,
    /// The hosts, and the artifacts that are brought to them.
    pub hands: Hands,
}

impl Catalog for RealCatalog {
    fn action(&self, kind: &str, args: &Value) -> Result<Box<dyn Action>, Problem> {
        let (repository, hands) = (self.repository.clone(), self.hands.clone());
        Ok(match kind {
            kind::BUILD => Box::new(deploy::Build { repository, hands, args: read(kind, args)? }),
            kind::LEASE => Box::new(deploy::Lease { hands, args: read(kind, args)? }),
            kind::STAGE => Box::new(deploy::Stage { hands, args: read(kind, args)? }),
            kind::ADOPT => Box::new(deploy::Adopt { hands, args: read(kind, args)? }),
            kind::SHARE => Box::new(deploy::Share { hands, args: read(kind, args)? }),
            kind::SWITCH => Box::new(deploy::Switch { hands, args: read(kind, args)? }),
            kind::CONFIRM => Box::new(deploy::Confirm { hands, args: read(kind, args)? }),
            kind::FINISH => Box::new(deploy::Finish { hands, args: read(kind, args)? }),
            kind::MIGRATE => Box::new(deploy::Migrate { hands, args: read(kind, args)? }),
            kinds::COMMIT => Box::new(commit::Commit { repository, args: read(kind, args)? }),
            kinds::TAG => Box::new(tag::Tag { repository, args: read(kind, args)? }),
            kinds::PUSH => Box::new(push::Push { repository, args: read(kind, args)? }),
            kinds::SETTLE => Box::new(settle::Settle { repository, args: read(kind, args)? }),
            kinds::WITHDRAW => Box::new(withdraw::Withdraw { repository, args: read(kind, args)? }),
            land::TICKET => Box::new(step::Ticket { repository, args: read(kind, args)? }),
            land::LAND => Box::new(step::Land { repository, args: read(kind, args)? }),
            _ => return Err(unknown(kind)),
        })
    }

    fn check(&self, kind: &str, args: &Value) -> Result<Box<dyn Check>, Problem> {
        let (repository, hands) = (self.repository.clone(), self.hands.clone());
        Ok(match kind {
            kind::READY => Box::new(deploy::Ready { hands, args: read(kind, args)? }),
            kind::WELL => Box::new(deploy::Well { hands, args: read(kind, args)? }),
            kind::WATCH => Box::new(deploy::Watch { hands, args: read(kind, args)? }),
            kinds::backup::MADE => Box::new(deploy::Backup { repository, hands, args: read(kind, args)? }),
            kind::DRILL => Box::new(deploy::Drill { repository, args: read(kind, args)? }),
            kind::PROVEN => Box::new(deploy::Proven { hands, args: read(kind, args)? }),
            land::CHECK => Box::new(step::Check { repository, args: read(kind, args)? }),
            kinds::COMMAND => Box::new(command::Command { dir: repository.top, args: read(kind, args)? }),
            kinds::OUTDATED => Box::new(outdated::Outdated { dir: repository.top, args: read(kind, args)? }),
            kinds::TREE => Box::new(tree::Tree { repository, args: read(kind, args)? }),
            kinds::REMOTE => Box::new(remote::Remote { repository, args: read(kind, args)? }),
            kinds::HEALTH => Box::new(health::Health { args: read(kind, args)? }),
            kinds::WINDOW => Box::new(window::Window::new(&read(kind, args)?)?),
            kinds::SOAK => Box::new(soak::Soak { args: read(kind, args)? }),
            kinds::INCIDENT => {
                Box::new(incident::Incident { dir: repository.state_dir(), args: read(kind, args)? })
            }
            _ => return Err(unknown(kind)),
        })
    }

    fn vouch(&self, yes: &Yes<'_>) -> Result<Vouched, Problem> {
        yes.statement()?;
        let (shell, stop) = (LocalShell::new(), Stop::default());
        let keys = Keys::of_base(Git::new(&self.repository, &shell, &stop))?;
        let signer = keys::verify(&keys.signers, yes.signed, yes.at)?;
        // A key that ended or was revoked since opens nothing more; what it has opened is not shut again by its end.
        if !yes.used {
            keys::verify(&keys.signers, yes.signed, now())?;
        }
        yes.vouched(&signer, keys.who(&signer.person))
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            kinds::COMMIT,
            kinds::TAG,
            kinds::PUSH,
            kinds::SETTLE,
            kinds::WITHDRAW,
            land::TICKET,
            land::LAND,
            kind::BUILD,
            kind::LEASE,
            kind::STAGE,
            kind::ADOPT,
            kind::SHARE,
            kind::SWITCH,
            kind::CONFIRM,
            kind::FINISH,
            kind::MIGRATE,
        ]
    }
}

fn read<T: DeserializeOwned>(kind: &str, args: &Value) -> Result<T, Problem> {
    serde_json::from_value(args.clone()).map_err(|error| {
        Problem::new(Code::ActionUnknown, format!("the arguments of {kind} cannot be read"))
            .found(error.to_string())
    })
}

fn unknown(kind: &str) -> Problem {
    Problem::new(Code::ActionUnknown, format!("`{kind}` is not known"))
        .hint("use the shipway that made the plan, or a newer one")
}
