//! Nothing that anyone can write makes a reader panic, and nothing that was not signed comes out of one.

use std::sync::LazyLock;

use proptest::{collection::vec, prelude::*};
use tenure_license::*;

use crate::samples::{license, root, sample, signed_license, text_of};

static ROOT: LazyLock<Root> = LazyLock::new(root);

/// JSON that no two readers understand differently.
fn strict_json() -> impl Strategy<Value = serde_json::Value> {
    let limit = 1_i64 << 53;
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        (1 - limit..limit).prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(json::MAX_DEPTH as u32, 64, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Into::into),
            vec((any::<String>(), inner), 0..8)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn depth(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        serde_json::Value::Object(entries) => 1 + entries.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..2048)) {
        let _ = json::check(&bytes);
        let _ = Envelope::from_json(&bytes);
        let _ = decode_payload::<License>(&bytes);
        let _ = decode_payload::<TrustRoot>(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = LicenseFile::parse(&text);
        let _ = text.parse::<ActivationCode>();
        let _ = text.parse::<Hash>();
        let _ = text.parse::<PublicKey>();
    }

    #[test]
    fn any_content_passes_through_armor(content in vec(any::<u8>(), 0..1024), comments in vec(any::<String>(), 0..4)) {
        let text = armor::encode(armor::OFFLINE_REQUEST, &comments, &content);
        prop_assert_eq!(armor::decode(armor::OFFLINE_REQUEST, &text, 1 << 20), Ok(content));
    }

    #[test]
    fn strict_json_is_accepted_up_to_its_depth(value in strict_json()) {
        let text = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(json::check(text.as_bytes()).is_ok(), depth(&value) <= json::MAX_DEPTH);
    }

    #[test]
    fn a_duplicate_is_found_wherever_it_is(value in strict_json(), key in any::<String>()) {
        prop_assume!(depth(&value) < json::MAX_DEPTH);
        let key = serde_json::to_string(&key).unwrap();
        let text = format!("{{{key}:{value},\"other\u{7f}\":0,{key}:{value}}}");
        prop_assert!(json::check(text.as_bytes()).is_err());
    }

    #[test]
    fn large_numbers_are_refused(number in (1_u64 << 53)..) {
        for text in [format!("{number}"), format!("[-{number}]"), format!("{{\"a\":{number}}}")] {
            prop_assert!(json::check(text.as_bytes()).is_err(), "{}", text);
        }
    }

    #[test]
    fn a_payload_with_a_hole_a_copy_or_a_graft_is_no_other_payload(
        from in 0..1000_usize, length in 1..40_usize, to in 0..1000_usize, graft in vec(any::<u8>(), 0..8),
    ) {
        let good = signed_license();
        let mut changed = good.clone();
        let from = from % changed.payload.len();
        let end = (from + length).min(changed.payload.len());
        let cut: Vec<u8> = changed.payload.splice(from..end, graft).collect();
        let to = to % (changed.payload.len() + 1);
        changed.payload.splice(to..to, cut);
        match ROOT.verify_license(&changed) {
            Ok(verified) => prop_assert_eq!((verified.hash, changed.payload), (good.hash(), good.payload)),
            Err(error) => prop_assert_eq!(error, VerifyError::BadSignature),
        }
    }

    #[test]
    fn an_edited_text_is_read_as_what_was_signed_or_not_at_all(at in 0..5000_usize, insert in "\\PC{0,6}|[ \r\n=-]{0,6}", drop in 0..6_usize) {
        let good = LicenseFile::to_text(&signed_license());
        let at = good.char_indices().map(|(n, _)| n).nth(at % good.chars().count()).unwrap();
        let end = good.char_indices().map(|(n, _)| n).find(|n| *n >= at + drop).unwrap_or(good.len());
        let text = format!("{}{insert}{}", &good[..at], &good[end..]);
        if let Ok(verified) = LicenseFile::parse(&text).map_err(|_| ()).and_then(|read| ROOT.verify_license(&read).map_err(|_| ())) {
            prop_assert_eq!(&*verified, &license());
        }
    }

    #[test]
    fn random_edits_of_payload_text_are_read_or_refused(at in 0..4000_usize, insert in "[0-9\\[\\]{},:\"a-z\\\\.]{0,8}", drop in 0..8_usize) {
        // Text as an attacker with the right key could sign it: any outcome but a panic, and what is read is strict.
        for name in ["check-in-request", "usage-report", "trust-root"] {
            let good = text_of(name).as_bytes();
            let at = at % good.len();
            let end = (at + drop).min(good.len());
            let text = [&good[..at], insert.as_bytes(), &good[end..]].concat();
            let readable = match name {
                "check-in-request" => decode_payload::<CheckInRequest>(&text).is_ok(),
                "usage-report" => decode_payload::<UsageReport>(&text).is_ok(),
                _ => decode_payload::<TrustRoot>(&text).is_ok(),
            };
            prop_assert!(!readable || json::check(&text).is_ok());
        }
    }

    #[test]
    fn bytes_and_their_text_are_one_to_one(bytes in any::<[u8; 32]>(), short in any::<[u8; 16]>()) {
        let (hash, key) = (Hash::from_bytes(bytes), PublicKey::from_bytes(bytes));
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        prop_assert_eq!(key.to_string().parse(), Ok(key));
        let code = ActivationCode::from_bytes(short);
        prop_assert_eq!(code.to_string().parse(), Ok(code));
        prop_assert_eq!(code.to_string().to_lowercase().replace('0', "o").replace('1', "i").parse(), Ok(code));
    }

    #[test]
    fn any_key_verifies_its_own_and_no_other(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
        prop_assume!(a != b);
        let (a, b) = (SigningKey::from_seed(&a), SigningKey::from_seed(&b));
        let day: JournalDay = sample("journal-day");
        let envelope = sign(&day, &[&a]).into_envelope();
        prop_assert!(verify_with_key::<JournalDay>(&envelope, &a.public()).is_ok());
        prop_assert_eq!(verify_with_key::<JournalDay>(&envelope, &b.public()), Err(VerifyError::UnknownKey));
    }
}
