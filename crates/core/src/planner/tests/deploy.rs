//! Plans of deployments: what comes before what, and what cannot be taken back.

use std::time::Duration;

use serde_json::json;

use super::{Words, input, names};
use crate::config::{Share, Strategy};
use crate::deployment::{Deployment, Host, Runtime};
use crate::gate::Need;
use crate::id::{Digest, RunId};
use crate::kinds::deploy::{self as kinds, Before, Build, Migrate, Watch, Well};
use crate::plan::{Plan, Work};
use crate::planner::deploy::{self, Material, Migration, Order, Target, Way};
use crate::planner::{need, push};

fn host(name: &str) -> Host {
    Host { name: name.into(), address: String::new(), path: "/srv".into(), ssh: vec![], roles: vec![] }
}

fn deployment() -> Deployment {
    Deployment {
        run: RunId::new(""),
        project: "api".into(),
        environment: "production".into(),
        version: "1.1.0".into(),
        artifact: Digest::new("a1"),
        services: vec![],
        runtime: Runtime::None,
        secrets: None,
        schema: None,
        back: false,
        mended: None,
        home: None,
    }
}

fn look(name: &str) -> Need {
    need(name, "look", &(), 1).unwrap()
}

fn migration(name: &str, undo: &[&str], backup: Option<Need>) -> Migration {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<String>>();
    let migrate = Migrate {
        host: host("a"),
        name: name.into(),
        deployment: deployment(),
        run: words(&["migrate"]),
        done: vec![],
        undo: words(undo),
        outgrows: vec![],
        stays: false,
    };
    Migration { migrate, backup, timeout: Duration::from_mins(7) }
}

/// A way over four hosts, one after the other.
fn way(environment: &str) -> Way {
    let hosts = ["a", "b", "c", "d"].map(host);
    let well = |host: &Host| Well { host: host.clone(), deployment: deployment(), share: None };
    let watch = Watch {
        hosts: hosts.iter().map(well).collect(),
        span_ms: 300_000,
        every_ms: 5_000,
        errors: 0,
        slower: 0,
        samples: 0,
        pass_without_data: true,
        prometheus: None,
        command: vec![],
        log: None,
    };
    let target = |host: Host| Target { host, deployment: deployment(), from: None, sent: None };
    Way {
        environment: environment.into(),
        targets: hosts.map(target).into(),
        order: Order {
            strategy: Strategy::Rolling,
            batch: Share::Count(2),
            canary: Share::Count(1),
            canary_watch: Some(Duration::from_mins(1)),
            weights: vec![],
        },
        gate: vec![look("approval")],
        ready: vec![look("ready")],
        migrations: (vec![], vec![]),
        watch: Some(watch),
        after: vec![look("after")],
        confirm: Some(Duration::from_mins(5)),
        keep: (5, None),
        secrets: vec![],
    }
}

fn kept() -> Material {
    Material::Kept { artifact: Digest::new("a1"), size: None }
}

fn plan(material: &Material, way: &Way) -> Plan {
    let target = Duration::from_mins(5);
    deploy::plan(input().release, (material, way), vec![], (target, &Words)).unwrap()
}

/// Returns the names of the stages without that of the environment.
fn stages(plan: &Plan) -> Vec<&str> {
    names(plan).into_iter().map(|name| name.strip_prefix("production/").unwrap_or(name)).collect()
}

/// Returns the hosts of the steps of a stage.
fn hosts<'p>(plan: &'p Plan, stage: &str) -> Vec<&'p str> {
    let stage = plan.stages.iter().find(|known| known.name.ends_with(stage)).unwrap();
    stage.steps.iter().map(|step| step.id.as_str().rsplit('/').next().unwrap()).collect()
}

/// Returns the needs of a gate.
fn needs<'p>(plan: &'p Plan, name: &str) -> Vec<&'p Need> {
    let step = plan.steps().find(|step| step.id.as_str().ends_with(name)).unwrap();
    let Work::Gate(gate) = &step.work else { panic!("{name} is a gate") };
    gate.needs.iter().collect()
}

#[test]
fn nothing_live_changes_before_every_host_has_the_release_and_each_wave_is_well_before_the_next() {
    let plan = plan(&kept(), &way("production"));
    let wanted = [
        "gate", "ready", "lease", "stage", "switch-1", "well-1", "switch-2", "well-2", "watch", "after",
        "confirm", "finish",
    ];
    assert_eq!(stages(&plan), wanted);
    for stage in ["lease", "stage", "confirm", "finish"] {
        assert_eq!(hosts(&plan, stage), ["a", "b", "c", "d"], "{stage}");
    }
    assert_eq!((hosts(&plan, "switch-1"), hosts(&plan, "switch-2")), (vec!["a", "b"], vec!["c", "d"]));
    let wells: Vec<&str> = needs(&plan, "well-2").into_iter().map(Need::name).collect();
    assert_eq!(wells, ["c", "d"]);
    assert!(plan.point_of_no_return().is_none());
}

