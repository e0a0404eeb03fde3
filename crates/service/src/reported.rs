//! Whether a license's month is reported, asked whenever something about it arrives or changes ("Validity").

use tenure_core::{
    InstallationId, LicenseId, Timestamp,
    reported::{ReportedCause, UsageProgress},
};
use tenure_store::{
    Tx,
    rows::{extension, month, monthly_usage::UsageRow},
};

use crate::{
    Result, Service, extension as extensions,
    month::{MonthData, license_standing},
    suspension,
};

/// Grants the extension that a license's month has earned by now, if it has and none is granted. `late` names the
/// installation whose figures an adjustment line of a later month took in just now.
pub(crate) async fn after_report(
    service: &Service,
    tx: &mut Tx,
    usage: &UsageRow,
    license: LicenseId,
    late: Option<InstallationId>,
    at: Timestamp,
) -> Result<bool> {
    let (provider, period) = (usage.provider, usage.period);
    let granted = extension::of_licenses(tx, provider, &[license]).await?;
    if granted.get(&license).is_some_and(|periods| periods.contains(&period)) {
        return Ok(false);
    }
    let Some(held) = month::license(tx, provider, license).await? else { return Ok(false) };
    if !held.reporting.extends() {
        return Ok(false);
    }
    let policy = service.policy_of(period);
    let mut data = MonthData::of_license(tx, usage.clone(), held).await?;
    if let Some(installation) = late {
        // Its document is kept by the same transaction, after this.
        data.with_late(tx, installation).await?;
    }
    // Whether a neighbor is flagged is not known here: that a whole month counts as Closed is for the job to find.
    let progress = if usage.presumed.is_some() {
        UsageProgress::Closed
    } else {
        UsageProgress::at(usage.state, usage.submitted, true, period, at, policy)
    };
    let standing = license_standing(&data, license, progress, false, at, policy)?;
    let cause = match standing {
        Ok(ReportedCause::ProductReports) => {
            let suspended = suspension::suspended(service, tx, provider, at).await?;
            license_standing(&data, license, progress, suspended, at, policy)?
        }
        Ok(ReportedCause::Closing) if late.is_some() => Ok(ReportedCause::AdjustmentLine),
        other => other,
    };
    match cause {
        Ok(cause) => Ok(!extensions::grant(service, tx, provider, &[license], period, cause).await?.is_empty()),
        Err(_) => Ok(false),
    }
}
