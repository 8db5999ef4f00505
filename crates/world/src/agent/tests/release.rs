use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::Command;

use shipway_core::problem::Code;
use shipway_testkit::skip::skip;

use super::host::{Built, TestHost, built, built_with, run};
use crate::agent::protocol::{Keep, Request, Response, Standing};
use crate::artifact::{Selection, changed, manifest};

fn code(result: Result<impl std::fmt::Debug, shipway_core::action::Fault>) -> Code {
    result.unwrap_err().problem.code
}

/// Changes a file behind the back of everybody, through all its links.
fn edit(host: &TestHost, built: &Built, path: &str) {
    let file = host.root().join("releases").join(built.manifest.digest().as_str()).join(path);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    bytes[0] ^= 1;
    fs::write(&file, bytes).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
}

#[test]
fn what_is_staged_is_what_was_built_and_nothing_is_live() {
    let (host, one, two) = (TestHost::new(), built("one"), built("two"));
    let mut client = host.leased(run(1));
    // One content for two files, another file of the same content that may be executed; links are not sent.
    assert_eq!(client.stage(&one).unwrap(), 4);
    let release = host.root().join("releases").join(one.manifest.digest().as_str());
    assert_eq!(manifest(&release, &Selection::default()).unwrap(), one.manifest);
    assert_eq!(fs::metadata(release.join("same")).unwrap().permissions().mode() & 0o777, 0o444);
    assert!(!host.root().join("current").exists());
    assert_eq!(host.state().deployments[0].standing, Standing::Staged);
    // Again: nothing is sent. Another version: only what differs, and the rest is the same file.
    assert_eq!(client.stage(&one).unwrap(), 0);
    host.forward(2_000);
    let mut other = host.leased(run(2));
    assert_eq!(other.stage(&two).unwrap(), 2);
    let second = host.root().join("releases").join(two.manifest.digest().as_str());
    let inode = |dir: &std::path::Path| fs::metadata(dir.join("same")).unwrap().ino();
    assert_eq!(inode(&release), inode(&second));
}

#[test]
fn bytes_that_are_not_what_they_should_be_are_refused() {
    let (host, one, two) = (TestHost::new(), built("one"), built("two"));
    let mut client = host.leased(run(1));
    let missing = client.missing(&one.manifest).unwrap();
    for index in missing {
        let path = &one.manifest.files[index as usize].path;
        // The same length, another content; once in memory and once on the way to the disk.
        let from = if path == "version" || path == "large" { &two } else { &one };
        client.send(index, &from.dir.path().join(path), 100_000);
    }
    assert_eq!(code(client.ask(Request::Finish)), Code::ArtifactChanged);
    assert!(host.state().deployments.is_empty());
    assert_eq!(fs::read_dir(host.root().join("releases")).unwrap().count(), 0);
    // What arrived whole is not sent again, and the rest is.
    assert_eq!(client.missing(&one.manifest).unwrap().len(), 2);
    assert_eq!(code(client.ask(Request::Finish)), Code::ArtifactMissing);
    assert_eq!(client.stage(&one).unwrap(), 2);
}

#[test]
fn a_release_that_was_edited_does_not_go_live_and_is_mended_when_it_is_staged_again() {
    let (host, one) = (TestHost::new(), built("one"));
    let mut client = host.leased(run(1));
    client.stage(&one).unwrap();
    edit(&host, &one, "large");
    let release = host.root().join("releases").join(one.manifest.digest().as_str());
    fs::remove_file(release.join("run")).unwrap();
    let fault = client.switch(None).unwrap_err();
    assert_eq!(
        (fault.problem.code, fault.problem.details),
        (Code::HostDrift, vec!["large".into(), "run".into()])
    );
    assert_eq!(host.version(), "");
    assert_eq!(client.stage(&one).unwrap(), 1);
    assert!(changed(&release, &one.manifest).is_empty());
    client.switch(None).unwrap();
    assert_eq!(host.version(), "one");
}

#[test]
fn there_is_no_switch_without_a_way_back() {
    let (host, one, two) = (TestHost::new(), built("one"), built("two"));
    host.deploy(1, &one);
    let mut client = host.leased(run(2));
    client.stage(&two).unwrap();
    edit(&host, &one, "version");
    let fault = client.switch(Some(1)).unwrap_err();
    assert_eq!(
        (fault.problem.code, fault.problem.details),
        (Code::NoWayBack, vec!["version was changed".into()])
    );
    assert_eq!(host.state().no_way_back, ["version was changed"]);
    assert_eq!(host.state().drift, ["version was changed"]);
    assert_eq!(host.state().current, Some(run(1)));
    // The one before it has to be brought once more.
    host.forward(2_000);
    host.leased(run(1)).stage(&one).unwrap();
    assert!(host.state().no_way_back.is_empty());
    client.lease().unwrap_err();
    host.forward(2_000);
    client.lease().unwrap();
    client.switch(Some(1)).unwrap();
    // Nor is there one on top of a release that was never confirmed.
    host.forward(2_000);
    let mut third = host.leased(run(3));
    third.stage(&one).unwrap();
    assert_eq!(code(third.switch(Some(2))), Code::NoWayBack);
}

