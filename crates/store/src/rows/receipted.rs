//! Requests that brought documents, as their leaf of the audit chain covers them.

use serde::Serialize;
use tenure_core::{InstallationId, Timestamp};

use crate::{Conn, Row, StoreError, Tx, hex, json_rows, params, statement::statements};

statements! {
    // One statement for a whole batch.
    INSERT_MANY = "INSERT INTO receipted (installation_id, seq, received_us, request, answer, documents)
        SELECT unhex(value->>'i'), value->>'s', value->>'t', unhex(value->>'r'), unhex(value->>'a'), unhex(value->>'d')
        FROM json_each($1)",
        pg "INSERT INTO receipted (installation_id, seq, received_us, request, answer, documents)
        SELECT i, s, t, decode(r, 'hex'), decode(a, 'hex'), decode(d, 'hex')
        FROM json_to_recordset($1::json) AS x(i uuid, s bigint, t bigint, r text, a text, d text)";
    PAGE = "SELECT n, installation_id, seq, received_us, request, answer, documents FROM receipted
        WHERE n > $1 ORDER BY n LIMIT $2";
    COUNT = "SELECT count(*) AS n FROM receipted";
    // The oldest came first. Reports are kept for years, and with them nothing but their own signature.
    DROP_DOCUMENTS = "DELETE FROM document WHERE kind <> 'report' AND (installation_id, hash) IN (
        SELECT unhex(value->>0), unhex(value->>1) FROM json_each($1))",
        pg "DELETE FROM document WHERE kind <> 'report' AND (installation_id, hash) IN (
        SELECT (x->>0)::uuid, decode(x->>1, 'hex') FROM json_array_elements($1::json) AS x)";
    DROP = "DELETE FROM receipted WHERE n <= $1";
}

/// One request with documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptedRow {
    /// Place in the order of arrival; 0 before it is stored.
    pub n: i64,
    /// Who sent it.
    pub installation: InstallationId,
    /// Its sequence number.
    pub seq: u64,
    /// When it arrived.
    pub received: Timestamp,
    /// `H` of the request.
    pub request: [u8; 32],
    /// `H` of the answer.
    pub answer: [u8; 32],
    /// The documents that got a receipt with it.
    pub documents: Vec<[u8; 32]>,
}

#[derive(Serialize)]
struct New {
    i: String,
    s: u64,
    t: i64,
    r: String,
    a: String,
    d: String,
}

/// Keeps what the leaves of a batch are made of.
pub async fn insert_many(tx: &mut Tx, rows: &[ReceiptedRow]) -> Result<(), StoreError> {
    let rows: Vec<New> = rows
        .iter()
        .map(|row| New {
            i: row.installation.uuid().simple().to_string(),
            s: row.seq,
            t: row.received.as_micros(),
            r: hex(&row.request),
            a: hex(&row.answer),
            d: hex(row.documents.as_flattened()),
        })
        .collect();
    tx.execute_exactly(rows.len() as u64, &INSERT_MANY, params![json_rows(&rows)?]).await
}

fn receipted(row: &Row) -> Result<ReceiptedRow, StoreError> {
    let blob = row.blob("documents")?;
    let (documents, rest) = blob.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(StoreError::Corrupt { what: "document hashes of another length" });
    }
    Ok(ReceiptedRow {
        n: row.i64("n")?,
        installation: row.id("installation_id")?,
        seq: row.i64("seq")? as u64,
        received: row.timestamp("received_us")?,
        request: row.hash("request")?,
        answer: row.hash("answer")?,
        documents: documents.to_vec(),
    })
}

/// Those after a place, in order of arrival, at most `limit`.
pub async fn after(conn: &mut Conn, n: i64, limit: u32) -> Result<Vec<ReceiptedRow>, StoreError> {
    conn.fetch_all(&PAGE, params![n, limit]).await?.iter().map(receipted).collect()
}

/// How many there are.
pub async fn count(conn: &mut Conn) -> Result<u64, StoreError> {
    Ok(conn.fetch_one(&COUNT, params![]).await?.i64("n")? as u64)
}

/// Forgets the oldest that arrived before an instant, at most `limit`, and what they brought except reports; how many
/// requests and documents.
pub async fn drop_before(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<(u64, u64), StoreError> {
    let oldest = after(tx, 0, limit).await?;
    let old: Vec<&ReceiptedRow> = oldest.iter().take_while(|row| row.received < before).collect();
    let Some(last) = old.last() else { return Ok((0, 0)) };
    let id = |row: &ReceiptedRow| row.installation.uuid().simple().to_string();
    let documents: Vec<(String, String)> =
        old.iter().flat_map(|row| row.documents.iter().map(|hash| (id(row), hex(hash)))).collect();
    let documents = tx.execute(&DROP_DOCUMENTS, params![json_rows(&documents)?]).await?;
    Ok((tx.execute(&DROP, params![last.n]).await?, documents))
}
