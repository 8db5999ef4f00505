//! The key of a journal, with which its checkpoints are signed, and the checkpoints that are kept beside it.
//!
//! The key proves that a checkpoint is of this journal and of no other. It does not prove that the journal is right:
//! whoever can write here can sign. That is what the copies elsewhere are for.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use shipway_core::anchor::{Checkpoint, Seal};
use shipway_core::id::{Digest, hex};
use shipway_core::time::Time;

/// The key, in PKCS#8 (RFC 8410).
const KEY: &str = "journal.key";
/// The checkpoints, one line each.
const KEPT: &str = "checkpoints";

/// Signs the checkpoints of one journal.
#[derive(Debug)]
pub struct Sealer {
    dir: PathBuf,
    key: Ed25519KeyPair,
}

impl Sealer {
    /// Reads the key of the journal in a directory, which gets one if it has none.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join(KEY);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path)?,
            other => other?,
        };
        let key = Ed25519KeyPair::from_pkcs8(&bytes)
            .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        Ok(Self { dir: dir.to_owned(), key })
    }

    /// Returns the name of the journal in a directory, if it has a key already.
    pub fn known(dir: &Path) -> io::Result<Option<String>> {
        if dir.join(KEY).exists() { Self::open(dir).map(|sealer| Some(sealer.origin())) } else { Ok(None) }
    }

    /// Returns the name of the journal: its public key in hexadecimal digits.
    pub fn origin(&self) -> String {
        hex(self.key.public_key().as_ref())
    }

    /// Returns the signed checkpoint of a size and a root.
    pub fn seal(&self, size: u64, root: Digest, at: Time) -> Seal {
        let checkpoint = Checkpoint { origin: self.origin(), size, root, at };
        let signature = hex(self.key.sign(Seal::signed(&checkpoint).as_bytes()).as_ref());
        Seal { checkpoint, signature }
    }

    /// Keeps a checkpoint beside the journal, unless one of this size is the last there.
    pub fn keep(&self, seal: &Seal) -> io::Result<()> {
        if kept(&self.dir)?.last().is_some_and(|last| last.checkpoint.size == seal.checkpoint.size) {
            return Ok(());
        }
        let path = self.dir.join(KEPT);
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        file.write_all(format!("{seal}\n").as_bytes())?;
        file.sync_data()
    }
}

/// Returns the checkpoints that are kept in a directory; a line that a crash cut off is passed over.
pub fn kept(dir: &Path) -> io::Result<Vec<Seal>> {
    match fs::read_to_string(dir.join(KEPT)) {
        Ok(text) => Ok(text.lines().filter_map(Seal::read).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(error),
    }
}

/// Tells whether a checkpoint was signed by the journal that it names.
pub fn proven(seal: &Seal) -> bool {
    let (Some(key), Some(signature)) = (bytes(&seal.checkpoint.origin), bytes(&seal.signature)) else {
        return false;
    };
    let signed = Seal::signed(&seal.checkpoint);
    UnparsedPublicKey::new(&ED25519, key).verify(signed.as_bytes(), &signature).is_ok()
}

/// Makes a key. Of two processes that do so at once, both use the one that was first.
fn make(path: &Path) -> io::Result<Vec<u8>> {
    let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| io::Error::other("the system gives no random bytes"))?;
    let apart = path.with_extension(format!("key.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&apart)?;
    file.write_all(made.as_ref())?;
    file.sync_all()?;
    let linked = fs::hard_link(&apart, path);
    fs::remove_file(&apart)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read(path),
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    hex.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_checkpoint_is_proven_by_the_key_that_it_names() {
        let dir = TempDir::new().unwrap();
        let sealer = Sealer::open(dir.path()).unwrap();
        let seal = sealer.seal(7, Digest::of(b"x"), Time(5));
        assert!(proven(&seal));
        let again = Sealer::open(dir.path()).unwrap();
        assert_eq!(again.seal(7, Digest::of(b"x"), Time(5)), seal);
        for change in 0..4 {
            let mut forged = seal.clone();
            match change {
                0 => forged.checkpoint.size += 1,
                1 => forged.checkpoint.root = Digest::of(b"y"),
                2 => forged.checkpoint.at = Time(6),
                _ => forged.checkpoint.origin = "ab".repeat(32),
            }
            assert!(!proven(&forged), "{change}");
        }
    }

    #[test]
    fn a_checkpoint_is_kept_once_and_a_torn_line_is_passed_over() {
        let dir = TempDir::new().unwrap();
        let sealer = Sealer::open(dir.path()).unwrap();
        let seal = sealer.seal(7, Digest::of(b"x"), Time(5));
        sealer.keep(&seal).unwrap();
        sealer.keep(&seal).unwrap();
        assert_eq!(kept(dir.path()).unwrap(), [seal]);
        let path = dir.path().join(KEPT);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{}", &text[..40])).unwrap();
        assert_eq!(kept(dir.path()).unwrap().len(), 1);
    }
}
