//! The view for programs: every document is one line of JSON with `v` and `kind`, described by a schema.
//!
//! A question has one document on the standard output. A run has a line for each entry and one for its report.
//! Problems are documents of their own on the standard output; warnings go to the standard error, so that the answer
//! to a question stays alone.

use std::io;

use serde::Serialize;
use serde_json::{Value, json};
use shipway_core::action::LogKey;
use shipway_core::journal::Entry;
use shipway_core::plan::Plan;
use shipway_core::problem::Problem;
use shipway_core::run::{Corrupt, Run};
use shipway_core::time::Time;

use super::data::Data;
use super::problem::Level;
use super::talk::Talk;
use super::{
    Document, HostRow, Moment, Row, Stream, View, Volume, Why, dependencies, document, hosts, log, preflight,
    text,
};

/// Speaks to programs.
pub struct Json {
    volume: Volume,
    data: Data,
    talk: Talk,
}

impl Json {
    /// Returns the view on two streams.
    pub fn new(volume: Volume, data: Stream, talk: Stream) -> Self {
        Self { volume, data: Data::new(data.sink), talk: Talk::new(talk.sink, talk.paint, || None) }
    }

    fn print(&self, document: &impl Serialize) {
        #[cfg(debug_assertions)]
        super::schema::prove(document);
        self.data.write(&line(document));
    }
}

