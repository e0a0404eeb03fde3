//! Verifying the log from the vendor's page: the same as `tenure audit verify`, without witnesses from outside.

use tenure_core::{
    OrgId,
    roles::{Action, OrgKind},
};
use tenure_store::Conn;

use crate::{Actor, AuditReport, ProblemKind, Result, Service, authorize::at_home, verify_audit};

async fn of_vendor(conn: &mut Conn, actor: &Actor) -> Result<OrgId> {
    if at_home(conn, actor, Action::View).await? != OrgKind::Vendor {
        return Err(ProblemKind::Forbidden.because("the whole log is the vendor's to verify").into());
    }
    Ok(actor.org)
}

/// Reads the whole log again and says what it found; for the vendor. It takes as long as the log is. Whoever owns the
/// database could have replaced all of it: that only witnesses tell, which the command hears.
pub async fn verify_log(service: &Service, actor: &Actor) -> Result<AuditReport> {
    let mut read = service.store().read().await?;
    of_vendor(&mut read, actor).await?;
    drop(read);
    verify_audit(service.store(), &[], Some((*service.root()).clone()), &mut |_| {}).await
}

/// How the keys stand, for the vendor.
pub async fn view_keys(service: &Service, actor: &Actor) -> Result<crate::KeysStatus> {
    let mut read = service.store().read().await?;
    of_vendor(&mut read, actor).await?;
    Ok(crate::keys_status::status_of(&service.root(), service.now()))
}
