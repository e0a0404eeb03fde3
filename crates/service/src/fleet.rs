//! The fleet by product and version, for the vendor.

use tenure_core::{
    health::SILENT_HOURS,
    roles::{Action, OrgKind},
};
use tenure_store::rows::fleet;
pub use tenure_store::rows::fleet::VersionRow;

use crate::{Actor, ProblemKind, Result, Service, authorize::at_home};

/// Active installations of all providers by product and version.
pub async fn view_fleet(service: &Service, actor: &Actor) -> Result<Vec<VersionRow>> {
    let mut read = service.store().read().await?;
    if at_home(&mut read, actor, Action::View).await? != OrgKind::Vendor {
        return Err(ProblemKind::Forbidden.into());
    }
    Ok(fleet::by_version(&mut read, service.now().plus_secs(-3_600 * SILENT_HOURS)).await?)
}
