//! Servers that showed a fleet's token when the license had enough of them: a person admits each, or refuses it (A3).

use serde_json::json;
use tenure_core::{ApplicantId, enroll::Standing, roles::Action};
use tenure_store::{
    Queue,
    rows::{enroll, license},
};

use crate::{
    Actor, Error, Idempotency, ProblemKind, Result, Service,
    authorize::{at_provider, sees_site},
    change,
    idempotent::{self, Begun},
};

/// Admits a server that waits, or refuses it. An admitted one gets its license when it asks again, which it does by itself;
/// a refused one never does with the key it has.
pub async fn decide_applicant(
    service: &Service,
    actor: &Actor,
    id: ApplicantId,
    admit: bool,
    idempotency: Option<Idempotency>,
) -> Result<()> {
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let operation = if admit { "applicant.admit" } else { "applicant.refuse" };
            let begun: Begun<()> = idempotent::begin(tx, &actor, operation, idempotency.as_ref(), now).await?;
            let Begun::Do(remember) = begun else { return Ok(()) };
            let row = enroll::lock_applicant(tx, actor.org, id).await?.ok_or(ProblemKind::NotFound)?;
            let license = license::find(tx, row.provider, row.license).await?;
            let license = license.filter(|found| sees_site(&actor, found.site)).ok_or(ProblemKind::NotFound)?;
            let token = enroll::find(tx, row.provider, row.token).await?;
            let token = token.ok_or(Error::Internal("an applicant of no token"))?;
            let settled = match row.standing() {
                Standing::Admitted => Some("it was admitted before"),
                Standing::Refused => Some("it was refused before"),
                Standing::Waits if token.revoked.is_some() => Some("its enroll token was revoked"),
                Standing::Waits if license.ended.is_some() => Some("its license has ended"),
                Standing::Waits => None,
            };
            if let Some(words) = settled {
                return Err(ProblemKind::InstallationState.because(words).into());
            }
            enroll::decide(tx, row.provider, id, admit, now).await?;
            let body = json!({
                "license": row.license, "token": row.token, "host": row.name, "address": row.address,
            });
            let verb = if admit { "installation.admitted" } else { "installation.not_admitted" };
            change::by(tx, &actor, row.provider, verb, id.to_string(), now, body);
            idempotent::remember(tx, remember, &()).await?;
            Ok::<_, Error>(())
        })
        .await
}