/// Returns a document as one line that is harmless on a terminal; escaping loses nothing.
fn line(document: &impl Serialize) -> String {
    let json = serde_json::to_string(document).expect("our own documents have string keys");
    let mut out = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        if text::is_foul(c) {
            // Outside of strings JSON is ASCII, so this is always inside of one (RFC 8259 §7).
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    out
}

impl View for Json {
    fn plan(&self, plan: &Plan) {
        self.print(&document::plan(plan));
    }

    fn problems(&self, problems: &[Problem]) {
        for problem in problems {
            self.print(&document::problem(Level::Error, problem));
        }
    }

    fn warnings(&self, problems: &[Problem]) {
        for problem in problems.iter().filter(|_| self.volume != Volume::Quiet) {
            let document = document::problem(Level::Warning, problem);
            #[cfg(debug_assertions)]
            super::schema::prove(&document);
            self.talk.say(&line(&document));
        }
    }

    fn note(&self, _text: &str) {}

    fn resume(&self, _run: &Run) {}

    fn entry(&self, run: &Run, entry: &Entry) {
        self.print(&document::entry(run, entry));
    }

    fn output(&self, _key: &LogKey, _text: &str) {}

    fn summary(&self, run: &Run, entries: &[Entry]) {
        self.print(&document::summary(run, entries, false));
    }

    fn log(&self, entries: &[Entry], driven: bool) -> Result<(), Corrupt> {
        let run = log::replay(entries, |run, entry| self.entry(run, entry))?;
        self.print(&document::summary(&run, entries, driven));
        Ok(())
    }

    fn status(&self, rows: &[Row], moment: &Moment<'_>) {
        self.print(&document::status(rows, moment));
    }

    fn run(&self, run: &Run, entries: &[Entry], driven: bool, moment: &Moment<'_>) {
        self.print(&document::run(run, entries, driven, moment));
    }

    fn hosts(&self, rows: &[HostRow], _now: Time) {
        self.answer(Document::Hosts, &json!({ "hosts": hosts::document(rows) }), "");
    }

    fn why(&self, why: &Why) {
        self.print(&document::why(why));
    }

    fn preflight(&self, report: &preflight::Report) {
        self.print(&preflight::document(report));
    }

    fn dependencies(&self, report: &dependencies::Report) {
        self.print(&dependencies::document(report));
    }

    fn answer(&self, kind: Document, fields: &Value, _text: &str) {
        self.print(&document::answer(kind, fields));
    }

    fn finish(&self) -> io::Result<()> {
        self.data.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::paint::Paint;
    use crate::view::sample::{self, Shared, Story};
    use crate::view::{dependencies, preflight, schema, status, why};

    fn print(say: impl Fn(&Json)) -> (Vec<Value>, String) {
        let (out, err) = (Shared::default(), Shared::default());
        let stream = |sink: &Shared| Stream {
            sink: Box::new(sink.clone()),
            paint: Paint::new(true),
            columns: || None,
        };
        let view = Json::new(Volume::Normal, stream(&out), stream(&err));
        say(&view);
        view.finish().unwrap();
        let documents: Vec<Value> =
            out.take().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for document in &documents {
            let faults = schema::faults(document);
            assert!(faults.is_empty(), "{faults:#?}\n{document:#}");
        }
        (documents, err.take())
    }

    fn kinds(documents: &[Value]) -> Vec<&str> {
        documents.iter().map(|document| document["kind"].as_str().unwrap()).collect()
    }

    #[test]
    fn a_question_has_one_document() {
        let plan = sample::plan();
        let (documents, err) = print(|view| {
            view.warnings(&[sample::no_network()]);
            view.note("looking at origin");
            view.plan(&plan);
        });
        assert_eq!(kinds(&documents), ["plan"]);
        let document = &documents[0];
        assert_eq!(document["digest"], plan.digest().as_str());
        assert_eq!(document["point_of_no_return"], "publish");
        assert_eq!((document["changes"].as_u64(), document["gates"].as_u64()), (Some(3), Some(1)));
        assert_eq!(serde_json::from_value::<Plan>(document["plan"].clone()).unwrap(), plan);
        assert!(err.starts_with(r#"{"v":1,"kind":"problem","level":"warning""#), "{err}");
    }

    #[test]
    fn a_run_has_a_line_for_each_entry_and_one_for_its_report() {
        let mut approved = sample::waiting();
        let yes = sample::approved(&approved);
        approved.tell(yes);
        let yes = sample::signed(&approved);
        approved.tell(yes);
        let stories = [
            sample::shipped(),
            sample::refused(),
            sample::rolled_back(),
            sample::stuck(),
            sample::stopped(),
            sample::waiting(),
            approved,
            Story::new(),
        ];
        for story in stories {
            let (documents, _) = print(|view| view.log(&story.entries, false).unwrap());
            assert_eq!(documents.len(), story.entries.len() + 1);
            for (document, entry) in documents.iter().zip(&story.entries) {
                let Value::Object(mut fields) = document.clone() else { panic!("a document is an object") };
                for ours in ["v", "kind", "state"] {
                    fields.remove(ours);
                }
                assert_eq!(serde_json::from_value::<Entry>(fields.into()).unwrap(), *entry);
            }
        }
    }

    #[test]
    fn the_report_says_state_times_and_next_command() {
        let story = sample::rolled_back();
        let (documents, _) = print(|view| view.summary(&story.run(), &story.entries));
        let report = &documents[0];
        assert_eq!(report["state"], "rolled back");
        assert_eq!(report["took_ms"], 18_000);
        assert_eq!(report["problems"][0]["code"], "SW0605");
        assert_eq!(report["next"][0], "shipway push");
        let push = json!({"step": "push", "gate": false, "state": "failed", "attempts": 2, "took_ms": 3_000});
        assert_eq!(report["steps"][2], push);
        assert_eq!(report["steps"][0]["took_ms"], 24_600);
    }

    #[test]
    fn a_report_says_what_is_waited_for_and_a_plan_what_will_be() {
        let story = sample::waiting();
        let (documents, _) = print(|view| {
            view.summary(&story.run(), &story.entries);
            view.plan(&story.run().plan);
        });
        let waits = &documents[0]["waits"];
        assert_eq!((&documents[0]["state"], &waits["gate"]), (&json!("waiting"), &json!("checks")));
        assert_eq!(waits["until"], "2026-11-20T13:00:00.000Z");
        assert_eq!(waits["problems"][1]["hints"][0], "shipway approve 7f3a12cd");
        assert_eq!(documents[0]["next"][0], "shipway approve 7f3a12cd");
    }

    #[test]
    fn a_report_says_who_said_yes_and_what_that_proves() {
        let mut story = sample::waiting();
        let yes = sample::approved(&story);
        story.tell(yes);
        let mut yes = sample::signed(&story);
        story.tell(yes.clone());
        let shipway_core::journal::Event::Approved { signed: Some(signed), .. } = &mut yes else {
            panic!("it is signed")
        };
        signed.flaw = Some(Box::new(sample::red()));
        signed.grade = 0;
        story.tell(yes);
        let (documents, _) = print(|view| view.summary(&story.run(), &story.entries));
        let steps = documents[0]["steps"].as_array().unwrap();
        let gate = steps.iter().find(|step| step["step"] == "checks").unwrap();
        let given = gate["approvals"].as_array().unwrap();
        let grades: Vec<&Value> = given.iter().map(|given| &given["grade"]).collect();
        assert_eq!(grades, [&json!(0), &json!(2), &json!(0)]);
        assert_eq!((&given[0]["why"], &given[0]["key"]), (&json!("typed at a terminal"), &Value::Null));
        assert_eq!((&given[1]["by"], &given[1]["flaw"]), (&json!("kim"), &Value::Null));
        assert_eq!(given[2]["flaw"]["what"], json!(sample::red().what));
    }

    #[test]
    fn problems_carry_their_exit_code() {
        let (documents, _) = print(|view| view.problems(&[sample::red(), sample::no_network()]));
        assert_eq!(kinds(&documents), ["problem", "problem"]);
        assert_eq!(
            (&documents[0]["exit_code"], &documents[0]["title"]),
            (&json!(1), &json!("a check failed"))
        );
    }

    #[test]
    fn status_run_and_why_are_documents() {
        let story = sample::stuck();
        let (opened, last) = (story.entries[0].clone(), story.entries.last().unwrap().clone());
        let head = shipway_core::journal::RunHead { run: opened.run.clone(), opened, last };
        let down = crate::view::hosts::tests::down();
        let seen = Moment { now: story.now, hosts: Some(&down) };
        let unseen = Moment { hosts: None, ..seen };
        let row = status::Row { head, driven: false, withdrawn: false };
        let (documents, _) = print(|view| {
            view.status(std::slice::from_ref(&row), &seen);
            view.run(&story.run(), &story.entries, true, &unseen);
            view.why(&why::tests::sample());
        });
        assert_eq!(kinds(&documents), ["status", "run", "why"]);
        assert_eq!(documents[0]["runs"][0]["next"], "shipway resume 7f3a12cd");
        assert_eq!(documents[0]["hosts"][0]["state"], "not reached");
        assert_eq!(documents[1]["summary"]["state"], "stuck");
        assert_eq!(documents[1].get("hosts"), None);
        assert_eq!(documents[2]["why"]["commits"][1]["subject"], "do not \u{1b}[5msink");
    }

    #[test]
    fn reports_of_environments_and_packages_are_documents() {
        let (documents, _) = print(|view| {
            view.preflight(&preflight::tests::sample());
            view.dependencies(&dependencies::tests::sample());
        });
        assert_eq!(kinds(&documents), ["preflight", "dependencies"]);
        assert_eq!((&documents[0]["ready"], &documents[1]["met"]), (&json!(false), &json!(false)));
        assert_eq!(documents[0]["hosts"][0]["rows"][1]["fix"], "ss -ltnp 'sport = :8000'");
        assert_eq!(documents[1]["places"][0]["rows"][2]["verdict"], "extra");
    }

    #[test]
    fn other_answers_have_their_fields() {
        let out = line(&json!({"text": "a\u{9b}2J\u{202e}\u{e0041}é\u{1b}\n"}));
        assert_eq!(out, "{\"text\":\"a\\u009b2J\\u202e\\udb40\\udc41é\\u001b\\n\"}\n");
        let value: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(value["text"], "a\u{9b}2J\u{202e}\u{e0041}é\u{1b}\n");
        let buffer = Shared::default();
        let stream = || Stream { sink: Box::new(buffer.clone()), paint: Paint::new(true), columns: || None };
        Json::new(Volume::Normal, stream(), stream()).answer(
            Document::Digest,
            &json!({"digest": "0".repeat(64)}),
            "a page",
        );
        let digest = "0".repeat(64);
        assert_eq!(buffer.take(), format!("{{\"digest\":\"{digest}\",\"kind\":\"digest\",\"v\":1}}\n"));
    }
}
