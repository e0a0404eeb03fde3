//! A product that we do not know any more shows what we once signed for it (protocol, 2.7, "Server lost it").
//!
//! Its own words prove nothing here. A rotation counts because the key that we still know signed it; an activation
//! answer, because we signed it in an epoch before the last restore. Without the rows that such an answer names, a person
//! decides; until then everything is kept and nothing is promised.

use serde_json::json;
use tenure_core::{Period, Timestamp, agreement::AgreementStanding};
use tenure_license::{
    ActivationAnswer, CheckInRequest, Envelope, Exchange, PublicKey, Verified, verify_rotation, verify_with_key,
};
use tenure_store::{
    Queue, Tx, audit,
    rows::{
        agreement,
        chain::{self, Beginning},
        gone_installation,
        held_installation::{self, HeldDocumentRow, HeldRow, Upserted},
        installation::{self, InstallationRow, KeyOwnerRow},
        license, product,
    },
};

use super::{
    documents,
    foresee::Sender,
    rekey,
    speakers::KeyOwnerRow as Speaker,
    verify::{self, find_speaker},
};
use crate::{Error, ProblemKind, Result, Service, agreements, change, health, issue};

/// Most months that are owed anew for a re-created installation.
const MAX_MONTHS: usize = 14;

/// Whose request it is, once what rode along was taken up. Still nobody's: `unknown_key`, which changes nothing.
pub(super) async fn find_again(service: &Service, body: &Exchange, received: Timestamp) -> Result<Speaker> {
    if let Some(answer) = &body.activation_answer {
        lost_installation(service, body, answer, received).await?;
    }
    if let Some(rotation) = &body.rotation {
        lost_rotation(service, rotation, received).await?;
    }
    find_speaker(service, &body.request).await?.ok_or(ProblemKind::UnknownKey.into())
}

/// A rotation that we lost: signed by the key that still speaks here and by its successor, and younger than all we hold.
async fn lost_rotation(service: &Service, rotation: &Envelope, received: Timestamp) -> Result<()> {
    let Some(owner) = known_signer(service, rotation).await? else { return Ok(()) };
    let Ok(request) = verify_rotation(rotation, &PublicKey::from_bytes(owner.public_key)) else { return Ok(()) };
    let Some(new) = request.new_key else { return Ok(()) };
    if request.ins != owner.installation || request.aud != service.deployment().id {
        return Ok(());
    }
    let (service_, seq) = (service.clone(), request.seq);
    service
        .store()
        .write(Queue::Products, async move |tx| {
            let row = chain::lock_many(tx, &[owner.installation]).await?.pop();
            let Some(row) = row.filter(|row| row.key_id == owner.key_id && row.seq < seq) else { return Ok(()) };
            rekey::take_over(&service_, tx, row, &new, received).await?;
            Ok::<_, Error>(())
        })
        .await
}

async fn known_signer(service: &Service, envelope: &Envelope) -> Result<Option<Speaker>> {
    // The new key's signature may come first; it is unknown here, so the old one is found.
    if !envelope.claims::<CheckInRequest>() {
        return Ok(None);
    }
    find_speaker(service, envelope).await
}

/// What a lost installation proves of itself.
struct Proof {
    answer: Verified<ActivationAnswer>,
    envelope: Envelope,
    key: PublicKey,
    /// What it tells of itself now.
    request: CheckInRequest,
}

/// An installation that we lost: our own answer of an older epoch names its key, and that key, or one that it handed over
/// to, signed the request.
async fn lost_installation(service: &Service, body: &Exchange, answer: &Envelope, received: Timestamp) -> Result<()> {
    let Some(proof) = proof(service, body, answer) else { return Ok(()) };
    let mut read = service.store().peek().await?;
    let known = chain::find(&mut read, proof.answer.ins).await?.is_some();
    drop(read);
    if known {
        return Ok(());
    }
    if proof.answer.epoch >= service.deployment().epoch {
        // What came before that moment, and is here, is older than the loss (C7).
        let since =
            audit::newest_before(&mut *service.store().read().await?, Timestamp::from_secs(proof.answer.at)).await?;
        let why = "a product holds a genuine activation that this database lacks";
        health::amnesia(service, why.to_owned(), since.unwrap_or(Timestamp::EPOCH)).await;
        return Err(ProblemKind::Halted.into());
    }
    let (service_, documents) = (service.clone(), kept(service, body, &proof, received));
    let held = service
        .store()
        .write(Queue::Products, async move |tx| {
            if gone_installation::find(tx, proof.answer.ins).await? {
                return Ok(Some(Upserted::Refused));
            }
            let row = license::find(tx, proof.answer.provider, proof.answer.license).await?;
            if row.is_some_and(|row| row.ended.is_none()) {
                create_again(&service_, tx, &proof, received).await?;
                return Ok(None);
            }
            hold(tx, &proof, &documents, received).await.map(Some)
        })
        .await?;
    match held {
        Some(Upserted::New | Upserted::Again) => {
            let why = "it is held until a person of the provider or vendor confirms it; its documents are kept";
            Err(ProblemKind::UnknownKey.because(why).into())
        }
        Some(Upserted::Refused) => {
            let why =
                "this database lost it, and a person refused it or took it out since: activate it anew with a code";
            Err(ProblemKind::UnknownKey.because(why).into())
        }
        None => Ok(()),
    }
}

