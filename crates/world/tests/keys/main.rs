//! Signatures: what is said of them here is what ssh-keygen says.

#![expect(clippy::unwrap_used, reason = "a helper of a test that meets an error has found a defect")]

mod desk;
mod device;
mod findings;
mod signing;

use desk::{Claim, Desk, armour, dearmour};
use shipway_core::problem::Code;
use shipway_core::signers::{PublicKey, Signers};
use shipway_core::time::Time;
use shipway_world::keys;

const NAMESPACE: &str = "review@shipway";
const TEXT: &[u8] = b"{\"statement\":\"review\"}";
const NOW: &str = "20261120124308";

const KINDS: [(&str, &[&str]); 5] = [
    ("ed25519", &["-t", "ed25519"]),
    ("p256", &["-t", "ecdsa", "-b", "256"]),
    ("p384", &["-t", "ecdsa", "-b", "384"]),
    ("rsa2048", &["-t", "rsa", "-b", "2048"]),
    ("rsa3072", &["-t", "rsa", "-b", "3072"]),
];

/// Says here what `ssh-keygen -Y verify -I` says: the envelope, the key, and whether it counts for a principal.
fn good(allowed: &str, claim: &Claim<'_>) -> bool {
    let (signers, _) = Signers::read(allowed, "");
    let at = time(claim.at);
    let Some(key) = signer(claim) else { return false };
    let proof = keys::prove(&key, claim.namespace, claim.text, claim.signature);
    proof.is_ok() && signers.check(claim.principal, &key, claim.namespace, at).is_ok()
}

/// Returns the key that a signature names, good or not.
fn signer(claim: &Claim<'_>) -> Option<PublicKey> {
    let blob = dearmour(claim.signature);
    let mut wire = shipway_core::signers::Wire::new(blob.get(10..)?);
    PublicKey::read(wire.string()?)
}

fn time(digits: &str) -> Time {
    let part = |from: usize, to: usize| &digits[from..to];
    format!("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14))
        .parse()
        .unwrap()
}

/// Holds the two answers against each other, and returns them.
#[track_caller]
fn agree(desk: &Desk, allowed: &str, claim: &Claim<'_>, what: &str) -> bool {
    let ours = good(allowed, claim);
    assert_eq!(ours, desk.asks(allowed, claim), "{what}: ours is {ours}\n{allowed}{}", claim.signature);
    ours
}

fn claim(signature: &str) -> Claim<'_> {
    Claim { principal: "ann", namespace: NAMESPACE, text: TEXT, signature, at: NOW }
}

#[test]
fn signatures_of_every_kind_are_good_and_those_for_something_else_are_not() {
    let Some(desk) = Desk::new() else { return };
    let stranger = desk.key("stranger", &["-t", "ed25519"], "");
    for (name, kind) in KINDS {
        let key = desk.key(name, kind, "");
        let allowed = format!("bob {}\nann {}\n", stranger.to_line(), key.to_line());
        for hash in ["sha256", "sha512"] {
            let signature = desk.sign(name, NAMESPACE, TEXT, hash);
            let right = claim(&signature);
            assert!(agree(&desk, &allowed, &right, name), "{name} {hash}");
            for (wrong, what) in [
                (Claim { namespace: "plan@shipway", ..right }, "another namespace"),
                (Claim { text: b"{}", ..right }, "another text"),
                (Claim { principal: "bob", ..right }, "another person"),
            ] {
                assert!(!agree(&desk, &allowed, &wrong, what), "{name} {hash} {what}");
            }
            assert!(!agree(&desk, &format!("ann {}\n", stranger.to_line()), &right, "another key"));
        }
        let other = desk.sign("stranger", NAMESPACE, TEXT, "sha512");
        assert!(!agree(&desk, &allowed, &claim(&other), "signed by another"));
    }
}

#[test]
fn no_bit_of_a_signature_can_be_changed() {
    let Some(desk) = Desk::new() else { return };
    for (name, kind) in &KINDS[..2] {
        let allowed = format!("ann {}\n", desk.key(name, kind, "").to_line());
        let blob = dearmour(&desk.sign(name, NAMESPACE, TEXT, "sha512"));
        for at in 0..blob.len() {
            let mut changed = blob.clone();
            changed[at] ^= 1 << (at % 8);
            let signature = armour(&changed);
            assert!(!agree(&desk, &allowed, &claim(&signature), &format!("{name}, byte {at}")));
        }
        for end in (0..blob.len()).step_by(7) {
            let signature = armour(&blob[..end]);
            assert!(!agree(&desk, &allowed, &claim(&signature), &format!("{name}, cut at {end}")));
        }
        let longer = armour(&[&blob[..], b"\0"].concat());
        assert!(!agree(&desk, &allowed, &claim(&longer), &format!("{name}, longer")));
    }
}

