//! The files of a commit, read from the object store: what is in the work tree does not count.

use shipway_core::problem::{Code, Problem};

use super::ask::Git;

/// The regular files of a commit. Symbolic links and submodules are left out, and so are paths that are not UTF-8.
pub struct Tree<'a> {
    git: Git<'a>,
    paths: Vec<String>,
    /// The object ids, in the order of the paths.
    blobs: Vec<String>,
}

impl<'a> Tree<'a> {
    /// Lists the files of a commit, in one process; an empty id stands for a branch without a commit.
    pub fn at(git: Git<'a>, commit: &str) -> Result<Self, Problem> {
        let mut tree = Self { git, paths: vec![], blobs: vec![] };
        if commit.is_empty() {
            return Ok(tree);
        }
        let output = git.ask(&["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit])?;
        for entry in output.split(|byte| *byte == 0) {
            // `100644 blob OBJECT<tab>PATH`
            let Some((head, path)) = std::str::from_utf8(entry).ok().and_then(|entry| entry.split_once('\t'))
            else {
                continue;
            };
            if let Some(("100644" | "100755", object)) = head.split_once(" blob ") {
                tree.paths.push(path.to_owned());
                tree.blobs.push(object.to_owned());
            }
        }
        Ok(tree)
    }

    /// Returns the paths, sorted by their bytes.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Returns the bytes of a file, or nothing if the commit does not have it.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.read_all(&[path])?.pop().flatten())
    }

    /// Returns the bytes of several files in one process, in the order asked for.
    pub fn read_all(&self, paths: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Problem> {
        let blob = |path: &&str| self.paths.binary_search_by(|own| own.as_str().cmp(path)).ok();
        let found: Vec<Option<usize>> = paths.iter().map(blob).collect();
        let asked: String = found.iter().flatten().flat_map(|at| [self.blobs[*at].as_str(), "\n"]).collect();
        if asked.is_empty() {
            return Ok(vec![None; paths.len()]);
        }
        let output = self.git.expect(&self.git.command(&["cat-file", "--batch"]).stdin(asked))?;
        let mut rest = output.as_slice();
        found
            .iter()
            .map(|at| at.map(|at| next(&mut rest).ok_or_else(|| self.missing(at))).transpose())
            .collect()
    }

    fn missing(&self, at: usize) -> Problem {
        let what = format!("{} cannot be read from the commit", self.paths[at]);
        Problem::new(Code::GitFailed, what)
            .found(format!("object {} is missing", self.blobs[at]))
            .wanted("a repository with all its objects")
            .hint("git fsck")
    }
}

/// Takes one object from the output of `git cat-file --batch`: `OBJECT blob SIZE<lf>BYTES<lf>`.
pub(super) fn next(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&rest[..end]).ok()?;
    let Some((_, size)) = head.split_once(" blob ") else {
        *rest = &rest[end + 1..];
        return None;
    };
    let (begin, size) = (end + 1, size.parse::<usize>().ok()?);
    let bytes = rest.get(begin..begin + size)?.to_vec();
    *rest = rest.get(begin + size + 1..)?;
    Some(bytes)
}

impl crate::package::Files for Tree<'_> {
    fn paths(&self) -> &[String] {
        self.paths()
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        self.read(path)
    }
}
