//! Those words of JSON Schema that our schemas use; any other word is a fault, so that none is silently unchecked.
//!
//! It is in no build for users.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::SCHEMAS;

const OBJECT: &str = "this word of a schema has an object";
const ARRAY: &str = "this word of a schema has an array";
const STRING: &str = "this word of a schema has a string";

/// Returns the schema of a kind.
pub(super) fn schema(kind: &str) -> Value {
    let (_, text) = SCHEMAS.iter().find(|(name, _)| *name == kind).expect("the kind has a schema");
    serde_json::from_str(text).expect("a schema is JSON")
}

/// Returns what is wrong with a document, by the schema of a kind.
pub(super) fn document(kind: &str, value: &Value) -> Vec<String> {
    let mut checker = Checker { root: kind.into(), read: BTreeMap::new(), faults: vec![] };
    let schema = checker.schema(kind);
    checker.value(&schema, value, kind);
    checker.faults
}

/// Returns what is wrong with a value, by a schema that refers to no other.
#[cfg(test)]
pub(super) fn value(schema: &Value, value: &Value) -> Vec<String> {
    let mut checker = Checker { root: String::new(), read: BTreeMap::new(), faults: vec![] };
    checker.value(schema, value, "");
    checker.faults
}

struct Checker {
    root: String,
    /// Schemas that were read already.
    read: BTreeMap<String, Rc<Value>>,
    faults: Vec<String>,
}

impl Checker {
    fn schema(&mut self, kind: &str) -> Rc<Value> {
        self.read.entry(kind.to_owned()).or_insert_with(|| Rc::new(schema(kind))).clone()
    }

    fn value(&mut self, schema: &Value, value: &Value, at: &str) {
        if *schema == false {
            return self.hold(false, at, "is one too many");
        }
        for (word, rule) in schema.as_object().expect("a schema is an object or false") {
            match word.as_str() {
                "$schema" | "$id" | "$defs" | "title" | "description" => {}
                "$ref" => self.reference(rule.as_str().expect(STRING), value, at),
                "type" => self.kind(rule, value, at),
                "const" => self.hold(rule == value, at, &format!("is not {rule}")),
                "enum" => {
                    let known = rule.as_array().expect(ARRAY).contains(value);
                    self.hold(known, at, &format!("is none of {rule}"));
                }
                "required" => {
                    for name in rule.as_array().expect(ARRAY) {
                        let there = value.get(name.as_str().expect(STRING)).is_some();
                        self.hold(there, at, &format!("lacks {name}"));
                    }
                }
                "properties" => {
                    for (name, rule) in rule.as_object().expect(OBJECT) {
                        if let Some(value) = value.get(name) {
                            self.value(rule, value, &format!("{at}/{name}"));
                        }
                    }
                }
                "additionalProperties" => self.others(schema, rule, value, at),
                "prefixItems" => {
                    let values = value.as_array().into_iter().flatten();
                    for (index, (rule, item)) in rule.as_array().expect(ARRAY).iter().zip(values).enumerate()
                    {
                        self.value(rule, item, &format!("{at}/{index}"));
                    }
                }
                "items" => {
                    let first = schema["prefixItems"].as_array().map_or(0, Vec::len);
                    for (index, item) in value.as_array().into_iter().flatten().enumerate().skip(first) {
                        self.value(rule, item, &format!("{at}/{index}"));
                    }
                }
                "oneOf" => self.one_of(rule, value, at),
                "minimum" => {
                    let holds = !value.is_u64() || value.as_u64() >= rule.as_u64();
                    self.hold(holds, at, &format!("is under {rule}"));
                }
                "minItems" => {
                    let holds =
                        value.as_array().is_none_or(|items| Some(items.len() as u64) >= rule.as_u64());
                    self.hold(holds, at, &format!("has less than {rule}"));
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

    /// Names that are in no `properties`: refused, or with values of one schema.
    fn others(&mut self, schema: &Value, rule: &Value, value: &Value, at: &str) {
        for (name, value) in value.as_object().into_iter().flatten() {
            if schema["properties"].get(name).is_none() {
                let at = format!("{at}/{name}");
                if *rule == false {
                    self.hold(false, &at, "is not in the schema");
                } else {
                    self.value(rule, value, &at);
                }
            }
        }
    }

    fn one_of(&mut self, rule: &Value, value: &Value, at: &str) {
        let before = std::mem::take(&mut self.faults);
        let mut fitting = 0;
        for schema in rule.as_array().expect(ARRAY) {
            self.value(schema, value, at);
            fitting += usize::from(self.faults.is_empty());
            self.faults.clear();
        }
        self.faults = before;
        self.hold(fitting == 1, at, &format!("fits {fitting} of the alternatives: {value}"));
    }

    fn reference(&mut self, to: &str, value: &Value, at: &str) {
        let (urn, pointer) = to.split_once('#').expect("a reference has a pointer");
        let kind = urn.strip_prefix("urn:shipway:schema:").and_then(|rest| rest.strip_suffix(":1"));
        let root = self.root.clone();
        self.root = kind.map_or(root.clone(), str::to_owned);
        let target = self.schema(&self.root.clone());
        match target.pointer(pointer) {
            Some(target) => self.value(target, value, at),
            None => self.hold(false, at, &format!("the schema refers to {to}, which is not there")),
        }
        self.root = root;
    }

    fn kind(&mut self, rule: &Value, value: &Value, at: &str) {
        let is = |name: &Value| match name.as_str().expect(STRING) {
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
}

/// Matches the one form of pattern in use: `^[0-9a-f]{64}$`.
fn hex(rule: &Value, value: &Value) -> bool {
    assert_eq!(rule, "^[0-9a-f]{64}$");
    value.as_str().is_none_or(|text| {
        text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}
