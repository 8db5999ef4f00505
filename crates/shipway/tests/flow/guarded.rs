//! The whole way, with a guard: a branch is started, asks to land, lands, and what it owes is brought back.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use shipway_testkit::repo::Repo;
use shipway_testkit::skip::skip;

use crate::{SHIPWAY, code, flow, status};

/// A clone of a guarded repository with main and develop, by its only person, who has a key.
fn guarded() -> Option<(Repo, PathBuf)> {
    guarded_by("")
}

/// The same with more in the policy.
fn guarded_by(more: &str) -> Option<(Repo, PathBuf)> {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        skip("ssh-keygen is not installed");
        return None;
    }
    let repo = Repo::new();
    let ssh = repo.home().join(".ssh");
    fs::create_dir(&ssh).unwrap();
    let key = ssh.join("id_ed25519");
    let mut make = repo.command("ssh-keygen");
    assert!(make.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status().unwrap().success());
    repo.config("gpg.format", "ssh").config("user.signingKey", key.to_str().unwrap());
    let account = repo.command("id").arg("-un").output().unwrap().stdout;
    let account = String::from_utf8(account).unwrap().trim().to_owned();
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    let policy = format!(
        "preset = 'gitflow'\nsolo = true\n[branch.main]\nrelease = ['ann']\n[person.ann]\nemail = ['ann@example.org']\nlogin = ['{account}']\n{more}"
    );
    repo.file(".shipway/policy.toml", policy).file(".shipway/allowed_signers", format!("ann {public}"));
    repo.commit("chore: set the policy");
    repo.file("a", "1\n").commit("feat: begin");
    repo.git(["branch", "develop"]);
    let bare = repo.home().join("app.git");
    repo.git(["init", "-q", "--bare", "--initial-branch=main", bare.to_str().unwrap()]);
    repo.git(["remote", "add", "origin", bare.to_str().unwrap()]);
    // What was there before the guard came.
    repo.git(["push", "-q", "origin", "main", "develop"]);
    let mut install = repo.command(SHIPWAY);
    code(0, &install.args(["guard", "install", "--server"]).arg(&bare).output().unwrap());
    Some((repo, bare))
}

/// Returns the number of the change request that was opened last.
#[track_caller]
fn newest(repo: &Repo) -> String {
    let text = repo.git(["ls-remote", "origin", "refs/shipway/changes/*/log"]);
    let numbers = text.lines().filter_map(|line| line.split('/').nth(3)?.parse::<u64>().ok());
    numbers.max().unwrap().to_string()
}

/// Lands a change, and leaves what it owes.
#[track_caller]
fn land(repo: &Repo, number: &str) {
    code(0, &repo.command(SHIPWAY).args(["change", "land", number, "--no-back"]).output().unwrap());
    repo.git([
        "fetch",
        "-q",
        "origin",
        "+refs/shipway/*:refs/shipway/*",
        "+refs/heads/*:refs/remotes/origin/*",
    ]);
}

