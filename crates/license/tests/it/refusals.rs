//! What must never be taken for a signed document, and under which name it is refused.

use tenure_license::*;

use crate::golden;
use crate::samples::{
    DAY, NOW, first_root, key, license, listed, pinned, receipt, root, sample, signed_by, signed_license, text_of,
};

type Verdict = Result<Verified<License>, VerifyError>;

fn license_verdict(envelope: &Envelope) -> Verdict {
    root().verify_license(envelope)
}

#[test]
fn pae_is_the_one_of_the_specification() {
    // The test vector of DSSE's protocol.md.
    let encoded = pae("http://example.com/HelloWorld", b"hello world");
    assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    assert_eq!(pae("\u{fc}", b""), "DSSEv1 2 \u{fc} 0 ".as_bytes(), "lengths are bytes");
}

#[test]
fn signing_is_rfc_8032() {
    // RFC 8032, 7.1, test 2.
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len()).step_by(2).map(|n| u8::from_str_radix(&text[n..n + 2], 16).unwrap()).collect()
    };
    let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    let key = SigningKey::from_seed(seed.as_slice().try_into().unwrap());
    assert_eq!(
        key.public().as_bytes().as_slice(),
        hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    );
    let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                     085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    assert_eq!(key.sign_raw(&[0x72]).as_slice(), hex(signature));
    assert_eq!(*key.seed(), seed.as_slice());
    assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.key_id()), "the secret is not shown");
}

#[test]
fn no_flipped_bit_verifies() {
    let good = signed_license();
    assert!(license_verdict(&good).is_ok());
    let root = root();
    let refused = |envelope: Envelope, what: &str, byte: usize, bit: u32| {
        assert!(root.verify_license(&envelope).is_err(), "bit {bit} of byte {byte} of the {what}");
    };
    // Every byte, in each run two of its bits that change from byte to byte.
    let bits = |byte: usize| [byte as u32 % 8, (byte as u32 + 3) % 8];
    for byte in 0..good.payload.len() {
        for bit in bits(byte) {
            let mut changed = good.clone();
            changed.payload[byte] ^= 1 << bit;
            refused(changed, "payload", byte, bit);
        }
    }
    for byte in 0..64 {
        for bit in 0..8 {
            let mut changed = good.clone();
            changed.signatures[0].sig[byte] ^= 1 << bit;
            refused(changed, "signature", byte, bit);
        }
    }
    for byte in 0..good.payload_type.len() {
        for bit in bits(byte) {
            let mut changed = good.clone();
            let mut text = changed.payload_type.into_bytes();
            text[byte] ^= 1 << bit;
            changed.payload_type = String::from_utf8_lossy(&text).into_owned();
            refused(changed, "type", byte, bit);
        }
    }
    for length in [0, 1, 63, 65, 128] {
        let mut changed = good.clone();
        changed.signatures[0].sig.resize(length, 0);
        refused(changed, "signature's length", length, 0);
    }
}

