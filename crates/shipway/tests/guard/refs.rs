//! Games with refs (table B).

use std::process::Output;

use crate::stage::{NONE, SHIPWAY, Stage, said};
use crate::table::Answer::{Denied, Found, Passes};
use crate::table::{Row, try_all};

/// Pushes a new commit under a name.
fn push(stage: &Stage, name: &str) -> Output {
    stage.commit("feat: x");
    stage.push(&[&format!("HEAD:{name}")])
}

/// Pushes a name that git's own client would not: a raw line that makes a ref at the main branch.
fn make(stage: &Stage, name: &str) -> Output {
    let id = stage.tip("main");
    let output = stage.raw(&[(NONE, &id, name)]);
    // receive-pack itself ends well: what counts is what it says of the ref.
    refused_by(output, "ng ")
}

/// Makes an output a failure if it says so.
fn refused_by(mut output: Output, words: &str) -> Output {
    if said(&output).contains(words) {
        output.status = std::process::Command::new("false").status().unwrap();
    }
    output
}

/// Puts a commit into the repository, on a branch of its own.
fn there(stage: &Stage) -> String {
    let id = stage.commit("feat: x");
    stage.ok(&["push", "-q", "origin", "HEAD:refs/heads/feature/objects"]);
    id
}

/// A second history.
fn other_history(stage: &Stage) {
    stage.ok(&["checkout", "-q", "--orphan", "other"]);
    stage.commit("feat: another history");
}

