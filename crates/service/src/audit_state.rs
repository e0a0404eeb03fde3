//! Verifying the log from the vendor's page: the same as `tenure audit verify`, without witnesses from outside.

use tenure_core::{
    OrgId,
    roles::{Action, OrgKind},
};
use tenure_store::{Conn, audit};

use crate::{Actor, AuditReport, ProblemKind, Result, Service, authorize::at_home, verify_audit};

async fn of_vendor(conn: &mut Conn, actor: &Actor) -> Result<OrgId> {
    if at_home(conn, actor, Action::View).await? != OrgKind::Vendor {
        return Err(ProblemKind::Forbidden.because("the whole log is the vendor's to verify").into());
    }
    Ok(actor.org)
}

/// Most entries that are read for a page; more takes longer than anybody waits for one.
const MAX_ENTRIES: u64 = 20_000;

/// Reads the whole log again and says what it found; for the vendor, one at a time, and only while the log is short enough
/// for a page. Whoever owns the database could have replaced all of it: that only witnesses tell, which the command hears.
pub async fn verify_log(service: &Service, actor: &Actor) -> Result<AuditReport> {
    let mut read = service.store().read().await?;
    of_vendor(&mut read, actor).await?;
    let entries: u64 = audit::ends(&mut read).await?.iter().map(|end| end.n).sum();
    drop(read);
    if entries > MAX_ENTRIES {
        let words = format!(
            "the log has {entries} entries, too many to verify while a page waits: run `tenure audit verify` on the server"
        );
        return Err(ProblemKind::InvalidInput.because(words).into());
    }
    let Ok(_one) = service.verifying().try_lock() else {
        return Err(ProblemKind::Busy.because("somebody else has the log verified just now").into());
    };
    verify_audit(service.store(), &[], Some((*service.root()).clone()), &mut |_| {}).await
}

/// How the keys stand, for the vendor.
pub async fn view_keys(service: &Service, actor: &Actor) -> Result<crate::KeysStatus> {
    let mut read = service.store().read().await?;
    of_vendor(&mut read, actor).await?;
    Ok(crate::keys_status::status_of(&service.root(), service.now()))
}
