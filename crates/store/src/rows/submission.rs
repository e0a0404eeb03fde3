//! What was signed: lines, totals and their hash as submitted.

use tenure_core::{OrgId, Period, Points, Timestamp};
use uuid::Uuid;

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO submission (provider_id, period, number, by_id, by_org, at_us, lines_hash, lines,
            reported_milli, total_milli, flagged, lowered, licenses, receipt)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    LAST = "SELECT number, by_id, by_org, at_us, lines_hash, lines, reported_milli, total_milli, flagged, lowered,
            licenses, receipt
        FROM submission WHERE provider_id = $1 AND period = $2 ORDER BY number DESC LIMIT 1";
    HEAD = "SELECT number, at_us, lines_hash, reported_milli, total_milli, flagged, lowered
        FROM submission WHERE provider_id = $1 AND period = $2 ORDER BY number DESC LIMIT 1";
    /// What was signed under a hash.
    SIGNED = "SELECT lines FROM submission WHERE provider_id = $1 AND period = $2 AND lines_hash = $3
        ORDER BY number DESC LIMIT 1";
    OF_MONTH = "SELECT number, by_id, by_org, at_us, lines_hash, reported_milli, total_milli
        FROM submission WHERE provider_id = $1 AND period = $2 ORDER BY number";
    FIND = "SELECT number, by_id, by_org, at_us, lines_hash, lines, reported_milli, total_milli, flagged, lowered,
            licenses, receipt
        FROM submission WHERE provider_id = $1 AND period = $2 AND number = $3";
}

/// A submission.
#[derive(Debug, Clone)]
pub struct SubmissionRow {
    /// Which submission of the month, from 1.
    pub number: u32,
    /// The person or token; nil for a job.
    pub by: Uuid,
    /// The organization it acted for.
    pub by_org: OrgId,
    /// When.
    pub at: Timestamp,
    /// SHA-256 of `lines`.
    pub lines_hash: [u8; 32],
    /// The lines as they were hashed: canonical JSON.
    pub lines: String,
    /// Reported points.
    pub reported: Points,
    /// Total points.
    pub total: Points,
    /// How many licenses had a flag.
    pub flagged: u32,
    /// Whether figures were lowered beyond the threshold.
    pub lowered: bool,
    /// JSON array of `{license, waits}`: the automatic licenses it accounts for, and which of them wait for Closed.
    pub licenses: String,
    /// Payload of the receipt; signed when it is read.
    pub receipt: Vec<u8>,
}

fn read(row: &Row) -> Result<SubmissionRow, StoreError> {
    Ok(SubmissionRow {
        number: row.i64("number")? as u32,
        by: row.uuid("by_id")?,
        by_org: row.id("by_org")?,
        at: row.timestamp("at_us")?,
        lines_hash: row.hash("lines_hash")?,
        lines: row.text("lines")?,
        reported: row.points("reported_milli")?,
        total: row.points("total_milli")?,
        flagged: row.i64("flagged")? as u32,
        lowered: row.bool("lowered")?,
        licenses: row.text("licenses")?,
        receipt: row.blob("receipt")?,
    })
}

/// Keeps a submission for ever.
pub async fn insert(tx: &mut Tx, provider: OrgId, period: Period, row: &SubmissionRow) -> Result<(), StoreError> {
    let parameters = params![
        provider,
        period,
        row.number,
        row.by,
        row.by_org,
        row.at,
        row.lines_hash,
        row.lines.as_str(),
        row.reported,
        row.total,
        row.flagged,
        row.lowered,
        row.licenses.as_str(),
        row.receipt.as_slice()
    ];
    tx.execute_one(&INSERT, parameters).await
}

/// The newest submission of a month.
pub async fn last(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Option<SubmissionRow>, StoreError> {
    conn.fetch_optional(&LAST, params![provider, period]).await?.as_ref().map(read).transpose()
}

/// What a list shows of a submission.
#[derive(Debug, Clone, Copy)]
pub struct SubmissionHead {
    /// Which submission of the month, from 1.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// Reported points.
    pub reported: Points,
    /// Total points.
    pub total: Points,
    /// How many licenses had a flag.
    pub flagged: u32,
    /// Whether figures were lowered beyond the threshold.
    pub lowered: bool,
    /// SHA-256 of the lines.
    pub lines_hash: [u8; 32],
}

/// What a list shows of the newest submission of a month.
pub async fn head(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Option<SubmissionHead>, StoreError> {
    let row = conn.fetch_optional(&HEAD, params![provider, period]).await?;
    row.map(|row| {
        Ok(SubmissionHead {
            number: row.i64("number")? as u32,
            at: row.timestamp("at_us")?,
            reported: row.points("reported_milli")?,
            total: row.points("total_milli")?,
            flagged: row.i64("flagged")? as u32,
            lowered: row.bool("lowered")?,
            lines_hash: row.hash("lines_hash")?,
        })
    })
    .transpose()
}

/// One submission of a month.
pub async fn find(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    number: u32,
) -> Result<Option<SubmissionRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, period, number]).await?.as_ref().map(read).transpose()
}

/// The lines that were signed under a hash, as canonical JSON.
pub async fn signed(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    lines_hash: &[u8; 32],
) -> Result<Option<String>, StoreError> {
    let row = conn.fetch_optional(&SIGNED, params![provider, period, lines_hash]).await?;
    row.map(|row| row.text("lines")).transpose()
}

/// A submission without its lines.
#[derive(Debug, Clone, Copy)]
pub struct SignedHead {
    /// Which submission of the month, from 1.
    pub number: u32,
    /// The person or token; nil for a job.
    pub by: Uuid,
    /// The organization it acted for.
    pub by_org: OrgId,
    /// When.
    pub at: Timestamp,
    /// SHA-256 of the lines.
    pub lines_hash: [u8; 32],
    /// Reported points.
    pub reported: Points,
    /// Total points.
    pub total: Points,
}

/// All submissions of a month, oldest first.
pub async fn of_month(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<SignedHead>, StoreError> {
    let rows = conn.fetch_all(&OF_MONTH, params![provider, period]).await?;
    rows.iter()
        .map(|row| {
            Ok(SignedHead {
                number: row.i64("number")? as u32,
                by: row.uuid("by_id")?,
                by_org: row.id("by_org")?,
                at: row.timestamp("at_us")?,
                lines_hash: row.hash("lines_hash")?,
                reported: row.points("reported_milli")?,
                total: row.points("total_milli")?,
            })
        })
        .collect()
}