#[test]
fn a_hotfix_lands_is_owed_to_develop_and_comes_back() {
    let Some((repo, _bare)) = guarded() else { return };
    code(0, &flow(&repo, &["start", "hotfix", "1"]));
    repo.file("c", "1\n").commit("fix: c");
    let there = repo.git(["ls-remote", "origin", "refs/heads/main"]);
    let refused = repo.try_git(["push", "-q", "origin", "HEAD:main"]);
    assert!(!refused.status.success());
    assert_eq!(repo.git(["ls-remote", "origin", "refs/heads/main"]), there);
    code(0, &flow(&repo, &["finish"]));
    land(&repo, &newest(&repo));
    assert_ne!(repo.git(["ls-remote", "origin", "refs/heads/main"]), there);
    let value = status(&repo);
    assert_eq!(value["owed"][0]["into"], "develop", "{value}");
    assert_eq!(value["without_ticket"], serde_json::json!([]), "{value}");
    // Until it is brought back, develop does not land on main.
    code(0, &flow(&repo, &["start", "feature", "two"]));
    repo.file("d", "1\n").commit("feat: d");
    code(0, &flow(&repo, &["finish"]));
    land(&repo, &newest(&repo));
    repo.git(["switch", "-q", "develop"]);
    repo.git(["reset", "-q", "--hard", "origin/develop"]);
    let text = code(0, &flow(&repo, &["finish", "--json"]));
    assert!(text.contains("\"waits\":[\"main must be merged back"), "{text}");
    let waiting = newest(&repo);
    let early = repo.command(SHIPWAY).args(["change", "land", &waiting]).output().unwrap();
    assert!(!early.status.success());
    assert!(String::from_utf8_lossy(&early.stderr).contains("obligation"), "{early:?}");
    // It asks for that, and lands it at once: it is clean, and was approved on main.
    let told = code(0, &flow(&repo, &["back"]));
    assert!(told.contains("main into develop: merges cleanly"), "{told}");
    let value: Value = status(&repo);
    assert_eq!(value["owed"], serde_json::json!([]), "{value}");
    repo.git(["reset", "-q", "--hard", "origin/develop"]);
    // The one change request from develop to main is still open, and gets a further version.
    code(0, &flow(&repo, &["finish"]));
    land(&repo, &waiting);
    let value = status(&repo);
    assert_eq!((&value["owed"], &value["develop_ahead"]), (&serde_json::json!([]), &0.into()), "{value}");
}

#[test]
fn what_a_hotfix_and_a_release_owe_is_brought_back_at_once_if_it_is_clean() {
    let Some((repo, bare)) = guarded() else { return };
    let tip = |name: &str| repo.git(["--git-dir", bare.to_str().unwrap(), "rev-parse", name]);
    let develops = |file: &str| {
        repo.try_git(["--git-dir", bare.to_str().unwrap(), "cat-file", "-e", &format!("develop:{file}")])
    };
    code(0, &flow(&repo, &["start", "hotfix", "1"]));
    repo.file("c", "1\n").commit("fix: c");
    code(0, &flow(&repo, &["finish"]));
    let newest = newest(&repo);
    let told = code(0, &repo.command(SHIPWAY).args(["change", "land", &newest]).output().unwrap());
    assert!(
        told.contains("landed change 1 on main") && told.contains("landed change 2 on develop"),
        "{told}"
    );
    assert!(develops("c").status.success());

    repo.git(["switch", "-q", "main"]);
    repo.git(["pull", "-q", "--ff-only", "origin", "main"]);
    let told = code(0, &repo.command(SHIPWAY).arg("push").output().unwrap());
    assert!(told.contains("landed change 3 on develop"), "{told}");
    assert!(develops("CHANGELOG.md").status.success(), "{told}");
    assert_eq!(status(&repo)["owed"], serde_json::json!([]));
    for branch in ["main", "develop"] {
        code(0, &repo.command(SHIPWAY).args(["verify", branch]).output().unwrap());
    }
    // One that conflicts is told, and the landing stands.
    code(0, &flow(&repo, &["start", "feature", "two"]));
    repo.file("c", "develop\n").commit("feat: another c");
    code(0, &flow(&repo, &["finish"]));
    let number = self::newest(&repo);
    land(&repo, &number);
    code(0, &flow(&repo, &["start", "hotfix", "2"]));
    repo.file("c", "main\n").commit("fix: c again");
    code(0, &flow(&repo, &["finish"]));
    let before = tip("main");
    let number = self::newest(&repo);
    let told = code(0, &repo.command(SHIPWAY).args(["change", "land", &number]).output().unwrap());
    assert!(told.contains("warning[SW1167]") && told.contains("conflicts in c"), "{told}");
    assert_ne!(tip("main"), before);
    assert_eq!(status(&repo)["owed"][0]["into"], "develop");
}

