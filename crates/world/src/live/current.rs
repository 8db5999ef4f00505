//! The link to the current release.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use shipway_core::id::Digest;
use shipway_core::problem::{Code, Problem};

use super::files;

/// Returns where the link is.
pub(super) fn path(root: &Path) -> PathBuf {
    root.join("current")
}

/// Refuses when something stands where the link belongs.
pub(super) fn check(root: &Path) -> Result<(), Problem> {
    let path = path(root);
    match fs::symlink_metadata(&path) {
        Ok(file) if !file.is_symlink() => {
            let found = if file.is_dir() { "a directory" } else { "a file" };
            let problem = Problem::new(Code::CurrentBlocked, format!("{} is not a link", path.display()));
            Err(problem.found(found).wanted("a link, or nothing").hint(format!(
                "mv {} {}.before",
                path.display(),
                path.display()
            )))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(files::problem(&path, &error)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Lets the link lead to a release, in one step for everybody who follows it.
pub(super) fn set(root: &Path, release: &Digest) -> Result<(), Problem> {
    check(root)?;
    let path = path(root);
    // A relative link survives when the directory is mounted or moved elsewhere.
    let wanted = Path::new("releases").join(release.as_str());
    let replace = || -> io::Result<()> {
        if fs::read_link(&path).is_ok_and(|link| link == wanted) {
            return Ok(());
        }
        let new = root.join(".current.new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => (),
        }
        symlink(&wanted, &new)?;
        fs::rename(&new, &path)?;
        files::sync(root)
    };
    replace().map_err(|error| files::problem(&path, &error))
}

/// Removes the link.
pub(super) fn remove(root: &Path) -> Result<(), Problem> {
    check(root)?;
    files::remove(&path(root))?;
    files::sync(root).map_err(|error| files::problem(root, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_made_where_it_is_missing_or_leads_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let target = || fs::read_link(path(dir.path())).unwrap();
        // Left behind by an attempt that was cut off.
        symlink("elsewhere", dir.path().join(".current.new")).unwrap();
        for release in ["one", "one", "two"] {
            set(dir.path(), &Digest::new(release)).unwrap();
            assert_eq!(target(), Path::new("releases").join(release));
        }
        remove(dir.path()).unwrap();
        remove(dir.path()).unwrap();
        assert!(fs::symlink_metadata(path(dir.path())).is_err());
    }

    #[test]
    fn what_is_not_a_link_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(path(dir.path())).unwrap();
        fs::write(path(dir.path()).join("precious"), "").unwrap();
        for result in [set(dir.path(), &Digest::new("one")), remove(dir.path())] {
            assert_eq!(result.unwrap_err().code, Code::CurrentBlocked);
        }
        assert!(path(dir.path()).join("precious").exists());
    }
}
