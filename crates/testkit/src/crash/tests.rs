use std::sync::atomic::{AtomicU64, Ordering};

use shipway_core::id::{Actor, ActorKind};
use shipway_core::journal::Event;

use super::*;
use crate::world::TestWorld;

/// Counts what really happens.
#[derive(Default)]
struct Tally(AtomicU64);

impl Tally {
    fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Shell for Tally {
    fn run(&self, _cmd: &Cmd, _stop: &Stop) -> io::Result<Output> {
        self.add();
        Ok(Output { ended: shipway_core::action::Ended::Exit(0), stdout: vec![], stderr: vec![] })
    }
}

impl Journal for Tally {
    fn lease(&self, _run: &RunId) -> Result<Lease, Error> {
        self.add();
        Ok(Lease { fence: Fence(1), head: None })
    }

    fn append(&self, _: &RunId, _: Fence, _: Option<Seq>, drafts: &[Draft]) -> Result<Vec<Entry>, Error> {
        self.0.fetch_add(drafts.len() as u64, Ordering::SeqCst);
        Ok(vec![])
    }

    fn read(&self, _run: &RunId, _after: Option<Seq>) -> Result<Vec<Entry>, Error> {
        self.add();
        Ok(vec![])
    }

    fn runs(&self) -> Result<Vec<RunHead>, Error> {
        Ok(vec![])
    }

    fn verify(&self) -> Result<u64, Error> {
        Ok(0)
    }

    fn durability(&self) -> Durability {
        Durability { proven: false, how: "memory".into() }
    }
}

fn shell(shell: &dyn Shell) {
    shell.run(&Cmd::new("git").arg("push"), &Stop::default()).unwrap();
}

/// Makes three calls and checks how many of them happened.
fn check(fuse: &Fuse, happened: u64, ended: &str) {
    let tally = Tally::default();
    let crashy = Crashy::new(&tally, fuse);
    let result = survive(|| (0..3).for_each(|_| shell(&crashy)));
    assert_eq!(result.map_or_else(|killed| killed.to_string(), |()| "alive".into()), ended);
    assert_eq!(tally.count(), happened);
}

#[test]
fn a_fuse_kills_before_or_after_its_call() {
    check(&Fuse::count_only(), 3, "alive");
    check(&Fuse::at(1, When::Before), 0, "killed before call 1: shell git push");
    check(&Fuse::at(1, When::After), 1, "killed after call 1: shell git push");
    check(&Fuse::at(3, When::Before), 2, "killed before call 3: shell git push");
    check(&Fuse::at(3, When::After), 3, "killed after call 3: shell git push");
    check(&Fuse::at(4, When::Before), 3, "alive");
}

#[test]
fn every_port_passes_the_same_fuse() {
    let (tally, world) = (Tally::default(), TestWorld::over(Tally::default()));
    world.answer("http://a/", &[200]);
    let fuse = Fuse::count_only();
    let (journal, hands, world) =
        (Crashy::new(&tally, &fuse), Crashy::new(&tally, &fuse), Crashy::new(&world as &dyn World, &fuse));
    let run = RunId::new("r");
    journal.lease(&run).unwrap();
    journal.read(&run, None).unwrap();
    let by = Actor { kind: ActorKind::Machine, name: "m".into(), host: "h".into() };
    let step = shipway_core::id::StepId::new("tag");
    let draft = Draft { at: world.now(), by, attempt: 1, event: Event::Started { step } };
    journal.append(&run, Fence(1), None, &[draft]).unwrap();
    shell(&hands);
    shell(world.shell());
    world.rest(Duration::from_secs(1), &Stop::default());
    assert_eq!(world.http_status("http://a/", Duration::from_secs(1)).unwrap(), 200);
    let names = [
        "journal lease",
        "journal read",
        "journal append started tag",
        "shell git push",
        "shell git push",
        "rest 1s",
        "http http://a/",
    ];
    assert_eq!(fuse.names(), names);
    assert_eq!(fuse.calls(), 7);
}

#[test]
fn an_entry_killed_after_its_append_is_durable() {
    let journal = Tally::default();
    let fuse = Fuse::at(2, When::After);
    let crashy = Crashy::new(&journal, &fuse);
    let by = Actor { kind: ActorKind::Machine, name: "m".into(), host: "h".into() };
    let drafts = [Draft { at: Time(0), by, attempt: 0, event: Event::Resumed {} }];
    let append = || crashy.append(&RunId::new("r"), Fence(1), None, &drafts).map(|_| ());
    assert!(fuse.live(|| { append().and_then(|()| append()).is_ok() }).is_err());
    assert_eq!(journal.count(), 2);
}

#[test]
fn the_dead_do_nothing_more_in_any_thread() {
    let tally = Tally::default();
    let fuse = Fuse::at(1, When::After);
    let (world, crashy) = (TestWorld::new(), Crashy::new(&tally, &fuse));
    let crashy_world = Crashy::new(&world, &fuse);
    assert!(survive(|| shell(&crashy)).is_err());
    let calls: [&(dyn Fn() + Sync); 4] = [
        &|| shell(&crashy),
        &|| drop(crashy.lease(&RunId::new("r"))),
        &|| crashy_world.rest(Duration::from_secs(1), &Stop::default()),
        &|| assert_eq!(crashy_world.now(), Time(0)),
    ];
    for call in calls {
        assert!(survive(call).is_err());
        thread::scope(|scope| assert!(scope.spawn(|| survive(call)).join().unwrap().is_err()));
    }
    assert_eq!((tally.count(), world.rested()), (1, Duration::ZERO));
}

#[test]
fn a_death_in_a_scoped_thread_is_the_death_of_all() {
    let (tally, fuse) = (Tally::default(), Fuse::at(2, When::Before));
    let crashy = Crashy::new(&tally, &fuse);
    let killed = fuse.live(|| {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| shell(&crashy));
            }
        });
    });
    assert_eq!(killed.unwrap_err().to_string(), "killed before call 2: shell git push");
    assert_eq!(tally.count(), 1);
}

