//! The key of a journal: made by this machine for itself, in a file that ssh-keygen can read too. It vouches for what this
//! machine has written, and for no person.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use shipway_core::problem::{Code, Problem};
use shipway_core::signers::{PublicKey, Wire, put_string};
use shipway_core::statement::{Signed, Statement};

use super::{file, sshsig};

/// The name of the file in its directory; the public half has `.pub` behind it.
const FILE: &str = "journal.key";
const KIND: &str = "ssh-ed25519";

/// A key that this machine has made for itself.
#[derive(Debug)]
pub struct MachineKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl MachineKey {
    /// Returns the key in a directory, which is made on first use.
    pub fn of(dir: &Path) -> Result<Self, Problem> {
        let path = dir.join(FILE);
        if let Some(key) = Self::read(&path)? {
            return Ok(key);
        }
        let failed = |error: io::Error| unusable(&path, &error.to_string());
        make(&path).map_err(failed)?;
        Self::read(&path)?.ok_or_else(|| unusable(&path, "it was made, and is not there"))
    }

    /// Returns the key in a directory, if one was made.
    pub fn find(dir: &Path) -> Result<Option<Self>, Problem> {
        Self::read(&dir.join(FILE))
    }

    /// Returns the public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a statement.
    pub fn sign(&self, statement: &Statement) -> Signed {
        let (text, namespace) = (statement.text(), statement.namespace());
        let raw = self.pair.sign(&sshsig::to_sign(text.as_bytes(), namespace));
        let mut signature = vec![];
        put_string(&mut signature, KIND.as_bytes());
        put_string(&mut signature, raw.as_ref());
        Signed { signature: sshsig::wrap(&self.public, namespace, &signature), text }
    }

    fn read(path: &Path) -> Result<Option<Self>, Problem> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(path, &error.to_string())),
        };
        let seed = file::secret(&text, seed).ok_or_else(|| unusable(path, "it is no key of ours"))?;
        let pair =
            Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| unusable(path, &error.to_string()))?;
        let public = PublicKey::read(&public(&pair)).expect("a key that was made is one");
        Ok(Some(Self { pair, public }))
    }
}

/// Makes a key beside its place and puts it there, unless somebody else was faster.
fn make(path: &Path) -> io::Result<()> {
    let random = |bytes: &mut [u8]| {
        SystemRandom::new().fill(bytes).map_err(|_| io::Error::other("there is no randomness"))
    };
    let (mut seed, mut check) = ([0; 32], [0; 4]);
    random(&mut seed)?;
    random(&mut check)?;
    let pair =
        Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| io::Error::other(error.to_string()))?;
    let public = public(&pair);
    let mut secret = [check, check].concat();
    let whole = [&seed[..], pair.public_key().as_ref()].concat();
    for part in [KIND.as_bytes(), pair.public_key().as_ref(), &whole, b"the journal of shipway"] {
        put_string(&mut secret, part);
    }
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    write(&beside, 0o600, &file::openssh_text(&public, secret))?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        linked => linked?,
    }
    let line = PublicKey::read(&public).expect("a key that was made is one").to_line();
    write(&with_pub(path), 0o644, &format!("{line} the journal of shipway\n"))
}

fn write(path: &Path, mode: u32, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn with_pub(path: &Path) -> PathBuf {
    path.with_file_name(format!("{FILE}.pub"))
}

fn public(pair: &Ed25519KeyPair) -> Vec<u8> {
    let mut blob = vec![];
    put_string(&mut blob, KIND.as_bytes());
    put_string(&mut blob, pair.public_key().as_ref());
    blob
}

/// Takes the seed from the secret part of a key.
fn seed(mut secret: Wire<'_>) -> Option<[u8; 32]> {
    if secret.number()? != secret.number()? || secret.text()? != KIND {
        return None;
    }
    secret.string()?;
    secret.string()?.get(..32)?.try_into().ok()
}

fn unusable(path: &Path, why: &str) -> Problem {
    Problem::new(Code::KeyUnusable, "the key of the journal cannot be used")
        .at(path.display().to_string())
        .found(why)
}
