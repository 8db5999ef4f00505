//! The plan that brings a release to the hosts of an environment.
//!
//! Nothing that is live changes before every host has the release beside what runs. Then the hosts follow each other
//! in waves, each seen to be well before the next; all of them are watched; and only then is the release confirmed on
//! every host, after which none of them puts itself back.

use std::time::Duration;

use serde::Serialize;

use crate::action::Catalog;
use crate::config::{Share, Strategy};
use crate::deployment::{Deployment, Host, Service, percent};
use crate::gate::Need;
use crate::id::{Digest, StepId};
use crate::kinds::deploy::{self as kinds, Before, Bring, Build};
use crate::plan::{Plan, Release, Stage, Step, Work};
use crate::planner::{Draft, SETTLE_MS, need};
use crate::problem::Problem;

/// Where the bytes come from.
#[derive(Clone, Debug, Serialize)]
pub enum Material {
    /// An artifact that is there already.
    Kept {
        /// Its digest.
        artifact: Digest,
        /// How many bytes and files it has, if it is kept here.
        size: Option<(u64, usize)>,
    },
    /// One that the run builds.
    Built(Build),
    /// None: what is brought is on the hosts already.
    OnHosts,
}

/// The way of a release into one environment, decided already.
#[derive(Clone, Debug, Serialize)]
pub struct Way {
    /// The environment.
    pub environment: String,
    /// Its hosts, in order.
    pub targets: Vec<Target>,
    /// How they follow each other.
    pub order: Order,
    /// What opens its gate.
    pub gate: Vec<Need>,
    /// What is wanted of its hosts, by need.
    pub ready: Vec<Need>,
    /// The changes to databases before the switch, and those after.
    pub migrations: (Vec<Migration>, Vec<Migration>),
    /// What is watched after the switch; nothing for not at all. Without a time, only the first hosts are watched, for
    /// a time of their own.
    pub watch: Option<kinds::Watch>,
    /// What must pass before the release is confirmed.
    pub after: Vec<Need>,
    /// After what time a host that hears nothing puts itself back.
    pub confirm: Option<Duration>,
    /// How many releases that were live stay, and how many bytes they may have.
    pub keep: (usize, Option<u64>),
    /// The variables of ours whose values services are given.
    pub secrets: Vec<String>,
}

/// One host on the way.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// The host.
    pub host: Host,
    /// What is brought to it; the run and an artifact that is not built yet are empty.
    pub deployment: Deployment,
    /// What is live there.
    pub from: Option<Before>,
    /// How many bytes and files are sent to it although the release is on other hosts already; nothing where that is
    /// decided for all of them alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<(u64, usize)>,
}

impl Target {
    /// Tells whether a release can have a share of the traffic here, beside the one that is live.
    fn shares(&self) -> bool {
        self.from.is_some() && self.deployment.services.iter().any(Service::splits)
    }
}

/// How hosts follow each other.
#[derive(Clone, Debug, Serialize)]
pub struct Order {
    /// All at once, in batches, or some first.
    pub strategy: Strategy,
    /// How many at once.
    pub batch: Share,
    /// How many first.
    pub canary: Share,
    /// How long these are watched.
    pub canary_watch: Option<Duration>,
    /// The shares of the traffic that the new release gets on these before it gets all, rising, in thousandths of a
    /// percent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<u32>,
}

/// A change to a database, decided already.
#[derive(Clone, Debug, Serialize)]
pub struct Migration {
    /// What is done.
    pub migrate: kinds::Migrate,
    /// The need that makes and verifies the backup before it.
    pub backup: Option<Need>,
    /// How long it may take.
    pub timeout: Duration,
}

