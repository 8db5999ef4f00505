//! The user's branch where the user, or another git, has a hand in it.

use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shipway_core::action::{Catalog as _, Cmd, Cx, Effect, Ended, Fault, Output, Receipt, Shell, Stop};
use shipway_core::id::StepId;
use shipway_core::kinds;
use shipway_testkit::world::{NOON, PlainShell, TestWorld};

use crate::contract::{data, tagged};
use crate::place::{Place, anchor};
use crate::scene;

fn settle(place: &Place, world: &TestWorld) -> Result<Receipt, Fault> {
    let args = kinds::Settle { branch: "main".into(), old: place.rev("origin/main") };
    let (run, step) = (Place::run(), StepId::new("settle"));
    let cx = Cx {
        run: &run,
        step: &step,
        attempt: 1,
        opened: NOON,
        timeout: Duration::from_mins(1),
        world,
        stop: &Stop::default(),
    };
    place.catalog().action(kinds::SETTLE, &data(&args)).unwrap().apply(&cx)
}

/// Settles where something is in the way: the branch stays, and the receipt says why.
fn check(in_the_way: impl FnOnce(&Place), why: &str) {
    let place = tagged();
    in_the_way(&place);
    let before = place.local().without("ref refs/shipway/");
    let receipt = settle(&place, &TestWorld::new()).unwrap();
    assert!(receipt.text("kept").contains(why), "{receipt:?}");
    before.assert_same(&place.local());
    assert_eq!(place.rev(&anchor()), "");
}

#[test]
fn what_is_the_users_own_is_left_alone() {
    check(
        |place| fs::write(place.top().join("README.md"), "mine").unwrap(),
        "README.md has changes of your own",
    );
    check(|place| fs::remove_file(place.top().join("VERSION")).unwrap(), "VERSION has changes of your own");
    check(|place| drop(place.git(&["commit", "--quiet", "--allow-empty", "-m", "mine"])), "main has moved");
    check(|place| drop(place.git(&["reset", "--quiet", "--hard", "HEAD^"])), "main has moved");
}

#[test]
fn an_index_that_another_git_works_on_is_left_alone() {
    check(
        |place| fs::write(place.top().join(".git/index.lock"), "").unwrap(),
        "another git works on the index",
    );
}

/// Kills the first git that changes the index, which leaves its lock behind.
struct Killing(PlainShell, AtomicBool);

impl Shell for Killing {
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output> {
        let changes = cmd.argv.iter().any(|word| word == "update-index");
        if !changes || self.1.swap(true, Ordering::SeqCst) {
            return self.0.run(cmd, stop);
        }
        fs::write(cmd.dir.join(".git/index.lock"), "half")?;
        Ok(Output { ended: Ended::TimedOut, stdout: vec![], stderr: vec![] })
    }
}

#[test]
fn a_git_that_was_killed_leaves_no_lock_on_the_index() {
    let place = tagged();
    let world = TestWorld::over(Killing(PlainShell::hermetic(), AtomicBool::new(false)));
    assert_eq!(settle(&place, &world).unwrap_err().effect, Effect::Unknown);
    assert_eq!(settle(&place, &world).unwrap().text("commit"), place.rev("v1.1.0^{commit}"));
    assert_eq!(place.rev("main"), place.rev("v1.1.0^{commit}"));
    assert_eq!(scene::no_leftovers(&place), Ok(()));
}