#[test]
fn a_missing_develop_begins_by_a_ticket() {
    let Some((repo, bare)) = guarded() else { return };
    let there = |args: &[&str]| repo.git([&["--git-dir", bare.to_str().unwrap()][..], args].concat());
    // Taken away past the guard, as if it had never been there.
    there(&["-c", "core.hooksPath=/dev/null", "update-ref", "-d", "refs/heads/develop"]);
    repo.git(["fetch", "-q", "--prune", "origin"]);
    repo.git(["branch", "-q", "-D", "develop"]);
    let told = code(0, &flow(&repo, &["start", "feature", "x"]));
    assert!(told.contains("develop was missing and is made on the remote, by a ticket, at main"), "{told}");
    assert_eq!(there(&["rev-parse", "develop"]), there(&["rev-parse", "main"]));
    assert_eq!(repo.branch(), "feature/x");
    code(0, &repo.command(SHIPWAY).args(["verify", "develop"]).output().unwrap());
}

#[test]
fn what_has_landed_is_not_asked_for_better_words_when_it_comes_back() {
    let Some((repo, _bare)) = guarded_by("[commits]\nissue = true\n") else { return };
    code(0, &flow(&repo, &["start", "hotfix", "7"]));
    repo.file("c", "1\n").commit("fix: c");
    let no = repo.try_git(["push", "origin", "HEAD:refs/for/main"]);
    assert!(String::from_utf8_lossy(&no.stderr).contains("names no issue"), "{no:?}");
    repo.git(["commit", "-q", "--amend", "-m", "fix: c (#7)"]);
    code(0, &flow(&repo, &["finish"]));
    let number = newest(&repo);
    code(0, &repo.command(SHIPWAY).args(["change", "land", &number]).output().unwrap());
    repo.git(["switch", "-q", "main"]);
    repo.git(["pull", "-q", "--ff-only", "origin", "main"]);
    // The commit of a release names no issue, and goes to develop all the same: it is on main.
    let told = code(0, &repo.command(SHIPWAY).arg("push").output().unwrap());
    assert!(told.contains("on develop"), "{told}");
    assert_eq!(status(&repo)["owed"], serde_json::json!([]));
}

#[test]
fn what_was_skipped_here_and_what_is_new_is_told_where_it_is_reviewed() {
    let Some((repo, _bare)) = guarded() else { return };
    let show = |number: &str| -> Value {
        let output = repo.command(SHIPWAY).args(["change", "show", number, "--json"]).output().unwrap();
        serde_json::from_str(&code(0, &output)).unwrap()
    };
    code(0, &repo.command(SHIPWAY).args(["guard", "install"]).output().unwrap());
    code(0, &flow(&repo, &["start", "feature", "two"]));
    repo.file("d", "1\n").git(["add", "d"]);
    let mut commit = repo.command("git");
    commit.args(["commit", "-q", "-m", "feat: d"]).env("SHIPWAY_SKIP", "message: the parser is being mended");
    code(0, &commit.output().unwrap());
    repo.file("e", "1\n").git(["add", "e"]);
    repo.git(["commit", "-q", "--no-verify", "-m", "feat: e"]);
    code(0, &flow(&repo, &["finish"]));
    let number = newest(&repo);
    let told = show(&number)["skipped"].to_string();
    assert!(told.contains("message: the parser is being mended"), "{told}");
    assert!(told.contains("pre-commit: the hooks before the commit did not run"), "{told}");
    // Asked again, nothing is told twice.
    code(0, &flow(&repo, &["finish"]));
    assert_eq!(show(&number)["skipped"].to_string(), told);
    land(&repo, &number);

    // The one standing change from develop to main has notes of all that it holds, made anew with each version.
    repo.git(["switch", "-q", "develop"]);
    repo.git(["reset", "-q", "--hard", "origin/develop"]);
    code(0, &flow(&repo, &["finish"]));
    let standing = newest(&repo);
    let about = show(&standing)["description"].as_str().unwrap().to_owned();
    assert!(about.contains("### Features") && !about.contains("another"), "{about}");
    code(0, &flow(&repo, &["start", "feature", "three"]));
    repo.file("f", "1\n").commit("feat: another");
    code(0, &flow(&repo, &["finish"]));
    land(&repo, &newest(&repo));
    repo.git(["switch", "-q", "develop"]);
    repo.git(["reset", "-q", "--hard", "origin/develop"]);
    code(0, &flow(&repo, &["finish"]));
    let about = show(&standing)["description"].as_str().unwrap().to_owned();
    assert!(about.contains("another"), "{about}");
}

