//! From an unsigned body to a message that its installation really sent.

use std::collections::HashMap;

use tenure_core::{DocumentId, InstallationId, Timestamp, chain::Held};
use tenure_license::{
    ActivationAnswer, CheckInAnswer, CheckInRequest, Envelope, Exchange, Hash, InlineReceipt, KeyId, Payload,
    PublicKey, UsageReport, Verified, Watermark, WorkloadEvidence, verify_two, verify_with_key,
};

use super::{recover, speakers::KeyOwnerRow, take_up::HeldLicense};
use crate::{Error, ProblemKind, Result, Service};

/// A verified check-in, ready to be decided.
#[derive(Debug)]
pub(super) struct Message {
    /// The key that signed it; the installation's row says whether it still speaks.
    pub key_id: [u8; 32],
    /// The key that takes over, which signed too.
    pub new_key: Option<PublicKey>,
    pub request: Verified<CheckInRequest>,
    pub documents: Vec<Document>,
    /// An answer of ours that rode along, verified.
    pub held: Option<Held>,
    /// A license of ours that rode along, of an epoch that is over.
    pub license: Option<HeldLicense>,
    /// Receipts of ours of epochs that are over, by document.
    pub receipts: HashMap<Hash, InlineReceipt>,
    pub received: Timestamp,
}

/// A document that rode along, in the order of the request's list.
#[derive(Debug)]
pub(super) struct Document {
    pub hash: Hash,
    pub id: DocumentId,
    pub envelope: Option<Envelope>,
    pub content: Content,
}

/// What a document is.
#[derive(Debug)]
pub(super) enum Content {
    Report(Box<UsageReport>),
    Watermark(Box<Watermark>),
    Evidence(Box<WorkloadEvidence>),
    /// Named by the request, and not among the attachments.
    Absent,
    /// Not a document of this installation, or not well formed.
    Invalid,
}

/// Size, key by key id, strict signature, parse, audience and installation: in this order, each before the next
/// (protocol, 2.5). Nothing of an unverified request is kept.
pub(super) async fn verify(service: &Service, body: Exchange, received: Timestamp) -> Result<Message> {
    if !body.request.claims::<CheckInRequest>() {
        return Err(ProblemKind::InvalidInput.because("`request` is not a check-in request").into());
    }
    let speaker = match find_speaker(service, &body.request).await? {
        Some(speaker) => speaker,
        None => recover::find_again(service, &body, received).await?,
    };
    let key = PublicKey::from_bytes(speaker.public_key);
    let request = verify_with_key::<CheckInRequest>(&body.request, &key)
        .and_then(|request| request.for_audience(service.deployment().id))
        .map_err(|error| ProblemKind::BadSignature.because(error.to_string()))?;
    if request.ins != speaker.installation {
        return Err(ProblemKind::BadSignature.because("the key speaks for another installation").into());
    }
    // Signed by the key that it names, the rotation was taken before.
    let new_key = request.new_key.filter(|new| *new != key);
    if let Some(new) = &new_key {
        verify_two::<CheckInRequest>(&body.request, &key, new)
            .map_err(|error| ProblemKind::BadSignature.because(format!("the new key: {error}")))?;
    }
    if request.docs.len() > tenure_license::exchange::MAX_DOCUMENTS || request.unanswered.len() > MAX_UNANSWERED {
        return Err(ProblemKind::InvalidInput.because("at most 64 documents and 16 unanswered requests").into());
    }
    // Only who has the key spends what the installation has (A8), and before what rode along is verified: anybody may put
    // more into a body.
    if let Some(limits) = service.limits() {
        limits.take_installation(request.ins)?;
    }
    let held = held(service, &request, &body)?;
    let keys = keys_of_documents(service, &request, &speaker, &body.documents).await?;
    let documents = documents(service, &request, &keys, body.documents, received);
    let license = body.license.and_then(|envelope| held_license(service, &request, envelope));
    let receipts = old_receipts(service, &request, &body.old_receipts);
    Ok(Message { key_id: speaker.key_id, new_key, request, documents, held, license, receipts, received })
}

const MAX_UNANSWERED: usize = 16;

