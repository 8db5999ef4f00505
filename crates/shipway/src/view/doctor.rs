//! What the doctor has seen and tried: a line for each thing, and below a wrong one what was found and what to do.

use std::fmt::Write as _;

use serde_json::{Value, json};
use shipway_core::problem::Problem;
use shipway_world::doctor::{Line, State};
use shipway_world::guard::prove::judge::Answer;
use shipway_world::guard::prove::{Proof, Tried};

use super::text;

/// All that was seen and tried.
#[derive(Debug)]
pub struct Report {
    /// What was looked at, section by section.
    pub sections: Vec<(&'static str, Vec<Line>)>,
    /// What was tried, if anything was.
    pub proof: Option<Proven>,
}

/// All that was tried.
#[derive(Debug)]
pub struct Proven {
    /// The repository that the guard is of, as a command would name it.
    pub repository: String,
    /// What became of the refs of the repository itself.
    pub server: Option<Proof>,
    /// Each try.
    pub tried: Vec<Tried>,
    /// Why the guard was not tried at all.
    pub unseen: Option<String>,
}

impl Report {
    /// Tells whether something is not as it should be.
    pub fn is_wrong(&self) -> bool {
        let lines = self.sections.iter().flat_map(|(_, lines)| lines);
        let wrong = lines.into_iter().any(|line| matches!(line.state, State::Wrong(_)));
        wrong || self.proof.as_ref().is_some_and(Proven::is_wrong)
    }
}

impl Proven {
    fn is_wrong(&self) -> bool {
        let moved = self.server.as_ref().is_some_and(|proof| !proof.moved.is_empty());
        moved || self.tried.iter().any(|tried| matches!(tried.answer, Answer::WalkedPast(_)))
    }
}

/// Returns the sign of a state in front of its word.
fn sign(state: &State) -> &'static str {
    match state {
        State::Ok(_) => "✓ ok",
        State::Warning(_) => "! warning",
        State::Wrong(_) => "✗ wrong",
        State::Unseen(_) => "? not looked at",
    }
}

/// Returns the sign of an answer in front of its words.
fn answered(answer: &Answer) -> &'static str {
    match answer {
        Answer::Refused(_) => "✓ refused",
        Answer::Noticed(_) => "✓ noticed",
        Answer::WalkedPast(_) => "✗ walked past",
        Answer::NotTried(_) => "? not tried",
    }
}

/// Returns all of it for people.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    for (name, lines) in &report.sections {
        let _ = writeln!(out, "{name}");
        for line in lines {
            one(line, &mut out);
        }
    }
    let _ = writeln!(out, "\n{}", counted(&report.sections));
    if let Some(proven) = &report.proof {
        proof(proven, &mut out);
    }
    out
}

fn one(line: &Line, out: &mut String) {
    let (said, problem) = match &line.state {
        State::Ok(text) | State::Unseen(text) => (text.clone(), None),
        State::Warning(problem) => (problem.what.clone(), Some(problem)),
        State::Wrong(problem) => (format!("{} {}", problem.code, problem.what), Some(problem)),
    };
    let _ = writeln!(out, "  {:<15}  {:<12}  {said}", sign(&line.state), line.what);
    if let Some(problem) = problem {
        facts(problem, out);
    }
}

/// Writes what is known of a problem beyond its first line.
fn facts(problem: &Problem, out: &mut String) {
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(out, "      {label:<7} {value}");
    };
    for (label, value) in [("found", &problem.found), ("wanted", &problem.wanted)] {
        if let Some(value) = value {
            line(label, value);
        }
    }
    for detail in &problem.details {
        line("", detail);
    }
    for hint in &problem.hints {
        line("└ fix:", hint);
    }
}

