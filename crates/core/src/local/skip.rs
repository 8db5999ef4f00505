//! `SHIPWAY_SKIP`: rules that are skipped once, each with a reason.

use crate::policy::Rule;
use crate::problem::{Code, Problem};

/// The variable.
const VARIABLE: &str = "SHIPWAY_SKIP";

/// A rule or a check that is skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// The name of the rule or the check.
    pub rule: String,
    /// Why.
    pub reason: String,
}

/// Reads what is to be skipped: `rule: reason`, with `;` between several. `checks` are names that are known besides
/// those of rules.
pub fn skips(text: &str, checks: &[&str]) -> Result<Vec<Skip>, Problem> {
    text.split(';').filter(|part| !part.trim().is_empty()).map(|part| skip(part, checks)).collect()
}

fn skip(part: &str, checks: &[&str]) -> Result<Skip, Problem> {
    let (rule, reason) = part.split_once(':').unwrap_or((part, ""));
    let (rule, reason) = (rule.trim(), reason.trim());
    let known = Rule::ALL.iter().any(|known| known.as_str() == rule) || checks.contains(&rule);
    let problem = |what: String| {
        let example = if known { rule } else { "message" };
        Problem::new(Code::SkipSyntax, what)
            .at(VARIABLE)
            .found(part.trim())
            .wanted("`rule: reason`")
            .hint(format!("{VARIABLE}={} git commit", crate::validate::quoted(&format!("{example}: why"))))
    };
    if !known {
        return Err(problem(format!("`{rule}` is no rule and no check")));
    }
    if reason.is_empty() {
        return Err(problem(format!("`{rule}` is skipped without a reason")));
    }
    Ok(Skip { rule: rule.to_owned(), reason: reason.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_skipped_with_a_reason() {
        let read = skips("message: made by a tool; unit tests: the network is down: again", &["unit tests"]);
        let read = read.unwrap();
        assert_eq!((read[0].rule.as_str(), read[0].reason.as_str()), ("message", "made by a tool"));
        assert_eq!(
            (read[1].rule.as_str(), read[1].reason.as_str()),
            ("unit tests", "the network is down: again")
        );
        assert!(skips("", &[]).unwrap().is_empty());
    }

    #[test]
    fn without_a_reason_or_a_known_rule_nothing_is_skipped() {
        for text in ["message", "message:", "message: ", "1", "all: because", ": because"] {
            assert_eq!(skips(text, &[]).unwrap_err().code, Code::SkipSyntax, "{text}");
        }
    }
}