const ROWS: &[Row] = &[
    ("B01", "a push to an alias of main", Denied("symref"), |stage| {
        stage.force(&["symbolic-ref", "refs/heads/feature/alias", "refs/heads/main"]);
        let output = push(stage, "refs/heads/feature/alias");
        stage.force(&["symbolic-ref", "--delete", "refs/heads/feature/alias"]);
        output
    }),
    ("B01b", "an alias is made", Denied("symref"), |stage| {
        stage.there(&["symbolic-ref", "refs/heads/feature/alias", "refs/heads/main"])
    }),
    ("B01c", "an alias that was made by hand", Found("stands for a protected branch"), |stage| {
        stage.write_there("refs/heads/feature/alias", "ref: refs/heads/main\n");
        stage.there(&["rev-parse", "main"])
    }),
    ("B01d", "main becomes an alias of an open branch", Denied("symref"), |stage| {
        there(stage);
        stage.there(&["symbolic-ref", "refs/heads/main", "refs/heads/feature/objects"])
    }),
    ("B01e", "main was made an alias by hand", Found("stands for another ref"), |stage| {
        there(stage);
        stage.write_there("refs/heads/develop", "ref: refs/heads/feature/objects\n");
        stage.there(&["rev-parse", "main"])
    }),
    ("B02", "a push to HEAD", Denied("reserved-name"), |stage| push(stage, "HEAD")),
    ("B02b", "a branch called HEAD", Denied("reserved-name"), |stage| push(stage, "refs/heads/HEAD")),
    ("B02c", "raw HEAD", Denied("reserved-name"), |stage| make(stage, "HEAD")),
    ("B02d", "a tag called HEAD", Denied("reserved-name"), |stage| push(stage, "refs/tags/HEAD")),
    ("B03", "another default branch", Denied("symref"), |stage| {
        stage.there(&["symbolic-ref", "HEAD", "refs/heads/develop"])
    }),
    ("B03b", "another default branch, by hand", Found("HEAD stands for"), |stage| {
        stage.write_there("HEAD", "ref: refs/heads/develop\n");
        stage.there(&["rev-parse", "main"])
    }),
    ("B03c", "HEAD without a branch", Denied("symref"), |stage| {
        stage.there(&["update-ref", "--no-deref", "HEAD", "refs/heads/main~1"])
    }),
    ("B04", "deleting develop", Denied("delete"), |stage| stage.push(&["--delete", "develop"])),
    ("B04b", "deleting main", Denied("refs/heads/main"), |stage| stage.push(&["--delete", "main"])),
    ("B05", "delete and recreate", Denied("delete"), |stage| {
        other_history(stage);
        let first = stage.push(&["--delete", "develop"]);
        assert!(!first.status.success());
        stage.force(&["config", "receive.denyNonFastForwards", "false"]);
        stage.push(&[":develop"])
    }),
    ("B05b", "a protected name that is new", Denied("push-restricted"), |stage| push(stage, "release/1")),
    ("B07", "a forced push", Denied("non-fast-forward"), |stage| {
        other_history(stage);
        stage.push(&["--force", "HEAD:develop"])
    }),
    ("B07b", "back to an older commit", Denied("non-fast-forward"), |stage| {
        stage.push(&["--force", "HEAD~1:develop"])
    }),
    ("B08", "a release tag moved", Denied("tag-immutable"), |stage| {
        stage.commit("feat: x");
        stage.ok(&["tag", "-f", "v1.0.0"]);
        stage.push(&["--force", "v1.0.0"])
    }),
    ("B08b", "a release tag deleted", Denied("tag-immutable"), |stage| stage.push(&[":refs/tags/v1.0.0"])),
    ("B08c", "a tag on what has not landed", Passes, |stage| {
        stage.commit("feat: x");
        stage.ok(&["tag", "-m", "x", "nightly"]);
        stage.push(&["nightly"])
    }),
    ("B09", "--mirror", Denied("push-restricted"), |stage| {
        stage.commit("feat: x");
        stage.ok(&["tag", "extra"]);
        stage.push(&["--mirror"])
    }),
    ("B09b", "--mirror of a repository that lacks develop", Denied("delete"), |stage| {
        stage.push(&["--mirror"])
    }),
    ("B09c", "--prune", Denied("delete"), |stage| stage.push(&["--prune", "refs/heads/*:refs/heads/*"])),
    ("B09d", "--all", Denied("push-restricted"), |stage| {
        stage.commit("feat: x");
        stage.ok(&["branch", "topic"]);
        stage.push(&["--all"])
    }),
    ("B10", "two refs, the second one protected", Denied("push-restricted"), |stage| {
        stage.commit("feat: x");
        stage.push(&["HEAD:refs/heads/aaa", "HEAD:main"])
    }),
    ("B10b", "one of them, atomically", Denied("push-restricted"), |stage| {
        stage.commit("feat: x");
        stage.push(&["--atomic", "HEAD:refs/heads/zzz", "HEAD:main"])
    }),
    ("B12", "the same ref twice", Denied("duplicate-ref"), |stage| {
        let (one, two) = (stage.tip("main"), stage.tip("main~1"));
        let name = "refs/heads/feature/twice";
        refused_by(stage.raw(&[(NONE, &one, name), (NONE, &two, name)]), "ng ")
    }),
    ("B14", "an old value that is a lie", Denied("stale-old"), |stage| {
        let id = there(stage);
        refused_by(stage.raw(&[(&id, &id, "refs/heads/main")]), "ng ")
    }),
    ("B14b", "a lie about an open branch", Denied("stale-old"), |stage| {
        let id = there(stage);
        let lie = stage.tip("main");
        refused_by(stage.raw(&[(&lie, &id, "refs/heads/feature/objects")]), "ng ")
    }),
    ("B14c", "main as if it were new", Denied("stale-old"), |stage| {
        let id = there(stage);
        refused_by(stage.raw(&[(NONE, &id, "refs/heads/main")]), "ng ")
    }),
    ("B18", "a refusal among many", Denied("name-dash"), |stage| {
        stage.commit("feat: x");
        stage.push(&["HEAD:refs/heads/aaa", "HEAD:refs/heads/-b", "HEAD:refs/heads/ccc"])
    }),
    ("B20", "a tag called main", Denied("tag-like-branch"), |stage| {
        stage.commit("feat: x");
        stage.push(&["HEAD:refs/tags/main"])
    }),
    ("B20b", "a branch called like a tag", Denied("tag-like-branch"), |stage| {
        push(stage, "refs/heads/v1.0.0")
    }),
    ("B20c", "a branch called heads/main", Denied("reserved-name"), |stage| {
        push(stage, "refs/heads/heads/main")
    }),
    ("B20d", "a branch called refs/heads/main", Denied("reserved-name"), |stage| {
        push(stage, "refs/heads/refs/heads/main")
    }),
    ("B20e", "a branch called like an object id", Denied("reserved-name"), |stage| {
        let id = stage.tip("main");
        make(stage, &format!("refs/heads/{id}"))
    }),
    ("B23", "a name with a dash", Denied("name-dash"), |stage| make(stage, "refs/heads/--output=x")),
    ("B23b", "a tag with a dash", Denied("name-dash"), |stage| make(stage, "refs/tags/-d")),
    ("B25", "MAIN", Denied("case-alias"), |stage| push(stage, "refs/heads/MAIN")),
    ("B25b", "Release/1", Denied("case-alias"), |stage| push(stage, "refs/heads/Release/1")),
    ("B25c", "two names that differ in case", Denied("case-alias"), |stage| {
        there(stage);
        push(stage, "refs/heads/Feature/other")
    }),
    ("B26", "a zero-width space", Denied("confusable"), |stage| push(stage, "refs/heads/ma\u{200b}in")),
    ("B26b", "a Cyrillic letter", Denied("confusable"), |stage| push(stage, "refs/heads/m\u{430}in")),
    ("B26c", "a bidi override", Denied("confusable"), |stage| push(stage, "refs/heads/feature/\u{202e}x")),
    ("B26d", "an invisible character in a tag", Denied("confusable"), |stage| {
        push(stage, "refs/tags/v1\u{2060}.0.1")
    }),
    ("B29", "one slash more than a pattern", Denied("push-restricted"), |stage| {
        push(stage, "refs/heads/release/a/b")
    }),
    ("B29b", "a branch in the way of protected ones", Denied("push-restricted"), |stage| {
        push(stage, "refs/heads/release")
    }),
    ("B30", "refs/replace", Denied("ref-namespace"), |stage| {
        let (id, with) = (stage.tip("main"), there(stage));
        refused_by(stage.raw(&[(NONE, &with, &format!("refs/replace/{id}"))]), "ng ")
    }),
    ("B30b", "git replace on the server", Denied("ref-namespace"), |stage| {
        let with = there(stage);
        stage.there(&["replace", "main", &with])
    }),
    ("B30c", "a replacement made by hand does not blind the guard", Denied("message"), |stage| {
        let bad = stage.commit("no type at all");
        let good = stage.commit("feat: good");
        stage.ok(&[
            "push",
            "-q",
            "--receive-pack=git -c core.hooksPath=/dev/null receive-pack",
            "origin",
            &format!("{good}:refs/heads/feature/g"),
            &format!("{bad}:refs/heads/feature/b"),
        ]);
        stage.force(&["update-ref", &format!("refs/replace/{bad}"), &good]);
        let output = stage.push(&[&format!("{bad}:refs/for/main")]);
        stage.force(&["update-ref", "-d", &format!("refs/replace/{bad}")]);
        output
    }),
    ("B30d", "a replacement that was made by hand", Found("shows one object for another"), |stage| {
        let (id, with) = (stage.tip("main"), there(stage));
        stage.force(&["update-ref", &format!("refs/replace/{id}"), &with]);
        stage.there(&["rev-parse", "main"])
    }),
    ("B32", "refs/notes", Denied("ref-namespace"), |stage| push(stage, "refs/notes/reviews")),
    ("B34", "refs/remotes", Denied("ref-namespace"), |stage| push(stage, "refs/remotes/origin/main")),
    ("B34b", "refs/worktree", Denied("refs"), |stage| make(stage, "refs/worktree/x")),
    ("B34c", "refs/pull", Denied("ref-namespace"), |stage| push(stage, "refs/pull/1/head")),
    ("B34d", "refs/x", Denied("ref-namespace"), |stage| push(stage, "refs/x")),
    ("B34e", "refs/for without a branch", Denied("refs/for"), |stage| push(stage, "refs/for")),
    ("B34f", "refs/for of a branch that is not there", Denied("there is no branch"), |stage| {
        push(stage, "refs/for/nowhere")
    }),
    ("B35", "refs/shipway", Denied("hidden ref"), |stage| push(stage, "refs/shipway/changes/1/log")),
    ("B35b", "refs/shipway on the server", Denied("ref-namespace"), |stage| {
        let id = there(stage);
        stage.there(&["update-ref", "refs/shipway/landings", &id])
    }),
    ("B35c", "an event that nobody has signed", Denied("SW"), |stage| push(stage, "refs/events/landings")),
    ("B35d", "refs/shipway where it is not hidden", Denied("ref-namespace"), |stage| {
        stage.force(&["config", "--unset-all", "receive.hideRefs"]);
        push(stage, "refs/shipway/changes/1/log")
    }),
    ("B36", "a tree instead of a commit", Denied("object-kind"), |stage| {
        let tree = stage.tip("main^{tree}");
        refused_by(stage.raw(&[(NONE, &tree, "refs/heads/feature/tree")]), "ng ")
    }),
    ("B37", "a tag object as a branch", Denied("object-kind"), |stage| {
        let tag = stage.tip("v1.0.0");
        refused_by(stage.raw(&[(NONE, &tag, "refs/heads/feature/tag")]), "ng ")
    }),
    ("B40", "a push from a shallow clone", Denied("shallow"), |stage| {
        let url = format!("file://{}", stage.repo.path().display());
        stage.commit("feat: x");
        stage.ok(&["clone", "-q", "--depth=1", &url, "../shallow"]);
        let to = stage.bare.display().to_string();
        stage.ok(&["checkout", "-q", "--orphan", "z"]);
        let mut push = stage.command("git", &["push", &to, "HEAD:refs/heads/shallow"]);
        push.current_dir(stage.repo.path().with_file_name("shallow")).output().unwrap()
    }),
    ("B41", "a branch of one's own", Passes, |stage| push(stage, "refs/heads/feature/mine")),
];

