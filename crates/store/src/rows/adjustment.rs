//! A person's figure in place of a product's.

use tenure_core::{InstallationId, OrgId, Period, Timestamp};
use uuid::Uuid;

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    UPSERT = "INSERT INTO adjustment (provider_id, period, installation_id, workload, variant, count, was, revision,
            reason, note, by_id, at_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (provider_id, period, installation_id, workload, variant) DO UPDATE SET count = excluded.count,
            was = excluded.was, revision = excluded.revision, reason = excluded.reason, note = excluded.note,
            by_id = excluded.by_id, at_us = excluded.at_us";
    DELETE = "DELETE FROM adjustment
        WHERE provider_id = $1 AND period = $2 AND installation_id = $3 AND workload = $4 AND variant = $5";
    OF_MONTH = "SELECT installation_id, workload, variant, count, was, revision, reason, note, by_id, at_us
        FROM adjustment WHERE provider_id = $1 AND period = $2";
    /// CROSS JOIN, so that SQLite begins with the license's few obligations.
    OF_LICENSE = "SELECT a.installation_id, a.workload, a.variant, a.count, a.was, a.revision, a.reason, a.note,
            a.by_id, a.at_us
        FROM obligation o CROSS JOIN adjustment a
        WHERE a.provider_id = o.provider_id AND a.period = o.period
            AND a.installation_id = o.installation_id AND o.provider_id = $1 AND o.period = $2 AND o.license_id = $3";
}

/// An adjustment of one figure.
#[derive(Debug, Clone)]
pub struct AdjustmentRow {
    /// The installation whose figure it is.
    pub installation: InstallationId,
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// The person's figure.
    pub count: u32,
    /// The product's figure it was made on.
    pub was: u32,
    /// The revision it was made on.
    pub revision: u32,
    /// Reason code; empty when raised.
    pub reason: String,
    /// One sentence; empty when raised without one.
    pub note: String,
    /// The person or token.
    pub by: Uuid,
    /// When.
    pub at: Timestamp,
}

fn read(row: &Row) -> Result<AdjustmentRow, StoreError> {
    Ok(AdjustmentRow {
        installation: row.id("installation_id")?,
        workload: row.text("workload")?,
        variant: row.text("variant")?,
        count: row.i64("count")? as u32,
        was: row.i64("was")? as u32,
        revision: row.i64("revision")? as u32,
        reason: row.text("reason")?,
        note: row.text("note")?,
        by: row.uuid("by_id")?,
        at: row.timestamp("at_us")?,
    })
}

/// Sets a figure.
pub async fn upsert(tx: &mut Tx, provider: OrgId, period: Period, row: &AdjustmentRow) -> Result<(), StoreError> {
    let parameters = params![
        provider,
        period,
        row.installation,
        row.workload.as_str(),
        row.variant.as_str(),
        row.count,
        row.was,
        row.revision,
        row.reason.as_str(),
        row.note.as_str(),
        row.by,
        row.at
    ];
    tx.execute_one(&UPSERT, parameters).await
}

/// Takes a figure back; `false` when there is none.
pub async fn delete(
    tx: &mut Tx,
    provider: OrgId,
    period: Period,
    installation: InstallationId,
    workload: &str,
    variant: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, params![provider, period, installation, workload, variant]).await? == 1)
}

/// All adjustments of a provider's month.
pub async fn of_month(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<AdjustmentRow>, StoreError> {
    conn.fetch_all(&OF_MONTH, params![provider, period]).await?.iter().map(read).collect()
}

/// The adjustments at the installations that were expected under one license.
pub async fn of_license(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    license: tenure_core::LicenseId,
) -> Result<Vec<AdjustmentRow>, StoreError> {
    conn.fetch_all(&OF_LICENSE, params![provider, period, license]).await?.iter().map(read).collect()
}
