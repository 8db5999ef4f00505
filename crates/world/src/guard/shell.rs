//! What a key may do that is bound to a forced command: talk git with repositories below one directory, as one login,
//! and nothing else.
//!
//! What the client asks for is never given to a shell. It is taken apart here, must be exactly what git sends, and git
//! is started in its place with an environment of its own.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use shipway_core::problem::{Code, Problem};

use super::{Guard, LOGIN};

/// Variables that git gets as they are: where programs and settings of the account are. Whoever can set these for an
/// account has no need of a push.
const KEPT: [&str; 2] = ["PATH", "HOME"];

/// How much may be asked for.
const LONGEST: usize = 4096;

/// What git has to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// A push.
    Receive,
    /// A fetch or a clone.
    Upload,
    /// `git archive --remote`.
    Archive,
}

impl Service {
    const ALL: [Self; 3] = [Self::Receive, Self::Upload, Self::Archive];

    /// Returns the name as git asks for it, less `git-`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive-pack",
            Self::Upload => "upload-pack",
            Self::Archive => "upload-archive",
        }
    }
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What git is to do.
    pub service: Service,
    /// The repository as the client names it.
    pub path: String,
}

impl Wish {
    /// Reads what a client asks for: a service and one path in single quotes, as git sends it, and nothing more.
    pub fn read(command: &str) -> Result<Self, Problem> {
        let refused = |why: &str| refused(why, command);
        if command.len() > LONGEST || command.chars().any(char::is_control) {
            return Err(refused("it is too long, or has control characters"));
        }
        let (word, rest) = command.split_once(' ').ok_or_else(|| refused("it names no repository"))?;
        let service = Service::ALL
            .into_iter()
            .find(|service| word.strip_prefix("git-") == Some(service.name()))
            .ok_or_else(|| refused("it is none of git's services"))?;
        let path = unquoted(rest).ok_or_else(|| refused("it does not end with one path in single quotes"))?;
        Ok(Self { service, path })
    }

    /// Returns the repository below `root` that is meant.
    pub fn repository(&self, root: &Path) -> Result<PathBuf, Problem> {
        let refused = |why: &str| refused(why, &self.path);
        let unusable =
            |error| Problem::new(Code::ServiceRefused, format!("{} cannot be used: {error}", root.display()));
        let root = fs::canonicalize(root).map_err(unusable)?;
        let asked = Path::new(&self.path);
        let below = asked.strip_prefix(&root).or_else(|_| asked.strip_prefix("/")).unwrap_or(asked);
        let plain = |part: Component<'_>| match part {
            Component::Normal(name) => !matches!(name.as_encoded_bytes().first(), Some(b'-' | b'~')),
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => false,
        };
        // Components leave out what stands for the same directory, so the text itself is looked at as well.
        if self.path.split('/').any(|part| part == ".." || part == ".") || !below.components().all(plain) {
            return Err(refused("the path leads elsewhere"));
        }
        let mut with_git = below.as_os_str().to_owned();
        with_git.push(".git");
        let names = [below.to_owned(), PathBuf::from(with_git)];
        let found = names.iter().filter_map(|name| fs::canonicalize(root.join(name)).ok()).find(|path| {
            // A link may not lead out either, and the directory itself is no repository.
            path != &root && path.starts_with(&root) && path.join("HEAD").is_file()
        });
        found.ok_or_else(|| refused("there is no such repository"))
    }
}

/// Returns the text in single quotes, if that is all there is; git quotes a quote and an exclamation mark one by one.
fn unquoted(text: &str) -> Option<String> {
    let mut path = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let (part, after) = rest.split_once('\'')?;
        path.push_str(part);
        if after.is_empty() {
            return (!path.is_empty()).then_some(path);
        }
        let escaped = after.strip_prefix('\\')?;
        let one = escaped.chars().next().filter(|c| matches!(c, '\'' | '!'))?;
        path.push(one);
        rest = escaped[1..].strip_prefix('\'')?;
    }
}

