//! A backup is made and proven, before something that has no way back.

use std::fmt;
use std::sync::Arc;

use shipway_core::action::{Cx, Fault};
use shipway_core::backup::{self, Ask, Spec};
use shipway_core::deployment::Host;
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use super::blocks;
use crate::backup::{Place, answer, beside_journal};
use crate::git::repository::Repository;

/// Asks a host to make a backup and to verify it.
pub type On = Arc<dyn Fn(&Cx<'_>, &Host, &Spec) -> Result<Vec<backup::Made>, Problem> + Send + Sync>;

/// The check.
pub struct Made {
    /// Where the run is.
    pub repository: Repository,
    /// What.
    pub args: kinds::backup::Made,
    /// How hosts are asked; without it, only this machine is.
    pub on: Option<On>,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made").field("args", &self.args).finish_non_exhaustive()
    }
}

impl Check for Made {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let spec = &self.args.spec;
        let made = match (&self.args.host, &self.on) {
            (None, _) => self.here(cx),
            (Some(host), Some(on)) => on(cx, host, spec),
            (Some(host), None) => Err(Problem::new(
                Code::BackupFailed,
                format!("host {} cannot be asked for a backup", host.name),
            )),
        };
        // Proven means proven now, whatever whoever was asked thinks is good enough.
        Ok(match made {
            Ok(made) if made.iter().any(|made| made.name == spec.name && made.verified.is_some()) => vec![],
            Ok(_) => {
                blocks(Problem::new(Code::BackupFailed, format!("no backup of {} was verified", spec.name)))
            }
            Err(problem) => blocks(problem),
        })
    }
}

impl Made {
    fn here(&self, cx: &Cx<'_>) -> Result<Vec<backup::Made>, Problem> {
        let place = Place { dir: &self.repository.top, shell: cx.world.shell(), stop: cx.stop, say: &|_| () };
        let spec = beside_journal(self.args.spec.clone(), &self.repository.state_dir());
        answer(&Ask::Make, &spec, &place)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use shipway_core::action::Stop;
    use shipway_core::backup::What;
    use shipway_core::gate::Severity;
    use shipway_core::id::{RunId, StepId};
    use shipway_core::time::Time;

    use super::*;
    use crate::shell::{LocalShell, Logs};
    use crate::world::RealWorld;

    /// Returns the codes of what is found for a backup of the directory `data`.
    fn check(verify: &[&str], host: Option<&str>, on: Option<On>) -> (Vec<Code>, usize) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("tree/data")).unwrap();
        let repository = Repository {
            top: dir.path().join("tree"),
            git_dir: dir.path().join("git"),
            common_dir: dir.path().join("git"),
            reach: crate::git::cmd::Remote::default(),
        };
        let spec = Spec {
            name: "data".into(),
            what: What::Directory { path: "data".into() },
            verify: verify.iter().map(|&word| word.into()).collect(),
            to: None,
            keep: 3,
            recipients: vec![],
            identity: None,
            timeout_ms: 600_000,
        };
        let host = host.map(|name| Host {
            name: name.into(),
            address: name.into(),
            path: "app".into(),
            ssh: vec![],
            roles: vec![],
        });
        let made = Made { repository, args: kinds::backup::Made { host, spec }, on };
        let world = RealWorld::new(LocalShell::new(), Logs::new(dir.path()).into());
        let (run, name, stop) = (RunId::new("r"), StepId::new("backup"), Stop::default());
        let cx = Cx {
            run: &run,
            step: &name,
            attempt: 1,
            opened: Time(0),
            timeout: Duration::from_mins(10),
            world: &world,
            stop: &stop,
        };
        let found = made.look(&cx).unwrap();
        assert!(found.iter().all(|one| one.severity == Severity::Blocks));
        let kept = fs::read_dir(dir.path().join("git/shipway/backups")).map_or(0, Iterator::count);
        (found.iter().map(|one| one.problem.code).collect(), kept)
    }

    #[test]
    fn a_gate_opens_for_a_verified_backup_only() {
        assert_eq!(check(&[], None, None), (vec![], 2));
        assert_eq!(check(&["test", "-d", "{scratch}"], None, None), (vec![], 2));
        assert_eq!(check(&["false"], None, None), (vec![Code::BackupRefused], 2));
    }

    #[test]
    fn a_host_is_asked_and_must_have_verified_it() {
        assert_eq!(check(&[], Some("db-1"), None), (vec![Code::BackupFailed], 0));
        let nothing: On = Arc::new(|_, _, _| Ok(vec![]));
        assert_eq!(check(&[], Some("db-1"), Some(nothing)), (vec![Code::BackupFailed], 0));
        let broken: On = Arc::new(|_, host, _| Err(Problem::new(Code::Network, host.name.clone())));
        assert_eq!(check(&[], Some("db-1"), Some(broken)), (vec![Code::Network], 0));
    }
}
