//! The same deployment with a migration before the switch, and with a gate that waits for a person and for Monday: killed
//! at every entry, and resumed or taken back. The migration is made exactly once, or taken back.

use std::fs;

use shipway_core::drive::{Engine, Held};
use shipway_core::id::{Actor, ActorKind};
use shipway_core::journal::Event;

use crate::crash::{Meanwhile, Second, Story};
use crate::scene::{Back, Scene};

/// Gives the approval that a run waits for, as `shipway approve` writes it down.
pub(crate) fn approve(engine: &Engine<'_>, held: &mut Held) {
    let Some((gate, _)) = held.run.unapproved() else { return };
    let jane = Actor { kind: ActorKind::Human, name: "Jane Doe".into(), host: "desk".into() };
    let event = Event::Approved { step: Some(gate), plan: held.run.digest.clone(), grade: 0, signed: None };
    Engine { actor: &jane, ..*engine }.note(held, event).unwrap();
}

/// Tells what is wrong with the database of a scene that is as the word says.
pub(crate) fn judge(scene: &Scene, end: &str) -> Result<(), String> {
    let Some(back) = scene.migrates else { return Ok(()) };
    let read = |name: &str| fs::read_to_string(scene.database(name)).unwrap_or_default();
    let (table, log) = (read("table"), read("log"));
    let made = log.lines().filter(|line| *line == "run").count();
    let undone = log.lines().filter(|line| *line == "undo").count();
    let kept = match (end, back) {
        ("whole", _) => table == "row\n" && (made, undone) == (1, 0),
        // Its undo may be repeated, and what was not made may be undone.
        ("back", Back::Undo) => table.is_empty() && made <= 1 && undone >= made,
        ("back", Back::Never) => table.is_empty() && made == 0,
        (_, Back::Undo | Back::Never) => false,
    };
    if kept { Ok(()) } else { Err(format!("it is {end}, and the database is {table:?} after {log:?}")) }
}

fn story(name: &'static str, back: Back) -> Story {
    let mut scene = Scene::new(false);
    scene.migrates = Some(back);
    Story::of(name, scene)
}

#[test]
fn a_deployment_that_waits_and_migrates_is_whole_or_back_wherever_it_is_killed_and_resumed() {
    let story = story("gate and migration", Back::Undo);
    let deaths = story.entries();
    let (ends, _) = story.check(&deaths, (Second::Resume, Meanwhile::Nothing));
    assert!(ends.get("whole").is_some_and(|whole| *whole * 2 > deaths.len()), "{ends:?}");
}

#[test]
fn a_deployment_that_waits_and_migrates_is_whole_or_back_wherever_it_is_killed_and_taken_back() {
    let story = story("gate and migration", Back::Undo);
    let (ends, _) = story.check(&story.entries(), (Second::Rollback, Meanwhile::Nothing));
    assert!(ends.contains_key("back"), "{ends:?}");
}

#[test]
fn a_deployment_that_migrates_for_good_is_whole_or_back_wherever_it_is_killed_and_taken_back() {
    let story = story("gate and migration without undo", Back::Never);
    let (ends, _) = story.check(&story.entries(), (Second::Rollback, Meanwhile::Nothing));
    // Behind the migration there is only forward.
    assert!(ends.contains_key("back") && ends.contains_key("whole"), "{ends:?}");
}

#[test]
fn a_deployment_that_migrates_and_whose_messages_are_cut_off_is_whole_or_back() {
    let story = story("gate and migration, at messages too", Back::Undo);
    let deaths = story.clients(2);
    story.check(&deaths, (Second::Resume, Meanwhile::Nothing));
}
