//! Every schema: its bytes stay as they are, and what was signed is what is read.

use std::{collections::BTreeSet, fmt::Debug};

use tenure_license::*;

use crate::samples::{key, lines, root, sample, signed_by, text_of};

/// Reads each example, writes it again and expects the same bytes; then signs, sends and verifies it.
fn round_trip<P: Payload + PartialEq + Debug>(name: &str) {
    let text = text_of(name);
    let payload: P = decode_payload(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(String::from_utf8(encode_payload(&payload)).unwrap(), text, "{name}");
    assert_eq!(P::TYPE, format!("application/vnd.tenure.{}.v1+json", name.split('#').next().unwrap()));

    let signed = sign(&payload, &[&key("installation")]);
    assert_eq!(signed.hash, Hash::of_payload(P::TYPE, text.as_bytes()));
    let received = Envelope::from_json(signed.envelope.to_json().as_bytes()).unwrap();
    assert_eq!(received, signed.envelope);
    let verified: Verified<P> = verify_with_key(&received, &key("installation").public()).unwrap();
    assert_eq!((&*verified, verified.hash), (&payload, signed.hash));
    assert_eq!(verified.signed_by, [key("installation").key_id()]);
}

#[test]
fn every_payload_survives_the_way() {
    round_trip::<License>("license");
    round_trip::<License>("license#activation");
    round_trip::<License>("license#shadow");
    round_trip::<Receipt>("receipt");
    round_trip::<Receipt>("receipt#submission");
    round_trip::<ActivationRequest>("activation-request");
    round_trip::<ActivationAnswer>("activation-answer");
    round_trip::<CheckInRequest>("check-in-request");
    round_trip::<CheckInRequest>("check-in-request#least");
    round_trip::<CheckInAnswer>("check-in-answer");
    round_trip::<OutOfStep>("out-of-step");
    round_trip::<UsageReport>("usage-report");
    round_trip::<WorkloadEvidence>("workload-evidence");
    round_trip::<Watermark>("watermark");
    round_trip::<JournalDay>("journal-day");
    round_trip::<OfflineRequest>("offline-request");
    round_trip::<OfflineResponse>("offline-response");
    round_trip::<Continuity>("continuity");
    round_trip::<TrustRoot>("trust-root");
    round_trip::<AuditCheckpoint>("audit-checkpoint");
    let kinds: BTreeSet<&str> = lines().map(|(name, _)| name.split('#').next().unwrap()).collect();
    assert_eq!(kinds.len(), 16, "a schema without an example");
}

#[test]
fn what_the_server_says_is_verified_under_the_root() {
    fn said<P: ServerStatement + PartialEq + Debug>(name: &str) {
        let payload: P = sample(name);
        let verified = root().verify_receipt_role::<P>(&signed_by(&payload, &["receipt"])).unwrap();
        assert_eq!(*verified, payload);
    }
    said::<Receipt>("receipt");
    said::<ActivationAnswer>("activation-answer");
    said::<CheckInAnswer>("check-in-answer");
    said::<OutOfStep>("out-of-step");
    said::<OfflineResponse>("offline-response");
    said::<AuditCheckpoint>("audit-checkpoint");
}

#[test]
fn fields_that_come_later_are_ignored_unless_critical() {
    let later = text_of("out-of-step").replace(r#""crit":[]"#, r#""crit":[],"later":{"x":[1,null]}"#);
    assert!(decode_payload::<OutOfStep>(later.as_bytes()).is_ok());
    let critical = later.replace(r#""crit":[]"#, r#""crit":["seq","later"]"#);
    assert_eq!(decode_payload::<OutOfStep>(critical.as_bytes()), Err(PayloadError::UnknownCritical("later".into())));
    let known = text_of("out-of-step").replace(r#""crit":[]"#, r#""crit":["seq","challenge"]"#);
    assert!(decode_payload::<OutOfStep>(known.as_bytes()).is_ok());
    // A critical field may come with a schema that this program cannot read: the reason given is still that field.
    let unreadable = critical.replace(r#""seq":4,"#, "");
    assert_eq!(decode_payload::<OutOfStep>(unreadable.as_bytes()), Err(PayloadError::UnknownCritical("later".into())));
}

#[test]
fn only_version_1_is_read() {
    for version in [0, 2, 255, 256, 1_000_000_u64] {
        let other = text_of("out-of-step").replace(r#""v":1"#, &format!("\"v\":{version}"));
        assert_eq!(
            decode_payload::<OutOfStep>(other.as_bytes()),
            Err(PayloadError::UnsupportedVersion(version)),
            "{version}"
        );
    }
}

#[test]
fn strictness_reaches_payloads() {
    let good = text_of("check-in-answer");
    let at = r#""at":1769853600"#;
    assert!(good.contains(at));
    for (what, bad) in [
        ("a duplicate key", good.replace(at, r#""at":1769853600,"at":1769853601"#)),
        ("an escaped duplicate", good.replace(at, r#""at":1769853600,"\u0061t":1769853600"#)),
        ("a nested duplicate", good.replace(r#""k":12"#, r#""k":12,"k":13"#)),
        ("a duplicate nobody reads", good.replace(at, r#""at":1769853600,"x":1,"x":1"#)),
        ("a float", good.replace(at, r#""at":1769853600.0"#)),
        ("an exponent", good.replace(at, r#""at":1769853600e0"#)),
        ("a float nobody reads", good.replace(at, r#""at":1769853600,"x":0.5"#)),
        ("2^53", good.replace(at, r#""at":9007199254740992"#)),
        ("-2^53", good.replace(at, r#""at":-9007199254740992"#)),
        ("2^53 that nobody reads", good.replace(at, r#""at":1769853600,"x":9007199254740992"#)),
        ("nine levels", good.replace(at, r#""at":1769853600,"x":[[[[[[[[1]]]]]]]]"#)),
        ("trailing data", format!("{good}{{}}")),
        ("a missing field", good.replace(at, r#""x":0"#)),
        ("a wrong type", good.replace(at, r#""at":"1769853600""#)),
        ("an unknown word", good.replace(r#""updated""#, r#""later""#)),
        ("upper-case hex", good.replace(&"6a".repeat(32), &"6A".repeat(32))),
        ("an array", format!("[{good}]")),
        ("cut", good[..good.len() - 1].to_owned()),
    ] {
        let outcome = decode_payload::<CheckInAnswer>(bad.as_bytes());
        assert!(matches!(outcome, Err(PayloadError::Malformed(_))), "{what}: {outcome:?}");
    }
    let not_utf8 = [&good.as_bytes()[..good.len() - 1], b",\"x\":\"\xff\"}"].concat();
    assert!(decode_payload::<CheckInAnswer>(&not_utf8).is_err());
    let eight = good.replace(at, r#""at":1769853600,"x":[[[[[[[1]]]]]]]"#);
    assert!(decode_payload::<CheckInAnswer>(eight.as_bytes()).is_ok());
    let largest = good.replace(at, r#""at":9007199254740991"#);
    assert_eq!(decode_payload::<CheckInAnswer>(largest.as_bytes()).unwrap().at, (1 << 53) - 1);
}

#[test]
fn size_is_bounded_by_kind() {
    let padded = |size: usize| {
        let text = text_of("out-of-step");
        let padding = " ".repeat(size - text.len());
        format!("{text}{padding}")
    };
    assert!(decode_payload::<OutOfStep>(padded(4096).as_bytes()).is_ok());
    assert_eq!(
        decode_payload::<OutOfStep>(padded(4097).as_bytes()),
        Err(PayloadError::TooLarge { size: 4097, limit: 4096 })
    );
    let envelope = sign_bytes(OutOfStep::TYPE, padded(4097).into_bytes(), &[&key("receipt")]);
    assert_eq!(
        root().verify_receipt_role::<OutOfStep>(&envelope),
        Err(VerifyError::TooLarge { size: 4097, limit: 4096 })
    );
    // Size comes first: nobody's signature is checked over more bytes than a document may have.
    let by_stranger = sign_bytes(OutOfStep::TYPE, padded(4097).into_bytes(), &[&key("stranger")]);
    let too_large = Err(VerifyError::TooLarge { size: 4097, limit: 4096 });
    assert_eq!(root().verify_receipt_role::<OutOfStep>(&by_stranger), too_large);
}

#[test]
fn http_bodies_are_bounded_lists_of_envelopes() {
    let envelope = signed_by(&sample::<CheckInRequest>("check-in-request"), &["installation"]);
    let mut exchange = Exchange::new(envelope.clone());
    let least = serde_json::to_string(&exchange).unwrap();
    assert_eq!(least, format!("{{\"request\":{}}}", envelope.to_json()), "nothing but the request");
    assert_eq!(serde_json::from_str::<Exchange>(&least).unwrap(), exchange);

    exchange.documents = vec![envelope.clone(); 64];
    exchange.old_receipts = vec![envelope.clone(); 64];
    exchange.held_answer = Some(envelope.clone());
    exchange.license = Some(envelope.clone());
    exchange.activation_answer = Some(envelope.clone());
    exchange.rotation = Some(envelope.clone());
    let full = serde_json::to_string(&exchange).unwrap();
    assert_eq!(serde_json::from_str::<Exchange>(&full).unwrap(), exchange);

    exchange.documents.push(envelope.clone());
    let error = serde_json::from_str::<Exchange>(&serde_json::to_string(&exchange).unwrap()).unwrap_err();
    assert!(error.to_string().contains("more than 64"), "{error}");

    let answer = ActivationExchangeAnswer { answer: envelope.clone(), license: envelope.clone() };
    let text = serde_json::to_string(&answer).unwrap();
    assert_eq!(serde_json::from_str::<ActivationExchangeAnswer>(&text).unwrap(), answer);
    let answer = ExchangeAnswer { answer: envelope, license: None };
    let text = serde_json::to_string(&answer).unwrap();
    assert_eq!(serde_json::from_str::<ExchangeAnswer>(&text).unwrap(), answer);
}

#[test]
fn the_evidence_root_covers_order_and_every_field() {
    let rows = sample::<WorkloadEvidence>("workload-evidence").rows;
    let whole = evidence_root(&rows);
    assert_ne!(evidence_root(rows.iter().rev()), whole);
    assert_ne!(evidence_root(&rows[..1]), whole);
    let mut changed = rows.clone();
    changed[1].counted = Counted::Yes;
    assert_ne!(evidence_root(&changed), whole);
    assert_eq!(evidence_root(&rows[..1]), leaf_hash(&serde_json::to_vec(&rows[0]).unwrap()));
}