#[test]
fn a_switch_is_tried_once_and_what_clears_away_is_no_reason_to_go_back() {
    let plan = plan(&kept(), &way("production"));
    for step in plan.steps() {
        let Work::Act { kind, .. } = &step.work else { continue };
        assert_eq!(
            (step.attempts == 1, step.apart),
            (kind == kinds::SWITCH, kind == kinds::SWITCH),
            "{}",
            step.id
        );
        assert_eq!(step.follows, kind == kinds::FINISH, "{}", step.id);
        // A host may be at work on a request whose sender is gone.
        assert!(step.settle_ms > 0, "{}", step.id);
    }
}

#[test]
fn canaries_go_first_and_are_watched_alone() {
    let order = Order { strategy: Strategy::Canary, ..way("production").order };
    let plan = plan(&kept(), &Way { order, ..way("production") });
    let switches: Vec<&str> = stages(&plan)
        .into_iter()
        .filter(|stage| stage.starts_with("switch") || stage.starts_with('w'))
        .collect();
    assert_eq!(
        switches,
        ["switch-canary", "well-canary", "watch-canary", "switch-2", "well-2", "switch-3", "well-3", "watch"]
    );
    assert_eq!(hosts(&plan, "switch-canary"), ["a"]);
    let watched = |name: &str| {
        let Need::Check { args, .. } = needs(&plan, name)[0] else { panic!("a watch is a check") };
        let watch: Watch = serde_json::from_value(args.clone()).unwrap();
        (watch.hosts.len(), watch.span_ms)
    };
    assert_eq!((watched("watch-canary"), watched("/watch")), ((1, 60_000), (4, 300_000)));
}

#[test]
fn canaries_are_watched_also_where_all_together_are_not() {
    let order = Order { strategy: Strategy::Canary, ..way("production").order };
    let watch = way("production").watch.map(|watch| Watch { span_ms: 0, ..watch });
    let plan = plan(&kept(), &Way { order, watch, ..way("production") });
    let watches: Vec<&str> = stages(&plan).into_iter().filter(|stage| stage.starts_with("watch")).collect();
    assert_eq!(watches, ["watch-canary"]);
}

/// A canary of some hosts with shares, behind the built-in proxy.
fn weighted(canary: Share) -> Way {
    let service = json!({
        "name": "web", "run": ["web"], "manager": {"kind": "process"},
        "switch": {"kind": "proxy", "control": "c", "ports": [1, 2]},
        "overlap": true, "stop_ms": 1, "drain_ms": 1,
    });
    let mut way = way("production");
    let weights = vec![500, 25_000];
    way.order = Order { strategy: Strategy::Canary, canary, weights, ..way.order };
    for target in &mut way.targets {
        target.deployment.services = vec![serde_json::from_value(service.clone()).unwrap()];
        target.from =
            Some(Before { run: RunId::new("r0"), version: "1.0.0".into(), artifact: Digest::new("a0") });
    }
    way
}

#[test]
fn a_share_after_the_other_comes_before_the_switch_of_the_first_hosts_alone() {
    let plan = plan(&kept(), &weighted(Share::Count(1)));
    let wanted = [
        "share-0.5%",
        "well-0.5%",
        "watch-0.5%",
        "share-25%",
        "well-25%",
        "watch-25%",
        "switch-canary",
        "well-canary",
        "watch-canary",
        "switch-2",
        "well-2",
        "switch-3",
        "well-3",
        "watch",
    ];
    assert_eq!(stages(&plan)[4..18], wanted);
    assert_eq!(hosts(&plan, "share-25%"), ["a"]);
    let shares = plan.steps().filter_map(|step| match &step.work {
        Work::Act { kind, args, .. } if kind == kinds::SHARE => {
            assert_eq!((step.attempts, step.apart), (1, true), "{}", step.id);
            serde_json::from_value::<kinds::Share>(args.clone()).ok()
        }
        Work::Act { .. } | Work::Gate(_) => None,
    });
    let shares: Vec<(u32, bool, String)> =
        shares.map(|share| (share.share, share.first, share.bring.host.name)).collect();
    assert_eq!(shares, [(500, true, "a".to_owned()), (25_000, false, "a".to_owned())]);
    let Need::Check { args, .. } = needs(&plan, "watch-25%")[0] else { panic!("a watch is a check") };
    let watch: Watch = serde_json::from_value(args.clone()).unwrap();
    let watched: Vec<_> = watch.hosts.iter().map(|well| (well.host.name.as_str(), well.share)).collect();
    assert_eq!((watched, watch.span_ms), (vec![("a", Some(25_000))], 60_000));
    assert_eq!(needs(&plan, "well-25%").len(), 1);
    assert!(plan.point_of_no_return().is_none());
}

#[test]
fn where_all_hosts_share_there_is_one_switch_and_only_a_host_with_a_release_shares() {
    let mut way = weighted(Share::Percent(100));
    way.targets[1].from = None;
    way.targets[2].deployment.services[0].overlap = false;
    let plan = plan(&kept(), &way);
    assert_eq!((hosts(&plan, "share-25%"), hosts(&plan, "/switch").len()), (vec!["a", "d"], 4));
    for target in &mut way.targets {
        target.from = None;
    }
    let plan = self::plan(&kept(), &way);
    assert!(stages(&plan).iter().all(|stage| !stage.starts_with("share")), "{:?}", stages(&plan));
}

