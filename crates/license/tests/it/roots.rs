//! The walk from one trust root to the next, and what only a root can decide.

use tenure_license::*;

use crate::samples::{DAY, NOW, first_root, key, listed, pinned, root, root_keys, sample, signed_by, signed_license};

fn next() -> TrustRoot {
    TrustRoot { version: 2, issued_at: NOW + DAY, ..first_root() }
}

/// Version 2 in which `root-c` made room for `root-d`.
fn next_with_other_keys() -> TrustRoot {
    let mut next = next();
    next.keys.retain(|listed| listed.key != key("root-c").public());
    next.keys.push(listed(key("root-d").public(), KeyRole::Root));
    next
}

fn missing(have: usize, need: usize) -> VerifyError {
    VerifyError::Threshold { role: KeyRole::Root, have, need }
}

#[test]
fn a_pinned_root_is_held_to_its_own_rules() {
    let pin = |root: &TrustRoot, names: &[&str]| Root::pinned(signed_by(root, names)).map(|root| root.version());
    assert_eq!(pin(&first_root(), &["root-a", "root-c"]), Ok(1));
    assert_eq!(pin(&first_root(), &["root-a"]), Err(missing(1, 2)));
    assert_eq!(pin(&first_root(), &["root-a", "root-a"]), Err(missing(1, 2)), "one key twice is one");
    assert_eq!(pin(&first_root(), &["root-a", "license", "receipt"]), Err(missing(1, 2)), "only root keys count");
    assert_eq!(pin(&first_root(), &["root-a", "stranger"]), Err(missing(1, 2)));
    let none = TrustRoot { root_threshold: 0, ..first_root() };
    assert!(matches!(pin(&none, &["root-a"]), Err(VerifyError::RootUnsound(_))));
    let zero = TrustRoot { version: 0, ..first_root() };
    assert!(matches!(pin(&zero, &["root-a", "root-b"]), Err(VerifyError::RootUnsound(_))));
    let mut two_roles = first_root();
    two_roles.keys.push(listed(key("root-a").public(), KeyRole::License));
    assert!(matches!(pin(&two_roles, &["root-a", "root-b"]), Err(VerifyError::RootUnsound(_))));
    let unreachable = TrustRoot { root_threshold: 4, ..first_root() };
    assert_eq!(pin(&unreachable, &["root-a", "root-b", "root-c"]), Err(missing(3, 4)));
    let mut revoked = first_root();
    revoked.keys[0].revoked = Some(NOW);
    assert_eq!(pin(&revoked, &["root-a", "root-b"]), Err(missing(1, 2)), "a revoked key is none");
    assert_eq!(pin(&revoked, &["root-b", "root-c"]), Ok(1));
}

#[test]
fn r1_two_key_ids_of_one_key_are_one_signature() {
    let mut envelope = signed_by(&first_root(), &["root-a", "root-a"]);
    envelope.signatures[1].keyid = key("root-b").key_id().to_string();
    assert_eq!(Root::pinned(envelope).map(|_| ()), Err(missing(1, 2)));
}

#[test]
fn a_second_spelling_of_a_key_is_no_key() {
    // The prime plus one is a second spelling of 1, and the prime a second spelling of 0.
    for first_byte in [0xed, 0xee] {
        let mut spelling = [0xff; 32];
        (spelling[0], spelling[31]) = (first_byte, 0x7f);
        let mut root = TrustRoot { root_threshold: 1, ..first_root() };
        root.keys.retain(|key| key.role != KeyRole::Root);
        root.keys.push(listed(PublicKey::from_bytes(spelling), KeyRole::Root));
        let mut envelope = signed_by(&root, &["stranger"]);
        envelope.signatures[0].sig = vec![0; 64];
        envelope.signatures[0].sig[0] = 1;
        assert_eq!(Root::pinned(envelope).map(|_| ()), Err(missing(0, 1)));
    }
}

