//! Documents for programs: each has its kind and its schema, and is as the schema says.
//!
//! The binary that is tested here ends when a document is not as its schema says; a good end proves it.

use std::fs;
use std::net::TcpListener;

use serde_json::Value;

use crate::stage::{QUIET, Stage, wait_for};

/// Returns the document that a command answers, which must be of a kind.
#[track_caller]
fn answer(stage: &Stage, kind: &str, args: &[&str]) -> Value {
    let done = stage.code(0, &[args, &["--json"]].concat());
    let document: Value = serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {done:?}"));
    assert_eq!((&document["kind"], &document["v"]), (&kind.into(), &1.into()), "{document}");
    document
}

#[test]
fn every_kind_on_the_page_has_a_schema_that_names_it() {
    let stage = Stage::new(QUIET);
    let page = answer(&stage, "page", &["docs", "documents"]);
    let rows = page["text"].as_str().unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
    let kinds: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
    assert!(kinds.contains(&"plan") && kinds.contains(&"landed") && kinds.len() > 40, "{kinds:?}");
    for kind in kinds {
        let schema = &answer(&stage, "schema", &["schema", kind])["schema"];
        assert_eq!(schema["$id"], format!("urn:shipway:schema:{kind}:1"));
        assert_eq!(schema["properties"]["kind"]["const"], kind);
    }
    let refused = stage.code(2, &["schema", "news", "--json"]);
    let problem: Value = serde_json::from_str(&refused.out).unwrap();
    assert_eq!((&problem["kind"], &problem["problem"]["code"]), (&"problem".into(), &"SW0901".into()));
}

#[test]
fn what_is_explained_written_and_counted_are_documents() {
    let stage = Stage::new(QUIET);
    let codes = answer(&stage, "codes", &["explain"]);
    assert!(codes["codes"].as_array().unwrap().iter().any(|code| code["code"] == "SW0101"));
    assert_eq!(answer(&stage, "explain", &["explain", "sw0101"])["code"], "SW0101");
    assert_eq!(answer(&stage, "changelog", &["changelog"])["text"].as_str().map(str::is_empty), Some(false));
    let runbook = answer(&stage, "runbook", &["runbook", "1.1.0"]);
    assert!(runbook["text"].as_str().unwrap().contains("The point of no return"), "{runbook}");
    assert_eq!(answer(&stage, "verified", &["log", "--verify"])["entries"], 0);
}

#[test]
fn backups_are_documents_before_and_after_they_are_made() {
    let saved = tempfile::tempdir().unwrap();
    fs::write(saved.path().join("file"), "text\n").unwrap();
    let stage =
        Stage::new(&format!("{QUIET}[backup.files]\nkind = \"directory\"\nsource = {:?}\n", saved.path()));
    assert_eq!(answer(&stage, "backups", &["backup", "list"])["backups"].as_array().map(Vec::len), Some(0));
    let made = answer(&stage, "backups", &["backup"]);
    assert_eq!(
        (&made["backups"][0]["kind"], &made["backups"][0]["encrypted"]),
        (&"directory".into(), &false.into())
    );
    assert!(made["backups"][0]["verified"]["what"].is_string(), "{made}");
    assert_eq!(answer(&stage, "backups", &["backup", "list"]), made);
}

#[test]
fn what_a_proxy_says_are_documents() {
    let stage = Stage::new(QUIET);
    let (control, kept) = (stage.home("p.sock"), stage.home("p.json"));
    let [control, kept] = [&control, &kept].map(|path| path.to_str().unwrap());
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let _serve = stage.start(&["proxy", "serve", "--control", control, "--listen", &listen, "--state", kept]);
    // Its socket is there a moment before it answers.
    wait_for("the proxy", || stage.run(&["proxy", "status", "--control", control]).status.success());
    let ask = |kind: &str, args: &[&str]| {
        answer(&stage, kind, &[&["proxy"], args, &["--control", control]].concat())
    };
    assert_eq!(ask("proxy", &["status"])["proxy"]["listen"], listen);
    let switched = ask("proxy", &["switch", "--to", "1.0.0=127.0.0.1:9"]);
    assert_eq!(switched["proxy"]["upstreams"][0]["release"], "1.0.0");
    assert!(ask("proxy", &["pause"])["proxy"]["paused_ms"].is_u64());
    assert_eq!(ask("proxy", &["resume"])["proxy"].get("paused_ms"), None);
    assert_eq!(ask("proxy-counters", &["counters"])["counters"][0]["requests"], 0);
    assert!(ask("proxy-metrics", &["metrics"])["text"].as_str().unwrap().contains("# "));
}