impl Order {
    /// Returns how many hosts go in each wave.
    pub fn waves(&self, hosts: usize) -> Vec<usize> {
        let first = match self.strategy {
            Strategy::Recreate | Strategy::BlueGreen => hosts,
            Strategy::Rolling => 0,
            Strategy::Canary => self.canary.of(hosts).min(hosts),
        };
        let mut waves = vec![first];
        let (mut left, batch) = (hosts - first, self.batch.of(hosts));
        while left > 0 {
            waves.push(batch.min(left));
            left -= batch.min(left);
        }
        waves.retain(|wave| *wave > 0);
        waves
    }
}

/// Returns the plan of a deployment.
pub fn plan(
    release: Release,
    (material, way): (&Material, &Way),
    notes: Vec<String>,
    (target, catalog): (Duration, &dyn Catalog),
) -> Result<Plan, Problem> {
    let mut draft = Draft::new(catalog);
    build(&mut draft, material)?;
    add(&mut draft, material, way)?;
    let facts = Digest::of_json(&(material, way));
    let target_ms = u64::try_from(target.as_millis()).unwrap_or(u64::MAX);
    Ok(Plan { v: 1, release, stages: draft.stages, facts, notes, target_ms })
}

/// A step after which a release that was live cannot be gone back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The step.
    pub step: StepId,
    /// The environment.
    pub environment: String,
    /// The versions that were live, and that do not fit the database then.
    pub versions: Vec<String>,
}

/// Returns the ways back that a plan ends for good.
pub fn lost(plan: &Plan) -> Vec<Lost> {
    let of = |step: &Step| {
        let Work::Act { kind, args, .. } = &step.work else { return None };
        let migrate: kinds::Migrate =
            (kind == kinds::MIGRATE).then(|| serde_json::from_value(args.clone()).ok())??;
        let environment = migrate.deployment.environment;
        let lost = Lost { step: step.id.clone(), environment, versions: migrate.outgrows };
        (!lost.versions.is_empty()).then_some(lost)
    };
    plan.steps().filter_map(of).collect()
}

/// Adds the build of what is not built yet.
pub(super) fn build(draft: &mut Draft<'_>, material: &Material) -> Result<(), Problem> {
    if let Material::Built(build) = material {
        let step = draft.act("build", kinds::BUILD, build, 1)?;
        (step.attempts, step.timeout_ms) = (1, build.timeout_ms);
        // The gate comes behind it, since what it opens for is these bytes; its no leaves the world as it was.
        step.private = true;
    }
    Ok(())
}

/// Adds the stages that bring a release into an environment.
pub(super) fn add(draft: &mut Draft<'_>, material: &Material, way: &Way) -> Result<(), Problem> {
    let name = |stage: &str| format!("{}/{stage}", way.environment);
    let deployments: Vec<&Deployment> = way.targets.iter().map(|target| &target.deployment).collect();
    let subject = Digest::of_json(&deployments);
    draft.gate(&name("gate"), way.gate.clone(), &subject, 4);
    draft.gate(&name("ready"), way.ready.clone(), &subject, AT_ONCE);
    each(draft, &name("lease"), &way.targets, always(kinds::LEASE), |target| kinds::Lease {
        host: target.host.clone(),
    })?;
    let stage = |target: &Target| match material {
        Material::OnHosts if target.sent.is_none() => kinds::ADOPT,
        Material::Kept { .. } | Material::Built(_) | Material::OnHosts => kinds::STAGE,
    };
    each(draft, &name("stage"), &way.targets, stage, |target| bring(material, way, target))?;
    migrate(draft, &name("expand"), &way.migrations.0, &subject)?;
    waves(draft, material, way, &subject)?;
    if let Some(watch) = way.watch.as_ref().filter(|watch| watch.span_ms > 0) {
        draft.gate(&name("watch"), vec![watched(watch, watch.span_ms)?], &subject, 1);
    }
    draft.gate(&name("after"), way.after.clone(), &subject, 1);
    each(draft, &name("confirm"), &way.targets, always(kinds::CONFIRM), |target| kinds::Confirm {
        host: target.host.clone(),
    })?;
    // Before the lease is given back and anything is cleared away, since what can be undone may still take all back.
    migrate(draft, &name("contract"), &way.migrations.1, &subject)?;
    let (keep, keep_bytes) = way.keep;
    let finish = |target: &Target| kinds::Finish { host: target.host.clone(), keep, keep_bytes };
    for step in each(draft, &name("finish"), &way.targets, always(kinds::FINISH), finish)? {
        step.follows = true;
    }
    Ok(())
}

