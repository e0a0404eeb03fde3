//! Envelopes as text, and the armor around them.

use base64::{Engine, engine::general_purpose::STANDARD};
use tenure_license::{
    armor::{self, ArmorError},
    envelope::{MAX_ENVELOPE_JSON, MAX_PAYLOAD},
    *,
};

use crate::samples::{license, root, signed_license};

fn read(json: &str) -> Result<Envelope, EnvelopeError> {
    Envelope::from_json(json.as_bytes())
}

#[test]
fn the_envelope_is_dsse() {
    let envelope = Envelope {
        payload: b"hello world".to_vec(),
        payload_type: "http://example.com/HelloWorld".into(),
        signatures: vec![Signature { keyid: "k".into(), sig: vec![255, 254] }],
    };
    let json = concat!(
        r#"{"payload":"aGVsbG8gd29ybGQ=","payloadType":"http://example.com/HelloWorld","#,
        r#""signatures":[{"keyid":"k","sig":"//4="}]}"#
    );
    assert_eq!(envelope.to_json(), json);
    assert_eq!(read(json).unwrap(), envelope);
    // Any order, unknown fields, escapes, no key id.
    let same = r#"{"signatures":[{"x":1,"sig":"\/\/4="}],"x":{"y":[null]},"payloadType":"http:\/\/example.com\/HelloWorld",
        "payload":"aGVsbG8gd29ybGQ="}"#;
    assert_eq!(read(same).unwrap().hash(), envelope.hash());
    assert_eq!(read(same).unwrap().signatures[0].keyid, "");
}