#[test]
fn r1_the_walk_needs_the_thresholds_of_both() {
    let root = root();
    let walk = |next: &TrustRoot, names: &[&str]| root.walk(signed_by(next, names)).map(|root| root.version());
    assert_eq!(walk(&next(), &["root-a", "root-b"]), Ok(2));
    let other = next_with_other_keys();
    assert_eq!(walk(&other, &["root-a", "root-b"]), Ok(2), "two that are in both");
    assert_eq!(walk(&other, &["root-a", "root-c", "root-d"]), Ok(2), "a and c for the old, a and d for the new");
    assert_eq!(walk(&other, &["root-a", "root-c"]), Err(missing(1, 2)), "enough for the old only");
    assert_eq!(walk(&other, &["root-a", "root-d"]), Err(missing(1, 2)), "enough for the new only");
    assert_eq!(walk(&other, &[]), Err(VerifyError::NoSignature));

    let stricter = TrustRoot { root_threshold: 3, ..next() };
    assert_eq!(walk(&stricter, &["root-a", "root-b"]), Err(missing(2, 3)));
    assert_eq!(walk(&stricter, &["root-a", "root-b", "root-c"]), Ok(2));
    let laxer = TrustRoot { root_threshold: 1, ..next() };
    assert_eq!(walk(&laxer, &["root-a"]), Err(missing(1, 2)), "the old threshold still counts");
    assert_eq!(walk(&laxer, &["root-a", "root-b"]), Ok(2));
}

#[test]
fn r1_the_walk_refuses_what_is_not_the_next_step() {
    let root = root();
    let walk = |next: &TrustRoot| root.walk(signed_by(next, &["root-a", "root-b"])).map(|root| root.version());
    assert_eq!(walk(&first_root()), Ok(1), "the one held is no step and no error");
    assert_eq!(walk(&TrustRoot { renew_by: 0, ..first_root() }), Err(VerifyError::RootOtherBytes(1)));
    assert_eq!(walk(&TrustRoot { version: 3, ..next() }), Err(VerifyError::RootNotNext { held: 1, offered: 3 }));
    assert_eq!(walk(&TrustRoot { version: 0, ..next() }), Err(VerifyError::RootNotNext { held: 1, offered: 0 }));
    assert!(matches!(walk(&TrustRoot { epoch_floor: 0, ..next() }), Err(VerifyError::RootStepsBack(_))));
    assert!(matches!(walk(&TrustRoot { test_clock: true, ..next() }), Err(VerifyError::RootStepsBack(_))));
    let other_vendor =
        Named { id: "org_019b76da-a800-7000-8000-0000000000ff".parse().unwrap(), name: "Example Software".into() };
    assert!(matches!(walk(&TrustRoot { vendor: other_vendor, ..next() }), Err(VerifyError::RootStepsBack(_))));
    let aud = "dep_019b76da-a800-7000-8000-0000000000ff".parse().unwrap();
    assert!(matches!(walk(&TrustRoot { aud, ..next() }), Err(VerifyError::WrongAudience { .. })));
    assert_eq!(
        walk(&TrustRoot { crit: vec!["quorum".into()], ..next() }),
        Err(VerifyError::UnknownCritical("quorum".into()))
    );
    assert_eq!(walk(&TrustRoot { epoch_floor: 7, ..next() }), Ok(2));
    // A root that is signed by the threshold, but asks for none itself.
    assert!(matches!(walk(&TrustRoot { root_threshold: 0, ..next() }), Err(VerifyError::RootUnsound(_))));
    assert!(matches!(root.walk(signed_license()), Err(VerifyError::WrongType { .. })));
}

#[test]
fn e5_a_chain_leads_from_the_pinned_version_to_the_newest() {
    let first = signed_by(&first_root(), &["root-a", "root-b"]);
    let second = signed_by(&next_with_other_keys(), &["root-a", "root-b"]);
    let third = TrustRoot { version: 3, ..next_with_other_keys() };
    let third = signed_by(&third, &["root-a", "root-d"]);
    let newest = Root::from_chain([first.clone(), second.clone(), third.clone()]).unwrap();
    assert_eq!((newest.version(), newest.envelope()), (3, &third));
    assert_eq!(newest.hash(), third.hash());
    assert!(Root::from_chain([first, third.clone()]).is_err(), "a gap");
    assert!(Root::from_chain([second, third]).is_ok(), "pinned at 2");
    assert!(Root::from_chain([]).is_err());
}

