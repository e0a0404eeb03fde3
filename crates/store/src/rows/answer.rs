//! A person's answer for an installation that sent nothing, or whose report does not count.

use serde::{Deserialize, Serialize};
use tenure_core::{InstallationId, LicenseId, OrgId, Period, Timestamp};
use uuid::Uuid;

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    UPSERT = "INSERT INTO answer (provider_id, period, installation_id, kind, lines, by_id, at_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (provider_id, period, installation_id) DO UPDATE SET kind = excluded.kind,
            lines = excluded.lines, by_id = excluded.by_id, at_us = excluded.at_us";
    DELETE = "DELETE FROM answer WHERE provider_id = $1 AND period = $2 AND installation_id = $3";
    FIND = "SELECT installation_id, kind, lines, by_id, at_us
        FROM answer WHERE provider_id = $1 AND period = $2 AND installation_id = $3";
    OF_MONTH = "SELECT installation_id, kind, lines, by_id, at_us FROM answer WHERE provider_id = $1 AND period = $2";
    /// CROSS JOIN, so that SQLite begins with the license's few obligations.
    OF_LICENSE = "SELECT a.installation_id, a.kind, a.lines, a.by_id, a.at_us
        FROM obligation o CROSS JOIN answer a
        WHERE a.provider_id = o.provider_id AND a.period = o.period
            AND a.installation_id = o.installation_id AND o.provider_id = $1 AND o.period = $2 AND o.license_id = $3";
}

/// An answer.
#[derive(Debug, Clone)]
pub struct AnswerRow {
    /// The installation it is for.
    pub installation: InstallationId,
    /// What it answers: `missing`, `clone` or `contested`.
    pub kind: String,
    /// The figures; none means zero.
    pub lines: Vec<AnswerFigure>,
    /// The person or token.
    pub by: Uuid,
    /// When.
    pub at: Timestamp,
}

/// One figure of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerFigure {
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// Units.
    pub count: u32,
}

fn read(row: &Row) -> Result<AnswerRow, StoreError> {
    Ok(AnswerRow {
        installation: row.id("installation_id")?,
        kind: row.text("kind")?,
        lines: row.json("lines")?,
        by: row.uuid("by_id")?,
        at: row.timestamp("at_us")?,
    })
}

/// Answers for an installation.
pub async fn upsert(tx: &mut Tx, provider: OrgId, period: Period, row: &AnswerRow) -> Result<(), StoreError> {
    let lines = serde_json::to_string(&row.lines)?;
    tx.execute_one(
        &UPSERT,
        params![provider, period, row.installation, row.kind.as_str(), lines, row.by, row.at],
    )
    .await
}

/// Takes an answer back; `false` when there is none.
pub async fn delete(
    tx: &mut Tx,
    provider: OrgId,
    period: Period,
    installation: InstallationId,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, params![provider, period, installation]).await? == 1)
}

/// The answer for one installation.
pub async fn find(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    installation: InstallationId,
) -> Result<Option<AnswerRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, period, installation]).await?.as_ref().map(read).transpose()
}

/// All answers of a provider's month.
pub async fn of_month(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<AnswerRow>, StoreError> {
    conn.fetch_all(&OF_MONTH, params![provider, period]).await?.iter().map(read).collect()
}

/// The answers for the installations that were expected under one license.
pub async fn of_license(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    license: LicenseId,
) -> Result<Vec<AnswerRow>, StoreError> {
    conn.fetch_all(&OF_LICENSE, params![provider, period, license]).await?.iter().map(read).collect()
}