#[test]
fn games_with_refs_are_refused_or_found() {
    try_all(ROWS);
}

/// B16: main moves while a push is judged; git's compare-and-swap decides, and the second one is refused as a whole.
#[test]
fn of_two_pushes_at_once_one_moves_the_branch() {
    let stage = Stage::new();
    stage.ok(&["push", "-q", "origin", "HEAD:refs/heads/feature/race"]);
    let tips: Vec<String> = (0..4)
        .map(|at| {
            stage.ok(&["checkout", "-q", "-B", &format!("racer-{at}"), "main"]);
            stage.commit(&format!("feat: racer {at}"))
        })
        .collect();
    let won: Vec<bool> = std::thread::scope(|scope| {
        let runs = tips.iter().map(|id| {
            let name = format!("{id}:refs/heads/feature/race");
            let path = stage.bare.display().to_string();
            let mut command = stage.command("git", &["push", &path, &name]);
            scope.spawn(move || command.output().unwrap().status.success())
        });
        let runs: Vec<_> = runs.collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
    let winner = won.iter().position(|won| *won).unwrap();
    assert_eq!(stage.tip("refs/heads/feature/race"), tips[winner]);
    assert!(stage.audit().0, "{}", stage.audit().1);
}

/// B38: an empty repository is begun by whoever was named when it was installed, with a ticket, and not by a push.
#[test]
fn the_first_push_into_an_empty_repository_needs_a_ticket() {
    let stage = Stage::empty();
    stage.install();
    stage.commit("feat: first");
    let before = stage.refs();
    let output = stage.push(&["HEAD:main"]);
    assert!(!output.status.success() && said(&output).contains("push-restricted"), "{}", said(&output));
    assert_eq!(stage.refs(), before);
    // Git cannot hold both, so this would keep main from ever being made.
    let output = stage.push(&["HEAD:refs/heads/main/x"]);
    assert!(!output.status.success() && said(&output).contains("push-restricted"), "{}", said(&output));
    let output = stage.run(SHIPWAY, &["guard", "audit", &stage.bare.display().to_string()]);
    assert!(output.status.success(), "{}", said(&output));
}
