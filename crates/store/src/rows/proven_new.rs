//! New workloads whose ids were proven unseen: they cost nothing yet, also on a younger installation (F1).

use std::collections::BTreeMap;

use tenure_core::{InstallationId, OrgId, Period};

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    CLEAR = "DELETE FROM proven_new WHERE provider_id = $1 AND period = $2 AND installation_id = $3";
    INSERT = "INSERT INTO proven_new (provider_id, period, installation_id, workload, variant, units)
        VALUES ($1, $2, $3, $4, $5, $6)";
    OF_MONTH = "SELECT installation_id, workload, variant, units FROM proven_new
        WHERE provider_id = $1 AND period = $2";
    /// Who else had the license, or its customer and product, in the months before: whose evidence counts.
    HOLDERS = "SELECT DISTINCT b.installation_id, b.period FROM obligation o
        JOIN obligation b ON b.provider_id = o.provider_id AND b.period >= $4 AND b.period < o.period
            AND (b.license_id = o.license_id OR (b.product_id = o.product_id AND b.company_id IS o.company_id))
        WHERE o.provider_id = $1 AND o.period = $2 AND o.installation_id = $3
        ORDER BY b.period DESC, b.installation_id",
        pg "SELECT DISTINCT b.installation_id, b.period FROM obligation o
        JOIN obligation b ON b.provider_id = o.provider_id AND b.period >= $4 AND b.period < o.period
            AND (b.license_id = o.license_id
                OR (b.product_id = o.product_id AND b.company_id IS NOT DISTINCT FROM o.company_id))
        WHERE o.provider_id = $1 AND o.period = $2 AND o.installation_id = $3
        ORDER BY b.period DESC, b.installation_id";
    EVIDENCE = "SELECT payload FROM document
        WHERE installation_id = $1 AND kind = 'evidence' AND period = $2 ORDER BY number, hash LIMIT $3";
}

/// Units per workload type and variant.
pub type Units = BTreeMap<(String, String), u32>;

/// Writes what is proven of one installation's month, in place of what was.
pub async fn put(
    tx: &mut Tx,
    provider: OrgId,
    period: Period,
    installation: InstallationId,
    units: &Units,
) -> Result<(), StoreError> {
    tx.execute(&CLEAR, params![provider, period, installation]).await?;
    for ((workload, variant), units) in units {
        let parameters = params![provider, period, installation, workload.as_str(), variant.as_str(), *units];
        tx.execute_one(&INSERT, parameters).await?;
    }
    Ok(())
}

/// What is proven of a provider's month.
pub async fn of_month(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
) -> Result<BTreeMap<InstallationId, Units>, StoreError> {
    let mut all: BTreeMap<InstallationId, Units> = BTreeMap::new();
    for row in conn.fetch_all(&OF_MONTH, params![provider, period]).await? {
        let key = (row.text("workload")?, row.text("variant")?);
        all.entry(row.id("installation_id")?).or_default().insert(key, row.i64("units")? as u32);
    }
    Ok(all)
}

/// The installations that had the license of one installation's month, or its customer and product, in the months from
/// `since` on: each with its months, newest first. Itself is among them where it was there.
pub async fn holders_before(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    installation: InstallationId,
    since: Period,
) -> Result<Vec<(InstallationId, Period)>, StoreError> {
    let rows = conn.fetch_all(&HOLDERS, params![provider, period, installation, since]).await?;
    rows.iter().map(|row| Ok((row.id("installation_id")?, row.period("period")?))).collect()
}

/// The payloads of an installation's evidence for a month, at most `limit`.
pub async fn evidence(
    conn: &mut Conn,
    installation: InstallationId,
    period: Period,
    limit: u32,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows = conn.fetch_all(&EVIDENCE, params![installation, period, limit]).await?;
    rows.iter().map(|row| row.blob("payload")).collect()
}
