//! What a release and its withdrawal look like when they are whole.

use std::time::Duration;

use shipway_core::action::{Catalog, Stop, World};
use shipway_core::drive::{Engine, Halt};
use shipway_core::id::{Actor, ActorKind};
use shipway_core::journal::{Journal, Outcome};
use shipway_core::kinds::Signing;
use shipway_core::plan::{Plan, Release, Verb};
use shipway_core::planner::push::{self, From, Input, To};
use shipway_core::run::Run;
use shipway_testkit::world::TestWorld;
use shipway_world::store::MemoryJournal;

use crate::place::{MESSAGE, Place, TAG, anchor};

/// Returns the plan of the release.
pub(crate) fn push_plan(place: &Place, health: &[&str]) -> Plan {
    let head = place.rev("main");
    let input = Input {
        release: Release {
            verb: Verb::Push,
            project: "widget".into(),
            from: Some("1.0.0".into()),
            to: "1.1.0".into(),
            tag: TAG.into(),
            environment: None,
            why: "minor: 1 feat, 1 fix".into(),
        },
        from: From {
            branch: "main".into(),
            commit: head.clone(),
            tree: place.rev("main^{tree}"),
            tags: place.git(&["tag"]).lines().map(str::to_owned).collect(),
        },
        to: To { remote: "origin".into(), branch: "main".into(), tip: head },
        message: MESSAGE.into(),
        edits: place.edits(),
        changelog: Some("CHANGELOG.md".into()),
        checks: vec![],
        at_once: 1,
        health: health.iter().map(|&url| url.to_owned()).collect(),
        within: Duration::from_secs(2),
        sign: Signing::Auto,
        step_timeout: None,
        ticket: None,
        tag_publishes: false,
        notes: vec![],
        target: Duration::from_mins(5),
        onward: None,
    };
    push::plan(input, &place.catalog()).unwrap()
}

/// Returns who drives every case.
pub(crate) fn actor() -> Actor {
    Actor { kind: ActorKind::Machine, name: "test".into(), host: "here".into() }
}

/// Calls `f` with an engine.
pub(crate) fn engine<R>(
    journal: &dyn Journal,
    catalog: &dyn Catalog,
    world: &dyn World,
    f: impl FnOnce(&Engine<'_>) -> R,
) -> R {
    let (stop, actor) = (Stop::default(), actor());
    f(&Engine { journal, catalog, world, stop: &stop, actor: &actor, watch: &|_, _| () })
}

/// Ships the release and returns its run.
pub(crate) fn shipped(place: &Place) -> Run {
    let plan = push_plan(place, &[]);
    engine(&MemoryJournal::new(), &place.catalog(), &TestWorld::new(), |engine| {
        let mut held = engine.open(&Place::run(), plan).unwrap();
        assert_eq!(engine.drive(&mut held).unwrap(), Halt::Closed(Outcome::Shipped));
        held.run
    })
}

fn require(kept: bool, seen: impl FnOnce() -> String) -> Result<(), String> {
    if kept { Ok(()) } else { Err(seen()) }
}

/// Checks that nothing of the run is left but what was shipped or answered.
pub(crate) fn no_leftovers(place: &Place) -> Result<(), String> {
    let refs = place.git(&["for-each-ref", "refs/shipway"]);
    require(refs.is_empty(), || format!("left behind: {refs}"))?;
    let trees = place.git(&["worktree", "list"]);
    require(trees.lines().count() == 1, || format!("left behind: {trees}"))?;
    let status = place.git(&["status", "--porcelain"]);
    require(status.is_empty(), || format!("the work tree is not clean:\n{status}"))
}

/// Checks that the release was shipped exactly once: one tag, one commit, the branch here where it is there.
pub(crate) fn shipped_once(place: &Place, base: &str) -> Result<(), String> {
    let tip = place.remote_rev("main");
    let subject = place.remote(&["log", "--format=%s", &format!("{base}..main")]);
    require(subject == "chore: release version 1.1.0", || format!("the remote holds:\n{subject}"))?;
    require(place.remote_rev(&format!("{TAG}^{{commit}}")) == tip, || "the remote tag is elsewhere".into())?;
    require(place.remote(&["tag"]) == format!("v1.0.0\n{TAG}"), || place.remote(&["tag"]))?;
    require(place.rev("main") == tip, || format!("main here is {}, there {tip}", place.rev("main")))?;
    no_leftovers(place)
}

/// Checks that the remote holds base, release and revert, that the tag is kept or gone, and that the files are those
/// of the base but for the changelog.
pub(crate) fn answered(place: &Place, tag_kept: bool) -> Result<(), String> {
    let log = place.remote(&["log", "-3", "--format=%s", "main"]);
    let wanted =
        "revert: release version 1.1.0\nchore: release version 1.1.0\nfix: end a greeting with a full stop";
    require(log == wanted, || format!("the remote holds:\n{log}"))?;
    let changed = place.remote(&["diff", "--name-only", "main~2", "main"]);
    require(changed == "CHANGELOG.md", || format!("against the base, the remote differs in: {changed}"))?;
    let changelog = place.remote(&["show", "main:CHANGELOG.md"]);
    require(changelog.to_lowercase().contains("withdrawn"), || format!("the changelog says: {changelog}"))?;
    let wanted = if tag_kept { place.remote_rev("main~1") } else { String::new() };
    let found = place.remote_rev(&format!("{TAG}^{{commit}}"));
    require(found == wanted, || format!("the remote tag is at {found}, not at {wanted}"))?;
    require(place.rev(&anchor()).is_empty() || !place.rev("main").is_empty(), || "there is no branch".into())
}
