//! Extensions: a reported period gives a license one more month, once ("Validity"; X1).

use tenure_core::{LicenseId, OrgId, Period, reported::ReportedCause};
use tenure_store::{Tx, rows::extension};

use crate::{Result, Service, change, issue};

/// Grants a period to licenses of a provider that do not have it yet, and writes their next licenses. Returns those that
/// got it. One that had it keeps its first cause.
pub(crate) async fn grant(
    service: &Service,
    tx: &mut Tx,
    provider: OrgId,
    licenses: &[LicenseId],
    period: Period,
    cause: ReportedCause,
) -> Result<Vec<LicenseId>> {
    if licenses.is_empty() {
        return Ok(Vec::new());
    }
    let now = service.now();
    let granted = extension::grant(tx, provider, licenses, period, cause, now).await?;
    if granted.is_empty() {
        return Ok(granted);
    }
    issue::issue_many(service, tx, provider, &granted).await?;
    for id in &granted {
        let body = serde_json::json!({ "period": period, "cause": cause });
        change::record(tx, "server", provider, "license.extended", id.to_string(), now, body);
    }
    Ok(granted)
}
