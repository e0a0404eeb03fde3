//! Lines that a person looked at.

use tenure_core::{OrgId, Period, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError, Tx, hex, json_rows, params, statement::statements};

statements! {
    MARK = "INSERT INTO reviewed_line (provider_id, period, tag, by_id, at_us)
        SELECT $1, $2, unhex(value), $3, $4 FROM json_each($5) WHERE true
        ON CONFLICT (provider_id, period, tag) DO NOTHING",
        pg "INSERT INTO reviewed_line (provider_id, period, tag, by_id, at_us)
        SELECT $1, $2, decode(x, 'hex'), $3, $4 FROM json_array_elements_text($5::json) x
        ON CONFLICT (provider_id, period, tag) DO NOTHING";
    UNMARK = "DELETE FROM reviewed_line WHERE provider_id = $1 AND period = $2
            AND tag IN (SELECT unhex(value) FROM json_each($3))",
        pg "DELETE FROM reviewed_line WHERE provider_id = $1 AND period = $2
            AND tag IN (SELECT decode(x, 'hex') FROM json_array_elements_text($3::json) x)";
    OF_MONTH = "SELECT tag, by_id, at_us FROM reviewed_line WHERE provider_id = $1 AND period = $2";
}

/// A mark on a line as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReviewedRow {
    /// SHA-256 of the line.
    pub tag: [u8; 32],
    /// The person or token.
    pub by: Uuid,
    /// When.
    pub at: Timestamp,
}

fn list(tags: &[[u8; 32]]) -> Result<crate::Val, StoreError> {
    json_rows(&tags.iter().map(|tag| hex(tag)).collect::<Vec<_>>())
}

/// Marks lines; how many were not marked before.
pub async fn mark(
    tx: &mut Tx,
    provider: OrgId,
    period: Period,
    tags: &[[u8; 32]],
    by: Uuid,
    at: Timestamp,
) -> Result<u64, StoreError> {
    tx.execute(&MARK, params![provider, period, by, at, list(tags)?]).await
}

/// Takes marks away; how many there were.
pub async fn unmark(tx: &mut Tx, provider: OrgId, period: Period, tags: &[[u8; 32]]) -> Result<u64, StoreError> {
    tx.execute(&UNMARK, params![provider, period, list(tags)?]).await
}

/// All marks of a provider's month, also of lines that changed since.
pub async fn of_month(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<ReviewedRow>, StoreError> {
    let rows = conn.fetch_all(&OF_MONTH, params![provider, period]).await?;
    rows.iter()
        .map(|row| Ok(ReviewedRow { tag: row.hash("tag")?, by: row.uuid("by_id")?, at: row.timestamp("at_us")? }))
        .collect()
}
