//! Commits, messages, the line of releases, and files of a commit.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;

use crate::site::Site;
use shipway_core::action::{Cmd, Shell as _};
use shipway_world::facts::{Tree, commits, line};

fn messages(site: &Site, range: &str) -> Vec<String> {
    let mut found = Vec::new();
    site.with_git(|git| commits(git, range, &mut |_, message| found.push(message.into_owned()))).unwrap();
    found
}

/// Returns the position that was found and the first lines since.
fn found(site: &Site, tags: &[&str]) -> (Option<usize>, Vec<String>) {
    let candidates: Vec<(String, String)> = tags
        .iter()
        .map(|tag| ((*tag).to_owned(), site.git(&["rev-parse", &format!("{tag}^{{}}")])))
        .collect();
    let mut since = Vec::new();
    let mut each = |id: &str, message: std::borrow::Cow<'_, str>| {
        assert_eq!(id.len(), 40);
        since.push(message.lines().next().unwrap_or_default().to_owned());
    };
    let at = site.with_git(|git| line(git, "HEAD", &candidates, &mut each)).unwrap();
    (at, since)
}

/// Imports commits by their messages, each as raw bytes with its encoding, on top of the branch.
fn import(site: &Site, messages: &[(&str, &[u8])]) {
    let mut stream = Vec::new();
    for (at, (encoding, message)) in messages.iter().enumerate() {
        let from = if at == 0 { "from refs/heads/main^0\n" } else { "" };
        let mut head = String::from("commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\n");
        if !encoding.is_empty() {
            writeln!(head, "encoding {encoding}").unwrap();
        }
        writeln!(head, "data {}", message.len()).unwrap();
        stream.extend_from_slice(head.as_bytes());
        stream.extend_from_slice(message);
        stream.extend_from_slice(format!("\n{from}").as_bytes());
    }
    let cmd = Cmd::new("git").args(["fast-import", "--quiet"]).dir(&site.work).stdin(stream);
    let output = site.shell.run(&cmd, &site.stop).unwrap();
    assert!(output.ok(), "{}", output.error_text());
}

#[test]
fn messages_are_whole_and_in_utf_8() {
    let site = Site::new();
    let huge = format!("feat: huge\n\n{}", "x".repeat(1 << 20));
    let cases: [(&str, &[u8]); 5] = [
        ("ISO-8859-1", b"fix: caf\xe9"),
        ("", b"fix: raw caf\xe9"),
        ("", b"fix: two\n\nbody\n\nRefs: #1\n\n"),
        ("", huge.as_bytes()),
        ("", b""),
    ];
    import(&site, &cases);
    let expected =
        ["", &huge, "fix: two\n\nbody\n\nRefs: #1", "fix: raw caf\u{fffd}", "fix: café", "feat: one"];
    assert!(messages(&site, "HEAD") == expected);
    assert_eq!(messages(&site, "HEAD~1..HEAD"), [""]);
}

#[test]
fn what_is_configured_for_the_log_adds_nothing() {
    let site = Site::new();
    for (key, value) in [
        ("log.showSignature", "true"),
        ("format.pretty", "fuller"),
        ("color.ui", "always"),
        ("i18n.logOutputEncoding", "ISO-8859-1"),
        ("log.showRoot", "true"),
    ] {
        site.git(&["config", key, value]);
    }
    site.commit("fix: café");
    assert_eq!(messages(&site, "HEAD"), ["fix: café", "feat: one"]);
}

#[test]
fn the_highest_release_of_this_branch_is_found_in_one_process() {
    let site = Site::new();
    site.git(&["tag", "v1.0.0"]);
    site.commit("fix: two");
    site.git(&["tag", "--annotate", "--message", "x", "v1.1.0"]);
    assert_eq!(found(&site, &["v1.1.0", "v1.0.0"]), (Some(0), vec![]));
    site.commit("fix: three");
    site.commit("feat: four");
    assert_eq!(
        found(&site, &["v1.1.0", "v1.0.0"]),
        (Some(0), vec!["feat: four".into(), "fix: three".into()])
    );
    let candidates = [("v1.0.0".to_owned(), site.git(&["rev-parse", "v1.0.0"]))];
    site.shell.ran.lock().unwrap().clear();
    site.with_git(|git| line(git, "HEAD", &candidates, &mut |_, _| {})).unwrap();
    assert_eq!(site.shell.ran.lock().unwrap().len(), 1);
}

#[test]
fn releases_of_other_lines_are_passed_over() {
    let site = Site::new();
    site.git(&["tag", "v1.0.0"]);
    site.git(&["switch", "--quiet", "--create", "next"]);
    let tags = ["v2.0.0", "v2.1.0", "v2.2.0", "v2.3.0", "v2.4.0"];
    for tag in tags {
        site.commit(&format!("feat: {tag}"));
        site.git(&["tag", tag]);
    }
    site.git(&["switch", "--quiet", "main"]);
    site.commit("fix: here");
    let here = || vec!["fix: here".to_owned()];
    assert_eq!(found(&site, &["v2.0.0", "v1.0.0"]), (Some(1), here()));
    assert_eq!(
        found(&site, &["v2.4.0", "v2.3.0", "v2.2.0", "v2.1.0", "v2.0.0", "v1.0.0"]),
        (Some(5), here())
    );
    let all = vec!["fix: here".to_owned(), "feat: one".to_owned()];
    assert_eq!(found(&site, &tags), (None, all.clone()));
    assert_eq!(found(&site, &[]), (None, all.clone()));
    // A tag of a tree is no base.
    site.git(&["tag", "v3.0.0", "HEAD^{tree}"]);
    assert_eq!(found(&site, &["v3.0.0"]), (None, all));
}

#[test]
fn files_are_read_from_the_commit_and_not_from_the_work_tree() {
    let site = Site::new();
    site.write("a/VERSION", "1.0.0\n");
    site.write("a-b", "");
    fs::write(site.work.join("binary"), [0, 10, 255, 10]).unwrap();
    symlink("binary", site.work.join("link")).unwrap();
    let commit = site.commit("feat: files");
    site.write("a/VERSION", "9.9.9\n");
    site.with_git(|git| {
        let tree = Tree::at(git, &commit).unwrap();
        assert_eq!(tree.paths(), ["a-b", "a/VERSION", "binary", "log.txt"]);
        assert_eq!(tree.read("a/VERSION").unwrap().as_deref(), Some(&b"1.0.0\n"[..]));
        assert_eq!(tree.read("link").unwrap(), None);
        site.shell.ran.lock().unwrap().clear();
        let all = tree.read_all(&["binary", "none", "a-b", "binary"]).unwrap();
        assert_eq!(all, [Some(vec![0, 10, 255, 10]), None, Some(vec![]), Some(vec![0, 10, 255, 10])]);
        assert_eq!(site.shell.ran.lock().unwrap().len(), 1);
        assert_eq!(Tree::at(git, "").unwrap().paths().len(), 0);
    });
}
