//! Signed documents that were changed on the way: none of them is accepted, whatever was changed.
//!
//! A change that leaves the signed bytes as they were (a blank in the envelope, a comment in the armor) is no change: what
//! comes out of the reader is what was signed.

use tenure_license::*;

use crate::{
    mutate::Mutator,
    samples::{key, root, sample, signed_by, signed_license},
};

/// Gives the signed bytes of a text that it accepts.
type Reader = dyn Fn(&[u8]) -> Option<Vec<u8>>;

/// One kind of document as it travels.
struct Carried {
    name: &'static str,
    /// As it travels.
    text: Vec<u8>,
    /// Who reads it.
    read: Box<Reader>,
    /// What was signed.
    signed: Vec<u8>,
}

/// Everything whose signature is checked with the key of a machine.
fn of_a_machine<P: Payload + 'static>(name: &'static str, payload: &P) -> Carried {
    let envelope = signed_by(payload, &["installation"]);
    let key = key("installation").public();
    let read = move |text: &[u8]| {
        let envelope = Envelope::from_json(text).ok()?;
        verify_with_key::<P>(&envelope, &key).ok().map(|_| envelope.payload)
    };
    Carried { name, text: envelope.to_json().into_bytes(), read: Box::new(read), signed: envelope.payload }
}

fn offline_file() -> Carried {
    let exchange = Exchange::new(signed_by(&sample::<CheckInRequest>("check-in-request"), &["installation"]));
    let body = offline_body(&OfflineAsk::CheckIn(Box::new(exchange)));
    let cover: OfflineRequest = sample("offline-request");
    let cover = OfflineRequest { body: Hash::sha256(body.get()), ..cover };
    let file = OfflineFile { cover: signed_by(&cover, &["installation"]), body };
    let key = key("installation").public();
    let both = |file: &OfflineFile| [&file.cover.payload, file.body.get().as_bytes()].concat();
    let read = move |text: &[u8]| {
        let file = OfflineFile::parse(armor::OFFLINE_REQUEST, std::str::from_utf8(text).ok()?).ok()?;
        let cover = verify_with_key::<OfflineRequest>(&file.cover, &key).ok()?;
        let ask: OfflineAsk = file.read().ok()?;
        (cover.body == file.body_hash() && matches!(ask, OfflineAsk::CheckIn(_))).then(|| both(&file))
    };
    let signed = both(&file);
    Carried {
        name: "offline file",
        text: file.to_text(armor::OFFLINE_REQUEST, &[]).into_bytes(),
        read: Box::new(read),
        signed,
    }
}

fn kinds() -> Vec<Carried> {
    let root = root();
    let license = signed_license();
    let read_license = move |text: &[u8]| {
        let envelope = LicenseFile::parse(std::str::from_utf8(text).ok()?).ok()?;
        root.verify_license(&envelope).ok().map(|_| envelope.payload)
    };
    let text = LicenseFile::to_text(&license).into_bytes();
    vec![
        of_a_machine("envelope", &sample::<JournalDay>("journal-day")),
        Carried { name: "license", text, read: Box::new(read_license), signed: license.payload },
        of_a_machine("request", &sample::<CheckInRequest>("check-in-request")),
        of_a_machine("report", &sample::<UsageReport>("usage-report")),
        offline_file(),
    ]
}

/// A text whose payload is another one, under the signature that was made for the first: what a cheat would send.
fn forged(text: &[u8], mutator: &mut Mutator, other: &[u8]) -> Option<Vec<u8>> {
    let mut envelope = Envelope::from_json(text).ok()?;
    envelope.payload = mutator.change(&envelope.payload, other);
    Some(envelope.to_json().into_bytes())
}

fn none_is_accepted(documents: usize) {
    let kinds = kinds();
    let mut read_at_all = 0;
    for kind in &kinds {
        assert_eq!(
            (kind.read)(&kind.text).as_ref(),
            Some(&kind.signed),
            "{}: as it was signed it is accepted",
            kind.name
        );
    }
    for n in 0..documents {
        let mut mutator = Mutator::new(n as u64);
        let kind = &kinds[n % kinds.len()];
        let other = &kinds[mutator.below(kinds.len())];
        let forged = if mutator.below(2) == 0 { forged(&kind.text, &mut mutator, &other.signed) } else { None };
        let text = forged.unwrap_or_else(|| mutator.change(&kind.text, &other.text));
        let Some(accepted) = (kind.read)(&text) else { continue };
        read_at_all += 1;
        let shown = String::from_utf8_lossy(&text);
        assert_eq!(accepted, kind.signed, "a changed {} was accepted (seed {n}): {shown}", kind.name);
    }
    assert!(read_at_all < documents / 4, "most of them were changed where it counts: {read_at_all} of {documents}");
}

#[test]
fn no_mutated_document_is_accepted() {
    none_is_accepted(20_000);
}

#[test]
fn soak_no_mutated_document_of_a_hundred_thousand_is_accepted() {
    none_is_accepted(100_000);
}
