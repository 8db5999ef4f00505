//! Version files, changelog, README and tags that stand in the way.

use shipway_core::problem::Code;
use shipway_testkit::repo::Repo;

use crate::stage::Stage;

#[test]
fn a_configured_version_file_that_is_gone() {
    let stage = Stage::configured("[release]\npackages = [\"npm\"]\n");
    stage.refuses(&["push"], Code::VersionFileMissing, &["package.json"]);
}

#[test]
fn version_files_that_cannot_be_understood() {
    let broken: [(&str, &[u8]); 4] = [
        ("package.json", b"{ \"name\": \"widget\", \"version\": "),
        ("Cargo.toml", b"[package\nname = \"widget\"\n"),
        ("pyproject.toml", b"[project]\nname = \"widget\"\nversion = \"\xff\"\n"),
        ("VERSION", b"\xff\xfe\n"),
    ];
    for (path, bytes) in broken {
        let stage = Stage::new();
        stage.repo.file(path, bytes);
        stage.publish("chore: break it");
        stage.refuses(&["push"], Code::VersionFileUnreadable, &[path]);
    }
}

#[test]
fn a_version_file_without_a_semantic_version() {
    let stage = Stage::of(Repo::npm("1.0.0"));
    let text = stage.repo.read("package.json").replace("1.0.0", "one");
    stage.repo.file("package.json", text);
    stage.publish("chore: say one");
    stage.refuses(&["push"], Code::VersionFileUnreadable, &["package.json"]);
}

#[test]
fn a_version_file_that_disagrees_with_the_tag() {
    let stage = Stage::new();
    stage.repo.file("VERSION", "3.1.4\n");
    stage.publish("chore: jump");
    stage.refuses(&["push"], Code::VersionsDisagree, &["3.1.4", "v1.0.0", "shipway push 3.1.4"]);
}

#[test]
fn a_changelog_in_the_middle_of_a_merge() {
    let stage = Stage::new();
    let text = stage.repo.read("CHANGELOG.md");
    stage.repo.file("CHANGELOG.md", format!("<<<<<<< ours\n{text}=======\n>>>>>>> theirs\n"));
    stage.publish("chore: merge badly");
    stage.refuses(&["push"], Code::ChangelogConflict, &["CHANGELOG.md"]);
}

#[test]
fn a_readme_in_the_middle_of_a_merge() {
    let stage = Stage::new();
    let text = stage.repo.read("README.md");
    stage.repo.file("README.md", format!("<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n"));
    stage.publish("chore: merge badly");
    stage.refuses(&["push"], Code::ReadmeConflict, &["README.md"]);
}

#[test]
fn a_changelog_template_that_cannot_be_used() {
    for text in ["{% for x in %}", "{{ nothing.at.all }}"] {
        let stage = Stage::configured("[release]\nchangelog-template = \"notes.j2\"\n");
        stage.repo.file("notes.j2", text);
        stage.publish("chore: template");
        stage.refuses(&["push"], Code::Template, &["notes.j2"]);
    }
    let stage = Stage::configured("[release]\nchangelog-template = \"notes.j2\"\n");
    stage.refuses(&["push"], Code::Template, &["git add notes.j2"]);
}

#[test]
fn a_tag_that_is_taken_here() {
    let stage = Stage::new();
    // A commit beside the branch: its tag is no release of it.
    stage.repo.git(["switch", "--quiet", "-c", "aside", "HEAD~1"]);
    stage.repo.commit("feat: aside");
    stage.repo.tag("v1.1.0").git(["switch", "--quiet", "main"]);
    stage.refuses(&["push", "1.1.0"], Code::TagTaken, &["1.1.0", "shipway push 1.1.1"]);
}

#[test]
fn a_tag_that_is_taken_there() {
    let stage = Stage::new();
    stage.remote.tag("v1.1.0");
    stage.refuses(&["push", "1.1.0"], Code::TagTakenRemote, &["1.1.0", "shipway push 1.1.1"]);
}

#[test]
fn a_tag_that_points_elsewhere_there() {
    let stage = Stage::new();
    stage.repo.git(["tag", "--force", "v1.0.0", "HEAD"]);
    stage.refuses(&["push"], Code::TagElsewhere, &["v1.0.0", "git fetch origin"]);
}
