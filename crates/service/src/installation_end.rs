//! Taking an installation out: retired because it is gone, or voided because it should never have been (A1).

use tenure_core::{InstallationId, roles::Action};
use tenure_store::{
    Queue,
    rows::{chain, installation},
};

use crate::{
    Actor, Error, Idempotency, ProblemKind, Result, Service,
    authorize::at_provider,
    change,
    idempotent::{self, Begun},
    installation_view::lock_mine,
    reporting_switch,
};

/// Retires an installation of the actor's organization: it is not expected from the next month on, gets no license any
/// more, and a switch that waited for it goes on. Its months up to now are owed as before.
pub async fn retire_installation(
    service: &Service,
    actor: &Actor,
    id: InstallationId,
    idempotency: Option<Idempotency>,
) -> Result<()> {
    end(service, actor, id, idempotency, "retired").await
}

/// Voids an installation of the actor's organization in one step: somebody used a code that was not theirs. As retiring,
/// and nothing that it sends is counted.
pub async fn void_installation(
    service: &Service,
    actor: &Actor,
    id: InstallationId,
    idempotency: Option<Idempotency>,
) -> Result<()> {
    end(service, actor, id, idempotency, "voided").await
}

async fn end(
    service: &Service,
    actor: &Actor,
    id: InstallationId,
    idempotency: Option<Idempotency>,
    how: &'static str,
) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    let operation = if how == "voided" { "installation.void" } else { "installation.retire" };
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let begun: Begun<()> = idempotent::begin(tx, &actor, operation, idempotency.as_ref(), now).await?;
            let Begun::Do(remember) = begun else { return Ok(()) };
            let row = lock_mine(tx, &actor, id).await?;
            if !installation::retire(tx, row.provider, id, now, how).await? {
                let words = format!("it was {} before", row.retired_how.as_deref().unwrap_or("retired"));
                return Err(ProblemKind::InstallationState.because(words).into());
            }
            chain::set_status(tx, id, "retired", None).await?;
            installation::void_codes(tx, row.provider, id, now).await?;
            let verb = if how == "voided" { "installation.voided" } else { "installation.retired" };
            let body = serde_json::json!({ "license": row.license, "host": row.name });
            change::by(tx, &actor, row.provider, verb, id.to_string(), now, body);
            reporting_switch::complete_if_shown(service, tx, row.provider, row.license).await?;
            idempotent::remember(tx, remember, &()).await?;
            Ok::<_, Error>(())
        })
        .await
}
