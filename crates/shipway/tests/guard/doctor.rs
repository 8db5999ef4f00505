//! `doctor`: what it says of a repository, and what comes of trying to break it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use shipway_testkit::program;
use shipway_testkit::skip::skip;

use crate::stage::{SHIPWAY, Stage, said};

/// A stage, and the place where the doctor makes its copies.
struct Visit {
    stage: Stage,
    place: PathBuf,
}

impl Visit {
    fn of(stage: Stage) -> Self {
        let place = stage.repo.home().join("place");
        fs::create_dir(&place).unwrap();
        Self { stage, place }
    }

    /// Returns a guarded repository and a work tree with hooks.
    fn new() -> Self {
        let visit = Self::of(Stage::new());
        let output = visit.stage.run(SHIPWAY, &["guard", "install"]);
        assert!(output.status.success(), "{}", said(&output));
        visit
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = self.stage.command(SHIPWAY, &[&["doctor"], args].concat());
        command.env("TMPDIR", &self.place).output().unwrap()
    }

    /// Returns the exit code and what it said, after it has left nothing behind and moved nothing.
    #[track_caller]
    fn ask(&self, args: &[&str]) -> (i32, String) {
        let (refs, config) = (self.stage.refs(), fs::read(self.stage.bare.join("config")).ok());
        let output = self.run(args);
        assert_eq!(self.stage.refs(), refs, "{}", said(&output));
        assert_eq!(fs::read(self.stage.bare.join("config")).ok(), config);
        assert_eq!(fs::read_dir(&self.place).unwrap().count(), 0, "{}", said(&output));
        (output.status.code().unwrap(), said(&output))
    }

    /// Returns all that was tried, each with its answer.
    #[track_caller]
    fn prove(&self) -> Vec<(String, String)> {
        let (_, text) = self.ask(&["--prove", "--json"]);
        let document: Value = serde_json::from_str(&text).unwrap();
        let tried = document["proof"]["tried"].as_array().unwrap_or_else(|| panic!("{text}"));
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        tried.iter().map(|tried| (word(&tried["what"]), word(&tried["answer"]))).collect()
    }

    #[track_caller]
    fn walked_past(&self) -> Vec<String> {
        let past = self.prove().into_iter().filter(|(_, answer)| answer == "walked-past");
        past.map(|(what, _)| what).collect()
    }

    fn hook(&self, name: &str) -> PathBuf {
        self.stage.bare.join("shipway/hooks").join(name)
    }
}

const ACCOUNT: &str = "push --receive-pack='git -c core.hooksPath=/nonexistent receive-pack' to main";