/// How many hosts are looked at, at once.
const AT_ONCE: usize = 16;

/// How much longer than its own limits a look at a host may take, in milliseconds.
const SLACK_MS: u64 = 60_000;

fn bring(material: &Material, way: &Way, target: &Target) -> Bring {
    Bring {
        host: target.host.clone(),
        deployment: target.deployment.clone(),
        from: target.from.clone(),
        confirm_ms: way.confirm.map_or(0, |span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
        size: match material {
            Material::Kept { size, .. } => *size,
            Material::Built(_) => None,
            Material::OnHosts => target.sent,
        },
        secrets: way.secrets.clone(),
    }
}

fn waves(draft: &mut Draft<'_>, material: &Material, way: &Way, subject: &Digest) -> Result<(), Problem> {
    let sizes = way.order.waves(way.targets.len());
    let mut rest = &way.targets[..];
    for (index, size) in sizes.iter().enumerate() {
        let (wave, later) = rest.split_at(*size);
        rest = later;
        let canary = index == 0 && way.order.strategy == Strategy::Canary && !later.is_empty();
        let suffix = match (canary, sizes.len()) {
            (true, _) => "-canary".to_owned(),
            (false, 1) => String::new(),
            (false, _) => format!("-{}", index + 1),
        };
        let name = |stage: &str| format!("{}/{stage}{suffix}", way.environment);
        if index == 0 {
            shares(draft, material, (way, wave), subject)?;
        }
        for step in
            each(draft, &name("switch"), wave, always(kinds::SWITCH), |target| bring(material, way, target))?
        {
            // A release that does not come up once is taken back, not tried on the users again.
            (step.attempts, step.apart) = (1, true);
        }
        let wells = wave.iter().map(|target| well(target, None)).collect::<Result<Vec<Need>, Problem>>()?;
        draft.gate(&name("well"), wells, subject, AT_ONCE);
        if canary {
            draft.gate(&name("watch"), canaries(way, wave, None)?, subject, 1);
        }
    }
    Ok(())
}

/// Adds the shares of the traffic that the first hosts give to the release before they give it all.
fn shares(
    draft: &mut Draft<'_>,
    material: &Material,
    (way, wave): (&Way, &[Target]),
    subject: &Digest,
) -> Result<(), Problem> {
    let wave: Vec<Target> = wave.iter().filter(|target| target.shares()).cloned().collect();
    let weights = way.order.weights.iter().filter(|_| !wave.is_empty());
    for (index, share) in weights.copied().enumerate() {
        let name = |stage: &str| format!("{}/{stage}-{}", way.environment, percent(share));
        let args =
            |target: &Target| kinds::Share { bring: bring(material, way, target), share, first: index == 0 };
        for step in each(draft, &name("share"), &wave, always(kinds::SHARE), args)? {
            // As with a switch: users have met it.
            (step.attempts, step.apart) = (1, true);
        }
        let wells = wave.iter().map(|target| well(target, Some(share)));
        draft.gate(&name("well"), wells.collect::<Result<_, Problem>>()?, subject, AT_ONCE);
        draft.gate(&name("watch"), canaries(way, &wave, Some(share))?, subject, 1);
    }
    Ok(())
}

/// Returns what watches the first hosts, if they are watched.
fn canaries(way: &Way, wave: &[Target], share: Option<u32>) -> Result<Vec<Need>, Problem> {
    let (Some(span), Some(watch)) = (way.order.canary_watch, &way.watch) else { return Ok(vec![]) };
    let hosts = watch.hosts.iter().filter(|well| wave.iter().any(|of| of.host == well.host));
    let hosts = hosts.map(|well| kinds::Well { share, ..well.clone() }).collect();
    let span_ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    Ok(vec![watched(&kinds::Watch { hosts, ..watch.clone() }, span_ms)?])
}

fn well(target: &Target, share: Option<u32>) -> Result<Need, Problem> {
    let args = kinds::Well { host: target.host.clone(), deployment: target.deployment.clone(), share };
    let longest = target.deployment.services.iter().filter_map(|service| service.health.as_ref());
    let longest = longest.map(|health| health.within_ms).max().unwrap_or(0);
    need(&target.host.name, kinds::WELL, &args, longest + SLACK_MS)
}

fn watched(watch: &kinds::Watch, span_ms: u64) -> Result<Need, Problem> {
    let name = crate::config::duration_text(Duration::from_millis(span_ms));
    need(&name, kinds::WATCH, &kinds::Watch { span_ms, ..watch.clone() }, span_ms + SLACK_MS)
}

fn migrate(
    draft: &mut Draft<'_>,
    name: &str,
    migrations: &[Migration],
    subject: &Digest,
) -> Result<(), Problem> {
    for migration in migrations {
        let name = format!("{name}/{}", migration.migrate.name);
        draft.gate(&format!("{name}/backup"), migration.backup.clone().into_iter().collect(), subject, 1);
        let step = draft.act(&name, kinds::MIGRATE, &migration.migrate, 1)?;
        step.timeout_ms = u64::try_from(migration.timeout.as_millis()).unwrap_or(u64::MAX);
        step.settle_ms = SETTLE_MS;
    }
    Ok(())
}

fn always(kind: &'static str) -> impl Fn(&Target) -> &'static str {
    move |_| kind
}

/// Adds one stage with a step for each host, and returns its steps.
fn each<'d, T: Serialize>(
    draft: &'d mut Draft<'_>,
    name: &str,
    targets: &[Target],
    kind: impl Fn(&Target) -> &'static str,
    args: impl Fn(&Target) -> T,
) -> Result<&'d mut [Step], Problem> {
    let mut steps = vec![];
    for target in targets {
        let id = StepId::new(format!("{name}/{}", target.host.name));
        let mut step = draft.step(id, kind(target), &args(target), 30)?;
        // A host may still be at work on a request whose sender is gone.
        step.settle_ms = SETTLE_MS;
        steps.push(step);
    }
    draft.stages.push(Stage { name: name.into(), steps });
    Ok(&mut draft.stages.last_mut().expect("a stage was just added").steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(strategy: Strategy, batch: Share, canary: Share, hosts: usize) -> Vec<usize> {
        Order { strategy, batch, canary, canary_watch: None, weights: vec![] }.waves(hosts)
    }

    #[test]
    fn every_host_is_in_one_wave() {
        let (one, half, quarter) = (Share::Count(1), Share::Percent(50), Share::Percent(25));
        assert_eq!(waves(Strategy::Rolling, one, one, 3), [1, 1, 1]);
        assert_eq!(waves(Strategy::Rolling, half, one, 5), [3, 2]);
        assert_eq!(waves(Strategy::Canary, half, one, 5), [1, 3, 1]);
        assert_eq!(waves(Strategy::Canary, quarter, quarter, 8), [2, 2, 2, 2]);
        assert_eq!(waves(Strategy::Canary, one, one, 1), [1]);
        assert_eq!(waves(Strategy::Recreate, one, one, 4), [4]);
        assert_eq!(waves(Strategy::BlueGreen, one, one, 4), [4]);
        assert_eq!(waves(Strategy::Rolling, one, one, 0), [0; 0]);
        for hosts in 1..40 {
            for strategy in [Strategy::Rolling, Strategy::Canary, Strategy::Recreate, Strategy::BlueGreen] {
                assert_eq!(waves(strategy, quarter, half, hosts).iter().sum::<usize>(), hosts);
            }
        }
    }
}
