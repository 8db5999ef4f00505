//! Encryption in the age format, with the program itself as the judge.

use shipway_testkit::skip::skip;

use super::*;

/// Makes an identity and returns its recipient.
fn identity(site: &Site, name: &str) -> Option<String> {
    let cmd = Cmd::new("age-keygen").arg("-o").arg(site.path(name));
    let made = LocalShell::new().run(&cmd, &Stop::default());
    if !made.is_ok_and(|made| made.ok()) {
        skip("age is not installed");
        return None;
    }
    Some(output(&Cmd::new("age-keygen").arg("-y").arg(site.path(name))))
}

#[test]
fn an_encrypted_backup_is_verified_and_read_by_age() {
    let site = Site::new();
    let (Some(ours), Some(theirs)) = (identity(&site, "ours"), identity(&site, "theirs")) else { return };
    site.file("data/secret", "the plain words");
    let spec = Spec { recipients: vec![ours, theirs], identity: Some("ours".into()), ..directory("data") };
    let made = site.make(&spec).unwrap();
    assert!(made.encrypted && made.file.ends_with(".tar.age"));
    let path = site.path("backups").join(&made.file);
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
    assert!(!bytes.windows(15).any(|part| part == b"the plain words"));
    site.verify(&spec, &made).unwrap();
    site.restore(&spec, &made, "again").unwrap();
    assert_eq!(fs::read_to_string(site.path("again/secret")).unwrap(), "the plain words");
    // By hand, with the identity of the other one and no shipway.
    let plain = Cmd::new("age").args(["-d", "-i"]).arg(site.path("theirs")).arg("-o").arg(site.path("tar"));
    output(&plain.arg(&path));
    let text = output(&Cmd::new("tar").arg("-xOf").arg(site.path("tar")).arg("./secret"));
    assert_eq!(text, "the plain words");
    assert_eq!(site.names().len(), 2, "nothing plain is left");
}

#[test]
fn a_wrong_identity_is_told_and_breaks_nothing() {
    let site = Site::new();
    let (Some(ours), Some(_)) = (identity(&site, "ours"), identity(&site, "wrong")) else { return };
    site.file("data/secret", "x");
    let with = |name: Option<&str>| Spec {
        recipients: vec![ours.clone()],
        identity: name.map(Into::into),
        ..directory("data")
    };
    let made = site.make(&with(None)).unwrap();
    for name in [None, Some("wrong"), Some("missing")] {
        assert_eq!(code(site.verify(&with(name), &made)), Code::BackupLocked, "{name:?}");
        assert_eq!(code(site.restore(&with(name), &made, "again")), Code::BackupLocked, "{name:?}");
        assert!(!site.path("again").exists());
    }
    assert_eq!(site.list(), std::slice::from_ref(&made), "it is neither verified nor broken");
    site.verify(&with(Some("ours")), &made).unwrap();
}

#[test]
fn a_recipient_that_is_none_is_no_backup() {
    let site = Site::new();
    if identity(&site, "ours").is_none() {
        return;
    }
    site.file("data/x", "x");
    for recipient in ["age1nobody", "--decrypt", ""] {
        let spec = Spec { recipients: vec![recipient.into()], ..directory("data") };
        assert_eq!(code(site.make(&spec)), Code::BackupFailed, "{recipient}");
        assert!(site.names().is_empty());
    }
}