#[test]
fn lives_follow_one_another() {
    let tally = Tally::default();
    let fuse = Fuse::pair((2, When::After), (1, When::Before));
    let crashy = Crashy::new(&tally, &fuse);
    let mut ends = vec![];
    for _ in 0..3 {
        ends.push(fuse.live(|| (0..3).for_each(|_| shell(&crashy))).is_ok());
        ends.push(fuse.blown());
    }
    assert_eq!(ends, [false, true, false, true, true, false]);
    assert_eq!((tally.count(), fuse.calls()), (2 + 3, 3));
}

#[test]
fn places_are_both_sides_of_every_call() {
    use When::{After, Before};
    assert_eq!(Fuse::places(2).collect::<Vec<_>>(), [(1, Before), (1, After), (2, Before), (2, After)]);
}

#[test]
fn other_panics_go_on() {
    let fuse = Fuse::at(1, When::Before);
    let tally = Tally::default();
    let crashy = Crashy::new(&tally, &fuse);
    let other = |result: thread::Result<()>| *result.unwrap_err().downcast::<&str>().unwrap();
    let caught = catch_unwind(|| drop(survive(|| resume_unwind(Box::new("a defect")))));
    assert_eq!(other(caught), "a defect");
    let live =
        || drop(fuse.live(|| survive(|| shell(&crashy)).map_err(|_| resume_unwind(Box::new("a defect")))));
    assert_eq!(other(catch_unwind(AssertUnwindSafe(live))), "a defect");
    let scope = || drop(Fuse::count_only().live(|| resume_unwind(Box::new(SCOPE))));
    assert_eq!(other(catch_unwind(AssertUnwindSafe(scope))), SCOPE);
}

#[test]
fn a_destructor_of_the_dead_gets_no_answer_and_does_not_end_the_test() {
    struct Guard<'a>(&'a dyn Shell, &'a AtomicU64);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            let refused = self.0.run(&Cmd::new("git"), &Stop::default()).is_err();
            self.1.fetch_add(u64::from(refused), Ordering::SeqCst);
        }
    }
    let (tally, refused, fuse) = (Tally::default(), AtomicU64::new(0), Fuse::at(1, When::Before));
    let crashy = Crashy::new(&tally, &fuse);
    let killed = survive(|| {
        let _guard = Guard(&crashy, &refused);
        shell(&crashy);
    });
    assert!(killed.is_err());
    assert_eq!((tally.count(), refused.load(Ordering::SeqCst)), (0, 1));
}
