//! Fuzzing on stable Rust: bytes that were changed at random, guided by what the reader says of them. An input that makes
//! a reader say what it never said before joins the corpus, and is changed further.
//!
//! In `./test` each target gets some thousands of inputs; in `./test soak` five minutes.

use std::{
    collections::BTreeSet,
    fmt::{Debug, Display},
    time::{Duration, Instant},
};

use tenure_license::*;

use crate::{
    mutate::Mutator,
    samples::{key, lines, root, sample, signed_by, signed_license},
};

/// Inputs in the short run.
const SHORT: usize = 10_000;
/// Time in the long run.
const LONG: Duration = Duration::from_mins(5);
/// Bounds of the corpus and of an input.
const MOST: usize = 2_000;
const LONGEST: usize = 64 * 1024;

/// How long a target runs.
#[derive(Clone, Copy)]
enum Run {
    Short,
    Soak,
}

/// What a reader said, without what differs from input to input: numbers, and text quoted from the input.
fn words(said: &str) -> String {
    let mut quoted = false;
    let kept = said.chars().filter(|c| {
        quoted ^= matches!(c, '`' | '"');
        !quoted && !c.is_ascii_digit()
    });
    kept.take(120).collect()
}

/// Changes the seeds until the run is over. `read` says what the reader made of an input, and panics where it must not do
/// what it did.
#[expect(clippy::disallowed_methods, reason = "five minutes are five minutes of real time")]
fn fuzz(run: Run, seeds: Vec<Vec<u8>>, read: impl Fn(&[u8]) -> String) {
    let began = Instant::now();
    let mut corpus = seeds;
    let mut said: BTreeSet<String> = corpus.iter().map(|input| words(&read(input))).collect();
    let mut n = 0;
    loop {
        let over = match run {
            Run::Short => n >= SHORT,
            Run::Soak => n % 1024 == 0 && began.elapsed() >= LONG,
        };
        if over {
            break;
        }
        let mut mutator = Mutator::new(n as u64);
        let (one, other) = (mutator.below(corpus.len()), mutator.below(corpus.len()));
        let mut input = mutator.change(&corpus[one], &corpus[other]);
        input.truncate(LONGEST);
        if said.insert(words(&read(&input))) && corpus.len() < MOST {
            corpus.push(input);
        }
        n += 1;
    }
    assert!(said.len() > 3, "the reader was reached in few places only: {said:?}");
}

fn told<T, E: Display + Debug>(outcome: &Result<T, E>) -> String {
    outcome.as_ref().err().map_or_else(|| "accepted".to_owned(), |error| format!("{error} {error:?}"))
}

fn payloads() -> Vec<Vec<u8>> {
    lines().map(|(_, text)| text.as_bytes().to_vec()).collect()
}

/// Payload text as whoever holds the right key could sign it: it is refused, or it is strict and says the same when it is
/// written and read again.
fn payload<P: Payload + PartialEq + Debug>(bytes: &[u8]) -> String {
    let outcome = decode_payload::<P>(bytes);
    if let Ok(read) = &outcome {
        assert!(json::check(bytes).is_ok(), "read, and not strict: {}", String::from_utf8_lossy(bytes));
        let again = signed_by(read, &["installation"]);
        let again = decode_payload::<P>(&again.payload);
        assert_eq!(again.as_ref().ok(), Some(read), "{}", String::from_utf8_lossy(bytes));
    }
    told(&outcome)
}

fn envelope(run: Run) {
    let twice = signed_by(&sample::<CheckInRequest>("check-in-request"), &["installation", "license"]);
    let seeds = vec![signed_license().to_json().into_bytes(), twice.to_json().into_bytes()];
    fuzz(run, seeds, |bytes| {
        let outcome = Envelope::from_json(bytes);
        if let Ok(read) = &outcome {
            let again = Envelope::from_json(read.to_json().as_bytes());
            assert_eq!(again.as_ref().ok(), Some(read), "it says the same again");
            assert_eq!(again.map(|again| again.hash()).ok(), Some(read.hash()));
        }
        told(&outcome)
    });
}

fn license(run: Run) {
    let root = root();
    let mut seeds = payloads();
    seeds.push(LicenseFile::to_text(&signed_license()).into_bytes());
    fuzz(run, seeds, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let read = LicenseFile::parse(&text);
        let Ok(envelope) = &read else { return format!("{} {}", payload::<License>(bytes), told(&read)) };
        let verified = root.verify_license(envelope);
        assert!(
            verified.is_err() || envelope.payload == signed_license().payload,
            "a forged license was accepted: {text}"
        );
        told(&verified)
    });
}

fn request(run: Run) {
    fuzz(run, payloads(), |bytes| payload::<CheckInRequest>(bytes) + &payload::<ActivationRequest>(bytes));
}

fn report(run: Run) {
    fuzz(run, payloads(), |bytes| payload::<UsageReport>(bytes) + &payload::<Watermark>(bytes));
}

fn offline_file(run: Run) {
    let exchange = Exchange::new(signed_by(&sample::<CheckInRequest>("check-in-request"), &["installation"]));
    let body = offline_body(&OfflineAsk::CheckIn(Box::new(exchange)));
    let cover = OfflineRequest { body: Hash::sha256(body.get()), ..sample("offline-request") };
    let file = OfflineFile { cover: signed_by(&cover, &["installation"]), body };
    let text = file.to_text(armor::OFFLINE_REQUEST, &["From: a product".to_owned()]);
    let content = serde_json::to_vec(&file).unwrap();
    let public = key("installation").public();
    // The armor has a text of its own, so what is inside is changed by itself and put into a whole one.
    fuzz(run, vec![text.into_bytes(), content], |bytes| {
        let text = if bytes.first() == Some(&b'{') {
            armor::encode(armor::OFFLINE_REQUEST, &[], bytes)
        } else {
            String::from_utf8_lossy(bytes).into_owned()
        };
        let read = OfflineFile::parse(armor::OFFLINE_REQUEST, &text);
        let Ok(file) = &read else { return told(&read) };
        let cover = verify_with_key::<OfflineRequest>(&file.cover, &public);
        let ask = file.read::<OfflineAsk>();
        format!("{} {}", told(&cover), told(&ask))
    });
}

macro_rules! targets {
    ($($target:ident: $short:ident, $soak:ident;)*) => {
        $(
            #[test]
            fn $short() {
                $target(Run::Short);
            }
            #[test]
            fn $soak() {
                $target(Run::Soak);
            }
        )*
    };
}

targets! {
    envelope: fuzz_envelope, soak_fuzz_envelope;
    license: fuzz_license, soak_fuzz_license;
    request: fuzz_request, soak_fuzz_request;
    report: fuzz_report, soak_fuzz_report;
    offline_file: fuzz_offline_file, soak_fuzz_offline_file;
}