#[test]
fn a_back_merge_that_does_not_land_fails_the_way_back_and_not_the_landing_that_owes_it() {
    let Some((repo, bare)) = guarded_by("[branch.develop]\nchecks = ['sound']\n") else { return };
    let tip = |name: &str| repo.git(["--git-dir", bare.to_str().unwrap(), "rev-parse", name]);
    let land =
        |number: &str| code(0, &repo.command(SHIPWAY).args(["change", "land", number]).output().unwrap());
    code(0, &flow(&repo, &["start", "hotfix", "1"]));
    let check = "[[check]]\nname = 'sound'\nrun = ['sh', '-c', 'test ! -e broken']\n";
    repo.file("shipway.toml", check).file("broken", "1\n").commit("fix: c");
    code(0, &flow(&repo, &["finish"]));
    let (main, develop) = (tip("main"), tip("develop"));
    let told = land(&newest(&repo));
    assert!(told.contains("landed change 1 on main") && told.contains("test ! -e broken"), "{told}");
    assert_ne!(tip("main"), main);
    assert_eq!(tip("develop"), develop);
    let told = code(1, &flow(&repo, &["back"]));
    assert!(told.contains("test ! -e broken"), "{told}");

    // Nor does a landing fail because nobody can look at what it owes.
    code(0, &flow(&repo, &["start", "hotfix", "2"]));
    repo.file("d", "1\n").commit("fix: d");
    code(0, &flow(&repo, &["finish"]));
    repo.file(".shipway/policy.toml", "nonsense\n");
    let main = tip("main");
    let output = repo.command(SHIPWAY).args(["change", "land", &newest(&repo)]).output().unwrap();
    let told = code(0, &output);
    assert!(told.contains("warning[") && told.contains(".shipway/policy.toml"), "{told}");
    assert_ne!(tip("main"), main);
}

/// Runs the hints of a problem as they are printed, each without the words before its command; `solve` comes before the
/// first push. Returns everything that was said.
#[track_caller]
fn paste(repo: &Repo, told: &str, solve: &dyn Fn()) -> String {
    let hints = told.lines().filter(|line| line.trim_start().starts_with("hint:"));
    let commands = hints.filter_map(|line| line.find("git ").map(|at| &line[at..]));
    let mut said = String::new();
    let mut is_solved = false;
    for command in commands {
        if command.contains("push") && !is_solved {
            solve();
            is_solved = true;
        }
        let output = repo.command("sh").args(["-c", command]).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        said += &String::from_utf8_lossy(&text);
        let is_merge = command.starts_with("git merge");
        assert!(output.status.success() || is_merge, "{command}: {said}");
    }
    assert!(is_solved, "{told}");
    said
}

/// A repository whose hotfix has landed and conflicts with develop.
fn conflicting(more: &str) -> Option<(Repo, PathBuf)> {
    let (repo, bare) = guarded_by(more)?;
    code(0, &flow(&repo, &["start", "feature", "one"]));
    repo.file("a", "develop\n").commit("feat: another a");
    code(0, &flow(&repo, &["finish"]));
    approve(&repo, &newest(&repo));
    land(&repo, &newest(&repo));
    code(0, &flow(&repo, &["start", "hotfix", "1"]));
    repo.file("a", "main\n").commit("fix: a");
    code(0, &flow(&repo, &["finish"]));
    land(&repo, &newest(&repo));
    Some((repo, bare))
}

#[track_caller]
fn approve(repo: &Repo, number: &str) {
    code(0, &repo.command(SHIPWAY).args(["change", "approve", number]).output().unwrap());
}

