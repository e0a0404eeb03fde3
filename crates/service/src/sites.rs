//! Sites: locations of a provider, each with its part of the monthly usage.

use serde::Serialize;
use serde_json::json;
use tenure_core::{
    OrgId, SiteId, Timestamp,
    roles::{Action, OrgKind},
};
pub use tenure_store::rows::site::SiteRow;
use tenure_store::{Queue, rows::site};

use crate::{
    Actor, ContentTag, Error, Idempotency, IfMatch, Page, Paging, ProblemKind, Result, Service,
    authorize::{at_provider, managed_org, sees_site},
    change, checks,
    idempotent::{self, Begun},
    page,
};

/// What is to be different about a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteChange {
    /// Another name.
    pub name: Option<String>,
    /// Whether new things may belong to it.
    pub open: Option<bool>,
}

#[derive(Serialize)]
struct Content<'a> {
    name: &'a str,
    closed_at: Option<Timestamp>,
}

fn content(row: &SiteRow) -> Content<'_> {
    Content { name: &row.name, closed_at: row.closed }
}

/// The tag of a site's content.
pub fn site_tag(row: &SiteRow) -> ContentTag {
    ContentTag::of(&content(row))
}

/// The sites of a provider in the order they were added, closed ones too; only its own for who is confined to one.
pub async fn list_sites(service: &Service, actor: &Actor, provider: OrgId, paging: &Paging) -> Result<Page<SiteRow>> {
    let limit = paging.limit()?;
    let query = format!("sites {provider}");
    let after = paging.after(service, actor.org, &query)?.map(SiteId::from_uuid);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    let rows = site::page(&mut read, provider, actor.site, after, limit + 1).await?;
    Ok(page::cut(service, actor.org, &query, rows, limit, |row| row.id.uuid()))
}

/// One site of a provider.
pub async fn view_site(service: &Service, actor: &Actor, provider: OrgId, id: SiteId) -> Result<SiteRow> {
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    let found = site::find(&mut read, provider, id).await?.filter(|_| sees_site(actor, Some(id)));
    found.ok_or_else(|| ProblemKind::NotFound.into())
}

/// Adds a site to a provider; for the vendor's administrator.
pub async fn create_site(
    service: &Service,
    actor: &Actor,
    provider: OrgId,
    name: String,
    idempotency: Option<Idempotency>,
) -> Result<SiteId> {
    checks::name("name", &name)?;
    let (now, actor) = (service.now(), actor.clone());
    let id = SiteId::generate(now, service.rng());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let org = managed_org(tx, &actor, provider).await?;
            if org.kind != OrgKind::Provider {
                return Err(ProblemKind::NotFound.because("there is no such provider").into());
            }
            let remember = match idempotent::begin(tx, &actor, "site.create", idempotency.as_ref(), now).await? {
                Begun::Done(id) => return Ok(id),
                Begun::Do(remember) => remember,
            };
            if site::of_provider(tx, provider).await?.len() >= site::MAX_SITES as usize {
                let words = format!("a provider has at most {} sites", site::MAX_SITES);
                return Err(ProblemKind::InvalidInput.because(words).into());
            }
            let row = SiteRow { provider, id, name: name.trim().to_owned(), closed: None };
            site::insert(tx, &row).await?;
            change::by(tx, &actor, provider, "site.created", id.to_string(), now, json!({ "name": row.name }));
            idempotent::remember(tx, remember, &id).await?;
            Ok::<_, Error>(id)
        })
        .await
}

/// Renames, closes or opens a site; for the vendor's administrator. One is closed once nothing in force belongs to it:
/// its parts of earlier months stay.
pub async fn edit_site(
    service: &Service,
    actor: &Actor,
    provider: OrgId,
    id: SiteId,
    seen: IfMatch,
    input: SiteChange,
) -> Result<SiteRow> {
    if let Some(name) = &input.name {
        checks::name("name", name)?;
    }
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            managed_org(tx, &actor, provider).await?;
            let before = site::find(tx, provider, id).await?.ok_or(ProblemKind::NotFound)?;
            seen.check(&content(&before))?;
            let mut row = before.clone();
            if let Some(name) = &input.name {
                row.name = name.trim().to_owned();
            }
            match input.open {
                Some(true) => row.closed = None,
                Some(false) => row.closed = row.closed.or(Some(now)),
                None => {}
            }
            if row == before {
                return Ok(row);
            }
            let closes = row.closed.is_some() && before.closed.is_none();
            if closes {
                unused(&site::in_use(tx, provider, id, now).await?)?;
            }
            site::update(tx, &row).await?;
            if row.name != before.name {
                let body = json!({ "from": before.name, "to": row.name });
                change::by(tx, &actor, provider, "site.renamed", id.to_string(), now, body);
            }
            if row.closed != before.closed {
                let verb = if closes { "site.closed" } else { "site.opened" };
                change::by(tx, &actor, provider, verb, id.to_string(), now, json!({ "name": row.name }));
            }
            Ok::<_, Error>(row)
        })
        .await
}

fn unused(found: &site::SiteUse) -> Result<()> {
    let counts = [
        (found.people, "people"),
        (found.tokens, "tokens"),
        (found.companies, "companies"),
        (found.licenses, "licenses"),
    ];
    let words: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if words.is_empty() {
        return Ok(());
    }
    Err(ProblemKind::InUse.because(format!("it still has {}", words.join(", "))).into())
}
