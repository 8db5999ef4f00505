//! What the messages of a run say of it, for those who see the commit or the tag and not the journal.

/// What begins the line by which a commit or tag message names the run that has written it.
pub const RUN_TRAILER: &str = "Shipway-Run: ";
/// What begins a line that names an environment to which the run goes on with the release.
const TO: &str = "Shipway-To: ";
/// What begins the line by which a revert commit says which release it withdraws: its tag and its commit.
pub const WITHDRAWS: &str = "Shipway-Withdraws: ";

/// A run, and the environments to which it brings by itself what it has released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound<'a> {
    /// The run.
    pub run: &'a str,
    /// The environments, in the order in which it comes through them.
    pub to: Vec<&'a str>,
}

/// Returns a message that names the environments to which its run goes on.
pub fn onward<'a>(message: &str, to: impl IntoIterator<Item = &'a str>) -> String {
    let lines: Vec<String> = to.into_iter().map(|name| format!("{TO}{name}\n")).collect();
    if lines.is_empty() {
        message.to_owned()
    } else {
        format!("{}\n\n{}", message.trim_end(), lines.concat())
    }
}

/// Returns a message with the trailers of its run, in one paragraph with those that it has already.
pub fn stamped(message: &str, stamp: &str) -> String {
    let message = message.trim_end();
    let last = message.lines().next_back().unwrap_or_default();
    let space = if last.starts_with(TO) { "\n" } else { "\n\n" };
    format!("{message}{space}{stamp}")
}

/// Returns the run that has written a message and the environments to which it goes on, if it does.
pub fn bound(message: &str) -> Option<Bound<'_>> {
    let run = values(message, RUN_TRAILER).next()?;
    let to: Vec<&str> = values(message, TO).collect();
    (!to.is_empty()).then_some(Bound { run, to })
}

/// Returns the releases that a message withdraws, each as its tag and its commit.
pub fn withdrawn(message: &str) -> impl Iterator<Item = (&str, &str)> {
    values(message, WITHDRAWS).filter_map(|value| value.split_once(' '))
}

fn values<'a>(message: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    message.lines().filter_map(move |line| line.strip_prefix(key)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_where_its_run_goes_on_to() {
        let message = onward("Release version 1.0.0\n", ["staging", "production"]);
        assert_eq!(bound(&message), None, "without a run nobody brings it there");
        let message = stamped(&message, "Shipway-Run: 7f3a\nShipway-Step: tag\n");
        let trailers = "Shipway-To: staging\nShipway-To: production\nShipway-Run: 7f3a\nShipway-Step: tag\n";
        assert_eq!(message, format!("Release version 1.0.0\n\n{trailers}"));
        assert_eq!(bound(&message), Some(Bound { run: "7f3a", to: vec!["staging", "production"] }));
    }

    #[test]
    fn a_message_of_a_run_that_goes_no_further_is_as_it_was() {
        let message = stamped(&onward("Release version 1.0.0\n", []), "Shipway-Run: 7f3a\n");
        assert_eq!(message, "Release version 1.0.0\n\nShipway-Run: 7f3a\n");
        assert_eq!(bound(&message), None);
    }

    #[test]
    fn a_revert_names_the_tag_and_the_commit_of_its_release() {
        let message = "revert: it\n\nShipway-Withdraws: v1.0.0 abcd\nShipway-Run: 1\n";
        assert_eq!(withdrawn(message).collect::<Vec<_>>(), [("v1.0.0", "abcd")]);
    }
}
