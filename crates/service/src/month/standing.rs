//! One license's month, and whether it earns an extension.

use std::collections::HashMap;

use tenure_core::{
    LicenseId, Policy, Timestamp,
    reported::{NotReported, ReportedCause, UsageProgress, reported},
};

use super::{
    build,
    load::MonthData,
    types::{LicenseMonth, Month},
};
use crate::Result;

/// Whether the month is reported for a license, computed from the license's own rows.
pub(crate) fn license_standing(
    data: &MonthData,
    license: LicenseId,
    progress: UsageProgress,
    suspended: bool,
    now: Timestamp,
    policy: &Policy,
) -> Result<std::result::Result<ReportedCause, NotReported>> {
    let built = build::build(data, &HashMap::new(), now, policy)?;
    let parts = built.parts();
    Ok(match parts.iter().find(|part| part.license.id == license) {
        Some(part) => {
            let flagged = !part.flags(data, now, policy).is_empty();
            part.reported(flagged, progress, suspended, policy)
        }
        None => reported(&[], progress, suspended, policy),
    })
}

/// The automatic licenses of a month, and which of them wait for Closed though it is submitted.
pub(crate) fn waits_of(month: &Month) -> impl Iterator<Item = (LicenseId, bool)> {
    let automatic = |one: &&LicenseMonth| one.license.reporting.extends();
    month.licenses.iter().filter(automatic).map(|one| (one.license.id, !one.flags.is_empty() || one.contested))
}