#[test]
fn what_a_reader_does_not_know_is_left_out() {
    // A later root lists a key of another algorithm and one with another role, and is signed by the former too.
    let text = String::from_utf8(encode_payload(&first_root())).unwrap();
    let later = r#""keys":[{"key":"c2hvcnQ","alg":"ml-dsa-44","role":"root","from":0,"until":1,"size":1312},
        {"key":"AAAA","alg":"ed25519","role":"mirror","from":0,"until":1},"#;
    let text = text.replacen(r#""keys":["#, later, 1);
    let mut envelope = sign_bytes(TrustRoot::TYPE, text.into_bytes(), &root_keys().each_ref()[..2]);
    envelope.signatures.insert(0, Signature { keyid: "pq".into(), sig: vec![7; 2420] });
    let envelope = Envelope::from_json(envelope.to_json().as_bytes()).unwrap();
    let root = Root::pinned(envelope).unwrap();
    assert_eq!(root.payload().keys, first_root().keys);
    assert!(root.verify_license(&signed_license()).is_ok());

    // A key that is of a known kind and cannot be read is no such thing.
    let text = String::from_utf8(encode_payload(&first_root())).unwrap();
    let text =
        text.replacen(r#""keys":["#, r#""keys":[{"key":"AAAA","alg":"ed25519","role":"root","from":0,"until":1},"#, 1);
    let envelope = sign_bytes(TrustRoot::TYPE, text.into_bytes(), &root_keys().each_ref()[..2]);
    assert!(matches!(Root::pinned(envelope), Err(VerifyError::Malformed(_))));

    // An algorithm that is only a name for this program signs nothing, whatever the document says.
    let mut renamed = first_root();
    for key in renamed.keys.iter_mut().filter(|key| key.role == KeyRole::License) {
        key.alg = "ed25519ph".into();
    }
    assert_eq!(pinned(&renamed).verify_license(&signed_license()), Err(VerifyError::UnknownKey));

    let many = TrustRoot {
        keys: (0..65).map(|n| listed(PublicKey::from_bytes([n; 32]), KeyRole::Receipt)).collect(),
        ..first_root()
    };
    assert!(matches!(Root::pinned(signed_by(&many, &["root-a"])), Err(VerifyError::Malformed(_))));
}

#[test]
fn e6_age_only_warns() {
    let root = root();
    assert_eq!(root.warnings(NOW), []);
    let late = NOW + 5000 * DAY;
    let expected = [
        RootWarning::RenewBy(NOW + 365 * DAY),
        RootWarning::NoKeyInUse(KeyRole::Root),
        RootWarning::NoKeyInUse(KeyRole::License),
        RootWarning::NoKeyInUse(KeyRole::Receipt),
    ];
    assert_eq!(root.warnings(late), expected);
    // The next root may come after all root keys have aged.
    assert!(root.walk(signed_by(&TrustRoot { issued_at: late, ..next() }, &["root-a", "root-b"])).is_ok());
    assert!(root.verify_license(&signed_license()).is_ok());
    assert_eq!(root.key(&key("license").key_id()).map(|key| key.role), Some(KeyRole::License));
    assert_eq!(root.key(&key("stranger").key_id()), None);
}

#[test]
fn r2_continuity_needs_its_own_keys_and_an_end() {
    let root = root();
    let verdict = |note: &Continuity, names: &[&str]| root.verify_continuity(&signed_by(note, names)).err();
    let note: Continuity = sample("continuity");
    let both = ["continuity-a", "continuity-b"];
    assert_eq!(verdict(&note, &both), None);
    let missing = |have| Some(VerifyError::Threshold { role: KeyRole::Continuity, have, need: 2 });
    assert_eq!(verdict(&note, &both[..1]), missing(1));
    assert_eq!(verdict(&note, &["continuity-a", "continuity-a"]), missing(1));
    assert_eq!(verdict(&note, &["root-a", "root-b", "root-c"]), missing(0));
    // 13 calendar months after 2026-01-31 is 2027-02-28.
    let longest = NOW + 393 * DAY;
    assert_eq!(verdict(&Continuity { until: longest, ..note.clone() }, &both), None);
    for until in [longest + 1, NOW, NOW - 1] {
        let outcome = verdict(&Continuity { until, ..note.clone() }, &both);
        assert!(matches!(outcome, Some(VerifyError::Malformed(_))), "{until}: {outcome:?}");
    }
    let aud = "dep_019b76da-a800-7000-8000-0000000000ff".parse().unwrap();
    assert!(matches!(verdict(&Continuity { aud, ..note.clone() }, &both), Some(VerifyError::WrongAudience { .. })));
    let mut foreign = note.clone();
    foreign.vendor.id = "org_019b76da-a800-7000-8000-0000000000ff".parse().unwrap();
    assert!(matches!(verdict(&foreign, &both), Some(VerifyError::Malformed(_))));

    let revoking = pinned(&TrustRoot { revoked_continuity: vec![note.id.clone()], ..first_root() });
    assert_eq!(
        revoking.verify_continuity(&signed_by(&note, &both)).err(),
        Some(VerifyError::ContinuityRevoked(note.id.clone()))
    );
    let nobody = pinned(&TrustRoot { continuity_threshold: 0, ..first_root() });
    assert!(nobody.verify_continuity(&signed_by(&note, &["stranger"])).is_err(), "none needed means none can");
}
