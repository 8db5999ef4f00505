//! The arithmetic of signatures, which is ring's: the one provider of cryptography in this tree.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use sha2::{Digest as _, Sha256};
use shipway_core::signers::{Curve, Material, PublicKey, Wire};

/// What a signature says besides being good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// The device was touched (PROTOCOL.u2f: user presence).
    pub(super) touched: bool,
    /// The owner has shown to be there, such as by a PIN (user verification).
    pub(super) verified: bool,
}

/// The bit that says that the device was touched.
const PRESENT: u8 = 0x01;
/// The bit that says that the owner has shown to be there.
const VERIFIED: u8 = 0x04;

/// Tells whether a signature in the wire form of ssh is one of these bytes by this key, and what else it says.
pub(super) fn verify(key: &PublicKey, bytes: &[u8], signature: &[u8]) -> Result<Flags, String> {
    let mut wire = Wire::new(signature);
    let malformed = || "its form is not that of a signature".to_owned();
    let kind = wire.text().ok_or_else(malformed)?;
    let inner = wire.string().ok_or_else(malformed)?;
    let bits = if key.is_on_device() { wire.byte().zip(wire.number()) } else { None };
    if !wire.is_empty() || key.is_on_device() != bits.is_some() {
        return Err(malformed());
    }
    let good = match &key.material {
        Material::Rsa { e, n } => return rsa(kind, (e, n), bytes, inner),
        Material::Ed25519(point) => ed25519(point, bytes, inner),
        Material::Ecdsa(curve, point) => ecdsa(*curve, point, bytes, inner),
        Material::DeviceEd25519(point, application) => {
            ed25519(point, &of_device(application, bits.unwrap_or_default(), bytes), inner)
        }
        Material::DeviceEcdsa(point, application) => {
            ecdsa(Curve::P256, point, &of_device(application, bits.unwrap_or_default(), bytes), inner)
        }
    };
    if kind != key.kind() {
        return Err(format!("it is one of {kind}, and the key one of {}", key.kind()));
    }
    let (flags, _) = bits.unwrap_or_default();
    let flags = Flags { touched: flags & PRESENT != 0, verified: flags & VERIFIED != 0 };
    if good { Ok(flags) } else { Err(changed()) }
}

/// Returns what a device signs (PROTOCOL.u2f, section "SSH U2F signatures").
fn of_device(application: &str, (flags, counter): (u8, u32), bytes: &[u8]) -> Vec<u8> {
    let mut signed = Sha256::digest(application.as_bytes()).to_vec();
    signed.push(flags);
    signed.extend_from_slice(&counter.to_be_bytes());
    signed.extend_from_slice(&Sha256::digest(bytes));
    signed
}

fn ed25519(point: &[u8; 32], bytes: &[u8], signature: &[u8]) -> bool {
    by(&ED25519, point, bytes, signature)
}

fn ecdsa(curve: Curve, point: &[u8], bytes: &[u8], signature: &[u8]) -> bool {
    let mut wire = Wire::new(signature);
    let mut number = || padded(wire.positive()?, curve.size());
    let Some((r, s)) = number().zip(number()) else { return false };
    let algorithm: &'static dyn VerificationAlgorithm = match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED,
    };
    wire.is_empty() && by(algorithm, point, bytes, &[r, s].concat())
}

/// SHA-1 is not among what is accepted, and neither are keys of less than 2048 bits.
fn rsa(kind: &str, (e, n): (&[u8], &[u8]), bytes: &[u8], signature: &[u8]) -> Result<Flags, String> {
    let algorithm = match kind {
        "rsa-sha2-256" => &RSA_PKCS1_2048_8192_SHA256,
        "rsa-sha2-512" => &RSA_PKCS1_2048_8192_SHA512,
        _ => return Err(format!("it is one of {kind}, which does not count")),
    };
    if n.len() < 256 {
        return Err(format!("the key has {} bits, and needs 2048", n.len() * 8));
    }
    let signature = padded(signature, n.len()).ok_or_else(changed)?;
    let key = RsaPublicKeyComponents { n, e };
    key.verify(algorithm, bytes, &signature).map(|()| Flags::default()).map_err(|_| changed())
}

fn by(algorithm: &'static dyn VerificationAlgorithm, point: &[u8], bytes: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(algorithm, point).verify(bytes, signature).is_ok()
}

/// Returns a number with zeros in front, so that it has as many bytes as it is to have.
fn padded(number: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; size.checked_sub(number.len())?];
    bytes.extend_from_slice(number);
    Some(bytes)
}

fn changed() -> String {
    "it is not one of this text: the text or the signature was changed".into()
}
