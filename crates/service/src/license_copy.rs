//! Copying a license: the copy is a template ("Template, assignment, revocation").

use tenure_core::{TemplateId, Timestamp, assignment::Holding, roles::Action, suspension::Wish};
use tenure_store::{
    Queue, Tx,
    rows::{
        product,
        template::{self, TemplateRow},
    },
};

use crate::{
    Actor, Error, Idempotency, LicenseKey, Result, Service,
    authorize::at_provider,
    change,
    idempotent::{self, Begun},
    license_lock::{agreement_of, lock_mine},
    license_rules::{Facts, still_licensed},
};

/// Copies a license of the actor's organization; gives the new template, which costs nothing until it is assigned.
pub async fn copy_license(
    service: &Service,
    actor: &Actor,
    key: LicenseKey,
    idempotency: Option<Idempotency>,
) -> Result<TemplateId> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let remember = match idempotent::begin(tx, &actor, "license.copy", idempotency.as_ref(), now).await? {
                Begun::Done(template) => return Ok(template),
                Begun::Do(remember) => remember,
            };
            let made = copy(service, tx, &actor, key, now).await?;
            idempotent::remember(tx, remember, &made).await?;
            Ok::<_, Error>(made)
        })
        .await
}

async fn copy(service: &Service, tx: &mut Tx, actor: &Actor, key: LicenseKey, now: Timestamp) -> Result<TemplateId> {
    let (original, license) = lock_mine(tx, actor, key).await?;
    let agreement = agreement_of(tx, &original).await?;
    let holding = if license.is_some() { Holding::Assigned } else { Holding::Template };
    let facts = Facts::gather(service, tx, agreement, original.usage_type, holding, None).await?;
    facts.may(Wish::Copy)?;
    let product = product::find(tx, original.product).await?.ok_or(Error::Internal("a template of no product"))?;
    still_licensed(&product)?;
    let row = TemplateRow {
        id: TemplateId::generate(now, service.rng()),
        automatic: license.as_ref().map_or(original.automatic, |row| row.reporting.extends()),
        expires: license.as_ref().map_or(original.expires, |row| row.expires.or(original.expires)),
        license: None,
        created: now,
        ..original.clone()
    };
    template::insert(tx, &row).await?;
    let body = serde_json::json!({ "of": original.id, "product": row.product, "workloads": row.workloads });
    change::by(tx, actor, row.provider, "license.copied", row.id.to_string(), now, body);
    Ok(row.id)
}