#[test]
fn allowed_signers_mean_what_ssh_keygen_says() {
    let Some(desk) = Desk::new() else { return };
    let key = desk.key("ed25519", &["-t", "ed25519"], "").to_line();
    let signature = desk.sign("ed25519", NAMESPACE, TEXT, "sha512");
    let (mut yes, mut no) = (0, 0);
    for line in [
        "ann KEY",
        "  ann\tKEY a comment",
        "ann,bob KEY",
        "bob KEY",
        "a* KEY",
        "a?n KEY",
        "*,!ann KEY",
        "!bob KEY",
        "Ann KEY",
        "\"ann\" KEY",
        "\"ann KEY",
        "\"an n\",ann KEY",
        "# ann KEY",
        "ann # KEY",
        "ann",
        "",
        "ann cert-authority KEY",
        "ann no-touch-required KEY",
        "ann namespaces=\"review@shipway\" KEY",
        "ann namespaces=\"plan@shipway,review@*\" KEY",
        "ann namespaces=\"*,!review@shipway\" KEY",
        "ann namespaces=\"git\" KEY",
        "ann NAMESPACES=\"review@shipway\" KEY",
        "ann namespaces=review@shipway KEY",
        "ann namespaces=\"a b\",valid-after=\"2020\" KEY",
        "ann namespaces=\"a b,review@shipway\" KEY",
        "ann namespaces=\"git\",namespaces=\"review@shipway\" KEY",
        "ann valid-after=\"20200101\" KEY",
        "ann valid-after=\"20200101Z\",valid-before=\"20270101Z\" KEY",
        "ann valid-after=\"20270101\" KEY",
        "ann valid-before=\"20200101\" KEY",
        "ann valid-before=\"20261120124308\" KEY",
        "ann valid-before=\"20261120124307\" KEY",
        "ann valid-after=\"20261120124308\" KEY",
        "ann valid-after=\"20261120124309\" KEY",
        "ann valid-after=\"202611201243\" KEY",
        "ann valid-after=\"202611201244\" KEY",
        "ann valid-after=\"yesterday\" KEY",
        "ann valid-after=\"2020010\" KEY",
        "ann valid-after=\"20201301\" KEY",
        "ann valid-after=\"20200101\",valid-after=\"20200102\" KEY",
        "ann valid-after=\"20200101\", KEY",
        "ann valid-after=\"20200101\"namespaces=\"*\" KEY",
        "ann ssh-ed25519",
        "ann ssh-ed25519 AAAA",
        "ann ssh-rsa AAAA",
    ] {
        let allowed = format!("{}\n", line.replace("KEY", &key));
        let answer = agree(&desk, &allowed, &claim(&signature), line);
        *(if answer { &mut yes } else { &mut no }) += 1;
    }
    assert!(yes >= 15 && no > 20, "{yes} {no}");
}

#[test]
fn the_people_of_a_key_are_those_that_ssh_keygen_finds() {
    let Some(desk) = Desk::new() else { return };
    let key = desk.key("ed25519", &["-t", "ed25519"], "");
    let signature = desk.sign("ed25519", NAMESPACE, TEXT, "sha512");
    for (line, person) in [
        ("ann KEY", Some("ann")),
        ("ann,ann@example.org KEY", Some("ann")),
        ("\"ann\" KEY", Some("ann")),
        ("ann valid-before=\"20200101\" KEY", None),
    ] {
        let allowed = format!("{}\n", line.replace("KEY", &key.to_line()));
        let (signers, _) = Signers::read(&allowed, "");
        let ours = signers.person(&key, NAMESPACE, time(NOW)).ok();
        assert_eq!(ours, person, "{line}");
        let theirs = desk.principals(&allowed, &signature);
        assert_eq!(theirs.first().and_then(|line| line.split(',').next()), person, "{line}");
    }
}

#[test]
fn a_flaw_is_named() {
    let Some(desk) = Desk::new() else { return };
    let key = desk.key("ed25519", &["-t", "ed25519"], "");
    let signature = desk.sign("ed25519", "git", TEXT, "sha512");
    let (signers, _) = Signers::read(&format!("ann valid-before=\"20200101Z\" {}", key.to_line()), "");
    let check = |namespace: &str, text: &[u8], signature: &str, code: Code, why: &str| {
        let problem = keys::verify_bytes(&signers, namespace, text, (signature, time(NOW))).unwrap_err();
        assert_eq!(problem.code, code, "{problem:?}");
        assert!(problem.found.unwrap().contains(why), "{why}");
    };
    check("git", TEXT, &signature, Code::KeyInvalid, "counted until 2020-01-01");
    check("git", b"", &signature, Code::SignatureBad, "was changed");
    check("file", TEXT, &signature, Code::SignatureBad, "made for git, not for file");
    check("git", TEXT, "yes", Code::SignatureBad, "no signature of ssh");
    let unknown = keys::verify_bytes(&Signers::default(), "git", TEXT, (&signature, time(NOW))).unwrap_err();
    assert_eq!(unknown.code, Code::SignerUnknown);
    assert!(unknown.hints[0].contains(&key.to_line()));
}
