//! What a change request is, as its records say. Pure: signatures are looked at elsewhere.

use super::{Event, Record, Version, text};
use crate::statement::{Review, Signed, Statement, Word};
use crate::time::Time;

/// A change request as it is after all of its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeRequest {
    /// The number.
    pub number: u64,
    /// Who opened it, as the transport says.
    pub author: String,
    /// When.
    pub opened: Time,
    /// The target branch, without `refs/heads/`.
    pub target: String,
    /// The source branch, if one was named.
    pub source: String,
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// Every version, in order.
    pub versions: Vec<Version>,
    /// Who pushed a version, besides the author.
    pub pushers: Vec<String>,
    /// What was said, in order.
    pub comments: Vec<Comment>,
    /// Every signed word of a reviewer, in order.
    pub reviews: Vec<Given>,
    /// Every signed result of a check, in order, and when it came in.
    pub checks: Vec<(Time, Signed)>,
    /// Local rules that were skipped, as `rule: reason`.
    pub skipped: Vec<String>,
    /// What has become of it.
    pub state: State,
    /// Whether its author does not want it to land yet.
    pub draft: bool,
    /// Why it has landed past approvals and checks, if it has.
    pub exception: Option<String>,
    /// Who has landed it, where that is known.
    pub lander: Option<String>,
    /// Which record is the newest that set a target: words before it count no more.
    retargeted: usize,
}

/// What has become of a change request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It asks to land.
    #[default]
    Open,
    /// It has landed, as this commit.
    Landed(String),
    /// It is not wanted any more.
    Closed(String),
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Who said it.
    pub by: String,
    /// When.
    pub at: Time,
    /// What.
    pub text: String,
    /// Where, as `path:line`.
    pub place: Option<String>,
}

/// A reviewer's word, and how it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Who brought it, as the transport says.
    pub by: String,
    /// When it came in.
    pub at: Time,
    /// What is signed.
    pub signed: Signed,
    /// What it says.
    pub review: Review,
    at_record: usize,
}

/// Folds the records of a change request.
pub fn fold(number: u64, records: &[Record]) -> ChangeRequest {
    let mut change = ChangeRequest { number, ..ChangeRequest::default() };
    for (index, record) in records.iter().enumerate() {
        change.take(index, record);
    }
    change
}

impl ChangeRequest {
    fn take(&mut self, index: usize, record: &Record) {
        match &record.event {
            Event::Opened { target, source, title, description, draft } => {
                (self.author, self.opened, self.draft) = (record.by.clone(), record.at, *draft);
                (self.target, self.source) = (target.clone(), source.clone());
                (self.title, self.description) = (title.clone(), description.clone());
            }
            Event::Pushed(version) => {
                self.versions.push(version.clone());
                // A version that comes from elsewhere must not land by the rules for where the first one came from.
                if let Some(source) = &version.source {
                    self.source.clone_from(source);
                }
                if record.by != self.author && !self.pushers.contains(&record.by) {
                    self.pushers.push(record.by.clone());
                }
            }
            Event::Edited { title, description } => {
                (self.title, self.description) = (title.clone(), description.clone());
            }
            Event::Retargeted { target } => {
                self.target.clone_from(target);
                self.retargeted = index;
            }
            Event::Commented { text, path, line } => {
                let place = path.as_ref().map(|path| match line {
                    Some(line) => format!("{path}:{line}"),
                    None => path.clone(),
                });
                let (by, at, text) = (record.by.clone(), record.at, text.clone());
                self.comments.push(Comment { by, at, text, place });
            }
            Event::Reviewed {} => self.review(index, record),
            Event::Checked {} => {
                self.checks.extend(record.signed.clone().map(|signed| (record.at, signed)));
            }
            Event::Skipped { rule, reason, .. } => self.skipped.push(format!("{rule}: {reason}")),
            Event::Marked { draft } => self.draft = *draft,
            Event::Landed { commit, exception, lander, .. } => {
                self.state = State::Landed(commit.clone());
                self.exception.clone_from(exception);
                self.lander.clone_from(lander);
            }
            Event::Closed { .. } | Event::Reopened {} if matches!(self.state, State::Landed(_)) => {}
            Event::Closed { reason } => self.state = State::Closed(reason.clone()),
            Event::Reopened {} => self.state = State::Open,
            Event::Ticket {} | Event::Owed { .. } | Event::Unknown => {}
        }
    }

