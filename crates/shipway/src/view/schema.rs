//! The published schemas of the JSON documents (JSON Schema draft 2020-12), one for each kind.
//!
//! A kind without a schema cannot be written down, and in builds for tests every answer is held against its schema, whoever
//! it is for: each test that makes a command speak proves what programs are told.

#[cfg(any(test, debug_assertions))]
mod check;

macro_rules! kinds {
    ($($name:ident = $text:literal;)*) => {
        /// Every kind of document that programs read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Document {
            $(#[doc = concat!("`", $text, "`.")] $name,)*
        }

        impl Document {
            /// Returns the kind as documents say it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }

        /// Every kind of document with its schema.
        pub const SCHEMAS: &[(&str, &str)] =
            &[$(($text, include_str!(concat!("schema/", $text, ".json")))),*];
    };
}

kinds! {
    Plan = "plan";
    Problem = "problem";
    Entry = "entry";
    Summary = "summary";
    Status = "status";
    Run = "run";
    Why = "why";
    Hosts = "hosts";
    Preflight = "preflight";
    Dependencies = "dependencies";
    Doctor = "doctor";
    Verified = "verified";
    Codes = "codes";
    Explain = "explain";
    Flow = "flow";
    FlowStart = "flow-start";
    FlowFinish = "flow-finish";
    FlowBack = "flow-back";
    Changelog = "changelog";
    Hooks = "hooks";
    HooksChanges = "hooks-changes";
    Init = "init";
    Proven = "proven";
    Backups = "backups";
    Approved = "approved";
    Guard = "guard";
    Audit = "audit";
    Digest = "digest";
    Host = "host";
    Ask = "ask";
    Signed = "signed";
    Output = "output";
    Stopped = "stopped";
    Key = "key";
    Trigger = "trigger";
    Schema = "schema";
    Page = "page";
    Incident = "incident";
    Incidents = "incidents";
    Proxy = "proxy";
    ProxyCounters = "proxy-counters";
    ProxyMetrics = "proxy-metrics";
    Change = "change";
    ChangeOpened = "change-opened";
    ChangeNoted = "change-noted";
    Changes = "changes";
    Diff = "diff";
    Review = "review";
    Checked = "checked";
    Landed = "landed";
    Runbook = "runbook";
    PolicyShown = "policy-shown";
    PolicyCheck = "policy-check";
    PolicyTested = "policy-tested";
    Drill = "drill";
}

/// Ends the program if a document is not as its schema says, which is our own mistake.
#[cfg(debug_assertions)]
pub(super) fn prove(document: &impl serde::Serialize) {
    let document = serde_json::to_value(document).expect("our own documents have string keys");
    let faults = faults(&document);
    assert!(faults.is_empty(), "the document is not as its schema says: {faults:#?}\n{document:#}");
}

/// Returns what is wrong with a document, by the schema of its kind.
#[cfg(any(test, debug_assertions))]
pub(super) fn faults(document: &serde_json::Value) -> Vec<String> {
    let kind = document["kind"].as_str().unwrap_or_default();
    if SCHEMAS.iter().any(|(known, _)| *known == kind) {
        check::document(kind, document)
    } else {
        vec![format!("`{kind}` has no schema")]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_schema_names_itself_and_its_draft() {
        for (kind, _) in SCHEMAS {
            let schema = check::schema(kind);
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            assert_eq!(schema["$id"], format!("urn:shipway:schema:{kind}:1"));
            assert_eq!(schema["properties"]["kind"]["const"], *kind);
            assert_eq!(schema["properties"]["v"]["const"], 1);
            assert_eq!(schema["additionalProperties"], false);
        }
    }

    /// Calls with every schema inside of one, those of properties and definitions too.
    fn walk(schema: &Value, see: &mut impl FnMut(&serde_json::Map<String, Value>)) {
        let Some(words) = schema.as_object() else { return };
        see(words);
        for (word, rule) in words {
            match (word.as_str(), rule) {
                ("properties" | "$defs", Value::Object(named)) => {
                    for rule in named.values() {
                        walk(rule, see);
                    }
                }
                ("oneOf" | "prefixItems", Value::Array(rules)) => {
                    for rule in rules {
                        walk(rule, see);
                    }
                }
                ("items" | "additionalProperties", rule) => walk(rule, see),
                _ => {}
            }
        }
    }

    #[test]
    fn schemas_leave_no_object_open_and_refer_to_what_is_there() {
        for (kind, _) in SCHEMAS {
            walk(&check::schema(kind), &mut |words| {
                if words.contains_key("properties") {
                    assert_eq!(words["additionalProperties"], false, "{kind}: {words:?}");
                    let known = words["properties"].as_object().unwrap();
                    for name in words["required"].as_array().unwrap() {
                        assert!(known.contains_key(name.as_str().unwrap()), "{kind}: {name}");
                    }
                }
                if let Some(to) = words.get("$ref") {
                    let (urn, pointer) = to.as_str().unwrap().split_once('#').unwrap();
                    let there =
                        urn.strip_prefix("urn:shipway:schema:").map(|rest| rest.trim_end_matches(":1"));
                    let target = check::schema(there.unwrap_or(kind));
                    assert!(target.pointer(pointer).is_some(), "{kind}: {to}");
                }
            });
        }
    }

    #[test]
    fn a_document_of_a_kind_without_a_schema_is_seen() {
        assert_eq!(faults(&json!({ "v": 1, "kind": "news" })), ["`news` has no schema"]);
        assert_eq!(faults(&json!({ "v": 1 })), ["`` has no schema"]);
    }

    #[test]
    fn maps_and_lists_of_fixed_length_are_looked_into() {
        let backup = |counts: Value| {
            let backup = json!({
                "name": "db", "kind": "sqlite", "file": "a", "bytes": 1, "digest": "0".repeat(64), "at": "x",
                "took_ms": 1, "encrypted": false, "content": { "counts": counts },
            });
            faults(&json!({ "v": 1, "kind": "backups", "backups": [backup] }))
        };
        assert_eq!(backup(json!({ "users": 3 })), Vec::<String>::new());
        let at = "backups/backups/0/content/counts/users";
        assert_eq!(backup(json!({ "users": "3" })), [format!("{at} is not of type \"integer\"")]);
        let check = |restricted: Value, expect: &[&str]| {
            let list = check::schema("policy-shown")["$defs"]["files"]["properties"]["restricted"].clone();
            assert_eq!(check::value(&list, &restricted), expect);
        };
        check(json!([["*.pem", ["ann"]]]), &[]);
        check(json!([["*.pem", "ann"]]), &["/0/1 is not of type \"array\""]);
        check(json!([["*.pem", ["ann"], 3]]), &["/0/2 is one too many"]);
        check(json!([["*.pem"]]), &["/0 has less than 2"]);
    }

    #[test]
    fn documents_that_do_not_fit_are_seen() {
        let problem = json!({"code": "SW0101", "what": "x"});
        let good = json!({
            "v": 1, "kind": "problem", "level": "error", "title": "x", "exit_code": 2, "problem": problem
        });
        assert_eq!(faults(&good), Vec::<String>::new());
        let check = |path: &str, value: Value, expect: &str| {
            let mut bad = good.clone();
            let (parent, name) = path.rsplit_once('/').unwrap();
            bad.pointer_mut(parent).unwrap()[name] = value;
            assert_eq!(faults(&bad), [expect]);
        };
        check("/v", json!(2), "problem/v is not 1");
        check("/extra", json!(2), "problem/extra is not in the schema");
        check("/exit_code", json!("2"), "problem/exit_code is not of type \"integer\"");
        check("/problem/wat", json!("2"), "problem/problem/wat is not in the schema");
        check("/problem", json!({"code": "SW0101"}), "problem/problem lacks \"what\"");
        check("/level", json!("fatal"), "problem/level is none of [\"error\",\"warning\"]");
    }
}