#[test]
fn a_guarded_repository_is_well_and_only_an_account_walks_past() {
    let visit = Visit::new();
    let (code, text) = visit.ask(&[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("can walk around the guard") && text.contains("guard shell"), "{text}");
    for line in ["✓ ok             hooks", "✓ ok             protected     main", "✓ ok             guard "]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    let (code, text) = visit.ask(&["--prove"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("NOT as it should be: refs/heads/main: "), "{text}");
    assert!(text.contains("SW1116") && text.contains("4 refs of "), "{text}");
    let tried = visit.prove();
    let past: Vec<_> = tried.iter().filter(|(_, answer)| answer == "walked-past").collect();
    assert_eq!(past, [&(ACCOUNT.to_owned(), "walked-past".to_owned())]);
    let noticed = tried.iter().find(|(_, answer)| answer == "noticed").unwrap();
    assert_eq!(noticed.0, "commit --no-verify");
    let refused = tried.iter().filter(|(_, answer)| answer == "refused").count();
    assert_eq!(tried.len(), refused + 2, "{tried:?}");
    assert!(text.contains(&format!("{} tried: {refused} refused, 1 noticed, 1 walked past", tried.len())));
    assert!(refused >= 25, "{tried:?}");
}

#[test]
fn a_repository_without_a_guard_lets_everything_through() {
    let visit = Visit::of(Stage::open());
    let (code, text) = visit.ask(&[]);
    assert!(code == 1 && text.contains("SW1110") && text.contains("guard install --server"), "{text}");
    let past = visit.walked_past();
    for what in [
        "push to main",
        "push --force of another history to main",
        "push --delete of another protected branch",
        "push --prune '+refs/*:refs/*'",
        "push of a policy that opens main to everybody",
        "push to refs/shipway",
        "push of a forged ticket to refs/events/landings",
        "push of a tag that is there already",
        "push --delete of a tag",
        "on the server: git update-ref main",
        ACCOUNT,
    ] {
        assert!(past.iter().any(|found| found == what), "{what}: {past:?}");
    }
    let (code, text) = visit.ask(&["--prove"]);
    assert!(code == 1 && text.contains("no hooks of ours are installed"), "{text}");
}

#[test]
fn a_hook_that_is_not_executable_is_named_and_shown() {
    let visit = Visit::new();
    let bits = |mode| fs::Permissions::from_mode(mode);
    fs::set_permissions(visit.hook("pre-receive"), bits(0o644)).unwrap();
    let (code, text) = visit.ask(&[]);
    assert!(code == 1 && text.contains("pre-receive is not executable"), "{text}");
    // What is behind it still holds protected branches, and no more.
    let past = visit.walked_past();
    assert!(past.contains(&"push to a branch like main in other case".into()), "{past:?}");
    assert!(!past.contains(&"push to main".into()), "{past:?}");
    fs::set_permissions(visit.hook("reference-transaction"), bits(0o644)).unwrap();
    assert!(visit.walked_past().contains(&"push to main".into()));
}

#[test]
fn an_emptied_hook_is_named_and_shown() {
    let visit = Visit::new();
    fs::write(visit.hook("reference-transaction"), "").unwrap();
    let (code, text) = visit.ask(&[]);
    assert!(code == 1 && text.contains("reference-transaction is empty"), "{text}");
    let past = visit.walked_past();
    assert!(past.contains(&"on the server: git update-ref main".into()), "{past:?}");
    assert!(past.contains(&"on the server: another HEAD".into()), "{past:?}");
    assert!(!past.contains(&"push to main".into()), "{past:?}");
}

#[test]
fn hooks_that_git_does_not_look_for_are_named_and_shown() {
    for place in ["/nonexistent", "elsewhere"] {
        let visit = Visit::new();
        let path = if place.starts_with('/') { place.into() } else { visit.stage.bare.join(place) };
        visit.stage.force(&["config", "core.hooksPath", &path.display().to_string()]);
        let (code, text) = visit.ask(&[]);
        assert!(code == 1 && text.contains("git looks for hooks elsewhere"), "{text}");
        assert!(text.contains(&format!("found   {}", path.display())), "{text}");
        assert!(visit.walked_past().contains(&"push to main".into()));
    }
}

#[test]
fn hooks_outside_of_the_repository_are_tried_too() {
    let visit = Visit::new();
    let outside = visit.stage.repo.home().join("shared hooks");
    fs::create_dir(&outside).unwrap();
    let mark = visit.stage.repo.home().join("mark");
    for name in ["pre-receive", "reference-transaction"] {
        fs::copy(visit.hook(name), outside.join(name)).unwrap();
    }
    visit.stage.program(&outside.join("post-receive"), &format!("touch '{}'", mark.display()));
    visit.stage.force(&["config", "core.hooksPath", &outside.display().to_string()]);
    let past = visit.walked_past();
    assert!(past.contains(&ACCOUNT.into()) && !past.contains(&"push to main".into()), "{past:?}");
    assert!(!mark.exists(), "what comes after a push reaches further than a copy, and is not tried");
}

#[test]
fn hooks_that_come_afterwards_do_not_run_for_a_try() {
    let visit = Visit::of(Stage::open());
    let mark = visit.stage.repo.home().join("mark");
    fs::create_dir_all(visit.stage.bare.join("hooks")).unwrap();
    for name in ["post-receive", "post-update"] {
        visit
            .stage
            .program(&visit.stage.bare.join("hooks").join(name), &format!("touch '{}'", mark.display()));
    }
    assert!(visit.walked_past().contains(&"push to main".into()));
    assert!(!mark.exists());
    visit.stage.commit("feat: x");
    visit.stage.ok(&["push", "-q", "origin", "HEAD:main"]);
    assert!(mark.exists(), "they do run for a push");
}

#[test]
fn a_bare_repository_is_looked_at_from_within_and_by_its_name() {
    let visit = Visit::new();
    let bare = visit.stage.bare.display().to_string();
    for args in [vec![bare.as_str()], vec!["-C", bare.as_str()]] {
        let (code, text) = visit.ask(&args);
        assert!(code == 0 && text.contains(", bare") && text.contains("in force in"), "{text}");
        assert!(!text.contains("local hooks"), "{text}");
    }
    let (code, text) = visit.ask(&["--prove", &bare]);
    assert!(code == 1 && text.contains("1 walked past"), "{text}");
    let (code, text) = visit.ask(&["nowhere.git"]);
    assert!(code == 1 && text.contains("✗ wrong          repository"), "{text}");
    assert!(!text.contains(", bare") && text.contains("there is no repository"), "{text}");
}

#[test]
fn a_work_tree_without_a_remote_is_warned_of_it() {
    let visit = Visit::new();
    visit.stage.ok(&["remote", "remove", "origin"]);
    let (code, text) = visit.ask(&["--prove"]);
    assert!(code == 0 && text.contains("there is no remote"), "{text}");
    assert!(text.contains("? not looked at  guard") && text.contains("the guard was not tried"), "{text}");
    assert!(text.contains("✓ refused      commit with a message without a type"), "{text}");
}

#[test]
fn a_remote_with_a_work_tree_is_warned_of_and_not_tried() {
    let visit = Visit::new();
    visit.stage.ok(&["clone", "-q", &visit.stage.bare.display().to_string(), "../other"]);
    visit.stage.ok(&["remote", "set-url", "origin", "../other"]);
    let (code, text) = visit.ask(&["--prove"]);
    assert!(code == 0 && text.contains("has a work tree, and so cannot be guarded"), "{text}");
    assert!(text.contains("cannot be tried: it has a work tree"), "{text}");
}

#[test]
fn local_hooks_that_were_broken_are_named_and_shown() {
    let visit = Visit::new();
    let hook = visit.stage.repo.path().join(".git/hooks/commit-msg");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, text) = visit.ask(&[]);
    assert!(code == 1 && text.contains("SW1160") && text.contains("commit-msg: not executable"), "{text}");
    assert!(visit.walked_past().contains(&"commit with a message without a type".into()));
}

#[test]
fn a_repository_that_is_none_is_said_in_a_line() {
    let visit = Visit::new();
    let home = visit.place.display().to_string();
    let (code, text) = visit.ask(&["-C", &home]);
    assert!(code == 1 && text.contains("SW0101") && text.contains("✓ ok             git "), "{text}");
}

#[test]
fn owners_that_the_policy_does_not_know_are_told() {
    let visit = Visit::of(Stage::open());
    visit.stage.repo.file("CODEOWNERS", "* @ann @nobody\n").commit("chore: owners");
    visit.stage.ok(&["push", "-q", "origin", "main"]);
    visit.stage.install();
    let (code, text) = visit.ask(&[]);
    assert!(code == 0 && text.contains("found   @nobody"), "{text}");
}

#[test]
fn a_signal_takes_the_copy_away() {
    let visit = Visit::of(Stage::open());
    let mark = visit.stage.repo.home().join("mark");
    fs::create_dir_all(visit.stage.bare.join("hooks")).unwrap();
    visit.stage.program(
        &visit.stage.bare.join("hooks/pre-receive"),
        &format!("touch '{}'; sleep 60", mark.display()),
    );
    let mut command = visit.stage.command(SHIPWAY, &["doctor", "--prove"]);
    command.env("TMPDIR", &visit.place).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let began = Instant::now();
    let doctor = command.spawn().unwrap();
    while !mark.exists() {
        assert!(began.elapsed() < Duration::from_secs(50), "the hook was never run");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(fs::read_dir(&visit.place).unwrap().count(), 1);
    // As Ctrl-C does, but for those whose parent ignores that one.
    let sent = visit.stage.run("kill", &["-TERM", &doctor.id().to_string()]);
    assert!(sent.status.success(), "{}", said(&sent));
    let output = doctor.wait_with_output().unwrap();
    assert!(said(&output).contains("SW0809"), "{}", said(&output));
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(fs::read_dir(&visit.place).unwrap().count(), 0);
    assert!(began.elapsed() < Duration::from_secs(55), "the hook was waited for");
}

/// Somebody who may read the repository, and not write in it, as on a host with accounts.
#[test]
fn another_account_is_told_what_it_cannot_see() {
    let visit = Visit::new();
    let open = |path: &std::path::Path| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    open(visit.stage.bare.parent().unwrap());
    open(visit.stage.repo.home());
    let bare = visit.stage.bare.display().to_string();
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let mut command = visit.stage.command("setpriv", &nobody);
    // Where the program is, others may not look.
    let program = visit.stage.repo.home().join("shipway-copy");
    program::copy(SHIPWAY, &program);
    command.arg(&program).args(["doctor", "--prove", &bare]).env("TMPDIR", "/tmp");
    command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "safe.directory");
    let output = match command.env("GIT_CONFIG_VALUE_0", "*").output() {
        Ok(output) if !said(&output).contains("setpriv:") => output,
        Ok(output) => return skip(&said(&output)),
        Err(error) => return skip(&format!("setpriv: {error}")),
    };
    let text = said(&output);
    assert!(text.contains("? not looked at  guard") && text.contains("shipway guard audit"), "{text}");
    assert!(text.contains("this account may not write in"), "{text}");
    assert!(text.contains("0 tried") && !text.contains("walk around"), "{text}");
    assert_eq!(output.status.code(), Some(0), "{text}");
}

#[test]
fn a_repository_of_the_longer_object_ids_is_tried_too() {
    let stage = Stage::empty();
    let path = stage.bare.with_file_name("long.git").display().to_string();
    let init =
        ["init", "-q", "--bare", "--template=", "--initial-branch=main", "--object-format=sha256", &path];
    stage.ok(&init);
    let visit = Visit::of(stage);
    let install = visit.stage.run(SHIPWAY, &["guard", "install", "--server", &path]);
    assert!(install.status.success(), "{}", said(&install));
    let (code, text) = visit.ask(&["--prove", &path]);
    assert!(code == 1 && text.contains("✓ refused      push to main"), "{text}");
    // Nothing is there to be deleted, and nothing can be made below a branch that is still to come.
    assert!(text.contains("✓ refused      push to a branch below main"), "{text}");
    assert!(text.contains("1 walked past; "), "{text}");
}