#[test]
fn a_way_back_that_conflicts_is_paid_by_the_very_hints() {
    let Some((repo, _bare)) = conflicting("[branch.develop]\napprovals = 1\n") else { return };
    let told = code(3, &flow(&repo, &["back"]));
    assert!(told.contains("SW1167") && told.contains("conflicts in a"), "{told}");
    let opened = newest(&repo);
    let solve = || {
        repo.file("a", "both\n").git(["add", "a"]);
        repo.git(["commit", "-q", "--no-edit"]);
    };
    let said = paste(&repo, &told, &solve);
    // What is pushed is a version of the change request that is open for it.
    assert!(said.contains("version 2") && newest(&repo) == opened, "{said}");
    let early = repo.command(SHIPWAY).args(["change", "land", &opened]).output().unwrap();
    assert!(code(3, &early).contains("approvals"), "{early:?}");
    approve(&repo, &opened);
    let squash = repo.command(SHIPWAY).args(["change", "land", &opened, "--method", "squash"]).output();
    assert!(code(1, &squash.unwrap()).contains("merge-method"));
    // Asked again meanwhile, it goes on from what is there and opens nothing.
    let again = code(3, &flow(&repo, &["back"]));
    assert!(again.contains("is there already") && again.contains("git switch back/"), "{again}");
    assert_eq!(newest(&repo), opened);
    land(&repo, &opened);
    let value = status(&repo);
    assert_eq!((&value["owed"], &value["main_ahead"]), (&serde_json::json!([]), &0.into()), "{value}");
    assert!(code(0, &flow(&repo, &["back"])).contains("nothing is owed"));
    repo.git(["switch", "-q", "develop"]);
    repo.git(["reset", "-q", "--hard", "origin/develop"]);
    assert_eq!(repo.git(["show", "HEAD:a"]), "both");
    code(0, &flow(&repo, &["finish"]));
    land(&repo, &newest(&repo));
    assert_eq!(status(&repo)["develop_ahead"], 0);
}

#[test]
fn a_way_back_by_hand_is_finished_like_any_branch_and_a_policy_without_it_says_what_is_missing() {
    let own = "[[branch.develop.merge]]\nfrom = ['feature/**', 'main']\nmethod = ['merge']\n";
    let Some((repo, _bare)) = conflicting(own) else { return };
    let told = code(3, &flow(&repo, &["back", "--dry-run"]));
    let branch = told.split_whitespace().find(|word| word.starts_with("back/")).unwrap().to_owned();
    repo.git(["switch", "-q", "--no-track", "-c", &branch, "origin/develop"]);
    let _ = repo.try_git(["merge", "-q", "origin/main"]);
    repo.file("a", "both\n").git(["add", "a"]);
    repo.git(["commit", "-q", "--no-edit"]);
    let told = code(0, &flow(&repo, &["finish", "--json"]));
    assert!(
        told.contains("merge main back into develop") && told.contains("\"target\":\"develop\""),
        "{told}"
    );
    let number = newest(&repo);
    let no = code(1, &repo.command(SHIPWAY).args(["change", "land", &number]).output().unwrap());
    assert!(no.contains("source-branch: develop gets nothing from back/"), "{no}");
    // The hint is pasted, and the policy lands as everything does.
    let hint = no.lines().find_map(|line| line.find("printf ").map(|at| &line[at..])).unwrap();
    code(0, &flow(&repo, &["start", "hotfix", "2"]));
    assert!(repo.command("sh").args(["-c", hint]).status().unwrap().success());
    repo.commit("chore: let fixes be brought back by hand");
    code(0, &flow(&repo, &["finish"]));
    land(&repo, &newest(&repo));
    land(&repo, &number);
    assert!(repo.git(["show", "origin/develop:a"]).contains("both"));
}