#[test]
fn a_switch_starts_from_what_the_plan_says() {
    let (host, one, two) = (TestHost::new(), built("one"), built("two"));
    host.deploy(1, &one);
    let mut client = host.leased(run(2));
    assert_eq!(code(client.switch(Some(1))), Code::ArtifactMissing);
    client.stage(&two).unwrap();
    for from in [None, Some(3)] {
        assert_eq!(code(client.switch(from)), Code::HostMoved);
    }
    client.switch(Some(1)).unwrap();
    client.switch(Some(1)).unwrap();
    assert_eq!(host.version(), "two");
    assert_eq!(code(client.ask(Request::Discard)), Code::HostMoved);
}

#[test]
fn after_a_failed_release_in_between_the_way_back_leads_to_the_good_one() {
    let (host, one, two, three) = (TestHost::new(), built("one"), built("two"), built("three"));
    host.deploy(1, &one);
    let mut second = host.leased(run(2));
    second.stage(&two).unwrap();
    second.switch(Some(1)).unwrap();
    assert_eq!(second.ask(Request::Revert).unwrap(), Response::Done(true));
    assert_eq!(second.ask(Request::Revert).unwrap(), Response::Done(false));
    assert_eq!(host.version(), "one");
    // What has failed here does not come back under the same run.
    assert_eq!(code(second.stage(&two)), Code::WatchdogFired);
    assert_eq!(code(second.switch(Some(1))), Code::WatchdogFired);
    second.ask(Request::Release).unwrap();
    host.deploy(3, &three);
    let state = host.state();
    assert_eq!((state.current, state.previous), (Some(run(3)), Some(run(1))));
    host.leased(run(3)).ask(Request::Revert).unwrap();
    assert_eq!(host.version(), "one");
    let standings: Vec<Standing> = host.state().deployments.iter().map(|known| known.standing).collect();
    assert_eq!(standings, [Standing::Confirmed, Standing::Failed, Standing::Failed]);
}

#[test]
fn a_first_release_is_taken_back_to_nothing() {
    let (host, one) = (TestHost::new(), built("one"));
    let mut client = host.leased(run(1));
    client.stage(&one).unwrap();
    client.switch(None).unwrap();
    client.ask(Request::Revert).unwrap();
    let state = host.state();
    assert_eq!((state.current, state.drift), (None, vec![]));
    assert!(!host.root().join("current").is_symlink());
}

#[test]
fn current_that_is_not_what_it_was_is_drift() {
    let (host, one, two) = (TestHost::new(), built("one"), built("two"));
    host.deploy(1, &one);
    let mut client = host.leased(run(2));
    client.stage(&two).unwrap();
    let current = host.root().join("current");
    let good = fs::read_link(&current).unwrap();
    let second = format!("releases/{}", two.manifest.digest());
    for (number, to) in ["", "dir", "releases/none", "/etc", &second].into_iter().enumerate() {
        fs::remove_file(&current).unwrap();
        match to {
            "" => {}
            "dir" => fs::create_dir(&current).unwrap(),
            to => symlink(to, &current).unwrap(),
        }
        let fault = client.switch(Some(1)).unwrap_err();
        assert_eq!(fault.problem.code, Code::HostDrift, "{number}");
        assert_eq!(host.state().drift.len(), 1, "{number}");
        let _ = fs::remove_dir(&current);
        let _ = fs::remove_file(&current);
        symlink(&good, &current).unwrap();
    }
    client.switch(Some(1)).unwrap();
}

