//! From data to code: one match from the kinds in a plan to actions and checks.

use serde::de::DeserializeOwned;
use serde_json::Value;
use shipway_core::action::{Action, Catalog};
use shipway_core::gate::Check;
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use crate::check::{backup, command, health, outdated, remote, tree};
use crate::git::repository::Repository;
use crate::git::{commit, push, settle, tag, withdraw};

/// The actions and checks of this binary, on one repository.
#[derive(Clone, Debug)]
pub struct RealCatalog {
    /// Where they act.
    pub repository: Repository,
}

impl Catalog for RealCatalog {
    fn action(&self, kind: &str, args: &Value) -> Result<Box<dyn Action>, Problem> {
        let repository = self.repository.clone();
        Ok(match kind {
            kinds::COMMIT => Box::new(commit::Commit { repository, args: read(kind, args)? }),
            kinds::TAG => Box::new(tag::Tag { repository, args: read(kind, args)? }),
            kinds::PUSH => Box::new(push::Push { repository, args: read(kind, args)? }),
            kinds::SETTLE => Box::new(settle::Settle { repository, args: read(kind, args)? }),
            kinds::WITHDRAW => Box::new(withdraw::Withdraw { repository, args: read(kind, args)? }),
            _ => return Err(unknown(kind)),
        })
    }

    fn check(&self, kind: &str, args: &Value) -> Result<Box<dyn Check>, Problem> {
        let repository = self.repository.clone();
        Ok(match kind {
            kinds::COMMAND => Box::new(command::Command { dir: repository.top, args: read(kind, args)? }),
            kinds::OUTDATED => Box::new(outdated::Outdated { dir: repository.top, args: read(kind, args)? }),
            kinds::TREE => Box::new(tree::Tree { repository, args: read(kind, args)? }),
            kinds::REMOTE => Box::new(remote::Remote { repository, args: read(kind, args)? }),
            kinds::backup::MADE => Box::new(backup::Made { repository, args: read(kind, args)?, on: None }),
            kinds::HEALTH => Box::new(health::Health { args: read(kind, args)? }),
            _ => return Err(unknown(kind)),
        })
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[kinds::COMMIT, kinds::TAG, kinds::PUSH, kinds::SETTLE, kinds::WITHDRAW]
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