#[test]
fn a_fix_is_owed_to_a_release_that_is_being_made_ready_and_not_to_one_that_is_over() {
    let Some((repo, _bare)) = guarded() else { return };
    let hotfix = |name: &str| {
        code(0, &flow(&repo, &["start", "hotfix", name]));
        repo.file(name, "1\n").commit(&format!("fix: {name}"));
        code(0, &flow(&repo, &["finish"]));
        land(&repo, &newest(&repo));
        let value = status(&repo);
        let owed = value["owed"].as_array().unwrap().iter().map(|owed| owed["into"].as_str().unwrap());
        let mut into: Vec<_> = owed.map(str::to_owned).collect();
        // What the release owes to develop, too, is the same debt.
        into.dedup();
        into
    };
    code(0, &flow(&repo, &["start", "release", "1.4.0"]));
    repo.file("notes", "1\n").commit("docs: say what is new");
    repo.git(["push", "-q", "origin", "HEAD"]);
    assert_eq!(hotfix("one"), ["develop", "release/1.4.0"]);
    let told = code(0, &flow(&repo, &["back"]));
    assert!(told.contains("main into release/1.4.0: merges cleanly"), "{told}");
    assert_eq!(status(&repo)["owed"], serde_json::json!([]));
    repo.git(["switch", "-q", "release/1.4.0"]);
    repo.git(["pull", "-q", "--ff-only", "origin", "release/1.4.0"]);
    code(0, &flow(&repo, &["finish"]));
    land(&repo, &newest(&repo));
    // It has landed, and nobody has deleted it.
    let dead = repo.git(["ls-remote", "origin", "refs/heads/release/1.4.0"]);
    assert_eq!(hotfix("two"), ["develop"]);
    let told = code(0, &flow(&repo, &["back"]));
    assert!(!told.contains("release/1.4.0"), "{told}");
    assert_eq!(repo.git(["ls-remote", "origin", "refs/heads/release/1.4.0"]), dead);
}

#[test]
fn what_change_open_asks_comes_from_its_branch_and_lands() {
    let Some((repo, _bare)) = guarded() else { return };
    let open =
        || code(0, &repo.command(SHIPWAY).args(["change", "open", "--target", "develop"]).output().unwrap());
    code(0, &flow(&repo, &["start", "feature", "two"]));
    repo.file("d", "1\n").commit("feat: d");
    assert!(open().contains("change 1 for develop"));
    assert_eq!(
        repo.git(["ls-remote", "origin", "refs/heads/feature/two"]).split('\t').next().unwrap(),
        repo.head()
    );
    assert!(open().contains("change 1 has this version already"));
    repo.file("e", "1\n").commit("feat: e");
    assert!(open().contains("change 1, version 2"));
    land(&repo, "1");
    assert_eq!(repo.git(["show", "origin/develop:e"]), "1");

    // What was asked for without a source lands by what the refusal says.
    code(0, &flow(&repo, &["start", "feature", "three"]));
    repo.file("f", "1\n").commit("feat: f");
    repo.git(["push", "-q", "origin", "HEAD:refs/for/develop"]);
    let no = code(1, &repo.command(SHIPWAY).args(["change", "land", "2"]).output().unwrap());
    assert!(no.contains("develop gets nothing from no branch"), "{no}");
    let said = paste(&repo, &no.replace("BRANCH", "feature/three"), &|| ());
    assert!(said.contains("change 2, version 2") && newest(&repo) == "2", "{said}");
    land(&repo, "2");

    // The same commit is not asked for twice because its branch came later.
    code(0, &flow(&repo, &["start", "feature", "four"]));
    repo.file("g", "1\n").commit("feat: g");
    repo.git(["push", "-q", "origin", "HEAD:refs/for/develop"]);
    assert!(open().contains("change 3, version 2"));
    land(&repo, "3");
    assert_eq!(newest(&repo), "3");
}

