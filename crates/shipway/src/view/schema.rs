//! The published schemas of the JSON documents (JSON Schema draft 2020-12), one for each kind.

/// Every kind of document with its schema.
pub const SCHEMAS: &[(&str, &str)] = &[
    ("plan", include_str!("schema/plan.json")),
    ("problem", include_str!("schema/problem.json")),
    ("entry", include_str!("schema/entry.json")),
    ("summary", include_str!("schema/summary.json")),
    ("status", include_str!("schema/status.json")),
    ("run", include_str!("schema/run.json")),
    ("why", include_str!("schema/why.json")),
    ("hosts", include_str!("schema/hosts.json")),
    ("preflight", include_str!("schema/preflight.json")),
    ("dependencies", include_str!("schema/dependencies.json")),
    ("doctor", include_str!("schema/doctor.json")),
];

/// Returns what is wrong with a document, by the schema of its kind.
#[cfg(test)]
pub(super) fn faults(document: &serde_json::Value) -> Vec<String> {
    let kind = document["kind"].as_str().unwrap();
    check::document(kind, document)
}

/// Those words of JSON Schema that our schemas use; any other word is a fault, so that none is silently unchecked.
#[cfg(test)]
mod check {
    use serde_json::Value;

    use super::SCHEMAS;

    struct Checker {
        root: String,
        faults: Vec<String>,
    }

    pub(super) fn schema(kind: &str) -> Value {
        let text = SCHEMAS.iter().find(|(name, _)| *name == kind).unwrap().1;
        serde_json::from_str(text).unwrap()
    }

    pub(super) fn document(kind: &str, value: &Value) -> Vec<String> {
        let mut checker = Checker { root: kind.into(), faults: vec![] };
        checker.value(&schema(kind), value, kind);
        checker.faults
    }

    impl Checker {
        fn value(&mut self, schema: &Value, value: &Value, at: &str) {
            for (word, rule) in schema.as_object().unwrap() {
                match word.as_str() {
                    "$schema" | "$id" | "$defs" | "title" | "description" | "additionalProperties" => {}
                    "$ref" => self.reference(rule.as_str().unwrap(), value, at),
                    "type" => self.kind(rule, value, at),
                    "const" => self.hold(rule == value, at, &format!("is not {rule}")),
                    "enum" => {
                        self.hold(
                            rule.as_array().unwrap().contains(value),
                            at,
                            &format!("is none of {rule}"),
                        );
                    }
                    "required" => {
                        for name in rule.as_array().unwrap() {
                            let there = value.get(name.as_str().unwrap()).is_some();
                            self.hold(there, at, &format!("lacks {name}"));
                        }
                    }
                    "properties" => self.properties(schema, rule, value, at),
                    "items" => {
                        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                            self.value(rule, item, &format!("{at}/{index}"));
                        }
                    }
                    "oneOf" => {
                        let fits = |schema: &&Value| {
                            let mut inner = Checker { root: self.root.clone(), faults: vec![] };
                            inner.value(schema, value, at);
                            inner.faults.is_empty()
                        };
                        let fitting = rule.as_array().unwrap().iter().filter(fits).count();
                        self.hold(fitting == 1, at, &format!("fits {fitting} of the alternatives: {value}"));
                    }
                    "minimum" => {
                        self.hold(
                            !value.is_u64() || value.as_u64() >= rule.as_u64(),
                            at,
                            &format!("is under {rule}"),
                        );
                    }
                    "pattern" => self.hold(hex(rule, value), at, &format!("does not match {rule}")),
                    other => {
                        self.hold(false, at, &format!("the schema says `{other}`, which is not checked"));
                    }
                }
            }
        }

        fn hold(&mut self, holds: bool, at: &str, what: &str) {
            if !holds {
                self.faults.push(format!("{at} {what}"));
            }
        }

        fn reference(&mut self, to: &str, value: &Value, at: &str) {
            let (urn, pointer) = to.split_once('#').unwrap();
            let kind = urn.strip_prefix("urn:shipway:schema:").and_then(|rest| rest.strip_suffix(":1"));
            let root = std::mem::take(&mut self.root);
            self.root = kind.map_or(root.clone(), str::to_owned);
            let target = schema(&self.root);
            self.value(target.pointer(pointer).unwrap_or_else(|| panic!("no {to}")), value, at);
            self.root = root;
        }

        fn kind(&mut self, rule: &Value, value: &Value, at: &str) {
            let is = |name: &Value| match name.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64(),
                "boolean" => value.is_boolean(),
                "null" => value.is_null(),
                other => panic!("unknown type {other}"),
            };
            let fits = rule.as_array().map_or_else(|| is(rule), |names| names.iter().any(is));
            self.hold(fits, at, &format!("is not of type {rule}"));
        }

        fn properties(&mut self, schema: &Value, rules: &Value, value: &Value, at: &str) {
            for (name, value) in value.as_object().into_iter().flatten() {
                let at = format!("{at}/{name}");
                match rules.get(name) {
                    Some(rule) => self.value(rule, value, &at),
                    None => self.hold(schema["additionalProperties"] != false, &at, "is not in the schema"),
                }
            }
        }
    }

    /// Matches the one form of pattern in use: `^[0-9a-f]{64}$`.
    fn hex(rule: &Value, value: &Value) -> bool {
        assert_eq!(rule, "^[0-9a-f]{64}$");
        value.as_str().is_some_and(|text| {
            text.len() == 64
                && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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

    #[test]
    fn documents_that_do_not_fit_are_seen() {
        let problem = json!({"code": "SW0101", "what": "x"});
        let good = json!({
            "v": 1, "kind": "problem", "level": "error", "title": "x", "exit_code": 2, "problem": problem
        });
        assert_eq!(faults(&good), Vec::<String>::new());
        let check = |path: &str, value: serde_json::Value, expect: &str| {
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