#[test]
fn identity_does_not_depend_on_signatures_or_spelling() {
    let one = signed_license();
    let mut root_with_two = first_root();
    root_with_two.keys.push(listed(key("license-2").public(), KeyRole::License));
    let root = pinned(&root_with_two);
    let two = signed_by(&license(), &["license", "license-2"]);
    let swapped = signed_by(&license(), &["license-2", "license"]);
    let spaced = {
        let value: serde_json::Value = serde_json::from_str(&one.to_json()).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap().replacen('{', r#"{ "note": {"by": "a proxy"},"#, 1);
        Envelope::from_json(pretty.as_bytes()).unwrap()
    };
    for envelope in [&one, &two, &swapped, &spaced] {
        let verified = root.verify_license(envelope).unwrap();
        assert_eq!(verified.hash, one.hash());
        assert_eq!(*verified, license());
    }
    assert_eq!(root.verify_license(&two).unwrap().signed_by.len(), 2);
    // One key that signs twice is one key.
    assert_eq!(root.verify_license(&signed_by(&license(), &["license"; 8])).unwrap().signed_by.len(), 1);
}

#[test]
fn r3_the_key_id_is_a_hint() {
    let mut wrong_hint = signed_license();
    wrong_hint.signatures[0].keyid = key("receipt").key_id().to_string();
    assert!(license_verdict(&wrong_hint).is_ok(), "a wrong hint must not deny a good signature");
    wrong_hint.signatures[0].keyid = "anything".into();
    assert!(license_verdict(&wrong_hint).is_ok());

    let mut forged = signed_by(&license(), &["stranger"]);
    assert_eq!(license_verdict(&forged), Err(VerifyError::UnknownKey));
    forged.signatures[0].keyid = key("license").key_id().to_string();
    assert_eq!(license_verdict(&forged), Err(VerifyError::BadSignature), "a hint must not select a key");

    // A good signature is found behind bad ones.
    let mut mixed = signed_by(&license(), &["stranger", "license"]);
    mixed.signatures[0].keyid = key("license").key_id().to_string();
    assert!(license_verdict(&mixed).is_ok());
}

#[test]
fn each_refusal_has_its_name() {
    let mut unsigned = signed_license();
    unsigned.signatures.clear();
    assert_eq!(license_verdict(&unsigned), Err(VerifyError::NoSignature));
    assert_eq!(license_verdict(&signed_by(&license(), &["license"; 9])), Err(VerifyError::TooManySignatures(9)));
    assert_eq!(
        license_verdict(&signed_by(&license(), &["receipt"])),
        Err(VerifyError::WrongRole { needed: KeyRole::License })
    );
    assert_eq!(
        root().verify_receipt_role::<Receipt>(&signed_by(&receipt(), &["license"])),
        Err(VerifyError::WrongRole { needed: KeyRole::Receipt })
    );
    for name in ["root-a", "continuity-a"] {
        assert_eq!(
            license_verdict(&signed_by(&license(), &[name])),
            Err(VerifyError::WrongRole { needed: KeyRole::License })
        );
    }
    let malformed = sign_bytes(License::TYPE, b"{\"v\":1}".to_vec(), &[&key("license")]);
    assert!(matches!(license_verdict(&malformed), Err(VerifyError::Malformed(_))));

    let version_2 = text_of("license").replacen(r#""v":1"#, r#""v":2"#, 1);
    let version_2 = sign_bytes(License::TYPE, version_2.into_bytes(), &[&key("license")]);
    assert_eq!(license_verdict(&version_2), Err(VerifyError::UnsupportedVersion(2)));

    let mut critical = license();
    critical.crit.push("geofence".into());
    let critical = signed_by(&critical, &["license"]);
    assert_eq!(license_verdict(&critical), Err(VerifyError::UnknownCritical("geofence".into())));
    // Taking the name out of the list breaks the signature.
    let mut stripped = critical;
    stripped.payload = encode_payload(&license());
    assert_eq!(license_verdict(&stripped), Err(VerifyError::BadSignature));

    let mut elsewhere = license();
    elsewhere.aud = "dep_019b76da-a800-7000-8000-0000000000ff".parse().unwrap();
    assert_eq!(
        license_verdict(&signed_by(&elsewhere, &["license"])),
        Err(VerifyError::WrongAudience { expected: license().aud, found: elsewhere.aud })
    );
    let mut newer = license();
    newer.min_root = 2;
    assert_eq!(license_verdict(&signed_by(&newer, &["license"])), Err(VerifyError::RootTooOld { need: 2, held: 1 }));
    let mut both = license();
    both.activation = sample::<License>("license#activation").activation;
    assert!(matches!(license_verdict(&signed_by(&both, &["license"])), Err(VerifyError::Malformed(_))));
}

#[test]
fn no_document_passes_for_another() {
    let license_signature = signed_license();
    assert!(matches!(
        root().verify_receipt_role::<Receipt>(&license_signature),
        Err(VerifyError::WrongType { expected: Receipt::TYPE, .. })
    ));
    // The bytes of a receipt, called a license: the license key never signed that.
    let mut renamed = signed_by(&receipt(), &["license"]);
    renamed.payload_type = License::TYPE.into();
    assert_eq!(license_verdict(&renamed), Err(VerifyError::BadSignature));
    // A shift of bytes between type and payload does not give the same PAE.
    assert_ne!(pae("a", b"b 1 c"), pae("a 1 b", b"c"));
    // Raw bytes signed without their type are no document.
    let mut raw = signed_license();
    raw.signatures[0].sig = key("license").sign_raw(&raw.payload).to_vec();
    assert_eq!(license_verdict(&raw), Err(VerifyError::BadSignature));
}

#[test]
fn e6_a_license_is_judged_by_its_key_at_issue() {
    let issued = |at: i64| {
        let mut license = license();
        license.issued_at = at;
        license_verdict(&signed_by(&license, &["license"])).err()
    };
    let not_in_use = Some(VerifyError::KeyNotValidAtIssue);
    assert_eq!(issued(NOW - 1), not_in_use);
    assert_eq!(issued(NOW), None);
    assert_eq!(issued(NOW + 365 * DAY - 1), None);
    assert_eq!(issued(NOW + 365 * DAY), not_in_use);
    // Receipts and answers of a retired key count for ever, and a stored answer may be signed again by a later key.
    for at in [NOW - 1, NOW + 3650 * DAY] {
        let answer = CheckInAnswer { at, ..sample("check-in-answer") };
        assert!(root().verify_receipt_role::<CheckInAnswer>(&signed_by(&answer, &["receipt"])).is_ok());
    }
}

#[test]
fn a_revoked_key_counts_for_nothing() {
    let mut revoked = first_root();
    for key in &mut revoked.keys {
        if matches!(key.role, KeyRole::License | KeyRole::Receipt) {
            key.revoked = Some(NOW + 100 * DAY);
        }
    }
    revoked.keys.push(listed(key("license-2").public(), KeyRole::License));
    let root = pinned(&revoked);
    assert_eq!(root.verify_license(&signed_license()), Err(VerifyError::Revoked));
    assert_eq!(root.verify_receipt_role::<Receipt>(&signed_by(&receipt(), &["receipt"])), Err(VerifyError::Revoked));
    let both = root.verify_license(&signed_by(&license(), &["license", "license-2"])).unwrap();
    assert_eq!(both.signed_by, [key("license-2").key_id()], "the other signature carries it");
}

#[test]
fn e2_epochs_have_a_window() {
    let root = pinned(&TrustRoot { epoch_floor: 5, ..first_root() });
    for (epoch, accepted) in [(0, false), (4, false), (5, true), (1005, true), (1006, false), (1 << 52, false)] {
        let expected = (!accepted).then_some(VerifyError::EpochOutOfRange { epoch, floor: 5 });
        let license = signed_by(&License { epoch, ..license() }, &["license"]);
        assert_eq!(root.verify_license(&license).err(), expected, "license of epoch {epoch}");
        assert!(root.verify_held_license(&license).is_ok(), "as proof of the past");
        let answer = signed_by(&CheckInAnswer { epoch, ..sample("check-in-answer") }, &["receipt"]);
        assert_eq!(root.verify_receipt_role::<CheckInAnswer>(&answer).err(), expected, "answer of epoch {epoch}");
        assert!(root.verify_held_receipt_role::<CheckInAnswer>(&answer).is_ok());
        let receipt = signed_by(&Receipt { epoch, ..receipt() }, &["receipt"]);
        assert!(root.verify_receipt_role::<Receipt>(&receipt).is_ok(), "a receipt's epoch is history");
    }
}

#[test]
fn installation_keys_sign_alone_or_as_two() {
    let (old, new, third) = (key("installation"), key("installation-2"), key("installation-3"));
    let request = CheckInRequest { new_key: Some(new.public()), ..sample("check-in-request") };
    let both = sign(&request, &[&new, &old]).into_envelope();
    let one = sign(&request, &[&old]).into_envelope();
    let twice = sign(&request, &[&old, &old]).into_envelope();

    assert_eq!(*verify_rotation(&both, &old.public()).unwrap(), request);
    assert_eq!(verify_rotation(&one, &old.public()), Err(VerifyError::UnknownKey));
    assert_eq!(verify_rotation(&twice, &old.public()), Err(VerifyError::UnknownKey));
    assert_eq!(verify_rotation(&both, &third.public()), Err(VerifyError::UnknownKey));
    let (old, new) = (old.public(), new.public());
    let verified = verify_two::<CheckInRequest>(&both, &old, &new).unwrap();
    assert_eq!(verified.signed_by, [old.id(), new.id()]);
    assert_eq!(verify_two::<CheckInRequest>(&both, &old, &old), Err(VerifyError::UnusableKey), "one key is not two");
    assert_eq!(verify_two::<CheckInRequest>(&twice, &old, &new), Err(VerifyError::UnknownKey));
    assert!(verify_two::<CheckInRequest>(&both, &old, &third.public()).is_err());

    let to_itself = CheckInRequest { new_key: Some(old), ..sample("check-in-request") };
    let to_itself = sign(&to_itself, &[&key("installation"), &key("installation")]).into_envelope();
    assert_eq!(verify_rotation(&to_itself, &old), Err(VerifyError::UnusableKey));
    let plain = sign(&sample::<CheckInRequest>("check-in-request#least"), &[&key("installation")]).into_envelope();
    assert!(matches!(verify_rotation(&plain, &old), Err(VerifyError::Malformed(_))));
    assert!(verify_with_key::<CheckInRequest>(&plain, &old).unwrap().for_audience(license().aud).is_ok());
    let other = "dep_019b76da-a800-7000-8000-0000000000ff".parse().unwrap();
    assert!(matches!(
        verify_with_key::<CheckInRequest>(&plain, &old).unwrap().for_audience(other),
        Err(VerifyError::WrongAudience { .. })
    ));
}

#[test]
fn an_activation_request_is_signed_by_the_key_it_shows() {
    let shown = key("installation");
    let request = ActivationRequest { key: shown.public(), ..sample("activation-request") };
    assert_eq!(*verify_activation(&sign(&request, &[&shown]).into_envelope()).unwrap(), request);
    let stolen = sign(&request, &[&key("stranger")]).into_envelope();
    assert_eq!(verify_activation(&stolen), Err(VerifyError::UnknownKey));
    assert!(matches!(verify_activation(&signed_license()), Err(VerifyError::WrongType { .. })));
}

/// The field's prime, 2^255 - 19, little-endian.
const PRIME: [u8; 32] = {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed;
    bytes[31] = 0x7f;
    bytes
};

#[test]
fn weak_and_misspelled_keys_are_refused() {
    let message = signed_license();
    // The points of order 1, 2, 4 and 8: RFC 8032's reader would accept one signature for many messages.
    let order_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    let order_8: Vec<u8> = (0..64).step_by(2).map(|n| u8::from_str_radix(&order_8[n..n + 2], 16).unwrap()).collect();
    let mut small: Vec<[u8; 32]> = Vec::new();
    for y in [0_u8, 1] {
        let mut point = [0; 32];
        point[0] = y;
        small.push(point);
    }
    let mut minus_one = PRIME;
    minus_one[0] -= 1;
    small.push(minus_one);
    small.push(order_8.as_slice().try_into().unwrap());
    for mut point in small {
        for sign in [0, 0x80] {
            point[31] = point[31] & 0x7f | sign;
            // R the neutral point and S zero: what a reader that is not strict accepts for any message.
            let mut forged = message.clone();
            forged.signatures[0].sig = vec![0; 64];
            forged.signatures[0].sig[0] = 1;
            let outcome = verify_with_key::<License>(&forged, &PublicKey::from_bytes(point));
            assert_eq!(outcome, Err(VerifyError::UnusableKey), "{point:02x?}");
        }
    }
    // The 19 numbers from the prime on: second spellings of 0 to 18.
    for more in 0..19 {
        for sign in [0, 0x80] {
            let mut spelling = PRIME;
            spelling[0] += more;
            spelling[31] |= sign;
            let outcome = verify_with_key::<License>(&message, &PublicKey::from_bytes(spelling));
            assert_eq!(outcome, Err(VerifyError::UnusableKey), "{spelling:02x?}");
        }
    }
}

#[test]
fn a_signature_has_one_spelling() {
    // S + L, the group's order: the same number to a reader that does not check.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut spelled = signed_license();
    let mut carry = 0;
    for (byte, more) in spelled.signatures[0].sig[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(license_verdict(&spelled), Err(VerifyError::BadSignature));
}

/// The golden license with a signature that only the key's owner can make, and that many readers accept: `R` is the neutral
/// point and `S` is `k * a`. With such an `R` one key can make two signatures that readers disagree about.
pub(crate) fn license_with_small_r() -> Envelope {
    let mut envelope = golden::envelope("license.lic");
    let s = "59d0846e902b03ea38dd63c84759e4fee7be0800fbd4561278e077023adc5e09";
    let s = (0..64).step_by(2).map(|n| u8::from_str_radix(&s[n..n + 2], 16).unwrap());
    envelope.signatures[0].sig = [1].into_iter().chain([0; 31]).chain(s).collect();
    envelope
}

#[test]
fn a_signature_with_a_point_of_small_order_is_refused() {
    let envelope = license_with_small_r();
    let lenient = ed25519_dalek::VerifyingKey::from_bytes(key("license").public().as_bytes()).unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&envelope.signatures[0].sig).unwrap();
    let message = pae(&envelope.payload_type, &envelope.payload);
    assert!(ed25519_dalek::Verifier::verify(&lenient, &message, &signature).is_ok(), "the signature tests nothing");
    assert_eq!(license_verdict(&envelope), Err(VerifyError::BadSignature));
    assert!(verify_with_key::<License>(&envelope, &key("license").public()).is_err());
}

#[test]
fn refusals_are_sentences() {
    let refusals = [
        VerifyError::TooLarge { size: 2, limit: 1 },
        VerifyError::WrongType { expected: License::TYPE, found: "x".into() },
        VerifyError::NoSignature,
        VerifyError::TooManySignatures(9),
        VerifyError::UnknownKey,
        VerifyError::BadSignature,
        VerifyError::UnusableKey,
        VerifyError::WrongRole { needed: KeyRole::License },
        VerifyError::KeyNotValidAtIssue,
        VerifyError::Revoked,
        VerifyError::Threshold { role: KeyRole::Root, have: 1, need: 2 },
        VerifyError::Malformed("expected a comma".into()),
        VerifyError::UnsupportedVersion(2),
        VerifyError::UnknownCritical("x".into()),
        VerifyError::WrongAudience { expected: license().aud, found: license().aud },
        VerifyError::EpochOutOfRange { epoch: u64::MAX, floor: u64::MAX },
        VerifyError::RootTooOld { need: 2, held: 1 },
        VerifyError::ContinuityRevoked("x".into()),
        VerifyError::RootUnsound("it asks for no signature"),
        VerifyError::RootNotNext { held: 1, offered: 3 },
        VerifyError::RootOtherBytes(1),
        VerifyError::RootStepsBack("lowers the epoch floor"),
    ];
    for refusal in refusals {
        let text = refusal.to_string();
        assert!(text.split(' ').count() > 3 && !text.ends_with('.') && text.starts_with(|c: char| !c.is_uppercase()));
    }
}
