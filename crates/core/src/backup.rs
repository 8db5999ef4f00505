//! Backups as data: what is saved, what was made of it, and which of them are kept.
//!
//! Making and restoring them is done by the machine that holds what is saved.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::config::deploy;
use crate::id::Digest;
use crate::problem::{Code, Problem};
use crate::time::Time;

/// Where backups are kept below the directory of an environment, unless something else is configured.
pub const DIR: &str = "backups";

/// What is backed up, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The name; letters, digits, `.`, `_` and `-`, since files are called by it.
    pub name: String,
    /// What it is.
    pub what: What,
    /// Proves what was restored; empty for none. `{scratch}` is where it was restored to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verify: Vec<String>,
    /// Where backups are kept; [`DIR`] if not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How many are kept.
    pub keep: usize,
    /// Whom it is encrypted for, in the words of age; not encrypted if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// The identity file of age that decrypts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// How long it may take, in milliseconds: making it, and again verifying it.
    pub timeout_ms: u64,
}

/// What is saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A directory with everything in it.
    Directory {
        /// The directory.
        path: String,
    },
    /// A file of `SQLite`, which may be in use.
    Sqlite {
        /// The file.
        file: String,
    },
    /// A database of `PostgreSQL`, which may be in use.
    Postgresql {
        /// Its name or its connection string.
        database: String,
    },
    /// Whatever a command writes.
    Command {
        /// Writes the backup to `{file}`.
        run: Vec<String>,
        /// Restores `{file}` into the directory `{scratch}`.
        restore: Vec<String>,
    },
    /// Something that a newer shipway saves.
    #[serde(other)]
    Unknown,
}

impl What {
    /// Returns the word of the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Directory { .. } => "directory",
            Self::Sqlite { .. } => "sqlite",
            Self::Postgresql { .. } => "postgresql",
            Self::Command { .. } => "command",
            Self::Unknown => "unknown",
        }
    }

    /// Returns how the name of a file of this kind ends.
    pub fn ending(&self) -> &'static str {
        match self {
            Self::Directory { .. } => "tar",
            Self::Sqlite { .. } => "sqlite",
            Self::Postgresql { .. } => "dump",
            Self::Command { .. } | Self::Unknown => "bin",
        }
    }
}