    fn review(&mut self, index: usize, record: &Record) {
        let Some(signed) = &record.signed else { return };
        let Some(Statement::Review(review)) = signed.read() else { return };
        let (by, at, signed) = (record.by.clone(), record.at, signed.clone());
        self.reviews.push(Given { by, at, signed, review, at_record: index });
    }

    /// Returns the newest version.
    pub fn newest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// Tells whether it asks to land.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Returns the names of all that had a part in any version: logins and addresses.
    pub fn contributors(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .versions
            .iter()
            .flat_map(|version| version.contributors.clone())
            .chain(self.pushers.clone())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Tells whether a word is about what would land: the newest version, or one that a pure rebase has made of it, for
    /// the present target, under the present policy, and not yet expired.
    pub fn holds(&self, given: &Given, repository: &str, policy: &str, now: Time) -> bool {
        let review = &given.review;
        let Some(newest) = self.newest() else { return false };
        let same = review.head == newest.head || (!review.patch.is_empty() && review.patch == newest.patch);
        same && review.repository == repository
            && review.change == self.number
            && review.target == self.target
            && review.policy == policy
            && now < review.expires
            && (self.retargeted == 0 || given.at_record > self.retargeted)
    }

    /// Returns the last word of each reviewer, as `who` names them; a word that `who` does not know counts for nobody.
    /// Somebody's request for changes stays until the same person says something else.
    pub fn words(&self, who: impl Fn(&Given) -> Option<String>) -> Vec<(String, &Given)> {
        let mut words: Vec<(String, &Given)> = vec![];
        for given in &self.reviews {
            let Some(person) = who(given) else { continue };
            words.retain(|(known, _)| *known != person);
            if given.review.word != Word::Withdraw {
                words.push((person, given));
            }
        }
        words
    }

    /// Returns the issues that the title, the description and the commits name, such as `#12`, each with whether it is
    /// closed by them.
    pub fn issues(&self) -> Vec<(String, bool)> {
        let mut issues = text::issues(&format!("{}\n{}", self.title, self.description));
        for (issue, closes) in self.newest().map(|newest| newest.issues.as_slice()).unwrap_or_default() {
            text::add_issue(&mut issues, issue.clone(), *closes);
        }
        issues
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::Use;

    fn record(by: &str, event: Event) -> Record {
        Record { v: 1, at: Time(1), by: by.into(), event, signed: None }
    }

    fn version(number: u32, head: &str, patch: &str) -> Record {
        let version = Version {
            version: number,
            head: head.into(),
            base: "base".into(),
            patch: patch.into(),
            contributors: vec!["ann@example.org".into()],
            ..Version::default()
        };
        record("ann", Event::Pushed(version))
    }

    fn opened() -> Record {
        let event = Event::Opened {
            target: "main".into(),
            source: "feature/x".into(),
            title: "feat: x (#3)".into(),
            description: "Closes #4, see #3.\nFixes: #5".into(),
            draft: false,
        };
        record("ann", event)
    }

    fn word(by: &str, head: &str, patch: &str, target: &str, word: Word) -> Record {
        let review = Review {
            repository: "repo".into(),
            change: 1,
            version: 1,
            head: head.into(),
            patch: patch.into(),
            target: target.into(),
            policy: "policy".into(),
            word,
            text: String::new(),
            expires: Time(100),
            nonce: "n".into(),
            key_use: Use::File,
        };
        let signed = Signed { text: Statement::Review(review).text(), signature: String::new() };
        Record { signed: Some(signed), ..record(by, Event::Reviewed {}) }
    }

    fn approvals(records: &[Record]) -> Vec<String> {
        let change = fold(1, records);
        let words = change.words(|given| Some(given.by.clone()));
        let holds = |given: &Given| change.holds(given, "repo", "policy", Time(50));
        let approved =
            words.into_iter().filter(|(_, given)| given.review.word == Word::Approve && holds(given));
        approved.map(|(who, _)| who).collect()
    }

    #[test]
    fn an_approval_holds_for_its_head_and_over_a_pure_rebase_only() {
        let yes = |head: &str, patch: &str| word("ben", head, patch, "main", Word::Approve);
        let first = [opened(), version(1, "h1", "p1"), yes("h1", "p1")];
        assert_eq!(approvals(&first), ["ben"]);
        let rebased = [&first[..], &[version(2, "h2", "p1")]].concat();
        assert_eq!(approvals(&rebased), ["ben"]);
        let changed = [&first[..], &[version(2, "h2", "p2")]].concat();
        assert!(approvals(&changed).is_empty());
        let change = fold(1, &first);
        assert!(!change.holds(&change.reviews[0], "repo", "policy", Time(100)));
        assert!(!change.holds(&change.reviews[0], "other", "policy", Time(50)));
        assert!(!change.holds(&change.reviews[0], "repo", "newer", Time(50)));
    }

    #[test]
    fn a_retarget_drops_every_approval_also_when_it_comes_back() {
        let to = |target: &str| record("ann", Event::Retargeted { target: target.into() });
        let yes = word("ben", "h1", "p1", "main", Word::Approve);
        let first = [opened(), version(1, "h1", "p1"), yes.clone()];
        assert!(approvals(&[&first[..], &[to("develop")]].concat()).is_empty());
        assert!(approvals(&[&first[..], &[to("develop"), to("main")]].concat()).is_empty());
        assert_eq!(approvals(&[&first[..], &[to("develop"), to("main"), yes]].concat()), ["ben"]);
    }

    #[test]
    fn the_last_word_of_a_person_counts() {
        let base = [opened(), version(1, "h1", "p1")];
        let yes = word("ben", "h1", "p1", "main", Word::Approve);
        let no = word("ben", "h1", "p1", "main", Word::RequestChanges);
        let withdrawn = word("ben", "h1", "p1", "main", Word::Withdraw);
        assert!(approvals(&[&base[..], &[yes.clone(), no.clone()]].concat()).is_empty());
        assert_eq!(approvals(&[&base[..], &[no, yes.clone()]].concat()), ["ben"]);
        assert!(approvals(&[&base[..], &[yes, withdrawn]].concat()).is_empty());
    }

    #[test]
    fn issues_are_those_that_are_named_and_those_that_are_closed() {
        let change = fold(1, &[opened()]);
        let wanted = [("#3", false), ("#4", true), ("#5", true)];
        assert_eq!(change.issues(), wanted.map(|(issue, closes)| (issue.to_owned(), closes)));
        let commits = vec![("#3".to_owned(), true), ("#9".to_owned(), false)];
        let version = version_of(Version { version: 2, issues: commits, ..Version::default() });
        let wanted = [("#3", true), ("#4", true), ("#5", true), ("#9", false)];
        let found = fold(1, &[opened(), version]).issues();
        assert_eq!(found, wanted.map(|(issue, closes)| (issue.to_owned(), closes)));
        assert!(change.is_open());
        let closed = fold(1, &[opened(), record("ann", Event::Closed { reason: "no".into() })]);
        assert_eq!(closed.state, State::Closed("no".into()));
    }

    #[test]
    fn what_has_landed_stays_landed() {
        let ticket = crate::id::Digest::of(b"ticket");
        let landed =
            Event::Landed { commit: "c".into(), ticket, exception: Some("it burns".into()), lander: None };
        let close = record("ann", Event::Closed { reason: "no".into() });
        let change = fold(1, &[opened(), record("guard", landed), close, record("ann", Event::Reopened {})]);
        assert_eq!(change.state, State::Landed("c".into()));
        assert_eq!(change.exception.as_deref(), Some("it burns"));
    }

    #[test]
    fn the_source_is_that_of_the_newest_version() {
        let from = |source: Option<&str>| {
            let source = source.map(str::to_owned);
            let version = Version { version: 2, head: "h2".into(), source, ..Version::default() };
            fold(1, &[opened(), version_of(version)]).source
        };
        assert_eq!(from(None), "feature/x");
        assert_eq!(from(Some("")), "");
        assert_eq!(from(Some("hotfix/y")), "hotfix/y");
    }

    fn version_of(version: Version) -> Record {
        record("ann", Event::Pushed(version))
    }

    #[test]
    fn a_draft_is_one_until_it_is_marked_otherwise() {
        let mark = |draft| record("ann", Event::Marked { draft });
        assert!(!fold(1, &[opened()]).draft);
        assert!(fold(1, &[opened(), mark(true)]).draft);
        assert!(!fold(1, &[opened(), mark(true), mark(false)]).draft);
    }
}
