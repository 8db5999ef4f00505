//! Links to the pages of a forge, from the address of a remote.

use std::fmt::Write as _;

/// How the pages of a forge are addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    GitHub,
    GitLab,
    Bitbucket,
    /// Gitea and Forgejo, such as Codeberg.
    Gitea,
}

/// A repository on a forge. Its links carry no credentials and nothing that would end a Markdown link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forge {
    layout: Layout,
    /// The page of the repository, without a slash at its end.
    base: String,
}

impl Forge {
    /// Returns the forge of a remote, or none for local paths and for hosts whose name does not tell the layout.
    ///
    /// Understood are the addresses that git takes: `https://`, `http://`, `ssh://`, `git://` and `user@host:path`. User
    /// names, passwords and ports of ssh are left out.
    pub fn from_remote(url: &str) -> Option<Self> {
        let address = Address::parse(url)?;
        let layout = layout(&address.host)?;
        let parts: Vec<&str> = address.path.split('/').filter(|part| !part.is_empty()).collect();
        let (last, owners) = parts.split_last()?;
        let last = last.strip_suffix(".git").unwrap_or(last);
        let only_two = layout != Layout::GitLab;
        if owners.is_empty() || last.is_empty() || (only_two && owners.len() > 1) || parts.contains(&"..") {
            return None;
        }
        let mut base = format!("{}://{}", address.scheme, address.host);
        if let Some(port) = address.port {
            let _ = write!(base, ":{port}");
        }
        for part in owners.iter().chain([&last]) {
            let _ = write!(base, "/{}", encoded(part));
        }
        Some(Self { layout, base })
    }

    /// Returns the page of the repository.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Returns the page of a commit.
    pub fn commit_url(&self, commit: &str) -> String {
        let path = match self.layout {
            Layout::GitHub | Layout::Gitea => "commit",
            Layout::GitLab => "-/commit",
            Layout::Bitbucket => "commits",
        };
        format!("{}/{path}/{}", self.base, encoded(commit))
    }

    /// Returns the page of an issue such as `#12`, or of a merge request such as `!12` where they are written so; none
    /// for other references.
    pub fn issue_url(&self, id: &str) -> Option<String> {
        let (path, number) = match (self.layout, id.strip_prefix('#'), id.strip_prefix('!')) {
            (Layout::GitLab, Some(number), _) => ("-/issues", number),
            (Layout::GitLab, None, Some(number)) => ("-/merge_requests", number),
            (Layout::GitHub | Layout::Bitbucket | Layout::Gitea, Some(number), _) => ("issues", number),
            (_, None, _) => return None,
        };
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| format!("{}/{path}/{number}", self.base))
    }

    /// Returns the page of all changes between two tags.
    pub fn compare_url(&self, from: &str, to: &str) -> String {
        let (from, to) = (encoded(from), encoded(to));
        match self.layout {
            Layout::GitHub | Layout::Gitea => format!("{}/compare/{from}...{to}", self.base),
            Layout::GitLab => format!("{}/-/compare/{from}...{to}", self.base),
            Layout::Bitbucket => format!("{}/branches/compare/{to}%0D{from}", self.base),
        }
    }

    /// Returns the page of a tag.
    pub fn tag_url(&self, tag: &str) -> String {
        let path = match self.layout {
            Layout::GitHub | Layout::Gitea => "releases/tag",
            Layout::GitLab => "-/tags",
            Layout::Bitbucket => "src",
        };
        format!("{}/{path}/{}", self.base, encoded(tag))
    }
}

/// Where a remote is.
struct Address<'a> {
    scheme: &'static str,
    host: String,
    port: Option<u16>,
    path: &'a str,
}

impl<'a> Address<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let (scheme, authority, path) = if let Some((scheme, rest)) = url.split_once("://") {
            let (authority, path) = rest.split_once('/')?;
            (scheme, authority, path)
        } else {
            // Without a scheme a colon before any slash makes it an address of ssh.
            let (authority, path) = url.split_once(':').filter(|(before, _)| !before.contains('/'))?;
            ("scp", authority, path)
        };
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
        let (scheme, usual) = match scheme.to_ascii_lowercase().as_str() {
            "https" => ("https", Some("443")),
            "http" => ("http", Some("80")),
            "ssh" | "git+ssh" | "ssh+git" | "git" | "scp" => ("https", None),
            _ => return None,
        };
        // The port of ssh says nothing about where the pages are.
        let port = port.filter(|port| !port.is_empty() && usual.is_some() && Some(*port) != usual);
        let port = port.map(str::parse::<u16>).transpose().ok()?;
        let host = host.to_ascii_lowercase();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        // A single letter is the drive of a Windows path.
        (host.len() > 1 && host.chars().all(is_name) && !path.contains(['?', '#'])).then(|| Self {
            scheme,
            host: web_host(&host).to_owned(),
            port,
            path,
        })
    }
}

/// Returns the host of the pages, where ssh has a host of its own for networks that only let port 443 through.
fn web_host(host: &str) -> &str {
    match host {
        "ssh.github.com" => "github.com",
        "altssh.gitlab.com" => "gitlab.com",
        "altssh.bitbucket.org" => "bitbucket.org",
        host => host,
    }
}

fn layout(host: &str) -> Option<Layout> {
    if host == "bitbucket.org" {
        return Some(Layout::Bitbucket);
    }
    let names = [
        ("github", Layout::GitHub),
        ("gitlab", Layout::GitLab),
        ("codeberg", Layout::Gitea),
        ("gitea", Layout::Gitea),
        ("forgejo", Layout::Gitea),
    ];
    let labels = || host.split(['.', '-']);
    names.into_iter().find(|(name, _)| labels().any(|label| label == *name)).map(|(_, layout)| layout)
}

/// Returns a part of a path with everything encoded that is not unreserved (RFC 3986 §2.3), except slashes.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
