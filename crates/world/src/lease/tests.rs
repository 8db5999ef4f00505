//! The lock between processes, their children, and those that are dead.

use std::process::{Child, Command};

use shipway_core::id::ActorKind;
use tempfile::TempDir;

use super::*;

fn holder(pid: u32) -> Holder {
    Holder {
        pid,
        host: this_host(),
        actor: Actor { kind: ActorKind::Human, name: "Jane Doe".into(), host: this_host() },
        run: None,
        since: Time(1_795_178_588_123),
        command: "shipway push".into(),
        born: None,
    }
}

fn ours() -> Holder {
    holder(std::process::id())
}

fn dead() -> Holder {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    holder(child.id())
}

fn child_with(lock: &Lock) -> Child {
    Command::new("sleep").arg("600").stdin(lock.stdin().unwrap()).spawn().unwrap()
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn refused(dir: &TempDir) -> Held {
    match Lock::acquire(dir.path(), &ours()) {
        Err(Error::Held(held)) => *held,
        other => panic!("{other:?}"),
    }
}

/// Repeats a look: a child that another test just starts holds copies of all descriptors until it executes.
fn soon<T>(mut look: impl FnMut() -> Option<T>) -> T {
    (0..2000)
        .find_map(|_| {
            look().or_else(|| {
                sleep(Duration::from_millis(5));
                None
            })
        })
        .expect("it happens within ten seconds")
}

fn acquired(dir: &TempDir) -> Lock {
    soon(|| Lock::acquire(dir.path(), &ours()).ok())
}

#[test]
fn the_second_learns_who_is_first_and_for_which_run() {
    let dir = TempDir::new().unwrap();
    let mut lock = Lock::acquire(dir.path(), &ours()).unwrap();
    let held = refused(&dir);
    assert_eq!(held.holder.as_ref().map(|holder| holder.pid), Some(std::process::id()));
    assert!(!held.orphan);
    assert!(held.to_string().contains("drives `shipway push` since 2026-11-20"), "{held}");

    lock.set_run(&RunId::new("7f3a9c21")).unwrap();
    let problem = Problem::from(refused(&dir));
    assert_eq!(problem.code, Code::LeaseHeld);
    assert_eq!(problem.hints[0], "shipway status");
    assert_eq!(Lock::look(dir.path()).unwrap(), Some(refused(&dir)));

    drop(lock);
    acquired(&dir);
    soon(|| Lock::look(dir.path()).unwrap().is_none().then_some(()));
}

#[test]
fn a_child_that_outlives_its_process_keeps_the_lock() {
    let dir = TempDir::new().unwrap();
    let lock = Lock::acquire(dir.path(), &dead()).unwrap();
    let child = child_with(&lock);
    drop(lock);
    let held = refused(&dir);
    assert!(held.orphan);
    assert!(held.to_string().starts_with("a child left behind by process"), "{held}");
    end(child);
    acquired(&dir);
}

#[test]
fn an_orphan_is_waited_for_and_a_living_holder_is_not() {
    let dir = TempDir::new().unwrap();
    let lock = Lock::acquire(dir.path(), &dead()).unwrap();
    let mut child = Some(child_with(&lock));
    drop(lock);
    let mut looks = 0;
    let patience = Duration::from_mins(10);
    let lock = Lock::acquire_within(dir.path(), &ours(), patience, &mut |held, _| {
        assert!(held.orphan);
        looks += 1;
        if let Some(child) = child.take() {
            end(child);
        }
        ControlFlow::Continue(())
    });
    assert!(looks > 0);

    let mut looks = 0;
    let second = Lock::acquire_within(dir.path(), &ours(), patience, &mut |_, _| {
        looks += 1;
        ControlFlow::Continue(())
    });
    assert!(matches!(second, Err(Error::Held(held)) if !held.orphan));
    assert_eq!(looks, 0);
    drop(lock);
}

#[test]
fn waiting_for_an_orphan_can_be_broken_off_and_ends_by_itself() {
    let dir = TempDir::new().unwrap();
    let lock = Lock::acquire(dir.path(), &dead()).unwrap();
    let check = |patience, answer: ControlFlow<()>| {
        let second = Lock::acquire_within(dir.path(), &ours(), patience, &mut |_, _| answer);
        assert!(matches!(second, Err(Error::Held(held)) if held.orphan));
    };
    check(Duration::from_mins(10), ControlFlow::Break(()));
    check(Duration::ZERO, ControlFlow::Continue(()));
    drop(lock);
}

#[test]
fn a_child_reads_nothing_from_the_lock() {
    let dir = TempDir::new().unwrap();
    let lock = Lock::acquire(dir.path(), &ours()).unwrap();
    let output = Command::new("cat").stdin(lock.stdin().unwrap()).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty());
}

#[test]
fn a_holder_on_another_host_is_not_judged() {
    let dir = TempDir::new().unwrap();
    let elsewhere = Holder { host: "elsewhere.invalid".into(), ..dead() };
    let lock = Lock::acquire(dir.path(), &elsewhere).unwrap();
    assert!(!refused(&dir).orphan);
    drop(lock);
}