/// The answer of ours that its sender really holds. Before the first check-in was answered that is the activation's: a
/// machine set back to it, or copied then, can show no other.
fn held(service: &Service, request: &CheckInRequest, body: &Exchange) -> Result<Option<Held>> {
    let root = service.root();
    if let Some(envelope) = &body.held_answer {
        let held = root
            .verify_held_receipt_role::<CheckInAnswer>(envelope)
            .map_err(|error| ProblemKind::BadSignature.because(format!("the held answer: {error}")))?;
        let ours = held.ins == request.ins;
        let (epoch, branch, seq) = (held.epoch, held.branch, held.seq);
        return Ok(ours.then(|| Held { hash: *held.hash.as_bytes(), epoch, branch, seq }));
    }
    let Some(envelope) = body.activation_answer.as_ref().filter(|_| request.rejoin.is_some()) else { return Ok(None) };
    let held = root
        .verify_held_receipt_role::<ActivationAnswer>(envelope)
        .map_err(|error| ProblemKind::BadSignature.because(format!("the activation's answer: {error}")))?;
    let ours = held.ins == request.ins;
    Ok(ours.then(|| Held { hash: *held.hash.as_bytes(), epoch: held.epoch, branch: 0, seq: 0 }))
}

/// The license the request shows, if it is ours, bound to its sender, and older than the present epoch: this database may
/// have lost it (E1). Anything else proves nothing, and is not looked at.
fn held_license(service: &Service, request: &CheckInRequest, envelope: Envelope) -> Option<HeldLicense> {
    let shown = request.lic.as_ref().filter(|shown| shown.epoch < service.deployment().epoch)?;
    let license = service.root().verify_held_license(&envelope).ok()?;
    let bound = license.installation.as_ref().is_some_and(|bound| bound.id == request.ins);
    (bound && license.hash == shown.hash).then_some(HeldLicense { license, envelope })
}

/// The receipts in answers of ours that ride along, of epochs that are over: a document that this database lost keeps its
/// receipt and its time of arrival (E3).
fn old_receipts(service: &Service, request: &CheckInRequest, answers: &[Envelope]) -> HashMap<Hash, InlineReceipt> {
    let mut receipts = HashMap::new();
    // They are answers of ours, each with the signature of one key, or two while one follows the other.
    let ours = |envelope: &&Envelope| envelope.claims::<CheckInAnswer>() && envelope.signatures.len() <= 2;
    for envelope in answers.iter().filter(ours).take(request.docs.len()) {
        let Ok(answer) = service.root().verify_held_receipt_role::<CheckInAnswer>(envelope) else { continue };
        if answer.ins != request.ins {
            continue;
        }
        for told in &answer.docs {
            if let Some(receipt) = told.receipt.as_ref().filter(|receipt| receipt.epoch < service.deployment().epoch) {
                receipts.entry(told.hash).or_insert_with(|| receipt.clone());
            }
        }
    }
    receipts
}

/// The key is looked up by the hint of the first signature that names one of ours; what it may say comes from our row.
pub(super) async fn find_speaker(service: &Service, envelope: &Envelope) -> Result<Option<KeyOwnerRow>> {
    Ok(speakers(service, envelope).await?.into_iter().next())
}

/// The keys of ours that the signatures name, in their order.
pub(super) async fn speakers(service: &Service, envelope: &Envelope) -> Result<Vec<KeyOwnerRow>> {
    let mut found = Vec::new();
    for signature in envelope.signatures.iter().take(tenure_license::envelope::MAX_SIGNATURES) {
        let Ok(key_id) = signature.keyid.parse::<KeyId>() else { continue };
        found.extend(service.speakers().find(service.store(), key_id.as_bytes()).await?);
    }
    Ok(found)
}

/// Most keys that the documents of one request may be signed by.
const MAX_KEYS: usize = 4;

/// The keys that may have signed the documents: the speaker's, and those that the installation had before it (protocol,
/// 2.7). A document that was signed before a rotation and is sent after it keeps its signature.
async fn keys_of_documents(
    service: &Service,
    request: &CheckInRequest,
    speaker: &KeyOwnerRow,
    attached: &[Envelope],
) -> Result<Vec<(KeyId, PublicKey)>> {
    let own = |owner: &KeyOwnerRow| (KeyId::from_bytes(owner.key_id), PublicKey::from_bytes(owner.public_key));
    let mut keys = vec![own(speaker)];
    for signature in attached.iter().filter_map(|envelope| envelope.signatures.first()) {
        let Ok(id) = signature.keyid.parse::<KeyId>() else { continue };
        if keys.len() < MAX_KEYS
            && !keys.iter().any(|(known, _)| *known == id)
            && let Some(owner) = service.speakers().find(service.store(), id.as_bytes()).await?
            && owner.installation == request.ins
        {
            keys.push(own(&owner));
        }
    }
    Ok(keys)
}