/// Becomes git for what a client asks for, as a login; returns only what is in the way of that. A repository without a
/// guard takes no pushes here: this login would be nobody there.
pub fn become_git(
    (wish, root): (&Wish, &Path),
    login: &str,
    variables: &[(OsString, OsString)],
) -> Result<std::convert::Infallible, Problem> {
    let repository = wish.repository(root)?;
    if wish.service == Service::Receive {
        Guard::open(&repository)?;
    }
    let mut git = Command::new("git");
    git.env_clear().arg(wish.service.name()).arg(&repository).env(LOGIN, login);
    for (name, value) in variables {
        let protocol = || value.to_str().is_some_and(is_protocol);
        if KEPT.iter().any(|kept| name == kept) || (name == "GIT_PROTOCOL" && protocol()) {
            git.env(name, value);
        }
    }
    Err(Problem::new(Code::ServiceRefused, format!("git cannot be started: {}", git.exec())))
}

/// Tells whether a client asks for a version of git's protocol, and for nothing else.
fn is_protocol(text: &str) -> bool {
    text.len() < 100 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=:-".contains(&byte))
}

/// Returns the line for a file of authorized keys that binds a key to a login.
pub fn key_line(program: &Path, (login, root): (&str, &Path), key: &str) -> Result<String, Problem> {
    let unusable = |what: &str| {
        Problem::new(Code::Usage, format!("{what} cannot stand in a file of authorized keys"))
            .wanted("a path without quotes, backslashes and line feeds")
    };
    let quoted = |path: &Path| {
        let text = path.to_str().filter(|text| !text.contains(['"', '\'', '\\', '\n', '%']));
        text.map(|text| format!("'{text}'")).ok_or_else(|| unusable(&path.display().to_string()))
    };
    let (program, root) = (quoted(program)?, quoted(root)?);
    Ok(format!("restrict,command=\"{program} guard shell --as {login} --root {root}\" {key}"))
}

fn refused(why: &str, asked: &str) -> Problem {
    Problem::new(Code::ServiceRefused, why)
        .found(shipway_core::version::excerpt(asked, 120))
        .wanted("git-receive-pack, git-upload-pack or git-upload-archive, with a repository")
        .hint("git clone ssh://HOST/REPO.git")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(command: &str) -> Option<(Service, String)> {
        Wish::read(command).ok().map(|wish| (wish.service, wish.path))
    }

    #[test]
    fn what_git_sends_is_read() {
        assert_eq!(read("git-receive-pack '/app.git'"), Some((Service::Receive, "/app.git".into())));
        assert_eq!(read("git-upload-pack 'a b.git'"), Some((Service::Upload, "a b.git".into())));
        assert_eq!(read(r"git-upload-archive 'it'\''s'\!''"), Some((Service::Archive, "it's!".into())));
    }

    #[test]
    fn nothing_else_is() {
        for command in [
            "",
            "sh",
            "sh -c true",
            "git-receive-pack",
            "git-receive-pack app.git",
            "git receive-pack 'app.git'",
            "git-receive-pack ''",
            "git-receive-pack 'a' 'b'",
            "git-receive-pack 'a'; sh",
            "git-receive-pack 'a'$(sh)",
            "git-receive-pack 'a'\\;''",
            "git-receive-pack --help 'a'",
            "git-receive-pack  'a'",
            "git-receive-pack 'a\n'",
            "git-shell 'a'",
            "git-upload-pack-x 'a'",
            "GIT_DIR=x git-upload-pack 'a'",
            "/usr/bin/git-upload-pack 'a'",
        ] {
            assert_eq!(read(command), None, "{command}");
        }
    }

    #[test]
    fn a_path_stays_below_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("srv");
        for name in ["srv/app.git", "srv/team/lib.git", "outside.git", "srv"] {
            fs::create_dir_all(dir.path().join(name)).unwrap();
            fs::write(dir.path().join(name).join("HEAD"), "ref: refs/heads/main\n").unwrap();
        }
        std::os::unix::fs::symlink(dir.path().join("outside.git"), root.join("link.git")).unwrap();
        let found = |path: &str| {
            let wish = Wish { service: Service::Upload, path: path.into() };
            wish.repository(&root).ok().map(|path| path.strip_prefix(&root).unwrap().display().to_string())
        };
        for path in ["app.git", "/app.git", "app", &format!("{}/app.git", root.display())] {
            assert_eq!(found(path).as_deref(), Some("app.git"), "{path}");
        }
        assert_eq!(found("team/lib.git").as_deref(), Some("team/lib.git"));
        for path in [
            "../outside.git",
            "/../outside.git",
            "team/../../outside.git",
            "link.git",
            "/",
            "",
            ".",
            "team",
            "./app.git",
            "app.git/.",
            "~ann/app.git",
            "-u",
            "nothing.git",
            "app.git/refs",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
