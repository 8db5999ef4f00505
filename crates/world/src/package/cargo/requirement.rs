//! What one package of a repository requires of another one, when that one gets a new version.

use semver::{Version, VersionReq};

/// Returns the requirement for the new version, as long and with the same operator as the old one, or none if the old
/// one neither allows the new version nor is a single version that could be replaced.
///
/// A requirement that names the old version follows it; one that does not is left alone as long as it allows the new
/// version.
pub(super) fn follow(text: &str, from: &Version, to: &Version) -> Option<String> {
    let rest = text.trim_start_matches(['^', '=', '~', ' ']);
    let operator = &text[..text.len() - rest.len()];
    // Requirements have no build metadata.
    let bare = |version: &Version| Version { build: semver::BuildMetadata::EMPTY, ..version.clone() };
    let (from, to) = (bare(from), bare(to));
    let allows = VersionReq::parse(text).is_ok_and(|requirement| requirement.matches(&to));
    let keep = Some(text.to_owned());
    if let Ok(version) = Version::parse(rest) {
        return if allows && version != from { keep } else { Some(format!("{operator}{to}")) };
    }
    let numbers: Option<Vec<u64>> = rest.split('.').map(|number| number.parse().ok()).collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.len() < 3) else { return keep.filter(|_| allows) };
    let names = |version: &Version| {
        [version.major, version.minor].iter().zip(&numbers).all(|(one, other)| one == other)
    };
    if allows && (!names(&from) || names(&to)) {
        return keep;
    }
    let new = match (to.pre.is_empty(), numbers.len()) {
        (true, 1) => to.major.to_string(),
        (true, _) => format!("{}.{}", to.major, to.minor),
        (false, _) => to.to_string(),
    };
    Some(format!("{operator}{new}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, to: &str, expect: Option<&str>) {
        let (from, to) = (Version::new(1, 2, 3), Version::parse(to).unwrap());
        assert_eq!(follow(text, &from, &to).as_deref(), expect, "{text} to {to}");
    }

    #[test]
    fn a_requirement_follows_in_its_own_form() {
        check("1.2.3", "1.3.0", Some("1.3.0"));
        check("=1.2.3", "1.3.0", Some("=1.3.0"));
        check("^1.2.3", "2.0.0", Some("^2.0.0"));
        check("~ 1.2.3", "2.0.0", Some("~ 2.0.0"));
        check("1.2", "1.3.0", Some("1.3"));
        check("1.2", "1.2.4", Some("1.2"));
        check("1", "1.3.0", Some("1"));
        check("1", "2.0.0", Some("2"));
        check("=1", "2.0.0-rc.1", Some("=2.0.0-rc.1"));
        check("1.2.3", "1.3.0+build", Some("1.3.0"));
    }

    #[test]
    fn a_requirement_that_allows_the_new_version_may_lag_behind() {
        check("1.0.0", "1.3.0", Some("1.0.0"));
        check("1.0", "1.3.0", Some("1.0"));
        check("1.0", "2.0.0", Some("2.0"));
        check("0.9", "1.3.0", Some("1.3"));
        check("*", "2.0.0", Some("*"));
        check(">=1.0", "2.0.0", Some(">=1.0"));
    }

    #[test]
    fn a_requirement_that_cannot_follow_is_refused() {
        check(">=1.0, <2", "1.3.0", Some(">=1.0, <2"));
        check(">=1.0, <2", "2.0.0", None);
        check("*", "2.0.0-rc.1", None);
        check("<1.3", "1.3.0", None);
    }
}
