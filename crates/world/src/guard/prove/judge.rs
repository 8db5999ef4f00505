//! What a try has shown: refs are compared, and words of git only tell why.

use std::collections::BTreeMap;

/// Every ref with its object id, and every symbolic one with `ref:` and what it stands for; HEAD among them.
pub type Refs = BTreeMap<String, String>;

/// How much is shown of the line that refuses.
const LINE: usize = 110;

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing has moved, and this line says why.
    Refused(String),
    /// It could not be refused, and was seen.
    Noticed(String),
    /// Something has moved: what, from where, and to where.
    WalkedPast(Vec<String>),
    /// It was not tried, for this reason.
    NotTried(String),
}

/// Returns what came of a try that must not move anything.
pub fn judge(before: &Refs, after: &Refs, ok: bool, said: &str) -> Answer {
    let moved = moved(before, after);
    if !moved.is_empty() {
        return Answer::WalkedPast(moved);
    }
    // Git that is content and has moved nothing was asked for nothing, which shows nothing.
    if ok && !said.lines().any(is_refusal) {
        return Answer::NotTried(format!("git had nothing to do: {}", reason(said)));
    }
    Answer::Refused(reason(said))
}

/// Returns what differs between two looks, a line each.
pub fn moved(before: &Refs, after: &Refs) -> Vec<String> {
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let short = |id: Option<&String>| match id {
        None => "nothing".to_owned(),
        Some(id) if id.starts_with("ref:") => id.clone(),
        Some(id) => id.get(..12).unwrap_or(id).to_owned(),
    };
    let differs = names.filter(|name| before.get(*name) != after.get(*name));
    differs.map(|name| format!("{name}: {} → {}", short(before.get(name)), short(after.get(name)))).collect()
}

fn is_refusal(line: &str) -> bool {
    line.contains("error[") || line.contains("rejected]") || line.starts_with("ng ")
}

/// Returns the line that tells why: that of the guard, else that of git.
fn reason(said: &str) -> String {
    let lines =
        || said.lines().map(|line| line.trim_start_matches("remote:").trim()).filter(|l| !l.is_empty());
    let ours = lines().find(|line| line.starts_with("error["));
    let rejected = || lines().find(|line| line.contains("rejected]"));
    let error = || lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    // Of a ref that is refused alone, git tells why in brackets.
    let rejected =
        || rejected().map(|line| line.split_once(" (").map_or(line, |(_, why)| why.trim_end_matches(')')));
    let line = ours.or_else(rejected).or_else(error).or_else(|| lines().next()).unwrap_or("nothing was said");
    shipway_core::version::excerpt(line, LINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refs(pairs: &[(&str, &str)]) -> Refs {
        pairs.iter().map(|(name, id)| ((*name).to_owned(), (*id).to_owned())).collect()
    }

    #[test]
    fn what_moved_walked_past_whatever_was_said() {
        let (before, after) = (refs(&[("a", "1"), ("b", "2")]), refs(&[("a", "3"), ("c", "4")]));
        let moved = ["a: 1 → 3", "b: 2 → nothing", "c: nothing → 4"].map(str::to_owned).to_vec();
        assert_eq!(judge(&before, &after, false, "error[SW1101]: no"), Answer::WalkedPast(moved));
    }

    #[test]
    fn the_line_of_the_guard_tells_why_else_that_of_git() {
        let same = refs(&[("a", "1")]);
        let check = |said: &str, expected: &str| {
            assert_eq!(judge(&same, &same, false, said), Answer::Refused(expected.into()), "{said}");
        };
        check("To x\nremote: error[SW1101]: no   \n ! [remote rejected] a", "error[SW1101]: no");
        check("To x\n ! [remote rejected] a -> b (hook declined)\n", "hook declined");
        check("hint: x\nfatal: it is so\n", "fatal: it is so");
        check("", "nothing was said");
    }

    #[test]
    fn a_try_without_an_effect_shows_nothing() {
        let same = refs(&[("a", "1")]);
        assert!(matches!(judge(&same, &same, true, "Everything up-to-date"), Answer::NotTried(_)));
        assert!(matches!(judge(&same, &same, true, "ng refs/heads/a denied"), Answer::Refused(_)));
    }
}
