//! Extensions: one more month of validity, at most one per license and period.

use std::collections::{BTreeMap, BTreeSet};

use tenure_core::{LicenseId, OrgId, Period, Timestamp, reported::ReportedCause};

use super::words;
use crate::{Conn, StoreError, Tx, json_rows, params, statement::statements};

statements! {
    // In the licenses' order; what is there already is left as it is (X1), and a license of another provider is none.
    GRANT = "INSERT INTO extension (provider_id, license_id, period, granted_us, cause)
        SELECT l.provider_id, l.id, $3, $4, $5 FROM json_each($2) AS wanted
        JOIN license l ON l.provider_id = $1 AND l.id = unhex(wanted.value)
        WHERE true ON CONFLICT (provider_id, license_id, period) DO NOTHING RETURNING license_id",
        pg "INSERT INTO extension (provider_id, license_id, period, granted_us, cause)
        SELECT l.provider_id, l.id, $3, $4, $5 FROM license l WHERE l.provider_id = $1
            AND l.id IN (SELECT x::uuid FROM json_array_elements_text($2::json) AS x)
        ORDER BY l.id ON CONFLICT (provider_id, license_id, period) DO NOTHING RETURNING license_id";
    // A cause is noted once.
    LATER = "UPDATE extension SET later = ltrim(later || ' ' || $4)
        WHERE provider_id = $1 AND period = $3 AND cause <> $4 AND instr(' ' || later || ' ', ' ' || $4 || ' ') = 0
            AND license_id IN (SELECT unhex(value) FROM json_each($2))",
        pg "UPDATE extension SET later = ltrim(later || ' ' || $4::text)
        WHERE provider_id = $1 AND period = $3 AND cause <> $4::text
            AND strpos(' ' || later || ' ', ' ' || $4::text || ' ') = 0
            AND license_id IN (SELECT x::uuid FROM json_array_elements_text($2::json) AS x)";
    OF_LICENSES = "SELECT e.license_id, e.period FROM json_each($2) AS wanted
        JOIN extension AS e ON e.provider_id = $1 AND e.license_id = unhex(wanted.value)",
        pg "SELECT license_id, period FROM extension WHERE provider_id = $1
        AND license_id IN (SELECT x::uuid FROM json_array_elements_text($2::json) AS x)";
    OF_LICENSE = "SELECT period, granted_us, cause, later FROM extension WHERE provider_id = $1 AND license_id = $2
        ORDER BY period";
}

/// One granted month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionRow {
    /// The reported period that earned it.
    pub period: Period,
    /// When it was granted.
    pub granted: Timestamp,
    /// What earned it.
    pub cause: ReportedCause,
    /// What came later and would have earned it too, each once.
    pub later: Vec<ReportedCause>,
}

fn ids(licenses: &[LicenseId]) -> Result<crate::Val, StoreError> {
    let mut ids: Vec<String> = licenses.iter().map(|id| id.uuid().simple().to_string()).collect();
    // One order for all transactions, so that two that meet wait instead of deadlocking.
    ids.sort_unstable();
    ids.dedup();
    json_rows(&ids)
}

fn cause_of(word: &str) -> Result<ReportedCause, StoreError> {
    let value = serde_json::Value::String(word.to_owned());
    serde_json::from_value(value).map_err(|_| StoreError::Corrupt { what: "a later cause" })
}

/// Grants a period to licenses, and notes the cause where they have it; returns those that did not have it, in id order.
pub async fn grant(
    tx: &mut Tx,
    provider: OrgId,
    licenses: &[LicenseId],
    period: Period,
    cause: ReportedCause,
    now: Timestamp,
) -> Result<Vec<LicenseId>, StoreError> {
    let rows = tx.fetch_all(&GRANT, params![provider, ids(licenses)?, period, now, words::text(&cause)?]).await?;
    let mut granted = rows.iter().map(|row| row.id("license_id")).collect::<Result<Vec<LicenseId>, _>>()?;
    granted.sort_unstable();
    if granted.len() < licenses.len() {
        tx.execute(&LATER, params![provider, ids(licenses)?, period, words::text(&cause)?]).await?;
    }
    Ok(granted)
}

/// The granted periods of some licenses; a license without any is left out.
pub async fn of_licenses(
    conn: &mut Conn,
    provider: OrgId,
    licenses: &[LicenseId],
) -> Result<BTreeMap<LicenseId, BTreeSet<Period>>, StoreError> {
    let mut found = BTreeMap::<LicenseId, BTreeSet<Period>>::new();
    for row in conn.fetch_all(&OF_LICENSES, params![provider, ids(licenses)?]).await? {
        found.entry(row.id("license_id")?).or_default().insert(row.period("period")?);
    }
    Ok(found)
}

/// The extensions of one license, by period.
pub async fn of_license(conn: &mut Conn, provider: OrgId, license: LicenseId) -> Result<Vec<ExtensionRow>, StoreError> {
    let rows = conn.fetch_all(&OF_LICENSE, params![provider, license]).await?;
    rows.iter()
        .map(|row| {
            Ok(ExtensionRow {
                period: row.period("period")?,
                granted: row.timestamp("granted_us")?,
                cause: words::read(row, "cause")?,
                later: row.text("later")?.split_whitespace().map(cause_of).collect::<Result<_, _>>()?,
            })
        })
        .collect()
}