#[test]
fn a_host_that_does_not_have_what_others_go_back_to_is_sent_it() {
    let mut way = way("production");
    way.targets[1].sent = Some((7, 1));
    let plan = plan(&Material::OnHosts, &way);
    let kinds = plan.stages.iter().find(|stage| stage.name.ends_with("stage")).unwrap().steps.iter();
    let kinds: Vec<&str> = kinds
        .filter_map(|step| match &step.work {
            Work::Act { kind, .. } => Some(kind.as_str()),
            Work::Gate(_) => None,
        })
        .collect();
    assert_eq!(kinds, [kinds::ADOPT, kinds::STAGE, kinds::ADOPT, kinds::ADOPT]);
}

#[test]
fn without_waves_all_hosts_switch_at_once() {
    for strategy in [Strategy::Recreate, Strategy::BlueGreen] {
        let order = Order { strategy, ..way("production").order };
        let plan = plan(&kept(), &Way { order, ..way("production") });
        assert_eq!(hosts(&plan, "/switch"), ["a", "b", "c", "d"]);
    }
}

#[test]
fn an_expanding_migration_comes_before_the_switch_and_a_contracting_one_after_the_confirmation() {
    let before = vec![migration("add", &["undo"], None)];
    let after = vec![migration("drop", &[], Some(look("backup")))];
    let plan = plan(&kept(), &Way { migrations: (before, after), ..way("production") });
    let stages = stages(&plan);
    let at = |name: &str| stages.iter().position(|stage| *stage == name).unwrap();
    assert!(at("stage") < at("expand/add") && at("expand/add") < at("switch-1"), "{stages:?}");
    assert_eq!(&stages[stages.len() - 3..], ["contract/drop/backup", "contract/drop", "finish"]);
    // One that can be undone is no point of no return; one that cannot is, and its backup is proven before it.
    assert_eq!(plan.point_of_no_return().unwrap().id.as_str(), "production/contract/drop");
    assert_eq!(plan.point_of_no_return().unwrap().timeout_ms, 420_000);
}

#[test]
fn an_expanding_migration_without_an_undo_is_the_point_of_no_return_before_any_switch() {
    let before = vec![migration("add", &[], Some(look("backup")))];
    let plan = plan(&kept(), &Way { migrations: (before, vec![]), ..way("production") });
    let stages = stages(&plan);
    let at = |name: &str| stages.iter().position(|stage| *stage == name).unwrap();
    assert!(at("expand/add/backup") < at("expand/add") && at("expand/add") < at("switch-1"), "{stages:?}");
    assert_eq!(plan.point_of_no_return().unwrap().id.as_str(), "production/expand/add");
}

#[test]
fn what_is_not_built_is_built_once_before_any_gate_and_what_is_there_is_adopted() {
    let build = Build {
        commit: None,
        version: "1.1.0".into(),
        argv: vec![],
        env: [].into(),
        dir: String::new(),
        include: vec![],
        exclude: vec![],
        timeout_ms: 5,
    };
    let with_build = plan(&Material::Built(build), &way("production"));
    assert_eq!(stages(&with_build)[..2], ["build", "gate"]);
    assert_eq!((with_build.stages[0].steps[0].attempts, with_build.stages[0].steps[0].timeout_ms), (1, 5));
    let kind = |plan: &Plan| {
        let step = plan.steps().find(|step| step.id.as_str() == "production/stage/a").unwrap();
        let Work::Act { kind, .. } = &step.work else { panic!("stage is an action") };
        kind.clone()
    };
    assert_eq!(
        (kind(&with_build), kind(&plan(&Material::OnHosts, &way("production")))),
        (kinds::STAGE.to_owned(), kinds::ADOPT.to_owned())
    );
}

#[test]
fn a_push_to_an_environment_passes_all_of_them_in_order_before_the_branch_settles() {
    let onward = Some((kept(), vec![way("staging"), way("production")]));
    let push = push::plan(super::Input { onward, ..input() }, &Words).unwrap();
    let names = names(&push);
    let at = |name: &str| names.iter().position(|known| *known == name).unwrap();
    assert!(at("push") < at("verify") && at("verify") < at("staging/gate"), "{names:?}");
    assert!(at("staging/finish") < at("production/gate"), "{names:?}");
    assert_eq!(at("production/finish") + 1, at("settle"), "{names:?}");
    assert_eq!(at("settle") + 1, names.len());
}

#[test]
fn equal_facts_give_the_same_plan_and_another_way_gives_another() {
    let digest = |way: &Way| plan(&kept(), way).digest();
    assert_eq!(digest(&way("production")), digest(&way("production")));
    let fewer = Way { keep: (4, None), ..way("production") };
    assert_ne!(digest(&way("production")), digest(&fewer));
}