#[test]
fn a_branch_that_was_rewritten_here_is_asked_for_anew_and_the_work_of_others_is_not_lost() {
    let Some((repo, bare)) = guarded() else { return };
    let there = || repo.git(["--git-dir", bare.to_str().unwrap(), "rev-parse", "feature/two"]);
    code(0, &flow(&repo, &["start", "feature", "two"]));
    repo.file("d", "1\n").commit("feat: d");
    code(0, &flow(&repo, &["finish"]));
    repo.git(["commit", "-q", "--amend", "-m", "feat: d, said better"]);
    let told = code(0, &flow(&repo, &["finish"]));
    assert!(told.contains("change 1, version 2") && there() == repo.head(), "{told}");
    repo.git(["commit", "-q", "--amend", "-m", "feat: d, said best"]);
    let open = ["change", "open", "--target", "develop"];
    let told = code(0, &repo.command(SHIPWAY).args(open).output().unwrap());
    assert!(told.contains("change 1, version 3") && there() == repo.head(), "{told}");

    // Somebody else adds to the branch, and it is rewritten here without that.
    let other = Repo::new();
    other.git(["remote", "add", "origin", bare.to_str().unwrap()]);
    other.git(["fetch", "-q", "origin"]);
    other.git(["switch", "-q", "feature/two"]);
    other.file("e", "1\n").commit("feat: e");
    other.git(["push", "-q", "origin", "feature/two"]);
    repo.file("f", "1\n").git(["add", "f"]);
    repo.git(["commit", "-q", "--amend", "--no-edit"]);
    for args in [&["flow", "finish"][..], &open] {
        let told = code(1, &repo.command(SHIPWAY).args(args).output().unwrap());
        assert!(told.contains("SW0604") && told.contains("hint: git rebase origin/feature/two"), "{told}");
        assert_eq!(there(), other.head());
    }

    // A branch that the policy lets nobody rewrite stays as it is, and the refusal says what to do.
    code(0, &flow(&repo, &["start", "hotfix", "1"]));
    repo.file("g", "1\n").commit("fix: g");
    code(0, &flow(&repo, &["finish"]));
    repo.git(["commit", "-q", "--amend", "-m", "fix: g, said better"]);
    let told = code(1, &flow(&repo, &["finish"]));
    let hint = "git fetch origin hotfix/1 && git rebase origin/hotfix/1";
    assert!(told.contains(hint), "{told}");
    assert!(repo.command("sh").args(["-c", hint]).status().unwrap().success());
    repo.file("h", "1\n").commit("fix: h");
    code(0, &flow(&repo, &["finish"]));
}

#[test]
fn the_template_of_a_description_is_there_however_it_is_asked_and_ticks_stay() {
    let Some((repo, _bare)) = guarded() else { return };
    let about = |number: &str| {
        let output = repo.command(SHIPWAY).args(["change", "show", number, "--json"]).output().unwrap();
        let value: Value = serde_json::from_str(&code(0, &output)).unwrap();
        value["description"].as_str().unwrap().to_owned()
    };
    code(0, &flow(&repo, &["start", "feature", "two"]));
    repo.file(".shipway/change_request.md", "## Testing\n\n- [ ] It was tried by hand\n");
    repo.commit("chore: ask how it was tested");
    repo.file("d", "1\n").commit("feat: the letter d");
    code(0, &flow(&repo, &["finish"]));
    let text = about("1");
    assert!(text.starts_with("## Testing\n\n- [ ] It was tried by hand\n\n## Notes\n"), "{text}");
    assert!(text.contains("### Features") && text.contains("the letter d"), "{text}");
    // Boxes that are ticked stay so with the next version, and the notes are those of all its commits.
    let ticked = text.replace("[ ]", "[x]");
    let edit = ["change", "edit", "1", "--description", &ticked];
    code(0, &repo.command(SHIPWAY).args(edit).output().unwrap());
    repo.file("e", "1\n").commit("fix: the letter e");
    code(0, &flow(&repo, &["finish"]));
    let text = about("1");
    assert!(text.contains("- [x] It was tried by hand") && !text.contains("[ ]"), "{text}");
    assert!(text.contains("the letter e") && text.matches("## Notes").count() == 1, "{text}");
    // The other door leaves them, too.
    repo.file("f", "1\n").commit("feat: f");
    let open = ["change", "open", "--target", "develop"];
    code(0, &repo.command(SHIPWAY).args(open).output().unwrap());
    assert_eq!(about("1"), text);
}
