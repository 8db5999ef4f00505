//! Public keys as ssh writes them (RFC 4253, section 6.6; RFC 5656; RFC 8709; PROTOCOL.u2f): read, never trusted to be
//! well made.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

/// A reader of the wire form of ssh (RFC 4251, section 5).
#[derive(Clone, Copy, Debug)]
pub struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    /// Returns a reader of some bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Takes some bytes, if there are as many.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Takes one byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    /// Takes a number of 32 bits.
    pub fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.bytes(4)?.try_into().ok()?))
    }

    /// Takes a string, which need not be text.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let count = self.number()?;
        self.bytes(usize::try_from(count).ok()?)
    }

    /// Takes a string that is text.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.string()?).ok()
    }

    /// Takes a number of any size that is above zero, without zeros in front.
    pub fn positive(&mut self) -> Option<&'a [u8]> {
        let bytes = self.string()?;
        // The highest bit is the sign (RFC 4251, section 5), and a zero in front is there only to keep it clear.
        let (&first, rest) = bytes.split_first()?;
        match first {
            0 => (*rest.first()? >= 0x80).then_some(rest),
            1..=0x7f => Some(bytes),
            0x80..=0xff => None,
        }
    }

    /// Tells whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Appends a string in the wire form of ssh.
pub fn put_string(into: &mut Vec<u8>, bytes: &[u8]) {
    let count = u32::try_from(bytes.len()).expect("nothing that is signed has four gigabytes");
    into.extend_from_slice(&count.to_be_bytes());
    into.extend_from_slice(bytes);
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// What it is made of.
    pub material: Material,
    blob: Vec<u8>,
}

/// What a public key is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// Ed25519 (RFC 8032).
    Ed25519([u8; 32]),
    /// A point on a curve, uncompressed.
    Ecdsa(Curve, Vec<u8>),
    /// RSA: exponent and modulus, without zeros in front.
    Rsa {
        /// The exponent.
        e: Vec<u8>,
        /// The modulus.
        n: Vec<u8>,
    },
    /// Ed25519 on a device, and the application it is for.
    DeviceEd25519([u8; 32], String),
    /// ECDSA on the curve P-256 on a device, and the application it is for.
    DeviceEcdsa(Vec<u8>, String),
}

/// The curves that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256, with SHA-256.
    P256,
    /// NIST P-384, with SHA-384.
    P384,
}

impl Curve {
    fn of(name: &str) -> Option<Self> {
        match name {
            "nistp256" => Some(Self::P256),
            "nistp384" => Some(Self::P384),
            _ => None,
        }
    }

    /// Returns how many bytes a number of the curve has.
    pub fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

impl PublicKey {
    /// Reads a key from its wire form; nothing for another kind, and for one that is badly made.
    pub fn read(blob: &[u8]) -> Option<Self> {
        let mut wire = Wire::new(blob);
        let material = match wire.text()? {
            "ssh-ed25519" => Material::Ed25519(wire.string()?.try_into().ok()?),
            "ssh-rsa" => {
                let (e, n) = (wire.positive()?.to_vec(), wire.positive()?.to_vec());
                Material::Rsa { e, n }
            }
            kind @ ("ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384") => {
                let name = wire.text().filter(|name| kind.ends_with(name))?;
                let curve = Curve::of(name)?;
                Material::Ecdsa(curve, point(&mut wire, curve)?)
            }
            "sk-ssh-ed25519@openssh.com" => {
                Material::DeviceEd25519(wire.string()?.try_into().ok()?, wire.text()?.to_owned())
            }
            "sk-ecdsa-sha2-nistp256@openssh.com" => {
                Curve::of(wire.text()?).filter(|curve| *curve == Curve::P256)?;
                let point = point(&mut wire, Curve::P256)?;
                Material::DeviceEcdsa(point, wire.text()?.to_owned())
            }
            _ => return None,
        };
        wire.is_empty().then(|| Self { material, blob: blob.to_vec() })
    }

    /// Reads a key as it stands in a file: its kind, and its wire form in base64.
    pub fn parse(kind: &str, base64: &str) -> Option<Self> {
        let blob = STANDARD.decode(base64).ok()?;
        Self::read(&blob).filter(|key| key.kind() == kind)
    }

    /// Reads a key from the text of a `.pub` file.
    pub fn from_file(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        Self::parse(words.next()?, words.next()?)
    }

    /// Returns the wire form.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// Returns the kind, such as `ssh-ed25519`.
    pub fn kind(&self) -> &'static str {
        match &self.material {
            Material::Ed25519(_) => "ssh-ed25519",
            Material::Ecdsa(Curve::P256, _) => "ecdsa-sha2-nistp256",
            Material::Ecdsa(Curve::P384, _) => "ecdsa-sha2-nistp384",
            Material::Rsa { .. } => "ssh-rsa",
            Material::DeviceEd25519(..) => "sk-ssh-ed25519@openssh.com",
            Material::DeviceEcdsa(..) => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    /// Tells whether the key is on a device.
    pub fn is_on_device(&self) -> bool {
        match &self.material {
            Material::DeviceEd25519(..) | Material::DeviceEcdsa(..) => true,
            Material::Ed25519(_) | Material::Ecdsa(..) | Material::Rsa { .. } => false,
        }
    }

    /// Returns the fingerprint, such as `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.blob)))
    }

    /// Returns the key as it stands in a file, without a comment.
    pub fn to_line(&self) -> String {
        format!("{} {}", self.kind(), STANDARD.encode(&self.blob))
    }
}

/// Takes a point that is not compressed (SEC 1, section 2.3.3).
fn point(wire: &mut Wire<'_>, curve: Curve) -> Option<Vec<u8>> {
    let point = wire.string()?;
    (point.len() == 1 + 2 * curve.size() && point[0] == 4).then(|| point.to_vec())
}
