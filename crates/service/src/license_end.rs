//! Revoking and deleting a license: the license id ends, what was used until then is owed ("Template, assignment,
//! revocation").

use tenure_core::{Timestamp, assignment::Holding, roles::Action, suspension::Wish};
use tenure_store::{
    Queue, Tx,
    rows::{
        chain, license,
        license::LicenseRow,
        template::{self, TemplateRow},
    },
};

use crate::{
    Actor, Error, Idempotency, LicenseKey, Result, Service,
    authorize::at_provider,
    change,
    idempotent::{self, Begun},
    license_lock::{agreement_of, lock_mine},
    license_rules::Facts,
};

/// Revokes a license of the actor's organization: it is a template again, and its servers hear so when they ask next.
/// Their months up to now are owed as before.
pub async fn revoke_license(
    service: &Service,
    actor: &Actor,
    key: LicenseKey,
    idempotency: Option<Idempotency>,
) -> Result<()> {
    run(service, actor, key, idempotency, End::Revoke).await
}

/// Deletes a license of the actor's organization, and its template with it. What was used until then is owed as before.
pub async fn delete_license(
    service: &Service,
    actor: &Actor,
    key: LicenseKey,
    idempotency: Option<Idempotency>,
) -> Result<()> {
    run(service, actor, key, idempotency, End::Delete).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Revoke,
    Delete,
}

impl End {
    const fn wish(self) -> Wish {
        match self {
            Self::Revoke => Wish::Revoke,
            Self::Delete => Wish::Delete,
        }
    }
    const fn how(self) -> &'static str {
        match self {
            Self::Revoke => "revoked",
            Self::Delete => "deleted",
        }
    }
    const fn verb(self) -> &'static str {
        match self {
            Self::Revoke => "license.revoked",
            Self::Delete => "license.deleted",
        }
    }
}

async fn run(
    service: &Service,
    actor: &Actor,
    key: LicenseKey,
    idempotency: Option<Idempotency>,
    end: End,
) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let begun: Begun<()> = idempotent::begin(tx, &actor, end.verb(), idempotency.as_ref(), now).await?;
            let Begun::Do(remember) = begun else { return Ok(()) };
            let (template, license) = lock_mine(tx, &actor, key).await?;
            let agreement = agreement_of(tx, &template).await?;
            let holding = if license.is_some() { Holding::Assigned } else { Holding::Template };
            let facts = Facts::gather(service, tx, agreement, template.usage_type, holding, None).await?;
            facts.may(end.wish())?;
            if let Some(row) = &license {
                end_license(tx, &template, row, end, now).await?;
            }
            if end == End::Delete {
                template::delete(tx, template.provider, template.id, now).await?;
            }
            let subject = license.as_ref().map_or(template.id.to_string(), |row| row.id.to_string());
            let body = serde_json::json!({
                "template": template.id, "company": license.as_ref().and_then(|row| row.company),
            });
            change::by(tx, &actor, template.provider, end.verb(), subject, now, body);
            idempotent::remember(tx, remember, &()).await
        })
        .await
}

async fn end_license(tx: &mut Tx, template: &TemplateRow, row: &LicenseRow, end: End, now: Timestamp) -> Result<()> {
    if !license::end(tx, row.provider, row.id, now, end.how()).await? {
        return Err(Error::Internal("a locked license had ended"));
    }
    // Its servers stay as they are and hear `revoked`; nothing newer is handed to them.
    chain::set_license_state(tx, row.provider, row.id, "revoked").await?;
    let released = TemplateRow { expires: row.expires.or(template.expires), ..template.clone() };
    template::release(tx, &released, row.reporting.extends()).await?;
    Ok(())
}
