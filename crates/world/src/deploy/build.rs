//! Building the artifact of a release, once.

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Fault, Observed, Receipt, Reversal, Sign};
use shipway_core::kinds::deploy as kinds;
use shipway_core::problem::{Code, Problem};

use super::Hands;
use crate::artifact::{self, BuildSpec};
use crate::git::hand::{Hand, clean};
use crate::git::repository::Repository;

/// The action.
#[derive(Debug)]
pub struct Build {
    /// Where it is built from.
    pub repository: Repository,
    /// Where it is kept.
    pub hands: Hands,
    /// What.
    pub args: kinds::Build,
}

impl Action for Build {
    fn describe(&self) -> Change {
        let how = match &self.args.argv[..] {
            [] => "files as they are committed".to_owned(),
            argv => argv.join(" "),
        };
        Change {
            sign: Sign::Create,
            thing: "artifact".into(),
            summary: format!("{how}, in a clean checkout"),
            reversal: Reversal::Exact,
            undo: "forget the artifact".into(),
            parts: vec![],
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let store = &self.hands.store;
        let built = store.artifact_of_run(cx.run).filter(|artifact| store.has_artifact(artifact));
        Ok(match built {
            Some(artifact) => {
                let manifest = store.manifest(&artifact).map_err(Fault::clean)?;
                Observed::Present(receipt(&artifact, manifest.bytes(), manifest.files.len()))
            }
            None => Observed::Absent,
        })
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let name = self.args.commit.clone().unwrap_or_else(|| hand.anchor());
        let commit = hand.resolve(&format!("{name}^{{commit}}")).map_err(clean)?.ok_or_else(|| {
            Fault::clean(Problem::new(Code::BuildFailed, format!("there is no commit {name} to build")))
        })?;
        let spec = spec(&self.args, commit);
        let (artifact, manifest) = artifact::build(cx, &self.repository, &self.hands.store, &spec)?;
        self.hands.store.record_run(cx.run, &artifact).map_err(Fault::in_doubt)?;
        Ok(receipt(&artifact, manifest.bytes(), manifest.files.len()))
    }

    /// What is kept is named by its content and harms nobody; only that the run made it is forgotten, and the checkout
    /// of a build that was cut off is cleared away.
    fn undo(&self, cx: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        artifact::clear(&self.repository, cx.run);
        self.hands.store.forget_run(cx.run).map_err(Fault::in_doubt)
    }
}

/// Returns how a commit is built.
pub(super) fn spec(args: &kinds::Build, commit: String) -> BuildSpec {
    let mut env = args.env.clone();
    env.insert("SHIPWAY_VERSION".into(), args.version.clone());
    BuildSpec {
        commit,
        argv: args.argv.clone(),
        env,
        include: args.include.clone(),
        exclude: args.exclude.clone(),
        root: args.dir.clone(),
    }
}

fn receipt(artifact: &shipway_core::id::Digest, bytes: u64, files: usize) -> Receipt {
    Receipt(json!({ "artifact": artifact, "bytes": bytes, "files": files }))
}
