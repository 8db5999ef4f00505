//! C12: files that stand for content that Git LFS keeps.

use std::fs;
use std::process::Output;

use shipway_testkit::skip;

use crate::content::token;
use crate::stage::{Stage, said};
use crate::table::Answer::{Denied, Passes};
use crate::table::{Row, try_all};

/// The SHA-256 of `hello` and a line feed.
const HELLO: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

/// Pushes a file that stands for six bytes, with this content in the store of the repository.
fn push(stage: &Stage, kept: Option<&str>) -> Output {
    if let Some(kept) = kept {
        let place = stage.bare.join("lfs/objects/58/91").join(HELLO);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, kept).unwrap();
    }
    let text = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{HELLO}\nsize 6\n");
    stage.repo.file("movie.bin", text).commit("feat: a movie");
    stage.push(&["HEAD:refs/heads/feature/x"])
}

const ROWS: &[Row] = &[
    ("C12", "a file without its content", Denied("lfs-object"), |stage| push(stage, None)),
    ("C12b", "other content", Denied("lfs-object"), |stage| push(stage, Some("HELLO\n"))),
    ("C12c", "less of it", Denied("lfs-object"), |stage| push(stage, Some("hel"))),
    ("C12d", "its content", Passes, |stage| push(stage, Some("hello\n"))),
];

#[test]
fn what_git_lfs_keeps_is_there_and_is_what_the_file_says() {
    try_all(ROWS);
}

/// The same with what git-lfs itself writes and brings.
#[test]
fn content_that_git_lfs_brings_passes_unless_it_holds_a_secret() {
    let stage = Stage::new();
    if !stage.git(&["lfs", "install", "--local"]).status.success() {
        return skip::skip("git-lfs is not installed");
    }
    stage.ok(&["lfs", "track", "*.bin"]);
    stage.ok(&["config", "lfs.url", &format!("file://{}", stage.bare.display())]);
    stage.repo.file("movie.bin", "a movie\n").commit("feat: a movie");
    let output = stage.push(&["HEAD:refs/heads/feature/x"]);
    assert!(output.status.success(), "{}", said(&output));
    stage.repo.file("other.bin", token()).commit("feat: another");
    let output = stage.push(&["HEAD:refs/heads/feature/x"]);
    let said = said(&output);
    assert!(!output.status.success() && said.contains("other.bin holds what looks like a secret"), "{said}");
    // Past the hook of git-lfs, the content stays at home.
    stage.ok(&["reset", "-q", "--hard", "HEAD~1"]);
    stage.repo.file("third.bin", "third\n").commit("feat: a third");
    let output = stage.push(&["--no-verify", "HEAD:refs/heads/feature/x"]);
    let said = crate::stage::said(&output);
    assert!(!output.status.success() && said.contains("lfs-object"), "{said}");
}