#[test]
fn envelopes_that_are_refused() {
    let good = signed_license().to_json();
    let signature = r#"{"keyid":"k","sig":"AA=="}"#;
    for (what, bad) in [
        ("a duplicate payload", good.replacen('{', r#"{"payload":"AA==","#, 1)),
        ("a duplicate type", good.replacen('{', r#"{"payloadType":"x","#, 1)),
        ("a duplicate nobody reads", good.replacen('{', r#"{"x":1,"x":1,"#, 1)),
        ("a duplicate in a signature", good.replace(r#""sig":"#, r#""sig":"AA==","sig":"#)),
        ("no payload", good.replacen("payload", "pay", 1)),
        ("no signatures", good.replace("signatures", "sig")),
        ("nine signatures", {
            let list = [signature; 9].join(",");
            format!(r#"{{"payload":"","payloadType":"x","signatures":[{list}]}}"#)
        }),
        ("trailing text", format!("{good} x")),
        ("an array", format!("[{good}]")),
        ("URL base64", r#"{"payload":"__4=","payloadType":"x","signatures":[]}"#.into()),
        ("base64 without padding", r#"{"payload":"AA","payloadType":"x","signatures":[]}"#.into()),
        ("base64 with stray bits", r#"{"payload":"AB==","payloadType":"x","signatures":[]}"#.into()),
        ("base64 with a line end", r#"{"payload":"AA==\n","payloadType":"x","signatures":[]}"#.into()),
        ("a long type", format!(r#"{{"payload":"","payloadType":"{}","signatures":[]}}"#, "x".repeat(129))),
        ("a long key id", {
            let id = "k".repeat(257);
            format!(r#"{{"payload":"","payloadType":"x","signatures":[{{"keyid":"{id}","sig":""}}]}}"#)
        }),
        ("a long signature", {
            let sig = STANDARD.encode([0; 9000]);
            format!(r#"{{"payload":"","payloadType":"x","signatures":[{{"keyid":"k","sig":"{sig}"}}]}}"#)
        }),
        ("a number for a payload", r#"{"payload":1,"payloadType":"x","signatures":[]}"#.into()),
    ] {
        assert!(matches!(read(&bad), Err(EnvelopeError::Malformed(_))), "{what}: {:?}", read(&bad));
    }
    let eight = [signature; 8].join(",");
    assert!(read(&format!(r#"{{"payload":"","payloadType":"x","signatures":[{eight}]}}"#)).is_ok());

    let payload = |size: usize| {
        format!(r#"{{"payload":"{}","payloadType":"x","signatures":[]}}"#, STANDARD.encode(vec![0; size]))
    };
    assert!(read(&payload(MAX_PAYLOAD)).is_ok());
    assert!(matches!(read(&payload(MAX_PAYLOAD + 3)), Err(EnvelopeError::Malformed(_))), "before base64 is decoded");
    let size = MAX_ENVELOPE_JSON + 1;
    assert_eq!(read(&" ".repeat(size)), Err(EnvelopeError::TooLarge { size, limit: MAX_ENVELOPE_JSON }));
}

#[test]
fn a_license_file_is_readable_and_tolerant() {
    let envelope = signed_license();
    let text = LicenseFile::to_text(&envelope);
    assert!(text.starts_with("-----BEGIN TENURE LICENSE-----\n") && text.ends_with("\n-----END TENURE LICENSE-----\n"));
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    let body: Vec<&str> = text.lines().skip_while(|line| !line.is_empty()).skip(1).collect();
    assert!(body[..body.len() - 2].iter().all(|line| line.len() == 76));
    for tolerated in [
        text.clone(),
        text.replace('\n', "\r\n"),
        text.replace('\n', "  \n"),
        format!("\u{feff}\n \r\n{text}\n\n\t\n"),
        text.trim_end().to_owned(),
        format!("-----BEGIN TENURE LICENSE-----\n{}", &text[text.find("\n\n").unwrap() + 1..]),
    ] {
        assert_eq!(LicenseFile::parse(&tolerated).as_ref(), Ok(&envelope), "{tolerated}");
    }
}

#[test]
fn license_files_that_are_refused() {
    let text = LicenseFile::to_text(&signed_license());
    let label = || "TENURE LICENSE".to_owned();
    for (bad, why) in [
        (String::new(), ArmorError::NoBegin(label())),
        (format!("junk\n{text}"), ArmorError::NoBegin(label())),
        (text.replace("LICENSE", "LICENCE"), ArmorError::NoBegin(label())),
        (text.replace("BEGIN TENURE LICENSE", "BEGIN TENURE CONTINUITY"), ArmorError::NoBegin(label())),
        (format!(" {text}"), ArmorError::NoBegin(label())),
        (format!("{text}junk"), ArmorError::Trailing(label())),
        (format!("{text}{text}"), ArmorError::Trailing(label())),
        (format!("{text}-----END TENURE LICENSE-----\n"), ArmorError::Trailing(label())),
        (text[..text.len() - 10].to_owned(), ArmorError::NoEnd(label())),
        (text[..text.len() / 2].to_owned(), ArmorError::NoEnd(label())),
        ("-----BEGIN TENURE LICENSE-----\ncomment\n".into(), ArmorError::NoEnd(label())),
        (text.replace("\n\n", "\n"), ArmorError::NoContent),
        (text.replace("\n\n", "\n-----BEGIN TENURE LICENSE-----\n\n"), ArmorError::NoContent),
        (text.replace("\n\n", "\n\n!"), ArmorError::NotBase64),
        (text.replace("\n\n", "\n\nNote: comment\n\n"), ArmorError::NotBase64),
        (text.replace("\n\n", "\n\n-----BEGIN TENURE LICENSE-----\n\n"), ArmorError::NotBase64),
    ] {
        assert_eq!(LicenseFile::parse(&bad), Err(why), "{bad}");
    }
    let large = " ".repeat(armor::MAX_LICENSE_TEXT + 1);
    assert!(matches!(LicenseFile::parse(&large), Err(ArmorError::TooLarge { .. })));
    let empty = armor::encode(armor::LICENSE, &[], b"");
    assert!(matches!(LicenseFile::parse(&empty), Err(ArmorError::NotAnEnvelope(_))));
    // The largest license fits.
    let mut largest = license();
    largest.servers = vec!["https://license.example.com".into(); 2_000];
    let signed = crate::samples::signed_by(&largest, &["license"; 8]);
    assert!(signed.payload.len() > 60_000 && signed.payload.len() <= License::MAX_BYTES);
    assert_eq!(LicenseFile::parse(&LicenseFile::to_text(&signed)), Ok(signed));
}

#[test]
fn comments_change_nothing_that_is_shown() {
    let envelope = signed_license();
    let text = LicenseFile::to_text(&envelope);
    assert!(text.contains("Contoso MSP"));
    let lied = text.replace("Contoso MSP", "Nobody").replace("Valid until: 2026", "Valid until: 2099");
    assert_ne!(lied, text);
    let read = LicenseFile::parse(&lied).unwrap();
    assert_eq!(read, envelope);
    let verified = root().verify_license(&read).unwrap();
    assert_eq!((&*verified, verified.hash), (&license(), envelope.hash()));
}

#[test]
fn names_cannot_break_out_of_the_comments() {
    let mut hostile = license();
    hostile.provider.name = "x\n\n-----END TENURE LICENSE-----\r\n".into();
    hostile.company.as_mut().unwrap().name = "\n-----BEGIN TENURE LICENSE-----".into();
    hostile.product.name = "y".repeat(5_000);
    let envelope = crate::samples::signed_by(&hostile, &["license"]);
    let text = LicenseFile::to_text(&envelope);
    assert_eq!(LicenseFile::parse(&text).as_ref(), Ok(&envelope));
    assert!(text.lines().all(|line| line.len() <= 220), "{text}");
    // Comments of any shape cannot be taken for structure.
    let comments = ["-----BEGIN TENURE LICENSE-----", "", "  ", "--", "a\nb"].map(String::from);
    let text = armor::encode(armor::LICENSE, &comments, envelope.to_json().as_bytes());
    assert_eq!(text.lines().take_while(|line| !line.is_empty()).count(), 2, "{text}");
    assert_eq!(LicenseFile::parse(&text), Ok(envelope));
}

#[test]
fn other_files_have_their_own_label() {
    let content = b"{\"request\":1}";
    for label in [armor::OFFLINE_REQUEST, armor::OFFLINE_RESPONSE, armor::CONTINUITY] {
        let text = armor::encode(label, &[], content);
        assert_eq!(armor::decode(label, &text, 1 << 20).unwrap(), content);
        assert!(LicenseFile::parse(&text).is_err());
        assert!(armor::decode(armor::LICENSE, &text, 1 << 20).is_err());
    }
}

#[test]
fn no_flipped_bit_of_a_file_changes_what_is_shown() {
    let text = LicenseFile::to_text(&signed_license());
    let root = root();
    let (mut refused, mut unchanged) = (0, 0);
    for byte in 0..text.len() {
        for bit in [byte % 8, (byte + 3) % 8] {
            let mut changed = text.clone().into_bytes();
            changed[byte] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(changed) else {
                refused += 1;
                continue;
            };
            match LicenseFile::parse(&changed).ok().and_then(|envelope| root.verify_license(&envelope).ok()) {
                None => refused += 1,
                Some(verified) => {
                    assert_eq!((&*verified, verified.hash), (&license(), signed_license().hash()));
                    unchanged += 1;
                }
            }
        }
    }
    // Comments, the hint and spaces at line ends are not signed; all else is.
    assert!(unchanged > 0 && refused > 5 * unchanged, "{refused} refused, {unchanged} unchanged");
}
