//! The envelope of a signature (PROTOCOL.sshsig of OpenSSH).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256, Sha512};
use shipway_core::signers::{PublicKey, Wire, put_string};
use shipway_core::statement::Signer;

use super::crypto;

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
const MAGIC: &[u8] = b"SSHSIG";
const VERSION: u32 = 1;

/// What a good signature proves, whoever the key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The key.
    pub key: PublicKey,
    /// Whether the key is on a device that was touched.
    pub touched: bool,
    /// Whether the device says that its owner has shown to be there.
    pub verified: bool,
}

impl Proof {
    /// Returns the signer, once it is known whose the key is.
    pub(super) fn signer(self, person: String) -> Signer {
        let Self { key, touched, verified } = self;
        Signer { person, key: key.fingerprint(), kind: key.kind().into(), touched, verified }
    }
}

/// Tells what a signature in its armour proves of some bytes, or why it is not good.
pub(super) fn check(bytes: &[u8], armoured: &str, namespace: &str) -> Result<Proof, String> {
    let blob = dearmour(armoured).ok_or("it is no signature of ssh")?;
    let parts = Parts::read(&blob).ok_or("its form is not that of a signature")?;
    let key = PublicKey::read(parts.key).ok_or("its key is of a kind that does not count")?;
    if parts.namespace != namespace {
        return Err(format!("it was made for {}, not for {namespace}", parts.namespace));
    }
    let signed = parts.signed(bytes).ok_or_else(|| format!("its hash {} does not count", parts.hash))?;
    let flags = crypto::verify(&key, &signed, parts.signature)?;
    Ok(Proof { key, touched: flags.touched, verified: flags.verified })
}

struct Parts<'a> {
    key: &'a [u8],
    namespace: &'a str,
    hash: &'a str,
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(blob: &'a [u8]) -> Option<Self> {
        let mut wire = Wire::new(blob);
        if wire.bytes(MAGIC.len())? != MAGIC || wire.number()? != VERSION {
            return None;
        }
        let (key, namespace, reserved) = (wire.string()?, wire.text()?, wire.string()?);
        let (hash, signature) = (wire.text()?, wire.string()?);
        (wire.is_empty() && reserved.is_empty()).then_some(Self { key, namespace, hash, signature })
    }

    fn signed(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self.hash {
            "sha256" => Some(signed(self.namespace, self.hash, &Sha256::digest(bytes))),
            "sha512" => Some(signed(self.namespace, self.hash, &Sha512::digest(bytes))),
            _ => None,
        }
    }
}

fn signed(namespace: &str, hash: &str, digest: &[u8]) -> Vec<u8> {
    let mut signed = MAGIC.to_vec();
    for part in [namespace.as_bytes(), b"", hash.as_bytes(), digest] {
        put_string(&mut signed, part);
    }
    signed
}

fn dearmour(text: &str) -> Option<Vec<u8>> {
    let inner = text.trim_end().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let base64: String = inner.lines().map(str::trim_end).collect();
    STANDARD.decode(base64).ok()
}
