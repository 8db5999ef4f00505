//! Whose a directory on a host is: two projects, or two environments, never share one.

use super::Deployment;

/// Returns what an address of a repository says of where it is at home, without the way to get there.
pub fn home(address: &str) -> String {
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        // `user@host:path`, as ssh takes it, and not a path with a colon in it.
        None => match address.split_once(':') {
            Some((host, path)) if !host.contains('/') => path,
            _ => address,
        },
    };
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/').to_owned()
}

/// Returns whose a directory is for good, in the words of the file that says so.
pub fn owner(project: &str, environment: &str) -> String {
    format!("{project} {environment}")
}

impl Deployment {
    /// Tells whether it is of the same environment of the same project: by its name, or by where it is at home.
    pub fn is_of(&self, project: &str, environment: &str, home: Option<&str>) -> bool {
        let at_home = home.is_some_and(|home| !home.is_empty() && self.home.as_deref() == Some(home));
        self.environment == environment && (self.project == project || at_home)
    }
}

#[cfg(test)]
mod tests {
    use super::home;

    #[test]
    fn every_way_to_a_repository_leads_to_the_same_home() {
        for address in [
            "https://git.example/owner/name.git",
            "https://user@git.example/owner/name",
            "ssh://git@git.example:2222/owner/name.git/",
            "git@git.example:owner/name.git",
            "git.example:owner/name",
        ] {
            assert_eq!(home(address), "owner/name", "{address}");
        }
        assert_eq!(home("/srv/git/name.git"), "srv/git/name");
        assert_eq!(home("file:///srv/git/name.git"), "srv/git/name");
        assert_eq!(home("/srv/name/.git"), home("/srv/name"));
        assert_eq!(home("../a:b/name"), "../a:b/name");
        assert_eq!(home("https://git.example"), "");
    }
}
