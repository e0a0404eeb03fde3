//! A provider's end customers.

use tenure_core::{CompanyId, OrgId, SiteId, roles::Action};
pub use tenure_store::rows::company::CompanyRow;
use tenure_store::{Queue, rows::company};

use crate::{
    Actor, Error, Idempotency, Page, Paging, Result, Service,
    authorize::{at_provider, provider_meant, site_for},
    change, checks,
    idempotent::{self, Begun},
    page,
};

/// A company to add to the actor's own organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCompany {
    /// Display name; two companies may carry the same.
    pub name: String,
    /// The site that serves it; who is confined to a site adds companies there.
    pub site: Option<SiteId>,
}

/// The companies of a provider (the actor's own where none is named) in the order they were added; only those of its site
/// for who is confined to one.
pub async fn list_companies(
    service: &Service,
    actor: &Actor,
    provider: Option<OrgId>,
    paging: &Paging,
) -> Result<Page<CompanyRow>> {
    let limit = paging.limit()?;
    let provider = provider_meant(actor, provider);
    let query = format!("companies {provider}");
    let after = paging.after(service, actor.org, &query)?.map(CompanyId::from_uuid);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    let rows = company::page(&mut read, provider, actor.site, after, limit + 1).await?;
    Ok(page::cut(service, actor.org, &query, rows, limit, |row| row.id.uuid()))
}

/// Adds a company to the actor's own organization.
pub async fn create_company(
    service: &Service,
    actor: &Actor,
    input: NewCompany,
    idempotency: Option<Idempotency>,
) -> Result<CompanyRow> {
    checks::name("name", &input.name)?;
    let (now, actor) = (service.now(), actor.clone());
    let id = CompanyId::generate(now, service.rng());
    let made = service
        .store()
        .write(Queue::People, async move |tx| {
            at_provider(tx, &actor, actor.org, Action::ManageCompanies).await?;
            let remember = match idempotent::begin(tx, &actor, "company.create", idempotency.as_ref(), now).await? {
                Begun::Done(id) => return Ok((actor.org, id)),
                Begun::Do(remember) => remember,
            };
            let site = site_for(tx, &actor, actor.org, input.site).await?;
            let row = CompanyRow { provider: actor.org, id, site, name: input.name.trim().to_owned(), created: now };
            company::insert(tx, &row).await?;
            let body = serde_json::json!({ "name": row.name, "site": row.site });
            change::by(tx, &actor, actor.org, "company.created", id.to_string(), now, body);
            idempotent::remember(tx, remember, &id).await?;
            Ok::<_, Error>((actor.org, id))
        })
        .await?;
    let mut read = service.store().peek().await?;
    company::find(&mut read, made.0, made.1).await?.ok_or(Error::Internal("a new company is gone"))
}
