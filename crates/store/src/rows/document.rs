//! Documents as they came: append-only evidence, found again by installation and hash.

use tenure_core::{DocumentId, InstallationId, OrgId, Period, Timestamp};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO document (installation_id, hash, id, provider_id, kind, period, number, outcome, epoch,
            received_us, payload, signatures)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (installation_id, hash) DO NOTHING";
    FIND = "SELECT id, outcome, epoch, received_us FROM document WHERE installation_id = $1 AND hash = $2";
    COUNT_CONFLICTS = "SELECT count(*) AS n FROM document
        WHERE installation_id = $1 AND kind = $2 AND period = $3 AND number = $4 AND outcome = 'conflict'";
    COUNT = "SELECT count(*) AS n FROM document WHERE installation_id = $1 AND kind = $2 AND period = $3";
    LATE = "SELECT installation_id, hash, id, number, received_us, payload FROM document
        WHERE provider_id = $1 AND period = $2 AND outcome = 'late' AND kind = 'report'
        ORDER BY installation_id, number, hash";
    /// Of one installation's month: the key begins with the installation.
    OF_INSTALLATION = "SELECT id, hash, number, outcome, epoch, received_us, payload, signatures FROM document
        WHERE installation_id = $1 AND kind = $2 AND period = $3 ORDER BY number, received_us, hash LIMIT $4";
    /// The report that counted at an instant.
    REPORT_AT = "SELECT payload FROM document WHERE installation_id = $1 AND kind = 'report' AND period = $2
            AND outcome = 'accepted' AND received_us <= $3
        ORDER BY number DESC LIMIT 1";
    PAGE = "SELECT installation_id, hash, kind, received_us, payload FROM document
        WHERE (installation_id, hash) > ($1, $2) ORDER BY installation_id, hash LIMIT $3";
    NOT_COUNTED = "SELECT installation_id, hash, id, number, received_us, payload FROM document
        WHERE installation_id = $1 AND kind = $2 AND period >= $3 AND outcome = 'not_counted'
        ORDER BY period, number, received_us LIMIT 1000";
    SET_OUTCOME = "UPDATE document SET outcome = $3 WHERE installation_id = $1 AND hash = $2";
    FIND_PAYLOAD = "SELECT payload FROM document WHERE installation_id = $1 AND hash = $2";
}

/// A document to keep.
#[derive(Debug, Clone)]
pub struct DocumentRow {
    /// Who sent it.
    pub installation: InstallationId,
    /// `H` of it.
    pub hash: [u8; 32],
    /// Our id of it.
    pub id: DocumentId,
    /// Whose installation.
    pub provider: OrgId,
    /// `report`, `watermark`, `evidence`.
    pub kind: &'static str,
    /// The month it is about; of a watermark, the month of its Monday.
    pub period: Period,
    /// Revision, day number of the Monday, or part.
    pub number: i64,
    /// What became of it.
    pub outcome: &'static str,
    /// Epoch it was first held in.
    pub epoch: u64,
    /// When it first arrived.
    pub received: Timestamp,
    /// Its payload bytes.
    pub payload: Vec<u8>,
    /// Its signatures, JSON.
    pub signatures: String,
}

/// What is known of a document held.
#[derive(Debug, Clone)]
pub struct HeldRow {
    /// Our id of it.
    pub id: DocumentId,
    /// What became of it.
    pub outcome: String,
    /// Epoch it was first held in.
    pub epoch: u64,
    /// When it first arrived.
    pub received: Timestamp,
}

