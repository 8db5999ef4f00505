//! `deps verify` and `env verify`, as they are typed.

use std::fs;

use crate::stage::{QUIET, Stage};

fn document(out: &str) -> serde_json::Value {
    serde_json::from_str(out.lines().next().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {out}"))
}

#[test]
fn packages_of_a_directory_are_compared_and_the_exit_code_says_how() {
    let stage = Stage::new(QUIET);
    let top = stage.repo.path();
    stage.code(2, &["deps", "verify"]).says(&["SW1054"]);
    let lock = r#"{"packages": {"node_modules/a": {"version": "1.0.0"}}}"#;
    fs::write(top.join("package-lock.json"), lock).unwrap();
    let done = stage.code(1, &["deps", "verify"]);
    assert!(done.out.contains("✗ missing  a") && done.out.contains("fix: npm ci"), "{done:?}");
    assert!(done.err.starts_with("error[SW1052]"), "{done:?}");
    let module = top.join("node_modules/a");
    fs::create_dir_all(&module).unwrap();
    fs::write(module.join("package.json"), r#"{"version": "1.0.0"}"#).unwrap();
    let done = stage.code(0, &["deps", "verify", "--json"]);
    let document = document(&done.out);
    assert_eq!((&document["kind"], &document["met"]), (&"dependencies".into(), &true.into()), "{document}");
    assert_eq!(document["places"][0]["rows"][0]["verdict"], "ok");
    let elsewhere = stage.home("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    stage.code(2, &["-C", elsewhere.to_str().unwrap(), "deps", "verify"]).says(&["SW1054"]);
    let cargo = stage.code(1, &["deps", "verify", "--cargo", "shipway-no-such-program@1.2.3"]);
    assert!(cargo.out.contains("fix: cargo install --locked shipway-no-such-program@1.2.3"), "{cargo:?}");
}

#[test]
fn an_environment_that_is_not_configured_is_told() {
    let stage = Stage::new(QUIET);
    stage.code(2, &["env", "verify", "production"]).says(&["SW0206", "production"]);
    stage.code(2, &["deps", "verify", "--env", "production"]).says(&["SW0206", "production"]);
    stage.code(2, &["env", "verify", "--check"]);
}