fn documents(
    service: &Service,
    request: &CheckInRequest,
    keys: &[(KeyId, PublicKey)],
    attached: Vec<Envelope>,
    received: Timestamp,
) -> Vec<Document> {
    let mut attached: Vec<(Hash, Envelope)> = attached.into_iter().map(|each| (each.hash(), each)).collect();
    request
        .docs
        .iter()
        .map(|hash| {
            let id = DocumentId::generate(received, service.rng());
            let found = attached.iter().position(|(each, _)| each == hash).map(|at| attached.swap_remove(at).1);
            let content = match &found {
                Some(envelope) => content(service, request.ins, key_of(keys, envelope), envelope),
                None => Content::Absent,
            };
            Document { hash: *hash, id, envelope: found, content }
        })
        .collect()
}

/// The key that the document names, or the speaker's.
fn key_of<'a>(keys: &'a [(KeyId, PublicKey)], envelope: &Envelope) -> &'a PublicKey {
    let hint = envelope.signatures.first().and_then(|signature| signature.keyid.parse::<KeyId>().ok());
    let named = keys.iter().find(|(id, _)| Some(*id) == hint);
    &named.or(keys.first()).expect("the speaker's is always there").1
}

/// A document that was kept of a held installation.
pub(super) fn kept(
    service: &Service,
    ins: InstallationId,
    keys: &[PublicKey],
    envelope: Envelope,
    received: Timestamp,
) -> Document {
    let read = keys.iter().map(|key| content(service, ins, key, &envelope));
    let content = read.into_iter().find(|content| !matches!(content, Content::Invalid)).unwrap_or(Content::Invalid);
    let id = DocumentId::generate(received, service.rng());
    Document { hash: envelope.hash(), id, envelope: Some(envelope), content }
}

fn content(service: &Service, ins: InstallationId, key: &PublicKey, envelope: &Envelope) -> Content {
    let read = || -> Result<Content, tenure_license::VerifyError> {
        let ours = service.deployment().id;
        Ok(match envelope.payload_type.as_str() {
            UsageReport::TYPE => {
                let report = verify_with_key::<UsageReport>(envelope, key)?;
                if report.ins != ins || report.aud != ours || !well_formed(&report) {
                    return Ok(Content::Invalid);
                }
                Content::Report(Box::new(report.into_inner()))
            }
            Watermark::TYPE => {
                let mark = verify_with_key::<Watermark>(envelope, key)?;
                let whole = mark.lines.iter().all(|line| line.daily.len() == 7);
                if mark.ins != ins || mark.aud != ours || !whole {
                    return Ok(Content::Invalid);
                }
                Content::Watermark(Box::new(mark.into_inner()))
            }
            WorkloadEvidence::TYPE => {
                let evidence = verify_with_key::<WorkloadEvidence>(envelope, key)?;
                if evidence.ins != ins || evidence.aud != ours || evidence.rows.len() > MAX_ROWS {
                    return Ok(Content::Invalid);
                }
                Content::Evidence(Box::new(evidence.into_inner()))
            }
            _ => Content::Invalid,
        })
    };
    read().unwrap_or(Content::Invalid)
}

const MAX_ROWS: usize = 1000;
const MAX_LINES: usize = 500;

/// What the schema cannot say: a figure per day of the month, no line twice, adjusted figures explained.
fn well_formed(report: &UsageReport) -> bool {
    let days = report.period.days().count();
    let mut seen = std::collections::BTreeSet::new();
    report.revision > 0
        && report.lines.len() <= MAX_LINES
        && report.heads.len() <= 2 * days
        && report.lines.iter().all(|line| {
            line.daily.len() == days
                && line.count <= line.raw
                && (line.count == line.raw) == line.adjustments.is_empty()
                && seen.insert((&line.workload, &line.variant))
        })
}

impl Message {
    /// The error a message meets when its batch cannot be decided.
    pub(super) fn lost() -> Error {
        ProblemKind::Busy.into()
    }
}
