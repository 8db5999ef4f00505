//! A desk with keys of all kinds, and ssh-keygen to ask.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use sha2::{Digest as _, Sha256, Sha512};
use shipway_core::signers::{PublicKey, put_string};
use shipway_testkit::{hermetic, skip::skip};
use tempfile::TempDir;

pub(crate) struct Desk {
    dir: TempDir,
}

impl Desk {
    /// Returns a desk, or nothing where ssh-keygen is not installed.
    pub(crate) fn new() -> Option<Self> {
        let there = Command::new("ssh-keygen").arg("-?").output().is_ok();
        if !there {
            skip("ssh-keygen is not installed");
        }
        there.then(|| Self { dir: tempfile::tempdir().unwrap() })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Makes a key in a file and returns its public half.
    pub(crate) fn key(&self, name: &str, kind: &[&str], passphrase: &str) -> PublicKey {
        let mut command = self.keygen(&["-q", "-C", "of a test"]);
        command.args(kind).arg("-N").arg(passphrase).arg("-f").arg(self.path(name));
        let output = run(&mut command, b"");
        assert!(output.status.success(), "{output:?}");
        self.public(name)
    }

    pub(crate) fn public(&self, name: &str) -> PublicKey {
        PublicKey::from_file(&fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap()).unwrap()
    }

    pub(crate) fn sign(&self, name: &str, namespace: &str, text: &[u8], hash: &str) -> String {
        let mut command = self.keygen(&["-Y", "sign", "-n", namespace]);
        command.arg("-O").arg(format!("hashalg={hash}")).arg("-f").arg(self.path(name));
        let output = run(&mut command, text);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Asks ssh-keygen whether a signature is good.
    pub(crate) fn asks(&self, allowed: &str, claim: &Claim<'_>) -> bool {
        let allowed = self.file("allowed", allowed);
        let signature = self.file("signature", claim.signature);
        let mut command = self.keygen(&["-Y", "verify", "-n", claim.namespace, "-I", claim.principal]);
        command.arg("-f").arg(allowed).arg("-s").arg(signature);
        command.arg("-O").arg(format!("verify-time={}", claim.at));
        run(&mut command, claim.text).status.success()
    }

    /// Asks ssh-keygen which principals have a key that made a signature.
    pub(crate) fn principals(&self, allowed: &str, signature: &str) -> Vec<String> {
        let (allowed, signature) = (self.file("allowed", allowed), self.file("signature", signature));
        let mut command = self.keygen(&["-Y", "find-principals", "-O", "verify-time=20261120124308"]);
        let output = run(command.arg("-f").arg(allowed).arg("-s").arg(signature), b"");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    fn keygen(&self, args: &[&str]) -> Command {
        let mut command = hermetic::command("ssh-keygen", self.dir.path());
        command.args(args).env_remove("SSH_AUTH_SOCK");
        command
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }
}

/// What is said of a signature.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) principal: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) text: &'a [u8],
    pub(crate) signature: &'a str,
    /// As ssh-keygen wants it, in UTC.
    pub(crate) at: &'a str,
}

fn run(command: &mut Command, input: &[u8]) -> Output {
    use std::io::Write as _;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// A key on a device, played by software: what a device would sign is public (PROTOCOL.u2f).
pub(crate) enum Device {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
}

const APPLICATION: &str = "ssh:";

impl Device {
    pub(crate) fn ed25519() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
    }

    pub(crate) fn ecdsa() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Ecdsa(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap())
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "sk-ssh-ed25519@openssh.com",
            Self::Ecdsa(_) => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    pub(crate) fn public(&self) -> PublicKey {
        let mut blob = vec![];
        put_string(&mut blob, self.kind().as_bytes());
        match self {
            Self::Ed25519(pair) => put_string(&mut blob, pair.public_key().as_ref()),
            Self::Ecdsa(pair) => {
                put_string(&mut blob, b"nistp256");
                put_string(&mut blob, pair.public_key().as_ref());
            }
        }
        put_string(&mut blob, APPLICATION.as_bytes());
        PublicKey::read(&blob).unwrap()
    }

    /// Signs as a device does that shows these flags.
    pub(crate) fn sign(&self, namespace: &str, text: &[u8], flags: u8) -> String {
        let mut inner = b"SSHSIG".to_vec();
        for part in [namespace.as_bytes(), b"", b"sha512", &Sha512::digest(text)] {
            put_string(&mut inner, part);
        }
        let counter = 7_u32.to_be_bytes();
        let (application, inner) = (Sha256::digest(APPLICATION), Sha256::digest(&inner));
        let signed = [&application[..], &[flags], &counter, &inner].concat();
        let raw = match self {
            Self::Ed25519(pair) => pair.sign(&signed).as_ref().to_vec(),
            Self::Ecdsa(pair) => {
                let raw = pair.sign(&SystemRandom::new(), &signed).unwrap();
                let (r, s) = raw.as_ref().split_at(32);
                [number(r), number(s)].concat()
            }
        };
        let mut signature = vec![];
        put_string(&mut signature, self.kind().as_bytes());
        put_string(&mut signature, &raw);
        signature.push(flags);
        signature.extend(counter);
        envelope(&self.public(), namespace, &signature)
    }
}

/// Returns a number in the wire form of ssh.
fn number(bytes: &[u8]) -> Vec<u8> {
    let bytes = &bytes[bytes.iter().position(|&byte| byte != 0).unwrap()..];
    let sign: &[u8] = if bytes[0] >= 0x80 { &[0] } else { &[] };
    let mut wire = vec![];
    put_string(&mut wire, &[sign, bytes].concat());
    wire
}

fn envelope(key: &PublicKey, namespace: &str, signature: &[u8]) -> String {
    let mut blob = [b"SSHSIG".as_slice(), &1_u32.to_be_bytes()].concat();
    for part in [key.blob(), namespace.as_bytes(), b"", b"sha512", signature] {
        put_string(&mut blob, part);
    }
    armour(&blob)
}

pub(crate) fn armour(blob: &[u8]) -> String {
    let base64 = STANDARD.encode(blob);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}

pub(crate) fn dearmour(text: &str) -> Vec<u8> {
    STANDARD.decode(text.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}
