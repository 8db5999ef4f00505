//! Keys on devices, played by software that signs as they do.

use shipway_core::signers::Signers;
use shipway_core::statement::Signer;
use shipway_world::keys;

use crate::desk::{Claim, Desk, Device, armour, dearmour};
use crate::{NAMESPACE, NOW, TEXT, agree, claim, time};

fn verified(device: &Device, signature: &str) -> Signer {
    let (signers, problems) = Signers::read(&format!("ann {}\n", device.public().to_line()), "");
    assert_eq!(problems, []);
    keys::verify_bytes(&signers, NAMESPACE, TEXT, (signature, time(NOW))).unwrap()
}

#[test]
fn touch_and_pin_are_what_the_device_says() {
    for device in [Device::ed25519(), Device::ecdsa()] {
        for (flags, touched, pin) in [
            (0x05, true, true),
            (0x01, true, false),
            (0x04, false, true),
            (0x00, false, false),
            (0xfa, false, false),
        ] {
            let signer = verified(&device, &device.sign(NAMESPACE, TEXT, flags));
            assert_eq!((signer.touched, signer.verified), (touched, pin), "{flags:#04x} {}", signer.kind);
            assert_eq!(signer.person, "ann");
        }
    }
}

#[test]
fn what_a_device_says_cannot_be_changed() {
    let Some(desk) = Desk::new() else { return };
    for device in [Device::ed25519(), Device::ecdsa()] {
        let allowed = format!("ann {}\n", device.public().to_line());
        let signature = device.sign(NAMESPACE, TEXT, 0x01);
        assert!(agree(&desk, &allowed, &claim(&signature), "as it is"));
        let other = Claim { namespace: "git", ..claim(&signature) };
        assert!(!agree(&desk, &allowed, &other, "another namespace"));
        let blob = dearmour(&signature);
        // Behind the signature of the key stand the flags and the counter.
        for back in 1..=5 {
            let mut changed = blob.clone();
            let at = changed.len() - back;
            changed[at] ^= 0x04;
            assert!(!agree(&desk, &allowed, &claim(&armour(&changed)), &format!("{back} from the end")));
        }
    }
}

#[test]
fn another_device_is_another_key() {
    let (one, other) = (Device::ed25519(), Device::ed25519());
    let signature = other.sign(NAMESPACE, TEXT, 0x01);
    assert!(keys::prove(&one.public(), NAMESPACE, TEXT, &signature).is_err());
    assert!(keys::prove(&other.public(), NAMESPACE, TEXT, &signature).is_ok());
}
