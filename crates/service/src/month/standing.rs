//! One license's month, and whether it earns an extension.

use std::{collections::HashMap, sync::Arc};

use tenure_core::{
    InstallationId, LicenseId, Policy, Timestamp,
    reported::{NotReported, ReportedCause, UsageProgress, reported},
};

use tenure_store::{
    Conn,
    rows::{month, monthly_usage::UsageRow, obligation},
};

use super::{
    build,
    load::MonthData,
    types::{Expected, Line},
};
use crate::{Error, Result};

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

/// The lines and installations of the license that one installation's month stands under; `None` when it was not expected.
pub(crate) async fn around(
    conn: &mut Conn,
    usage: &UsageRow,
    installation: InstallationId,
    now: Timestamp,
    policy: &Policy,
) -> Result<Option<(Vec<Line>, Arc<Expected>)>> {
    let Some((license, ..)) = obligation::find(conn, usage.provider, usage.period, installation).await? else {
        return Ok(None);
    };
    let held = month::license(conn, usage.provider, license).await?;
    let held = held.ok_or(Error::Internal("an installation of no license"))?;
    let data = MonthData::of_license(conn, usage.clone(), held).await?;
    let built = build::build(&data, &HashMap::new(), now, policy)?;
    let found = built.installations.iter().map(|one| &one.expected).find(|one| one.id == installation).cloned();
    Ok(found.map(|expected| (built.lines, expected)))
}