#[test]
fn discard_takes_back_only_what_the_run_has_brought() {
    let (host, one, two) = (TestHost::new(), built("one"), built("two"));
    host.deploy(1, &one);
    let release = |built: &Built| host.root().join("releases").join(built.manifest.digest().as_str());
    let mut client = host.leased(run(2));
    client.stage(&two).unwrap();
    assert_eq!(client.ask(Request::Discard).unwrap(), Response::Done(true));
    assert!(release(&one).is_dir() && !release(&two).exists());
    let blobs = walk(&host.root().join("store")).len();
    // Five contents of the first one, and its manifest.
    assert_eq!(blobs, 5);
    // The same artifact again: it is another run's, too.
    client.stage(&one).unwrap();
    client.ask(Request::Discard).unwrap();
    assert_eq!(client.ask(Request::Discard).unwrap(), Response::Done(false));
    assert!(changed(&release(&one), &one.manifest).is_empty());
    // An upload that was cut off leaves bytes, which go, too.
    let missing = client.missing(&two.manifest).unwrap();
    client.send(missing[0], &two.dir.path().join(&two.manifest.files[missing[0] as usize].path), 1 << 20);
    assert_eq!(walk(&host.root().join("store")).len(), 6);
    client.ask(Request::Discard).unwrap();
    assert_eq!(walk(&host.root().join("store")).len(), 5);
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn a_sweep_keeps_what_may_be_needed() {
    let host = TestHost::new();
    let all: Vec<Built> = ["one", "two", "three", "four"].iter().map(|version| built(version)).collect();
    for (number, built) in (1..).zip(&all[..3]) {
        host.deploy(number, built);
    }
    let mut client = host.leased(run(4));
    client.stage(&all[3]).unwrap();
    let digest = |number: usize| all[number].manifest.digest();
    let swept = |client: &mut super::host::Client, keep| match client.ask(Request::Sweep(keep)).unwrap() {
        Response::Swept(swept) => swept,
        other => panic!("{other:?}"),
    };
    let pinned = Keep { pinned: vec![digest(0)], ..Keep::default() };
    assert_eq!(swept(&mut client, pinned), []);
    assert_eq!(swept(&mut client, Keep { confirmed: 3, ..Keep::default() }), []);
    let tight = Keep { confirmed: 3, max_bytes: Some(1), ..Keep::default() };
    assert_eq!(swept(&mut client, tight), [digest(0)]);
    assert!(host.state().deployments[0].swept);
    assert_eq!(swept(&mut client, Keep::default()), []);
    assert!(host.state().drift.is_empty() && host.state().no_way_back.is_empty());
    client.switch(Some(3)).unwrap();
    client.ask(Request::Revert).unwrap();
    assert_eq!(host.version(), "three");
}

struct Mounted(std::path::PathBuf);
impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_is_too_small_is_told_before_anything_is_sent() {
    let (host, one) = (TestHost::new(), built_with("one", 9 << 20));
    fs::create_dir(host.root()).unwrap();
    let mount = |options: &str| {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(host.root());
        command.status().is_ok_and(|status| status.success())
    };
    for options in ["size=4m", "size=64m,nr_inodes=16"] {
        if !mount(options) {
            return skip("a tmpfs cannot be mounted here");
        }
        let mounted = Mounted(host.root());
        let mut client = host.leased(run(1));
        let fault = client.missing(&one.manifest).unwrap_err();
        assert_eq!((fault.problem.code, fault.effect), (Code::HostDisk, shipway_core::action::Effect::None));
        assert!(host.state().deployments.is_empty());
        drop(mounted);
    }
    // One that fills up meanwhile is told at the end, and nothing is there.
    if !mount("size=20m") {
        return skip("a tmpfs cannot be mounted here");
    }
    let mounted = Mounted(host.root());
    let mut client = host.leased(run(1));
    let missing = client.missing(&one.manifest).unwrap();
    fs::write(host.root().join("others"), vec![0; 15 << 20]).unwrap();
    for index in missing {
        client.send(index, &one.dir.path().join(&one.manifest.files[index as usize].path), 1 << 20);
    }
    assert_eq!(code(client.ask(Request::Finish)), Code::HostDisk);
    fs::remove_file(host.root().join("others")).unwrap();
    client.stage(&one).unwrap();
    client.switch(None).unwrap();
    assert_eq!(host.version(), "one");
    drop(mounted);
}

#[test]
fn a_host_that_lost_its_journal_keeps_what_is_live() {
    let (host, one, two) = (TestHost::new(), built("one"), built("two"));
    host.deploy(1, &one);
    fs::remove_file(host.root().join("journal.jsonl")).unwrap();
    host.forward(2_000);
    for (number, again) in [(2, &one), (3, &two)] {
        let mut client = host.leased(run(number));
        client.stage(again).unwrap();
        assert_eq!(code(client.switch(None)), Code::HostDrift);
        client.ask(Request::Discard).unwrap();
        assert_eq!(host.version(), "one");
        client.ask(Request::Sweep(Keep::default())).unwrap();
        assert_eq!(host.version(), "one");
        host.forward(2_000);
    }
    let live = host.root().join("releases").join(one.manifest.digest().as_str());
    assert!(changed(&live, &one.manifest).is_empty());
    // What is not live goes.
    assert!(!host.root().join("releases").join(two.manifest.digest().as_str()).exists());
    // The way on that the error offers works.
    fs::rename(host.root().join("current"), host.root().join("current.before")).unwrap();
    host.deploy(4, &one);
    assert_eq!(host.version(), "one");
}
