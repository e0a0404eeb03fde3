//! Sealing a transaction: its outbox messages, then its audit entries, under the lane as the last lock.

use serde::Serialize;
use tenure_core::{Timestamp, uuid_v7};

use super::{Body, Hash, INGEST, IngestBody, body_hash, entry_hash, merkle};
use crate::{Engine, StoreError, Tx, hex, json_rows, outbox, params, statement::statements};

/// Lanes of a PostgreSQL database; a SQLite file has lane 0 alone.
pub(crate) const PG_LANES: u64 = 16;

statements! {
    /// SQLite: the lane asked for. PostgreSQL: the first unlocked lane, beginning at the one asked for.
    TAKE = "SELECT lane, n, head FROM audit_lane WHERE lane = $1",
        pg "SELECT lane, n, head FROM audit_lane ORDER BY (lane - $1 + 16) % 16 LIMIT 1 FOR UPDATE SKIP LOCKED";
    /// All were locked: wait for this one.
    WAIT = "SELECT lane, n, head FROM audit_lane WHERE lane = $1",
        pg "SELECT lane, n, head FROM audit_lane WHERE lane = $1 FOR UPDATE";
    /// Compare-and-swap, so that a stale cached head is found out and nothing is chained to it.
    MOVE = "UPDATE audit_lane SET n = $3, head = $4 WHERE lane = $1 AND n = $2";
    INSERT = "INSERT INTO audit_entry (lane, n, id, at_us, org, actor, verb, subject, salt, body, body_hash, hash) \
        SELECT $1, value->>'n', unhex(value->>'id', '-'), value->>'at', unhex(value->>'org', '-'), value->>'actor', \
            value->>'verb', value->>'subject', unhex(value->>'salt'), value->>'body', unhex(value->>'body_hash'), \
            unhex(value->>'hash') FROM json_each($2)",
        pg "INSERT INTO audit_entry (lane, n, id, at_us, org, actor, verb, subject, salt, body, body_hash, hash) \
        SELECT $1, n, id, at, org, actor, verb, subject, decode(salt, 'hex'), body, decode(body_hash, 'hex'), \
            decode(hash, 'hex') FROM json_to_recordset($2::json) AS x(n bigint, id uuid, at bigint, org uuid, \
            actor text, verb text, subject text, salt text, body text, body_hash text, hash text)";
    INSERT_LEAVES = "INSERT INTO ingest_leaves (lane, n, count, root, leaves) VALUES ($1, $2, $3, $4, $5)";
}

/// Where a lane ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    lane: u32,
    n: u64,
    hash: Hash,
}

/// Why a transaction could not be sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    /// The cached head is not the lane's: another process wrote to this file. Nothing was chained to it.
    #[error("the audit lane has moved")]
    Stale,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Serialize)]
struct EntryRow {
    n: u64,
    id: uuid::Uuid,
    at: i64,
    org: Option<uuid::Uuid>,
    actor: String,
    verb: String,
    subject: String,
    salt: String,
    body: String,
    body_hash: String,
    hash: String,
}

/// Writes what is pending as the last statements of the transaction. `cached` is the head this writer's last COMMIT
/// left; what is returned may be cached once this transaction is committed, never before (E10).
pub(crate) async fn seal(tx: &mut Tx, cached: Option<Head>) -> Result<Option<Head>, SealError> {
    let pending = std::mem::take(&mut tx.pending);
    outbox::write(tx, pending.messages).await?;
    if pending.entries.is_empty() && pending.leaves.is_empty() {
        return Ok(cached);
    }
    let start = match cached {
        Some(head) => head,
        None => take(tx).await?,
    };
    let mut chain = Chain { head: start, rows: Vec::with_capacity(pending.entries.len() + 1) };
    for entry in pending.entries {
        let body = Body {
            at: entry.at,
            actor: entry.actor,
            verb: entry.verb.to_owned(),
            subject: entry.subject,
            org: entry.org,
            data: entry.body,
        };
        chain.push(tx, body)?;
    }
    let leaves = (!pending.leaves.is_empty()).then_some(pending.leaves);
    if let Some(leaves) = &leaves {
        let at = pending.leaves_at.unwrap_or(Timestamp::EPOCH);
        chain.push_ingest(tx, at, leaves)?;
    }
    let Chain { head, rows } = chain;
    let moved = params![head.lane, start.n as i64, head.n as i64, head.hash];
    if tx.execute(&MOVE, moved).await? != 1 {
        return Err(SealError::Stale);
    }
    tx.execute_exactly(rows.len() as u64, &INSERT, params![start.lane, json_rows(&rows)?]).await?;
    if let Some(leaves) = leaves {
        let root = merkle::root(&leaves);
        let parameters = params![head.lane, head.n as i64, leaves.len() as i64, root, leaves.concat()];
        tx.execute_one(&INSERT_LEAVES, parameters).await?;
    }
    Ok(Some(head))
}

async fn take(tx: &mut Tx) -> Result<Head, StoreError> {
    let lane = match tx.engine() {
        Engine::Sqlite => 0,
        Engine::Postgres => tx.rng.below(PG_LANES) as i64,
    };
    if let Some(row) = tx.fetch_optional(&TAKE, params![lane]).await? {
        return head(&row);
    }
    let row = tx.fetch_one(&WAIT, params![lane]).await?;
    head(&row)
}

fn head(row: &crate::Row) -> Result<Head, StoreError> {
    Ok(Head { lane: row.i64("lane")? as u32, n: row.i64("n")? as u64, hash: row.hash("head")? })
}

/// Entries being linked to the end of a lane.
struct Chain {
    head: Head,
    rows: Vec<EntryRow>,
}

impl Chain {
    fn push(&mut self, tx: &Tx, body: Body) -> Result<(), StoreError> {
        let text = serde_json::to_string(&body)?;
        let salt = tx.rng.nonce();
        let body_hash = body_hash(&salt, &text);
        let n = self.head.n + 1;
        let hash = entry_hash(self.head.lane, n, &self.head.hash, &body_hash);
        self.rows.push(EntryRow {
            n,
            id: uuid_v7(body.at, &*tx.rng),
            at: body.at.as_micros(),
            org: body.org.map(tenure_core::OrgId::uuid),
            actor: body.actor,
            verb: body.verb,
            subject: body.subject,
            salt: hex(&salt),
            body: text,
            body_hash: hex(&body_hash),
            hash: hex(&hash),
        });
        self.head = Head { n, hash, ..self.head };
        Ok(())
    }

    fn push_ingest(&mut self, tx: &Tx, at: Timestamp, leaves: &[Hash]) -> Result<(), StoreError> {
        let data = IngestBody { count: leaves.len() as u64, root: hex(&merkle::root(leaves)) };
        let body = Body {
            at,
            actor: "server".to_owned(),
            verb: INGEST.to_owned(),
            subject: String::new(),
            org: None,
            data: serde_json::to_value(data)?,
        };
        self.push(tx, body)
    }
}
