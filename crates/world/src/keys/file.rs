//! Files of private keys: what can be told of them without opening them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shipway_core::signers::{PublicKey, Wire};

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// What a file of a private key says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lock {
    /// Whether a passphrase opens it.
    pub(super) locked: bool,
    /// The public key, where it stands in the open.
    pub(super) public: Option<PublicKey>,
}

/// Returns what a file says of itself; nothing for one that holds no private key.
pub(super) fn read(text: &str) -> Option<Lock> {
    if text.starts_with(BEGIN) {
        return openssh(text);
    }
    let private = text.starts_with("-----BEGIN ") && text.contains("PRIVATE KEY-----");
    // In a PEM file it says so in its head: RFC 1421 for the old form, RFC 5958 for PKCS #8.
    private.then(|| Lock { locked: text.contains("ENCRYPTED"), public: None })
}

/// Reads the open part of a file in the form of OpenSSH (PROTOCOL.key).
fn openssh(text: &str) -> Option<Lock> {
    let blob = dearmour(text)?;
    let (cipher, mut wire) = open_part(&blob)?;
    let public = (wire.number()? == 1).then(|| wire.string()).flatten().and_then(PublicKey::read);
    Some(Lock { locked: cipher != "none", public })
}

/// Takes the cipher from the beginning, and returns it with what stands behind the derivation of its key.
fn open_part(blob: &[u8]) -> Option<(&str, Wire<'_>)> {
    let mut wire = Wire::new(blob);
    if wire.bytes(MAGIC.len())? != MAGIC {
        return None;
    }
    let (cipher, _, _) = (wire.text()?, wire.text()?, wire.string()?);
    Some((cipher, wire))
}

fn dearmour(text: &str) -> Option<Vec<u8>> {
    let inner = text.trim_end().strip_prefix(BEGIN)?.strip_suffix(END)?;
    STANDARD.decode(inner.lines().map(str::trim_end).collect::<String>()).ok()
}
