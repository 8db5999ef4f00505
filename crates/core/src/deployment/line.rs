//! The releases of an environment one after the other, and the one that a way back leads to.

use super::Deployment;

/// Returns the releases that led to the last of these deployments, each of which was good, the oldest first.
///
/// The same release twice counts once. A deployment that goes back takes away what it has left, so that the next way
/// back leads further back, and never forward again.
pub fn line<'a>(good: &[&'a Deployment]) -> Vec<&'a Deployment> {
    let mut line: Vec<&Deployment> = vec![];
    for deployment in good {
        let same = |other: &&Deployment| other.is_release_of(deployment);
        let there = if deployment.back { line.iter().rposition(same) } else { None };
        let again = there.or_else(|| line.last().filter(|last| same(last)).map(|_| line.len() - 1));
        line.truncate(again.unwrap_or(line.len()));
        line.push(deployment);
    }
    line
}

/// Returns the release before the one that is live: another one, that was good and is the nearest one further back.
pub fn before<'a>(good: &[&'a Deployment], live: &Deployment) -> Option<&'a Deployment> {
    let releases = line(good);
    let other = |deployment: &&&Deployment| !deployment.is_release_of(live);
    let end = releases.iter().rposition(|one| one.is_release_of(live)).unwrap_or(releases.len());
    releases[..end].iter().rev().find(other).copied()
}

/// Returns the deployments of several hosts as one list, each run once. What only some hosts know comes behind what it
/// follows there: clocks of hosts are not compared.
pub fn merge<'a>(hosts: &[Vec<&'a Deployment>]) -> Vec<&'a Deployment> {
    let mut hosts: Vec<&Vec<&Deployment>> = hosts.iter().collect();
    hosts.sort_by_key(|known| std::cmp::Reverse(known.len()));
    let mut merged: Vec<&Deployment> = vec![];
    for known in hosts {
        let mut next = 0;
        for deployment in known {
            let there = merged.iter().position(|other| other.run == deployment.run);
            if there.is_none() {
                merged.insert(next, deployment);
            }
            next = there.unwrap_or(next) + 1;
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::Runtime;
    use crate::id::{Digest, RunId};

    /// Returns the deployments of some versions; one with `<` in front goes back to it.
    fn brought(versions: &str) -> Vec<Deployment> {
        let one = |(at, word): (usize, &str)| {
            let version = word.trim_start_matches('<');
            Deployment {
                run: RunId::new(format!("{at}")),
                project: "api".into(),
                environment: "production".into(),
                version: version.into(),
                artifact: Digest::new(version),
                services: vec![],
                runtime: Runtime::None,
                secrets: None,
                schema: None,
                back: word.starts_with('<'),
                mended: None,
                home: None,
            }
        };
        versions.split_whitespace().enumerate().map(one).collect()
    }

    #[track_caller]
    fn check(versions: &str, expect: Option<&str>) {
        let all = brought(versions);
        let good: Vec<&Deployment> = all.iter().collect();
        let live = all.last().unwrap();
        assert_eq!(before(&good, live).map(|found| found.version.as_str()), expect, "{versions}");
    }

    #[test]
    fn a_way_back_leads_to_an_earlier_and_different_release() {
        check("1", None);
        check("1 2", Some("1"));
        check("1 2 2", Some("1"));
        check("1 1", None);
        check("1 2 3 <2", Some("1"));
        check("1 2 3 <2 <1", None);
        check("1 2 3 <1", None);
        // One that was named goes forward again, and what comes next follows it.
        check("1 2 3 <2 <3", Some("2"));
        check("1 2 3 <2 4", Some("2"));
        check("1 2 <1 2", Some("1"));
        // An older release that was deployed, and not gone back to, is followed as any other.
        check("1 2 3 1", Some("3"));
        check("1 2 3 1 <3", Some("2"));
    }

    #[test]
    fn the_same_version_with_other_bytes_is_another_release() {
        let mut all = brought("1 1");
        all[1].artifact = Digest::new("other");
        assert_eq!(before(&[&all[0], &all[1]], &all[1]).map(|found| found.run.as_str()), Some("0"));
    }

    #[test]
    fn what_is_live_and_was_not_good_is_left_for_the_last_good_one() {
        let all = brought("1 2 3");
        assert_eq!(before(&[&all[0], &all[1]], &all[2]).map(|found| found.version.as_str()), Some("2"));
    }

    #[test]
    fn hosts_that_came_later_or_missed_one_are_merged_by_what_follows_what() {
        let all = brought("0 1 2 3 4");
        let of = |runs: &[usize]| runs.iter().map(|run| &all[*run]).collect::<Vec<_>>();
        let merged = |hosts: &[&[usize]]| -> Vec<String> {
            let hosts: Vec<_> = hosts.iter().map(|runs| of(runs)).collect();
            merge(&hosts).iter().map(|one| one.run.as_str().to_owned()).collect()
        };
        assert_eq!(merged(&[&[3, 4], &[0, 1, 2, 3, 4]]), ["0", "1", "2", "3", "4"]);
        assert_eq!(merged(&[&[0, 1, 4], &[1, 2, 3, 4]]), ["0", "1", "2", "3", "4"]);
        assert_eq!(merged(&[&[0, 1], &[]]), ["0", "1"]);
        assert_eq!(merged(&[]), [] as [&str; 0]);
    }
}
