//! `Idempotency-Key`: the same write twice is done once and answered twice (A6).

use sha2::{Digest, Sha256};
use tenure_core::{OrgId, Timestamp};

use crate::{StoreError, Tx, audit::Hash, params, statement::statements};

/// How long an answer is kept.
pub const KEPT_HOURS: i64 = 48;
const PURGE_AT_ONCE: i64 = 500;

statements! {
    /// PostgreSQL: whoever holds this key's lock is still at work. SQLite has one writer.
    TRY_LOCK = "SELECT $1 IS NOT NULL AS locked",
        pg "SELECT pg_try_advisory_xact_lock($1) AS locked";
    FIND = "SELECT request_hash, status, response FROM idempotency \
        WHERE org = $1 AND principal = $2 AND operation = $3 AND key = $4 AND at_us > $5";
    /// An answer that is older than 48 hours makes way.
    REMEMBER = "INSERT INTO idempotency (org, principal, operation, key, request_hash, status, response, at_us) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (org, principal, operation, key) DO UPDATE SET \
        request_hash = excluded.request_hash, status = excluded.status, response = excluded.response, \
        at_us = excluded.at_us WHERE idempotency.at_us <= $9";
    PURGE = "DELETE FROM idempotency WHERE (org, principal, operation, key) IN (SELECT org, principal, operation, key \
        FROM idempotency WHERE at_us <= $1 LIMIT $2)";
}

/// What names one write. The organization is part of it, so that one tenant's key never meets another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The caller's organization.
    pub org: OrgId,
    /// The text form of the user or token.
    pub principal: String,
    /// The operation's id.
    pub operation: &'static str,
    /// What the caller sent.
    pub key: String,
}

/// An answer given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, as it was sent.
    pub response: String,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: do the work and [`remember`] its answer in the same transaction.
    Fresh,
    /// The same request was answered: answer this.
    Answered(Answer),
    /// The key was used for another request (422).
    OtherRequest,
    /// The same key is being worked on by another transaction right now (409).
    InFlight,
}

/// Looks a key up and, on PostgreSQL, holds it until the transaction ends.
pub async fn begin(
    tx: &mut Tx,
    key: &IdempotencyKey,
    request_hash: &Hash,
    now: Timestamp,
) -> Result<Known, StoreError> {
    if !tx.fetch_one(&TRY_LOCK, params![lock_number(key)]).await?.bool("locked")? {
        return Ok(Known::InFlight);
    }
    let parameters = params![key.org, &key.principal, key.operation, &key.key, oldest(now)];
    let Some(row) = tx.fetch_optional(&FIND, parameters).await? else { return Ok(Known::Fresh) };
    if row.hash("request_hash")? != *request_hash {
        return Ok(Known::OtherRequest);
    }
    let status = u16::try_from(row.i64("status")?).map_err(|_| StoreError::Corrupt { what: "an HTTP status" })?;
    Ok(Known::Answered(Answer { status, response: row.text("response")? }))
}

/// Keeps the answer for 48 hours.
pub async fn remember(
    tx: &mut Tx,
    key: &IdempotencyKey,
    request_hash: &Hash,
    answer: &Answer,
    now: Timestamp,
) -> Result<(), StoreError> {
    let parameters = params![
        key.org,
        &key.principal,
        key.operation,
        &key.key,
        request_hash,
        answer.status,
        &answer.response,
        now,
        oldest(now)
    ];
    tx.execute_one(&REMEMBER, parameters).await
}

/// Deletes at most 500 answers that are older than 48 hours; how many.
pub async fn purge(tx: &mut Tx, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&PURGE, params![oldest(now), PURGE_AT_ONCE]).await
}

const fn oldest(now: Timestamp) -> Timestamp {
    now.plus_secs(-KEPT_HOURS * 3600)
}

/// The key as a PostgreSQL advisory lock. Two keys with one number only wait for each other with 409.
fn lock_number(key: &IdempotencyKey) -> i64 {
    let mut hash = Sha256::new().chain_update(b"tenure idempotency").chain_update(key.org.uuid().as_bytes());
    for part in [key.principal.as_str(), key.operation, key.key.as_str()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash: Hash = hash.finalize().into();
    i64::from_be_bytes(*hash.first_chunk().expect("a hash has 32 bytes"))
}