/// Keeps a document; `false` when it is held already.
pub async fn insert(tx: &mut Tx, row: DocumentRow) -> Result<bool, StoreError> {
    let inserted = tx
        .execute(
            &INSERT,
            params![
                row.installation,
                row.hash,
                row.id,
                row.provider,
                row.kind,
                row.period,
                row.number,
                row.outcome,
                row.epoch as i64,
                row.received,
                row.payload,
                row.signatures
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// The document with this hash.
pub async fn find(
    conn: &mut Conn,
    installation: InstallationId,
    hash: &[u8; 32],
) -> Result<Option<HeldRow>, StoreError> {
    let row = conn.fetch_optional(&FIND, params![installation, hash]).await?;
    row.map(|row| {
        Ok(HeldRow {
            id: row.id("id")?,
            outcome: row.text("outcome")?,
            epoch: row.i64("epoch")? as u64,
            received: row.timestamp("received_us")?,
        })
    })
    .transpose()
}

/// The payload of a document held.
pub async fn payload(
    conn: &mut Conn,
    installation: InstallationId,
    hash: &[u8; 32],
) -> Result<Option<Vec<u8>>, StoreError> {
    conn.fetch_optional(&FIND_PAYLOAD, params![installation, hash]).await?.map(|row| row.blob("payload")).transpose()
}

/// How many conflicting documents of one identity are held.
pub async fn conflicts(
    conn: &mut Conn,
    installation: InstallationId,
    kind: &str,
    period: Period,
    number: i64,
) -> Result<i64, StoreError> {
    let row = conn.fetch_optional(&COUNT_CONFLICTS, params![installation, kind, period, number]).await?;
    row.map_or(Ok(0), |row| row.i64("n"))
}

/// A report that is kept: after its month was submitted, or while its sender was suspended.
#[derive(Debug, Clone)]
pub struct LateRow {
    /// Who sent it.
    pub installation: InstallationId,
    /// `H` of it.
    pub hash: [u8; 32],
    /// Our id of it.
    pub id: DocumentId,
    /// Its revision.
    pub revision: u32,
    /// When it arrived.
    pub received: Timestamp,
    /// Its payload bytes.
    pub payload: Vec<u8>,
}

/// The late reports of a provider's month, by installation and revision.
pub async fn late(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<LateRow>, StoreError> {
    conn.fetch_all(&LATE, params![provider, period]).await?.iter().map(kept).collect()
}

fn kept(row: &Row) -> Result<LateRow, StoreError> {
    Ok(LateRow {
        installation: row.id("installation_id")?,
        hash: row.hash("hash")?,
        id: row.id("id")?,
        revision: row.i64("number")? as u32,
        received: row.timestamp("received_us")?,
        payload: row.blob("payload")?,
    })
}

/// The documents of a kind that were kept of an installation and not counted, of months from `since` on, by month and
/// revision, or by week.
pub async fn not_counted(
    conn: &mut Conn,
    installation: InstallationId,
    kind: &str,
    since: Period,
) -> Result<Vec<LateRow>, StoreError> {
    conn.fetch_all(&NOT_COUNTED, params![installation, kind, since]).await?.iter().map(kept).collect()
}

/// How many documents of a kind are kept of an installation's month.
pub async fn count(
    conn: &mut Conn,
    installation: InstallationId,
    kind: &str,
    period: Period,
) -> Result<u64, StoreError> {
    Ok(conn.fetch_one(&COUNT, params![installation, kind, period]).await?.i64("n")? as u64)
}

/// Writes what became of a document after all.
pub async fn set_outcome(
    tx: &mut Tx,
    installation: InstallationId,
    hash: &[u8; 32],
    outcome: &str,
) -> Result<(), StoreError> {
    tx.execute_one(&SET_OUTCOME, params![installation, hash, outcome]).await
}

/// A document as it is handed out again.
#[derive(Debug, Clone)]
pub struct StoredRow {
    /// Our id of it.
    pub id: DocumentId,
    /// `H` of it.
    pub hash: [u8; 32],
    /// Revision, or part.
    pub number: i64,
    /// What became of it.
    pub outcome: String,
    /// Epoch it was first held in.
    pub epoch: u64,
    /// When it first arrived.
    pub received: Timestamp,
    /// Its payload bytes.
    pub payload: Vec<u8>,
    /// Its signatures, JSON.
    pub signatures: String,
}

/// The documents of one kind that an installation sent about a month, by number and arrival, at most `limit`.
pub async fn of_installation(
    conn: &mut Conn,
    installation: InstallationId,
    kind: &str,
    period: Period,
    limit: i64,
) -> Result<Vec<StoredRow>, StoreError> {
    let rows = conn.fetch_all(&OF_INSTALLATION, params![installation, kind, period, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(StoredRow {
                id: row.id("id")?,
                hash: row.hash("hash")?,
                number: row.i64("number")?,
                outcome: row.text("outcome")?,
                epoch: row.i64("epoch")? as u64,
                received: row.timestamp("received_us")?,
                payload: row.blob("payload")?,
                signatures: row.text("signatures")?,
            })
        })
        .collect()
}

/// The payload of the report of a month that counted at an instant.
pub async fn report_at(
    conn: &mut Conn,
    installation: InstallationId,
    period: Period,
    at: Timestamp,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row = conn.fetch_optional(&REPORT_AT, params![installation, period, at]).await?;
    row.map(|row| row.blob("payload")).transpose()
}

/// A document as it is verified: everything a receipt of it says, and its bytes.
#[derive(Debug, Clone)]
pub struct WholeRow {
    /// Who sent it.
    pub installation: InstallationId,
    /// `H` of it, as stored.
    pub hash: [u8; 32],
    /// `report`, `watermark`, `evidence`.
    pub kind: String,
    /// When it first arrived.
    pub received: Timestamp,
    /// Its payload bytes.
    pub payload: Vec<u8>,
}

/// Documents after one, by installation and hash, at most `limit`.
pub async fn after(
    conn: &mut Conn,
    (installation, hash): (InstallationId, [u8; 32]),
    limit: u32,
) -> Result<Vec<WholeRow>, StoreError> {
    let rows = conn.fetch_all(&PAGE, params![installation, hash, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(WholeRow {
                installation: row.id("installation_id")?,
                hash: row.hash("hash")?,
                kind: row.text("kind")?,
                received: row.timestamp("received_us")?,
                payload: row.blob("payload")?,
            })
        })
        .collect()
}
