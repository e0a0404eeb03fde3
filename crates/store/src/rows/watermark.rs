//! Watermarks, split by month: the days of one week that lie in one month.

use tenure_core::{InstallationId, LicenseId, OrgId, Period, Timestamp, Week};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO watermark (provider_id, period, installation_id, week, license_id, hash, received_us, lines)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (provider_id, period, installation_id, week) DO NOTHING";
    OF_MONTH = "SELECT installation_id, week, license_id, hash, received_us, lines
        FROM watermark WHERE provider_id = $1 AND period = $2";
    /// CROSS JOIN, so that SQLite begins with the license's few obligations.
    OF_LICENSE = "SELECT w.installation_id, w.week, w.license_id, w.hash, w.received_us, w.lines
        FROM obligation o CROSS JOIN watermark w
        WHERE w.provider_id = o.provider_id AND w.period = o.period
            AND w.installation_id = o.installation_id AND o.provider_id = $1 AND o.period = $2 AND o.license_id = $3";
}

/// One week's part in one month.
#[derive(Debug, Clone)]
pub struct WatermarkRow {
    /// Who sent it.
    pub installation: InstallationId,
    /// The week.
    pub week: Week,
    /// The license held then.
    pub license: LicenseId,
    /// `H` of the whole document.
    pub hash: [u8; 32],
    /// When it arrived.
    pub received: Timestamp,
    /// JSON array of `{workload, variant, daily}`: the days of this month only, in order.
    pub lines: String,
}

fn read(row: &Row) -> Result<WatermarkRow, StoreError> {
    Ok(WatermarkRow {
        installation: row.id("installation_id")?,
        week: row.week("week")?,
        license: row.id("license_id")?,
        hash: row.hash("hash")?,
        received: row.timestamp("received_us")?,
        lines: row.text("lines")?,
    })
}

/// Keeps a week's part; `false` when one is held.
pub async fn insert(tx: &mut Tx, provider: OrgId, period: Period, row: &WatermarkRow) -> Result<bool, StoreError> {
    let parameters = params![
        provider,
        period,
        row.installation,
        row.week,
        row.license,
        row.hash,
        row.received,
        row.lines.as_str()
    ];
    Ok(tx.execute(&INSERT, parameters).await? == 1)
}

/// All watermarks of a provider's month.
pub async fn of_month(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<WatermarkRow>, StoreError> {
    conn.fetch_all(&OF_MONTH, params![provider, period]).await?.iter().map(read).collect()
}

/// The watermarks of the installations that were expected under one license.
pub async fn of_license(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    license: LicenseId,
) -> Result<Vec<WatermarkRow>, StoreError> {
    conn.fetch_all(&OF_LICENSE, params![provider, period, license]).await?.iter().map(read).collect()
}
