//! *Update now* from the server's side: the newest license is handed out at the next check-in, whatever the product's
//! setting, and that is followed by another within the hour ("License update").

use tenure_core::{InstallationId, OrgId, Timestamp, roles::Action};
use tenure_store::{
    Queue, Tx,
    rows::{chain, installation, issued_license, license},
};

use crate::{
    Actor, Error, LicenseKey, ProblemKind, Result, Service,
    authorize::{at_provider, sees_site},
    change,
    license_lock::lock_mine,
    license_rules,
};

/// Asks all servers of a license of the actor's organization; how many there are.
pub async fn update_license_now(service: &Service, actor: &Actor, key: LicenseKey) -> Result<u32> {
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let (_, license) = lock_mine(tx, &actor, key).await?;
            let not_assigned = tenure_core::assignment::LicenseRefusal::NotAssigned;
            let row = license.ok_or_else(|| license_rules::refused(not_assigned))?;
            let active = issued_license::lock_active(tx, row.provider, &[row.id]).await?;
            for each in &active {
                ask(tx, &actor, row.provider, each.installation, now).await?;
            }
            Ok::<_, Error>(active.len() as u32)
        })
        .await
}

/// Asks one server of the actor's organization.
pub async fn update_installation_now(service: &Service, actor: &Actor, id: InstallationId) -> Result<()> {
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            chain::lock_many(tx, &[id]).await?;
            let row = installation::find(tx, actor.org, id).await?.ok_or(ProblemKind::NotFound)?;
            let of =
                license::find(tx, actor.org, row.license).await?.ok_or(Error::Internal("a server of no license"))?;
            if !sees_site(&actor, of.site) {
                return Err(ProblemKind::NotFound.into());
            }
            if row.retired.is_some() || of.ended.is_some() {
                let words = "it is retired, or its license has ended; there is nothing newer for it";
                return Err(ProblemKind::InstallationState.because(words).into());
            }
            ask(tx, &actor, actor.org, id, now).await
        })
        .await
}

async fn ask(tx: &mut Tx, actor: &Actor, provider: OrgId, id: InstallationId, now: Timestamp) -> Result<()> {
    chain::ask(tx, id, now).await?;
    let body = serde_json::json!({});
    change::by(tx, actor, provider, "installation.update_asked", id.to_string(), now, body);
    Ok(())
}