impl Spec {
    /// Returns what `[backup.NAME]` asks for.
    pub fn of(name: &str, backup: &deploy::Backup) -> Result<Self, Problem> {
        let refuse = |what: String| Problem::new(Code::ConfigValue, what).at(format!("[backup.{name}]"));
        if !is_name(name) {
            return Err(refuse(format!("`{name}` cannot be the name of a backup"))
                .wanted("letters, digits, `.`, `_` and `-`, beginning with a letter or a digit"));
        }
        let source = || backup.source.clone().ok_or_else(|| refuse("`source` is missing".into()));
        let what = match backup.kind.as_str() {
            "directory" => What::Directory { path: source()? },
            "sqlite" => What::Sqlite { file: source()? },
            "postgresql" => What::Postgresql { database: source()? },
            "command" => What::Command { run: backup.run.clone(), restore: backup.restore.clone() },
            other => return Err(refuse(format!("`{other}` is no kind of backup"))),
        };
        Ok(Self {
            name: name.to_owned(),
            what,
            verify: backup.verify.clone(),
            to: backup.to.clone(),
            keep: backup.keep,
            recipients: backup.recipients.clone(),
            identity: backup.identity.clone(),
            timeout_ms: u64::try_from(backup.timeout.as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Tells whether backups of it are encrypted.
    pub fn is_encrypted(&self) -> bool {
        !self.recipients.is_empty()
    }

    /// Returns the name of the file of a backup. Another backup of the same millisecond has other bytes.
    pub fn file(&self, at: Time, digest: &Digest) -> String {
        let at: String = at.to_string().chars().filter(|c| !matches!(c, '-' | ':' | '.')).collect();
        let age = if self.is_encrypted() { ".age" } else { "" };
        format!("{}-{at}-{}.{}{age}", self.name, digest.short(), self.what.ending())
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// A backup that was made, as the record beside it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The name of what was saved.
    pub name: String,
    /// The word for what it is, such as `sqlite`.
    pub kind: String,
    /// The name of the file.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its digest, as it lies on the disk.
    pub digest: Digest,
    /// When it was begun.
    pub at: Time,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// What was in the source.
    pub content: Content,
    /// The last proof that it can be restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
    /// Why it could not be restored when that was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// What a source held when it was saved, so that what is restored can be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// How many of what: rows of each table, or files and directories.
    pub counts: BTreeMap<String, u64>,
    /// The digest over every file with its name, its mode and its bytes; for directories only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// What a place to restore it in must be like, such as the encoding of a database.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub place: BTreeMap<String, String>,
}

impl Content {
    /// Returns where another content differs, in a few lines; none if it is the same.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.counts.keys().chain(found.counts.keys()).collect();
        let shown = |count: Option<&u64>| count.map_or_else(|| "missing".to_owned(), u64::to_string);
        let mut lines: Vec<String> = names
            .into_iter()
            .map(|name| (name, self.counts.get(name), found.counts.get(name)))
            .filter(|(_, wanted, found)| wanted != found)
            .map(|(name, wanted, found)| format!("{name}: {} → {}", shown(wanted), shown(found)))
            .collect();
        if lines.is_empty() && self.digest != found.digest {
            lines.push("the same number of files, but not the same files".into());
        }
        lines
    }
}

/// The proof that a backup can be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// When.
    pub at: Time,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What was compared, such as `3 tables, 1200 rows`.
    pub what: String,
}

/// What a machine that holds backups is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// To make one, to verify it, and to remove what is not kept.
    Make,
    /// To list those of this name.
    List,
    /// To verify one.
    Verify {
        /// The file; the newest if not set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
    },
    /// To restore one into a new place.
    Restore {
        /// The file; the newest if not set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
        /// A directory, a file or a database that is not there yet.
        into: String,
    },
}

/// Returns the files that are not kept: all but the newest `keep` of each name, and never the newest that is verified.
///
/// One is always kept, whatever `keep` says.
pub fn expired(made: &[Made], keep: usize) -> Vec<String> {
    let mut sorted: Vec<&Made> = made.iter().collect();
    sorted.sort_by(|a, b| (&a.name, b.at, &b.file).cmp(&(&b.name, a.at, &a.file)));
    let of_name = sorted.chunk_by(|a, b| a.name == b.name);
    let mut files = vec![];
    for made in of_name {
        let proven = made.iter().position(|one| one.verified.is_some());
        let old = made.iter().enumerate().skip(keep.max(1));
        files.extend(old.filter(|(at, _)| Some(*at) != proven).map(|(_, one)| one.file.clone()));
    }
    files
}

/// Returns the newest of some backups.
pub fn newest(made: &[Made]) -> Option<&Made> {
    made.iter().max_by(|a, b| (a.at, &a.file).cmp(&(b.at, &b.file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str, at: u64, verified: bool) -> Made {
        let proof = Verified { at: Time(at), took_ms: 1, what: "1 file".into() };
        Made {
            name: name.into(),
            kind: "directory".into(),
            file: format!("{name}{at}"),
            bytes: 1,
            digest: Digest::of(b""),
            at: Time(at),
            took_ms: 1,
            encrypted: false,
            content: Content::default(),
            verified: verified.then_some(proof),
            broken: None,
        }
    }

    /// A letter for each backup from the oldest to the newest: `v` is verified, `-` is not.
    fn check(all: &str, keep: usize, expect: &[&str]) {
        let all: Vec<Made> = (1..).zip(all.chars()).map(|(at, c)| made("a", at, c == 'v')).collect();
        let mut files = expired(&all, keep);
        files.sort();
        assert_eq!(files, expect, "{keep}");
        let mut turned = all.clone();
        turned.reverse();
        let mut again = expired(&turned, keep);
        again.sort();
        assert_eq!(again, files, "the order of the list decides nothing");
    }

    #[test]
    fn the_newest_verified_backup_is_never_removed() {
        check("", 3, &[]);
        check("v", 1, &[]);
        check("vvv", 3, &[]);
        check("vvvv", 3, &["a1"]);
        check("vvvv", 1, &["a1", "a2", "a3"]);
        check("v---", 1, &["a2", "a3"]);
        check("vv---", 2, &["a1", "a3"]);
        check("-----", 2, &["a1", "a2", "a3"]);
        check("--v--", 3, &["a1", "a2"]);
        check("v-v--", 1, &["a1", "a2", "a4"]);
    }

    #[test]
    fn one_backup_stays_even_if_none_is_to_be_kept() {
        check("---", 0, &["a1", "a2"]);
        check("v--", 0, &["a2"]);
    }

    #[test]
    fn names_do_not_push_each_other_out() {
        let all = [made("a", 1, true), made("b", 2, true), made("b", 3, true), made("a", 4, false)];
        assert_eq!(expired(&all, 1), ["b2"]);
        assert_eq!(newest(&all).unwrap().file, "a4");
    }

    #[test]
    fn contents_say_where_they_differ() {
        let content = |counts: &[(&str, u64)], digest: &str| Content {
            counts: counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            digest: Some(Digest::of(digest.as_bytes())),
            place: BTreeMap::new(),
        };
        let one = content(&[("user", 3), ("boat", 2)], "");
        assert!(one.differences(&one).is_empty());
        let other = content(&[("user", 2), ("quay", 1)], "");
        assert_eq!(one.differences(&other), ["boat: 2 → missing", "quay: missing → 1", "user: 3 → 2"]);
        assert_eq!(one.differences(&content(&[("user", 3), ("boat", 2)], "x")).len(), 1);
    }

    #[test]
    fn a_name_is_a_part_of_a_file_name() {
        for name in ["db", "db-2", "a.b_c"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "../x", "a/b", ".hidden", "-f", "a b", "ä"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn what_is_asked_of_the_configuration_is_in_the_spec() {
        let toml =
            "[backup.db]\nkind = \"sqlite\"\nsource = \"data/app.db\"\nkeep = 3\nrecipients = [\"age1x\"]\n";
        let config = crate::config::read(toml, "shipway.toml").unwrap();
        let spec = Spec::of("db", &config.backup["db"]).unwrap();
        assert_eq!(spec.what, What::Sqlite { file: "data/app.db".into() });
        assert_eq!((spec.keep, spec.timeout_ms, spec.is_encrypted()), (3, 3_600_000, true));
        let file = spec.file(Time(1_795_178_588_123), &Digest::of(b""));
        assert_eq!(file, "db-20261120T124308123Z-e3b0c442.sqlite.age");
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<Spec>(&text).unwrap(), spec);
        let newer = text.replace(r#"{"sqlite":{"file":"data/app.db"}}"#, r#""tape""#);
        assert_eq!(serde_json::from_str::<Spec>(&newer).unwrap().what, What::Unknown);
        assert_eq!(Spec::of("../x", &config.backup["db"]).unwrap_err().code, Code::ConfigValue);
    }
}
