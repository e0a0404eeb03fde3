//! Checkpoints of the audit chain: the lanes' heads at one moment, committed first and signed after.

use tenure_core::Timestamp;

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    // Epochs only grow with the numbers, so this walks back over the epochs after.
    NEWEST_THROUGH = "SELECT k FROM audit_checkpoint WHERE epoch <= $1 ORDER BY k DESC LIMIT 1";
    NEWEST = "SELECT k, epoch, at_us, hash, payload, signatures FROM audit_checkpoint ORDER BY k DESC LIMIT 1";
    PAGE = "SELECT k, epoch, at_us, hash, payload, signatures FROM audit_checkpoint
        WHERE k > $1 ORDER BY k LIMIT $2";
    FIND = "SELECT k, epoch, at_us, hash, payload, signatures FROM audit_checkpoint WHERE k = $1";
    // Two replicas may make the same one: the first counts.
    INSERT = "INSERT INTO audit_checkpoint (k, epoch, at_us, hash, payload) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (k) DO NOTHING";
    UNSIGNED = "SELECT k, epoch, at_us, hash, payload, signatures FROM audit_checkpoint
        WHERE signatures IS NULL ORDER BY k LIMIT $1";
    SIGN = "UPDATE audit_checkpoint SET signatures = $2 WHERE k = $1 AND signatures IS NULL";
}

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// Its number, from 1, without gaps.
    pub k: u64,
    /// Epoch it was made in.
    pub epoch: u64,
    /// When.
    pub at: Timestamp,
    /// `H` of the payload.
    pub hash: [u8; 32],
    /// Its payload bytes.
    pub payload: Vec<u8>,
    /// Its signatures, JSON; none between COMMIT and signing.
    pub signatures: Option<String>,
}

fn checkpoint(row: &Row) -> Result<CheckpointRow, StoreError> {
    Ok(CheckpointRow {
        k: row.i64("k")? as u64,
        epoch: row.i64("epoch")? as u64,
        at: row.timestamp("at_us")?,
        hash: row.hash("hash")?,
        payload: row.blob("payload")?,
        signatures: row.opt_text("signatures")?,
    })
}

/// The newest one.
pub async fn newest(conn: &mut Conn) -> Result<Option<CheckpointRow>, StoreError> {
    conn.fetch_optional(&NEWEST, params![]).await?.as_ref().map(checkpoint).transpose()
}

/// The number of the newest one of an epoch or those before.
pub async fn newest_through(conn: &mut Conn, epoch: u64) -> Result<Option<u64>, StoreError> {
    let row = conn.fetch_optional(&NEWEST_THROUGH, params![epoch as i64]).await?;
    row.map(|row| Ok(row.i64("k")? as u64)).transpose()
}

/// One of them.
pub async fn find(conn: &mut Conn, k: u64) -> Result<Option<CheckpointRow>, StoreError> {
    let Ok(k) = i64::try_from(k) else { return Ok(None) };
    conn.fetch_optional(&FIND, params![k]).await?.as_ref().map(checkpoint).transpose()
}

/// Those after a number, in order, at most `limit`.
pub async fn after(conn: &mut Conn, k: u64, limit: u32) -> Result<Vec<CheckpointRow>, StoreError> {
    let k = i64::try_from(k).unwrap_or(i64::MAX);
    conn.fetch_all(&PAGE, params![k, limit]).await?.iter().map(checkpoint).collect()
}

/// Writes an unsigned checkpoint; `false` when another process made one of that number.
pub async fn insert(tx: &mut Tx, row: &CheckpointRow) -> Result<bool, StoreError> {
    let parameters = params![row.k as i64, row.epoch as i64, row.at, row.hash, &row.payload];
    Ok(tx.execute(&INSERT, parameters).await? == 1)
}

/// Those that are committed and not signed yet, oldest first, at most `limit`.
pub async fn unsigned(conn: &mut Conn, limit: u32) -> Result<Vec<CheckpointRow>, StoreError> {
    conn.fetch_all(&UNSIGNED, params![limit]).await?.iter().map(checkpoint).collect()
}

/// Keeps the signatures; `false` when it was signed before.
pub async fn sign(tx: &mut Tx, k: u64, signatures: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&SIGN, params![k as i64, signatures]).await? == 1)
}
