//! Checkpoints of the audit chain: the lanes' heads at one moment, signed, and told to everybody (protocol, 3.4).
//!
//! A hash chain alone proves nothing against someone who owns the database. So each answer to a product names the newest
//! checkpoint, and the fleet is the witness.

use std::sync::{PoisonError, RwLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tenure_core::Timestamp;
use tenure_license::{AuditCheckpoint, CheckpointRef, Envelope, Hash, Payload, encode_payload, payload::LaneHead};
use tenure_store::{
    Message, Queue, StoreError, Tx, audit,
    rows::checkpoint::{self, CheckpointRow},
};

use crate::{Error, Result, Service};

/// Seconds between two checkpoints.
const PACE_SECS: i64 = 10;
/// Checkpoints signed in one run: a crash leaves one, a clock fault a few.
const MAX_UNSIGNED: u32 = 100;

/// The newest checkpoint that is committed, as answers name it. It changes only after COMMIT (E10).
#[derive(Default)]
pub(crate) struct Newest(RwLock<Option<CheckpointRef>>);

impl Newest {
    /// What answers say.
    pub(crate) fn get(&self) -> Option<CheckpointRef> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn raise(&self, row: &CheckpointRow) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_none_or(|held| held.k < row.k) {
            *held = Some(CheckpointRef { k: row.k, hash: Hash::from_bytes(row.hash) });
        }
    }
}

/// Makes a checkpoint when anything changed since the last one and that is long enough ago, signs what is not signed, and
/// lets answers name the newest. Says whether one was made.
///
/// # Errors
/// When the store fails.
pub async fn make_checkpoint(service: &Service) -> Result<bool> {
    let now = service.now();
    let mut read = service.store().read().await?;
    let (last, ends) = (checkpoint::newest(&mut read).await?, audit::ends(&mut read).await?);
    drop(read);
    let made = if is_due(last.as_ref(), &ends, now)? {
        let for_write = service.clone();
        service.store().write(Queue::Jobs, async move |tx| write(&for_write, tx, now).await).await?
    } else {
        None
    };
    // Another process may have made one meanwhile; it is signed by whoever comes first.
    sign_unsigned(service).await?;
    if let Some(newest) = made.as_ref().or(last.as_ref()) {
        service.newest_checkpoint().raise(newest);
    }
    Ok(made.is_some())
}

/// Lets answers name the newest that is committed.
pub(crate) async fn remember(service: &Service) -> Result<(), StoreError> {
    let mut read = service.store().peek().await?;
    if let Some(newest) = checkpoint::newest(&mut read).await? {
        service.newest_checkpoint().raise(&newest);
    }
    Ok(())
}

fn is_due(last: Option<&CheckpointRow>, ends: &[audit::LaneEnd], now: Timestamp) -> Result<bool> {
    let Some(last) = last else { return Ok(!ends.is_empty()) };
    // A clock that went back must not stop it for as long.
    let soon = (last.at..last.at.plus_secs(PACE_SECS)).contains(&now);
    Ok(!soon && heads_of(&read(last)?) != ends)
}

/// The lane ends a checkpoint names.
pub(crate) fn heads_of(payload: &AuditCheckpoint) -> Vec<audit::LaneEnd> {
    let end = |head: &LaneHead| audit::LaneEnd { lane: head.lane, n: head.n, head: *head.head.as_bytes() };
    payload.heads.iter().map(end).collect()
}

/// The payload of a stored checkpoint.
pub(crate) fn read(row: &CheckpointRow) -> Result<AuditCheckpoint> {
    serde_json::from_slice(&row.payload).map_err(|_| Error::Internal("a checkpoint cannot be read"))
}

/// A stored checkpoint as it is handed out; none while it is not signed.
pub(crate) fn envelope(row: &CheckpointRow) -> Option<Envelope> {
    let signatures: serde_json::Value = serde_json::from_str(row.signatures.as_deref()?).ok()?;
    let whole = serde_json::json!({
        "payload": STANDARD.encode(&row.payload), "payloadType": AuditCheckpoint::TYPE, "signatures": signatures,
    });
    Envelope::from_json(whole.to_string().as_bytes()).ok()
}

/// Commits one. All is read again: the lanes may have moved, or another process may have made it.
async fn write(service: &Service, tx: &mut Tx, now: Timestamp) -> Result<Option<CheckpointRow>> {
    let (last, ends) = (checkpoint::newest(tx).await?, audit::ends(tx).await?);
    if !is_due(last.as_ref(), &ends, now)? {
        return Ok(None);
    }
    let k = last.as_ref().map_or(1, |last| last.k + 1);
    let epoch = service.deployment().epoch;
    let head = |end: &audit::LaneEnd| LaneHead { lane: end.lane, n: end.n, head: Hash::from_bytes(end.head) };
    let payload = encode_payload(&AuditCheckpoint {
        v: 1,
        aud: service.deployment().id,
        k,
        prev: last.map(|last| Hash::from_bytes(last.hash)),
        epoch,
        heads: ends.iter().map(head).collect(),
        at: now.as_secs(),
        crit: Vec::new(),
    });
    let hash = Hash::of_payload(AuditCheckpoint::TYPE, &payload);
    let row = CheckpointRow { k, epoch, at: now, hash: *hash.as_bytes(), payload, signatures: None };
    if !checkpoint::insert(tx, &row).await? {
        return Ok(None);
    }
    // Told outside like any change; no audit entry, which would ask for the next checkpoint by itself.
    tx.outbox(Message {
        aggregate: service.deployment().id.to_string(),
        kind: "audit.checkpoint",
        to: service.deployment().vendor.to_string(),
        body: serde_json::json!({ "k": k, "hash": hash, "epoch": epoch }),
        at: now,
    });
    Ok(Some(row))
}

/// Signs what is committed and not signed yet: the one just made, or what a crash left (E11).
async fn sign_unsigned(service: &Service) -> Result<()> {
    let mut read = service.store().peek().await?;
    let waiting = checkpoint::unsigned(&mut read, MAX_UNSIGNED).await?;
    drop(read);
    if waiting.is_empty() {
        return Ok(());
    }
    let mut signed = Vec::with_capacity(waiting.len());
    for row in waiting {
        let envelope = service.keys().sign_receipt(AuditCheckpoint::TYPE, row.payload);
        let signatures =
            serde_json::to_string(&envelope.signatures).map_err(|_| Error::Internal("signatures are always JSON"))?;
        signed.push((row.k, signatures));
    }
    let write = async move |tx: &mut Tx| {
        for (k, signatures) in &signed {
            checkpoint::sign(tx, *k, signatures).await?;
        }
        Ok(())
    };
    service.store().write(Queue::Jobs, write).await
}
