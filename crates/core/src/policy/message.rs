//! Commit messages, by the parser that decides versions.

use super::evaluate::{Case, Verdicts, shown};
use super::look::is_invisible;
use super::verdict::{Rule, Verdict};
use super::{Commit, CommitRules, Purpose};
use crate::version::{Conventional, NotConventional, excerpt, first_line, issues, lint_with, parse};

/// Judges the message of a commit. `fresh` says that the commit may yet be squashed: then a fixup is no harm.
pub(super) fn judge(case: &Case<'_>, commit: &Commit, fresh: bool, out: &mut Verdicts) {
    let rules = &case.policy.commits;
    // What a release lists is not what its author does, and its form is not for people to choose.
    let release = case.update.ticket.as_ref().is_some_and(|ticket| ticket.purpose == Purpose::Release);
    let found = seen(rules, commit);
    let found =
        if found.is_empty() && !release && !commit.landed { worded(rules, commit, fresh) } else { found };
    for verdict in found {
        out.add(verdict.of(&commit.id).hint(reword(commit)));
    }
}

/// Judges what holds for every message.
fn seen(rules: &CommitRules, commit: &Commit) -> Vec<Verdict> {
    let refuse = |what: &str| Verdict::new(Rule::Message, what);
    let size = u64::try_from(commit.message.len()).unwrap_or(u64::MAX);
    if size > rules.size {
        let long = Verdict::new(Rule::CommitShape, "the message is too long");
        return vec![long.found(format!("{size} bytes")).wanted(format!("at most {} bytes", rules.size))];
    }
    let Ok(text) = std::str::from_utf8(&commit.message) else {
        return vec![refuse("the message is not UTF-8").found(shown(&commit.message))];
    };
    if let Some(c) = text.chars().find(|c| hides(*c)) {
        let what = format!("the message has the character U+{:04X}, which hides or turns text", u32::from(c));
        return vec![refuse(&what).found(excerpt(text, 100)).wanted("text that can be seen")];
    }
    vec![]
}

/// Judges how a message is worded.
fn worded(rules: &CommitRules, commit: &Commit, fresh: bool) -> Vec<Verdict> {
    let refuse = |what: &str| Verdict::new(Rule::Message, what);
    // Merges are known by their parents, never by their text.
    let Some(text) = std::str::from_utf8(&commit.message).ok().filter(|_| commit.parents.len() < 2) else {
        return vec![];
    };
    let mut found = vec![];
    let (line, _) = first_line(text);
    let longest = usize::try_from(rules.subject).unwrap_or(usize::MAX);
    if longest > 0 && line.len() > longest {
        let seen = format!("{} bytes: {}", line.len(), excerpt(line, 60));
        found.push(
            refuse("the first line is too long").found(seen).wanted(format!("at most {longest} bytes")),
        );
    }
    let parsed = parse(text);
    if rules.conventional {
        found.extend(conventional(text, line, &parsed, rules, fresh));
    }
    let fixup = fresh && matches!(parsed, Err(NotConventional::Autosquash(_)));
    if rules.issue && !fixup && issues(text).is_empty() {
        let none = refuse("the message names no issue");
        found.push(none.found(excerpt(line, 100)).wanted("an issue such as `#123`"));
    }
    found
}

fn conventional(
    text: &str,
    line: &str,
    parsed: &Result<Conventional<'_>, NotConventional<'_>>,
    rules: &CommitRules,
    fresh: bool,
) -> Option<Verdict> {
    let refuse = |what: &str| Some(Verdict::new(Rule::Message, what).found(excerpt(line, 100)));
    match parsed {
        Err(NotConventional::Merge) => {
            let refused = refuse("the message says merge, and the commit has one parent");
            return refused.map(|verdict| verdict.wanted("`type(scope): description`"));
        }
        Err(NotConventional::Autosquash(_)) if !fresh => {
            let refused = refuse("a fixup is folded into its commit before it lands");
            return refused.map(|verdict| verdict.hint("git rebase -i --autosquash BASE"));
        }
        // The type is one of a list, letter by letter.
        Ok(commit) if !line.starts_with(&*commit.kind) => {
            let refused = refuse("the type is not in lower case");
            return refused.map(|verdict| verdict.wanted(format!("`{}`", commit.kind)));
        }
        Ok(_) | Err(_) => {}
    }
    let problem = lint_with(text, &rules.types).into_iter().next()?;
    let mut verdict = Verdict::new(Rule::Message, problem.what);
    verdict.found = problem.found.or_else(|| Some(excerpt(line, 100)));
    verdict.wanted = problem.wanted;
    verdict.hints = problem.hints;
    Some(verdict)
}

fn reword(commit: &Commit) -> String {
    match commit.id.get(..12) {
        Some(_) if commit.parents.is_empty() => "git rebase -i --root   with `reword` for it".to_owned(),
        Some(id) => format!("git rebase -i {id}^   with `reword` for it"),
        None => "git commit --amend".to_owned(),
    }
}

/// Tells whether a character hides or turns text; joiners and selectors, which scripts and pictures need, do not.
pub(super) fn hides(c: char) -> bool {
    if matches!(c, ' '..='~') {
        return false;
    }
    let needed =
        matches!(c, '\n' | '\r' | '\t' | '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{ad}');
    !needed
        && is_invisible(c)
        && (!c.is_whitespace() || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}
