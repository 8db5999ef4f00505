//! What may ask for checks and deployments: a commit, a change, a tag, a date, a release.

use super::line::matches;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// A commit is being made here.
    Commit,
    /// A release is being made.
    Release,
    /// A branch has moved, or somebody asks that something lands on it: the branch.
    Change(String),
    /// A tag was made: its name.
    Tag(String),
    /// A date has come: the name of the schedule.
    Schedule(String),
}

/// How events are written, for people.
pub(super) const FORMS: &str = "`commit`, `release`, `change:BRANCH`, `tag:NAME` or `schedule:NAME`";

impl Trigger {
    /// Reads an event, or what `on` says of one.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "commit" => Some(Self::Commit),
            None if text == "release" => Some(Self::Release),
            Some(("change", branch)) if !branch.is_empty() => Some(Self::Change(branch.to_owned())),
            Some(("tag", name)) if !name.is_empty() => Some(Self::Tag(name.to_owned())),
            Some(("schedule", name)) if is_schedule(name) => Some(Self::Schedule(name.to_owned())),
            None | Some(_) => None,
        }
    }

    /// Returns the event of a ref that was pushed: a branch, a tag, or a branch that something is to land on.
    pub fn of_ref(reference: &str) -> Option<Self> {
        let branch = reference.strip_prefix("refs/heads/").or_else(|| reference.strip_prefix("refs/for/"));
        if let Some(branch) = branch {
            return Some(Self::Change(branch.to_owned()));
        }
        reference.strip_prefix("refs/tags/").map(|tag| Self::Tag(tag.to_owned()))
    }

    /// Tells whether this event is one that an entry of `on` asks for, in which `*` stands for any characters but `/`.
    pub fn fits(&self, entry: &str) -> bool {
        match (Self::parse(entry), self) {
            (Some(Self::Commit), Self::Commit) | (Some(Self::Release), Self::Release) => true,
            (Some(Self::Change(pattern)), Self::Change(name))
            | (Some(Self::Tag(pattern)), Self::Tag(name)) => matches(&pattern, name),
            (Some(Self::Schedule(wanted)), Self::Schedule(name)) => wanted == *name,
            (
                None
                | Some(Self::Commit | Self::Release | Self::Change(_) | Self::Tag(_) | Self::Schedule(_)),
                _,
            ) => false,
        }
    }

    /// Returns the event as it is written.
    pub fn text(&self) -> String {
        match self {
            Self::Commit => "commit".into(),
            Self::Release => "release".into(),
            Self::Change(branch) => format!("change:{branch}"),
            Self::Tag(name) => format!("tag:{name}"),
            Self::Schedule(name) => format!("schedule:{name}"),
        }
    }
}

/// Tells whether a check with these entries is wanted by an event. Without entries, releases and changes want it.
pub(super) fn wanted(on: &[String], event: &Trigger) -> bool {
    if on.is_empty() {
        return matches!(event, Trigger::Release | Trigger::Change(_));
    }
    on.iter().any(|entry| event.fits(entry))
}

fn is_schedule(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_fits_the_entries_that_ask_for_it() {
        let check = |event: &str, entry: &str, expected: bool| {
            let event = Trigger::parse(event).unwrap();
            assert_eq!(event.fits(entry), expected, "{event:?} {entry}");
        };
        check("commit", "commit", true);
        check("commit", "release", false);
        check("change:develop", "change:develop", true);
        check("change:develop", "change:main", false);
        check("change:release/1.x", "change:release/*", true);
        check("change:release/a/b", "change:release/*", false);
        check("tag:v1.0.0", "tag:v*", true);
        check("tag:v1.0.0", "change:v*", false);
        check("schedule:weekly", "schedule:weekly", true);
        check("schedule:weekly", "schedule:w*", false);
        check("change:main", "nonsense", false);
    }

    #[test]
    fn an_event_is_written_as_it_is_read() {
        for text in ["commit", "release", "change:main", "tag:v1", "schedule:weekly"] {
            assert_eq!(Trigger::parse(text).unwrap().text(), text);
        }
        for text in ["", "push", "change:", "change", "tag:", "schedule:", "schedule:a b", "commit:x"] {
            assert_eq!(Trigger::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_ref_that_was_pushed_is_an_event() {
        let of = |name: &str| Trigger::of_ref(name).map(|event| event.text());
        assert_eq!(of("refs/heads/feature/a").as_deref(), Some("change:feature/a"));
        assert_eq!(of("refs/for/develop").as_deref(), Some("change:develop"));
        assert_eq!(of("refs/tags/v1").as_deref(), Some("tag:v1"));
        assert_eq!(of("refs/notes/x"), None);
    }

    #[test]
    fn without_entries_releases_and_changes_want_a_check() {
        let wanted = |event: &str, on: &[&str]| {
            let on: Vec<String> = on.iter().map(ToString::to_string).collect();
            super::wanted(&on, &Trigger::parse(event).unwrap())
        };
        assert!(wanted("release", &[]) && wanted("change:x", &[]));
        assert!(!wanted("commit", &[]) && !wanted("tag:x", &[]) && !wanted("schedule:x", &[]));
        assert!(wanted("commit", &["commit"]) && !wanted("release", &["commit"]));
    }
}
