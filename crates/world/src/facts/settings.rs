//! What git is configured to do, from one `git config --list`.

use std::collections::BTreeMap;

use shipway_core::problem::Problem;

use super::ask::Git;
use super::shown;
use crate::git::remote_error::mask;

/// All settings, in the order in which git reads them: the last one counts.
#[derive(Debug, Default)]
pub(super) struct Settings(Vec<(String, String)>);

/// Reads all settings that hold in the repository.
pub(super) fn look(git: Git<'_>) -> Result<Settings, Problem> {
    Ok(read(&git.ask(&["config", "-z", "--list"])?))
}

fn read(output: &[u8]) -> Settings {
    let entry = |entry: &[u8]| {
        let text = String::from_utf8_lossy(entry);
        // A key without a value is a switch that is on.
        let (key, value) = text.split_once('\n').unwrap_or((&text, "true"));
        (key.to_owned(), value.to_owned())
    };
    Settings(output.split(|byte| *byte == 0).filter(|bytes| !bytes.is_empty()).map(entry).collect())
}

impl Settings {
    /// Returns the value that counts. Sections and names are in lower case.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Tells whether a switch is on, in any of git's spellings.
    pub(super) fn on(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| {
            let word = value.to_ascii_lowercase();
            matches!(word.as_str(), "true" | "yes" | "on")
                || word.parse::<i64>().is_ok_and(|number| number != 0)
        })
    }

    /// Returns the entries of all subsections as (subsection, value).
    fn each(&self, section: &str, name: &str) -> impl Iterator<Item = (&str, &str)> {
        let (before, after) = (format!("{section}."), format!(".{name}"));
        self.0.iter().filter_map(move |(key, value)| {
            Some((key.strip_prefix(&before)?.strip_suffix(&after)?, value.as_str()))
        })
    }

    /// Returns the remotes with the address that a fetch uses; credentials are masked.
    pub(super) fn remotes(&self) -> BTreeMap<String, String> {
        let mut remotes: BTreeMap<String, String> = BTreeMap::new();
        for (name, url) in self.each("remote", "url") {
            // The first address is fetched from; an empty one takes back those before it.
            if url.is_empty() {
                remotes.remove(name);
            } else {
                let address = || shown(mask(&self.rewritten(url)).as_bytes());
                remotes.entry(name.to_owned()).or_insert_with(address);
            }
        }
        remotes
    }

    /// Returns an address with the longest fitting `url.BASE.insteadOf` replaced.
    fn rewritten(&self, url: &str) -> String {
        let longest = self
            .each("url", "insteadof")
            .filter(|(_, prefix)| !prefix.is_empty() && url.starts_with(prefix))
            .max_by_key(|(_, prefix)| prefix.len());
        longest.map_or_else(|| url.to_owned(), |(base, prefix)| format!("{base}{}", &url[prefix.len()..]))
    }

    /// Returns the remote and the branch there that a branch follows.
    pub(super) fn upstream(&self, branch: &str) -> Option<(String, String)> {
        let remote = self.get(&format!("branch.{branch}.remote")).filter(|remote| *remote != ".")?;
        let merge = self.get(&format!("branch.{branch}.merge"))?.strip_prefix("refs/heads/")?;
        Some((remote.to_owned(), merge.to_owned()))
    }

    /// Tells whether a remote may be pushed to at another address than it is fetched from.
    pub(super) fn pushes_elsewhere(&self, remote: &str) -> bool {
        let own = format!("remote.{remote}.pushurl");
        self.0.iter().any(|(name, _)| *name == own || name.ends_with(".pushinsteadof"))
    }

    /// Returns the remote that a release from a branch goes to: the configured one, else the one that `git push` would
    /// choose, else the only one.
    pub(super) fn chosen(&self, configured: Option<&str>, branch: &str) -> Option<String> {
        let remotes = self.remotes();
        if let Some(name) = configured {
            return remotes.contains_key(name).then(|| name.to_owned());
        }
        let keys = [
            format!("branch.{branch}.pushremote"),
            "remote.pushdefault".to_owned(),
            format!("branch.{branch}.remote"),
        ];
        let named = keys.iter().find_map(|key| self.get(key).filter(|name| remotes.contains_key(*name)));
        let only = || remotes.keys().next().filter(|_| remotes.len() == 1).cloned();
        named.map(str::to_owned).or_else(only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(entries: &[&str]) -> Settings {
        read(entries.join("\0").as_bytes())
    }

    #[test]
    fn the_last_value_counts_and_switches_have_many_spellings() {
        let all =
            settings(&["user.name\nA", "user.name\nB", "a.b", "a.c\nYes", "a.d\n1", "a.e\n0", "a.f\nno"]);
        assert_eq!(all.get("user.name"), Some("B"));
        let on: Vec<bool> = ["a.b", "a.c", "a.d", "a.e", "a.f", "a.g"].map(|key| all.on(key)).to_vec();
        assert_eq!(on, [true, true, true, false, false, false]);
    }

    #[test]
    fn addresses_are_rewritten_and_masked() {
        let all = settings(&[
            "url.https://bob:secret@example.org/.insteadof\nwork:",
            "remote.origin.url\nwork:app.git",
            "remote.origin.url\nhttps://other.example/",
            "remote.a.b.url\n/srv/b.git",
            "remote.gone.url\n/srv/gone.git",
            "remote.gone.url\n",
        ]);
        let remotes: Vec<(String, String)> = all.remotes().into_iter().collect();
        let expected = [("a.b", "/srv/b.git"), ("origin", "https://***@example.org/app.git")];
        assert_eq!(remotes, expected.map(|(name, url)| (name.to_owned(), url.to_owned())));
    }

    #[test]
    fn the_remote_is_configured_or_the_one_that_a_push_would_choose_or_the_only_one() {
        let check = |more: &[&str], configured: Option<&str>, chosen: Option<&str>| {
            let mut entries = vec!["remote.a.url\nx"];
            entries.extend(more);
            assert_eq!(settings(&entries).chosen(configured, "main").as_deref(), chosen, "{more:?}");
        };
        check(&[], None, Some("a"));
        check(&["remote.b.url\ny"], None, None);
        check(&["remote.b.url\ny"], Some("b"), Some("b"));
        check(&[], Some("b"), None);
        let two = ["remote.b.url\ny", "branch.main.remote\nb"];
        check(&two, None, Some("b"));
        check(&[two[0], two[1], "remote.pushdefault\na"], None, Some("a"));
        check(&[two[0], "remote.pushdefault\na", "branch.main.pushremote\nb"], None, Some("b"));
        check(&[two[0], "branch.main.remote\n."], None, None);
    }

    #[test]
    fn a_local_branch_is_no_upstream() {
        let all = settings(&[
            "branch.main.remote\norigin",
            "branch.main.merge\nrefs/heads/trunk",
            "branch.topic.remote\n.",
            "branch.topic.merge\nrefs/heads/main",
        ]);
        assert_eq!(all.upstream("main"), Some(("origin".into(), "trunk".into())));
        assert_eq!(all.upstream("topic"), None);
    }
}