fn counted(sections: &[(&'static str, Vec<Line>)]) -> String {
    let words = ["ok", "warning", "wrong", "not looked at"];
    let of = |word: &&str| {
        let fits = |line: &&Line| sign(&line.state).ends_with(*word);
        sections.iter().flat_map(|(_, lines)| lines).filter(fits).count()
    };
    let counts = words.iter().map(|word| (of(word), word)).filter(|(count, _)| *count > 0);
    let many = |(count, word): (usize, &&str)| {
        let plural = if count > 1 && **word == *"warning" { "s" } else { "" };
        format!("{count} {word}{plural}")
    };
    counts.map(many).collect::<Vec<_>>().join(", ")
}

fn proof(proven: &Proven, out: &mut String) {
    let _ = writeln!(out, "\ntried");
    for tried in &proven.tried {
        let said = match &tried.answer {
            Answer::Refused(text) | Answer::Noticed(text) | Answer::NotTried(text) => text.clone(),
            Answer::WalkedPast(moved) => moved.join("; "),
        };
        let _ = writeln!(out, "  {:<13}  {}", answered(&tried.answer), tried.what);
        let _ = writeln!(out, "                 → {}: {said}", judged(&tried.answer));
        if let Some(problem) = tried.problem(&proven.repository) {
            let _ = writeln!(out, "                 {} {}", problem.code, problem.what);
            for hint in &problem.hints {
                let _ = writeln!(out, "                 └ fix: {hint}");
            }
        }
    }
    if let Some(why) = &proven.unseen {
        let _ = writeln!(out, "  ? not tried    {why}");
    }
    if let Some(server) = &proven.server {
        if server.moved.is_empty() {
            let refs = text::count(server.refs, "ref");
            let _ = writeln!(out, "\n{refs} of {}: as before", proven.repository);
        } else {
            let _ = writeln!(out, "\nrefs of {} have moved meanwhile, by others:", proven.repository);
            for line in &server.moved {
                let _ = writeln!(out, "  {line}");
            }
        }
    }
    let _ = writeln!(out, "{}", summary(&proven.tried));
}

/// Returns whether an answer is as it should be.
fn judged(answer: &Answer) -> &'static str {
    match answer {
        Answer::Refused(_) | Answer::Noticed(_) => "as it should be",
        Answer::WalkedPast(_) => "NOT as it should be",
        Answer::NotTried(_) => "not known",
    }
}

fn summary(tried: &[Tried]) -> String {
    let count = |word: &str| tried.iter().filter(|tried| answered(&tried.answer).ends_with(word)).count();
    let not = count("not tried");
    let mut text = format!("{} tried: {} refused", tried.len() - not, count("refused"));
    for (word, always) in [("noticed", false), ("walked past", true)] {
        if always || count(word) > 0 {
            let _ = write!(text, ", {} {word}", count(word));
        }
    }
    if not > 0 {
        let _ = write!(text, "; {not} not tried");
    }
    text
}

/// Returns all of it for programs.
pub fn fields(report: &Report) -> Value {
    let lines =
        report.sections.iter().flat_map(|(name, lines)| lines.iter().map(move |line| row(name, line)));
    json!({
        "well": !report.is_wrong(),
        "lines": lines.collect::<Vec<_>>(),
        "proof": report.proof.as_ref().map(proof_fields),
    })
}

fn row(section: &str, line: &Line) -> Value {
    let (state, text, problem) = match &line.state {
        State::Ok(text) => ("ok", Some(text), None),
        State::Warning(problem) => ("warning", None, Some(problem)),
        State::Wrong(problem) => ("wrong", None, Some(problem)),
        State::Unseen(text) => ("not-looked-at", Some(text), None),
    };
    json!({ "section": section, "what": line.what, "state": state, "text": text, "problem": problem })
}

fn proof_fields(proven: &Proven) -> Value {
    let tried = proven.tried.iter().map(|tried| {
        let (answer, said) = match &tried.answer {
            Answer::Refused(text) => ("refused", json!(text)),
            Answer::Noticed(text) => ("noticed", json!(text)),
            Answer::WalkedPast(moved) => ("walked-past", json!(moved)),
            Answer::NotTried(text) => ("not-tried", json!(text)),
        };
        let problem = tried.problem(&proven.repository);
        json!({ "what": tried.what, "answer": answer, "said": said, "problem": problem })
    });
    json!({
        "repository": proven.repository,
        "tried": tried.collect::<Vec<_>>(),
        "summary": summary(&proven.tried),
        "refs": proven.server.as_ref().map(|server| server.refs),
        "moved": proven.server.as_ref().map(|server| &server.moved),
        "not_tried": proven.unseen,
    })
}

#[cfg(test)]
mod tests {
    use shipway_core::problem::Code;
    use shipway_world::guard::prove::tries::Stops;

    use super::*;
    use crate::view::schema;

    fn tried(what: &str, answer: Answer) -> Tried {
        Tried { what: what.into(), stops: Stops::Guard, answer }
    }

    fn report(state: State, answers: Vec<Answer>, moved: &[&str]) -> Report {
        let moved = moved.iter().map(ToString::to_string).collect();
        let tried = answers.into_iter().map(|answer| tried("push to main", answer)).collect();
        let server = Some(Proof { tried: vec![], refs: 2, moved });
        let proof = Some(Proven { repository: "app.git".into(), server, tried, unseen: None });
        Report { sections: vec![("guard", vec![Line::new("guard", state)])], proof }
    }

    #[test]
    fn each_line_says_how_it_stands_and_a_wrong_one_what_to_do() {
        let problem = Problem::new(Code::GuardInert, "pre-receive is empty").found("0 bytes").hint("mend it");
        let past = Answer::WalkedPast(vec!["refs/heads/main: 1 → 2".into()]);
        let answers = vec![Answer::Refused("no".into()), past, Answer::NotTried("nothing is there".into())];
        let expect = "\
guard
  ✗ wrong          guard         SW1113 pre-receive is empty
      found   0 bytes
      └ fix:  mend it

1 wrong

tried
  ✓ refused      push to main
                 → as it should be: no
  ✗ walked past  push to main
                 → NOT as it should be: refs/heads/main: 1 → 2
                 SW1116 push to main is not refused
                 └ fix: shipway guard audit app.git
                 └ fix: shipway guard install --server app.git
  ? not tried    push to main
                 → not known: nothing is there

2 refs of app.git: as before
2 tried: 1 refused, 1 walked past; 1 not tried
";
        assert_eq!(render(&report(State::Wrong(problem), answers, &[])), expect);
    }

    #[test]
    fn programs_are_told_by_the_schema() {
        let problem =
            || Problem::new(Code::GuardInert, "pre-receive is empty").found("0 bytes").hint("mend it");
        let answers = || {
            let past = Answer::WalkedPast(vec!["refs/heads/main: 1 → 2".into()]);
            let not = Answer::NotTried("nothing is there".into());
            vec![Answer::Refused("no".into()), Answer::Noticed("noted".into()), past, not]
        };
        let mut reports = vec![
            report(State::Wrong(problem()), answers(), &["refs/heads/main: 1 → 2"]),
            report(State::Warning(problem()), vec![], &[]),
            report(State::Ok("in force".into()), answers(), &[]),
            report(State::Unseen("elsewhere".into()), vec![], &[]),
        ];
        reports[1].proof = None;
        reports[2].proof.iter_mut().for_each(|proven| proven.server = None);
        for report in reports {
            let mut document = fields(&report);
            (document["v"], document["kind"]) = (json!(1), json!("doctor"));
            assert_eq!(schema::faults(&document), Vec::<String>::new(), "{document:#}");
            assert_eq!(document["well"], !report.is_wrong());
        }
    }

    #[test]
    fn what_fails_is_what_is_wrong_walks_past_or_has_moved() {
        let well = || State::Ok("in force".into());
        let check = |report: Report, expected: bool| assert_eq!(report.is_wrong(), expected, "{report:?}");
        check(report(well(), vec![Answer::Refused("no".into()), Answer::NotTried("why".into())], &[]), false);
        check(report(well(), vec![Answer::WalkedPast(vec![])], &[]), true);
        check(report(well(), vec![], &["refs/heads/main: 1 → 2"]), true);
        let problem = || Problem::new(Code::NoRemote, "there is no remote");
        check(report(State::Warning(problem()), vec![], &[]), false);
        check(report(State::Wrong(problem()), vec![], &[]), true);
        check(report(State::Unseen("elsewhere".into()), vec![], &[]), false);
    }
}