/// Whom a request speaks for by what we once signed, though we do not know it any more. Reads only.
pub(super) fn proven_sender(service: &Service, body: &Exchange) -> Option<Sender> {
    let Proof { answer, key, request, .. } = proof(service, body, body.activation_answer.as_ref()?)?;
    let keys = std::iter::once(key).chain(request.new_key).collect();
    let (provider, installation, license) = (answer.provider, answer.ins, answer.license);
    Some(Sender { provider, installation, license, keys, is_known: false })
}

fn proof(service: &Service, body: &Exchange, answer: &Envelope) -> Option<Proof> {
    let (root, key) = (service.root(), body.activation_key?);
    let verified = root.verify_held_receipt_role::<ActivationAnswer>(answer).ok()?;
    if verified.key != key.id() {
        return None;
    }
    let request = match &body.rotation {
        Some(rotation) => {
            // The first key handed over, so it has not signed this request; what it signed last is believed instead.
            verify_rotation(rotation, &key).ok()?.into_inner()
        }
        None => verify_with_key::<CheckInRequest>(&body.request, &key).ok()?.into_inner(),
    };
    let ours = request.aud == service.deployment().id && request.ins == verified.ins;
    ours.then(|| Proof { answer: verified, envelope: answer.clone(), key, request })
}

/// The installation as it was activated: its chain begins at that answer, so its next request is out of step, and it
/// rejoins with what it really holds (C6).
async fn create_again(service: &Service, tx: &mut Tx, proof: &Proof, now: Timestamp) -> Result<()> {
    let Proof { answer, key, request, .. } = proof;
    let (provider, license) = (answer.provider, answer.license);
    let row = license::find(tx, provider, license).await?.ok_or(Error::Internal("a license that was there is gone"))?;
    bind(tx, proof, &row, now).await?;
    issue::issue(service, tx, provider, license).await?;
    let body = json!({ "license": license, "key": key.id(), "host": request.host.name, "epoch": answer.epoch });
    change::record(tx, "server", provider, "installation.recovered", answer.ins.to_string(), now, body);
    Ok(())
}

/// A held installation that a person confirmed: it begins where the answer that we once gave it ended, and what was kept of
/// it is taken as of the day it came. Gives how many documents were taken.
pub(crate) async fn create_confirmed(
    service: &Service,
    tx: &mut Tx,
    held: &HeldRow,
    row: &license::LicenseRow,
    now: Timestamp,
) -> Result<u32> {
    let unreadable = |_| Error::Internal("a held proof cannot be read");
    let envelope = Envelope::from_json(held.answer.as_bytes()).map_err(unreadable)?;
    let answer = service.root().verify_held_receipt_role::<ActivationAnswer>(&envelope).map_err(|error| {
        ProblemKind::InstallationState.because(format!("what it showed does not prove it any more: {error}"))
    })?;
    if !chain::lock_many(tx, &[answer.ins]).await?.is_empty() {
        return Err(ProblemKind::InstallationState.because("it is known here again").into());
    }
    let request: CheckInRequest =
        serde_json::from_str(&held.request).map_err(|_| Error::Internal("a held request cannot be read"))?;
    let proof = Proof { answer, envelope, key: PublicKey::from_bytes(held.public_key), request };
    bind(tx, &proof, row, now).await?;
    let chain = chain::find(tx, held.installation).await?.ok_or(Error::Internal("a new chain is gone"))?;
    let keys: Vec<PublicKey> = std::iter::once(proof.key).chain(proof.request.new_key).collect();
    let kept = held_installation::documents(tx, held.installation).await?;
    let product = product::find(tx, row.product).await?.ok_or(Error::Internal("a license of no product"))?;
    let taken = documents::take_held(service, tx, &chain, &keys, &kept, &product.code).await?;
    issue::issue(service, tx, row.provider, row.id).await?;
    Ok(taken)
}

