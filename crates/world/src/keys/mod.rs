//! Keys: signatures are verified in this process and made by ssh-keygen.
//!
//! A signature is one of ssh (PROTOCOL.sshsig of OpenSSH), so that what people have for git serves here too: files,
//! agents and devices. No passphrase and no PIN is ever read by us: ssh-keygen asks at the terminal itself. Whose a key
//! is, and how much its use proves, is not decided here but in `shipway_core`.

mod base;
mod crypto;
mod doctor;
mod file;
mod find;
mod sign;
mod sshsig;

pub use base::Keys;
pub use doctor::findings;
pub use find::{Choice, SigningKey, find};
pub use sign::sign;
pub use sshsig::Proof;

use ring::rand::{SecureRandom as _, SystemRandom};
use shipway_core::id::hex;
use shipway_core::problem::{Code, Problem};
use shipway_core::signers::{PublicKey, Signers};
use shipway_core::statement::{Signed, Signer};
use shipway_core::time::Time;

/// Returns who has signed a statement that came in at a time, if its signature is good and its key counts.
///
/// The statement must be written as this shipway writes it: a field that only a newer one knows may narrow what was
/// meant, and to pass over it would be to widen it.
pub fn verify(signers: &Signers, signed: &Signed, at: Time) -> Result<Signer, Problem> {
    let statement = signed.read().ok_or_else(|| {
        Problem::new(Code::SignatureBad, "what was signed is no statement that this shipway knows")
    })?;
    if statement.text() != signed.text {
        return Err(Problem::new(
            Code::SignatureBad,
            "what was signed is not written as this shipway writes it",
        )
        .found(signed.text.clone())
        .wanted(statement.text()));
    }
    verify_bytes(signers, statement.namespace(), signed.text.as_bytes(), (&signed.signature, at))
}

/// Returns who has signed some bytes for a namespace, such as `git` for commits and tags, with a signature that came in
/// at a time.
pub fn verify_bytes(
    signers: &Signers,
    namespace: &str,
    bytes: &[u8],
    (signature, at): (&str, Time),
) -> Result<Signer, Problem> {
    let proof = sshsig::check(bytes, signature, namespace).map_err(not_good)?;
    let person = signers.person(&proof.key, namespace, at)?.to_owned();
    Ok(proof.signer(person))
}

/// Returns a text that makes a statement unlike any other.
pub fn nonce() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Problem::new(Code::Io, "the system gives no randomness"))?;
    Ok(hex(&bytes))
}

/// Tells whether some bytes were signed for a namespace by a key, whoever it belongs to.
pub fn prove(key: &PublicKey, namespace: &str, bytes: &[u8], signature: &str) -> Result<Proof, Problem> {
    let proof = sshsig::check(bytes, signature, namespace).map_err(not_good)?;
    if proof.key == *key {
        return Ok(proof);
    }
    Err(Problem::new(Code::SignatureBad, "it was signed with another key")
        .found(proof.key.fingerprint())
        .wanted(key.fingerprint()))
}

fn not_good(why: String) -> Problem {
    Problem::new(Code::SignatureBad, "the signature is not good").found(why)
}
