//! The report that counts for an installation and month.

use tenure_core::{DocumentId, InstallationId, LicenseId, OrgId, Period, Timestamp};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    /// A higher revision, or the first: what is held of a lower one gives way (X4).
    UPSERT = "INSERT INTO report (provider_id, period, installation_id, license_id, revision, hash, document_id, final,
            contested, received_us, lines, history_differs)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (provider_id, period, installation_id) DO UPDATE SET license_id = excluded.license_id,
            revision = excluded.revision, hash = excluded.hash, document_id = excluded.document_id,
            final = excluded.final, contested = excluded.contested, received_us = excluded.received_us,
            lines = excluded.lines, history_differs = excluded.history_differs
        WHERE excluded.revision > report.revision";
    CONTEST = "UPDATE report SET contested = $4
        WHERE provider_id = $1 AND period = $2 AND installation_id = $3 AND contested <> $4";
    DIFFERS = "UPDATE report SET history_differs = $4
        WHERE provider_id = $1 AND period = $2 AND installation_id = $3 AND history_differs <> $4";
    FIND = "SELECT installation_id, license_id, revision, hash, document_id, final, contested, received_us, lines,
            history_differs
        FROM report WHERE provider_id = $1 AND period = $2 AND installation_id = $3";
    /// In key order after a cursor, which is what a job's cursor follows.
    AFTER = "SELECT installation_id, license_id, revision, hash, document_id, final, contested, received_us, lines,
            history_differs
        FROM report WHERE provider_id = $1 AND period = $2 AND installation_id > $3
        ORDER BY installation_id LIMIT $4";
    OF_MONTH = "SELECT installation_id, license_id, revision, hash, document_id, final, contested, received_us, lines,
            history_differs
        FROM report WHERE provider_id = $1 AND period = $2";
    HOSTS = "SELECT o.installation_id, i.name FROM obligation o
            JOIN installation i ON i.provider_id = o.provider_id AND i.id = o.installation_id
        WHERE o.provider_id = $1 AND o.period = $2";
    /// CROSS JOIN, so that SQLite begins with the license's few obligations.
    OF_LICENSE = "SELECT r.installation_id, r.license_id, r.revision, r.hash, r.document_id, r.final, r.contested,
            r.received_us, r.lines, r.history_differs
        FROM obligation o CROSS JOIN report r
        WHERE r.provider_id = o.provider_id AND r.period = o.period
            AND r.installation_id = o.installation_id AND o.provider_id = $1 AND o.period = $2 AND o.license_id = $3";
}

/// A report as it counts.
#[derive(Debug, Clone)]
pub struct ReportRow {
    /// Who sent it.
    pub installation: InstallationId,
    /// The license it names: the one held at the month's end.
    pub license: LicenseId,
    /// Its revision.
    pub revision: u32,
    /// `H` of it.
    pub hash: [u8; 32],
    /// Our id of the document.
    pub document: DocumentId,
    /// The product's word, not a figure to review.
    pub is_final: bool,
    /// Another document came under the same identity.
    pub contested: bool,
    /// When it arrived.
    pub received: Timestamp,
    /// JSON array of its lines as sent.
    pub lines: String,
    /// A daily head committed in a check-in does not occur in its history.
    pub history_differs: bool,
}

fn read(row: &Row) -> Result<ReportRow, StoreError> {
    Ok(ReportRow {
        installation: row.id("installation_id")?,
        license: row.id("license_id")?,
        revision: row.i64("revision")? as u32,
        hash: row.hash("hash")?,
        document: row.id("document_id")?,
        is_final: row.bool("final")?,
        contested: row.bool("contested")?,
        received: row.timestamp("received_us")?,
        lines: row.text("lines")?,
        history_differs: row.bool("history_differs")?,
    })
}

/// Takes a report in; `false` when the same or a higher revision is held.
pub async fn upsert(tx: &mut Tx, provider: OrgId, period: Period, row: &ReportRow) -> Result<bool, StoreError> {
    let parameters = params![
        provider,
        period,
        row.installation,
        row.license,
        row.revision,
        row.hash,
        row.document,
        row.is_final,
        row.contested,
        row.received,
        row.lines.as_str(),
        row.history_differs,
    ];
    Ok(tx.execute(&UPSERT, parameters).await? == 1)
}

/// Marks the report as contested or not; `false` when it was so already, or there is none.
pub async fn set_contested(
    tx: &mut Tx,
    provider: OrgId,
    period: Period,
    installation: InstallationId,
    contested: bool,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&CONTEST, params![provider, period, installation, contested]).await? == 1)
}

/// Notes whether a report's history is the one committed in check-ins; `false` when that was noted, or there is none.
pub async fn set_history_differs(
    tx: &mut Tx,
    provider: OrgId,
    period: Period,
    installation: InstallationId,
    differs: bool,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&DIFFERS, params![provider, period, installation, differs]).await? == 1)
}

/// The report that counts for one installation.
pub async fn find(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    installation: InstallationId,
) -> Result<Option<ReportRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, period, installation]).await?.as_ref().map(read).transpose()
}

/// All reports of a provider's month.
pub async fn of_month(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<ReportRow>, StoreError> {
    conn.fetch_all(&OF_MONTH, params![provider, period]).await?.iter().map(read).collect()
}

/// Reports of a provider's month after a cursor, in the order of installations, at most `limit`.
pub async fn after(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    after: InstallationId,
    limit: i64,
) -> Result<Vec<ReportRow>, StoreError> {
    conn.fetch_all(&AFTER, params![provider, period, after, limit]).await?.iter().map(read).collect()
}

/// The reports of the installations that were expected under one license.
pub async fn of_license(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    license: LicenseId,
) -> Result<Vec<ReportRow>, StoreError> {
    conn.fetch_all(&OF_LICENSE, params![provider, period, license]).await?.iter().map(read).collect()
}

/// The host names of those who have to account for a provider's month.
pub async fn hosts(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
) -> Result<Vec<(InstallationId, String)>, StoreError> {
    let rows = conn.fetch_all(&HOSTS, params![provider, period]).await?;
    rows.iter().map(|row| Ok((row.id("installation_id")?, row.text("name")?))).collect()
}
