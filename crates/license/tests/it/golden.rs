//! Files that were signed once and must verify for ever.
//!
//! They are never written again: a change that makes one of them fail is a change that makes products refuse what
//! customers hold. [`made`] says how each came to be.

use std::{fs, path::PathBuf};

use tenure_license::*;

use crate::samples::{DAY, NOW, first_root, key, license, listed, sample, signed_by};

pub(crate) fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "golden", name].iter().collect()
}

pub(crate) fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn envelope(name: &str) -> Envelope {
    if is_license(name) {
        return LicenseFile::parse(&text(name)).unwrap();
    }
    Envelope::from_json(text(name).as_bytes()).unwrap()
}

fn is_license(name: &str) -> bool {
    path(name).extension() == Some("lic".as_ref())
}

/// The license of the golden file, bound to the key of the installation.
fn golden_license() -> License {
    let mut license = license();
    license.installation.as_mut().unwrap().key = key("installation").key_id();
    license
}

/// The license key of version 1 goes on, beside its successor; one root key made room; a continuity note is void.
fn second_root() -> TrustRoot {
    let mut root = TrustRoot { version: 2, issued_at: NOW + 30 * DAY, epoch_floor: 1, ..first_root() };
    root.keys[2].revoked = Some(NOW + 30 * DAY);
    root.keys.push(listed(key("root-d").public(), KeyRole::Root));
    root.keys.push(RootKey { from: NOW + 30 * DAY, ..listed(key("license-2").public(), KeyRole::License) });
    root.revoked_continuity.push("2025-z".into());
    root
}

/// How each file came to be. With `TENURE_WRITE_MISSING_GOLDEN` set, writes one that does not exist; it never replaces one.
fn made() -> [(&'static str, Envelope, &'static [&'static str]); 6] {
    fn of<P: Payload>(
        name: &'static str,
        payload: &P,
        keys: &'static [&'static str],
    ) -> (&'static str, Envelope, &'static [&'static str]) {
        (name, signed_by(payload, keys), keys)
    }
    [
        of("license.lic", &golden_license(), &["license"]),
        of("activation.lic", &sample::<License>("license#activation"), &["license"]),
        of("receipt.json", &sample::<Receipt>("receipt#submission"), &["receipt"]),
        of("check-in-answer.json", &sample::<CheckInAnswer>("check-in-answer"), &["receipt"]),
        of("root-1.json", &first_root(), &["root-a", "root-b"]),
        of("root-2.json", &second_root(), &["root-a", "root-b", "root-d"]),
    ]
}

/// Keys from fixed seeds and the payload bytes in the file give the file's signatures, today as on the day it was made:
/// no change of a schema can excuse a change of a golden file.
#[test]
fn the_fixed_keys_sign_the_golden_bytes_as_ever() {
    for (name, made, keys) in made() {
        if !path(name).exists() && std::env::var_os("TENURE_WRITE_MISSING_GOLDEN").is_some() {
            let text = if is_license(name) { LicenseFile::to_text(&made) } else { made.to_json() + "\n" };
            fs::write(path(name), text).unwrap();
        }
        let stored = envelope(name);
        let keys: Vec<SigningKey> = keys.iter().copied().map(key).collect();
        let again = sign_bytes(&stored.payload_type, stored.payload.clone(), &keys.iter().collect::<Vec<_>>());
        assert_eq!(again, stored, "{name}");
        assert_eq!(again.payload_type, made.payload_type, "{name}");
    }
}

#[test]
fn golden_files_verify_for_ever() {
    let first = Root::pinned(envelope("root-1.json")).unwrap();
    let second = first.walk(envelope("root-2.json")).unwrap();
    assert_eq!((first.version(), second.version()), (1, 2));
    for root in [&first, &second] {
        let license = root.verify_license(&envelope("license.lic")).unwrap();
        assert_eq!(license.hash.to_string(), "7bb0d1a39ea0ff5f264a7ba9212877bfd46c58c1fc0e31e59084e78f777325c9");
        assert_eq!(license.company.as_ref().unwrap().name, "Fabrikam \u{dc}nal \"East\" GmbH");
        assert_eq!((license.points.as_milli(), license.serial, license.expires_at), (14_000, 3, NOW + 104 * DAY));
        assert_eq!(license.installation.as_ref().unwrap().key, key("installation").key_id());

        let activation = root.verify_license(&envelope("activation.lic")).unwrap();
        assert!(activation.installation.is_none());
        let code: ActivationCode = activation.activation.as_ref().unwrap().code.parse().unwrap();
        assert_eq!(code.to_string(), "01234-56789-ABCDE-FGHJK-MNPQRS");

        let receipt = root.verify_receipt_role::<Receipt>(&envelope("receipt.json")).unwrap();
        assert!(matches!(receipt.subject, ReceiptSubject::Submission { number: 2, .. }));
        let answer = root.verify_receipt_role::<CheckInAnswer>(&envelope("check-in-answer.json")).unwrap();
        assert_eq!((answer.seq, answer.result, answer.docs.len()), (4, UpdateResult::Updated, 2));
    }
}