/// Writes the rows of an installation that was lost, under a license; its license is issued by the caller.
async fn bind(tx: &mut Tx, proof: &Proof, row: &license::LicenseRow, now: Timestamp) -> Result<()> {
    let Proof { answer, envelope, key, request } = proof;
    let agreement = agreement::find(tx, row.provider, row.agreement).await?;
    let agreement = agreement.ok_or(Error::Internal("a license of no agreement"))?;
    let (ins, activated) = (answer.ins, Timestamp::from_secs(answer.at));
    let owner = KeyOwnerRow {
        key_id: *key.id().as_bytes(),
        public_key: *key.as_bytes(),
        provider: row.provider,
        installation: ins,
        retired: None,
    };
    if !installation::insert_key(tx, &owner, now).await? {
        return Err(ProblemKind::KeyRefused.into());
    }
    let cold = InstallationRow {
        provider: row.provider,
        id: ins,
        license: row.id,
        name: request.host.name.clone(),
        host: serde_json::to_string(&request.host).unwrap_or_default(),
        product_version: request.versions.product.clone(),
        agent_version: request.versions.agent.clone(),
        auto_update: request.auto_update,
        activated,
        replaces: answer.replaces,
        retired: None,
        retired_how: None,
    };
    installation::insert(tx, &cold).await?;
    let beginning = Beginning {
        installation: ins,
        provider: row.provider,
        key_id: *key.id().as_bytes(),
        epoch: answer.epoch,
        head: *answer.hash.as_bytes(),
        req: *answer.req.as_bytes(),
        answer: &envelope.payload,
        now,
        license: row.id,
        contract_ends: agreement.end(),
    };
    chain::begin(tx, &beginning).await?;
    if agreements::terms(&agreement).standing(now) == AgreementStanding::Terminated {
        chain::set_terminated(tx, row.provider, &[row.id], true).await?;
    }
    let mut month = Period::of(now);
    for _ in 0..MAX_MONTHS {
        if month < Period::of(activated) {
            break;
        }
        installation::ensure_obligation(tx, row.provider, ins, row.id, month).await?;
        month = month.prev();
    }
    Ok(())
}

/// What rode along, to be kept until a person decided: what the request names, signed by a key that it may use. Anybody may
/// put more into a body.
fn kept(service: &Service, body: &Exchange, proof: &Proof, received: Timestamp) -> Vec<HeldDocumentRow> {
    let keys: Vec<PublicKey> = std::iter::once(proof.key).chain(proof.request.new_key).collect();
    let request = keys.iter().find_map(|key| verify_with_key::<CheckInRequest>(&body.request, key).ok());
    let Some(request) = request else { return Vec::new() };
    let row = |envelope: &Envelope| HeldDocumentRow {
        hash: *envelope.hash().as_bytes(),
        payload_type: envelope.payload_type.clone(),
        envelope: envelope.to_json(),
        received,
    };
    let named = body.documents.iter().filter(|envelope| request.docs.contains(&envelope.hash()));
    let signed = named.filter(|envelope| {
        let read = verify::kept(service, proof.answer.ins, &keys, (*envelope).clone(), received);
        !matches!(read.content, verify::Content::Invalid)
    });
    signed.map(row).collect()
}

async fn hold(tx: &mut Tx, proof: &Proof, documents: &[HeldDocumentRow], now: Timestamp) -> Result<Upserted> {
    let Proof { answer, envelope, key, request } = proof;
    let row = HeldRow {
        installation: answer.ins,
        provider: answer.provider,
        license: answer.license,
        public_key: *key.as_bytes(),
        answer: envelope.to_json(),
        request: serde_json::to_string(request).map_err(|_| Error::Internal("a request is always JSON"))?,
        name: request.host.name.clone(),
        first: now,
        seen: now,
        confirmed: None,
        refused: None,
    };
    let upserted = held_installation::upsert(tx, &row).await?;
    if upserted == Upserted::New {
        let (id, provider) = (answer.ins.to_string(), answer.provider);
        let body = json!({ "license": answer.license, "key": key.id(), "host": request.host.name });
        change::record(tx, "server", provider, "installation.held", id, now, body);
    }
    if upserted != Upserted::Refused {
        held_installation::keep(tx, answer.ins, documents).await?;
    }
    Ok(upserted)
}
