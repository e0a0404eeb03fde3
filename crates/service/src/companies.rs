//! A provider's end customers, and the resellers among them.

use serde::Serialize;
use serde_json::json;
use tenure_core::{CompanyId, OrgId, SiteId, Timestamp, roles::Action};
pub use tenure_store::rows::company::{CompanyKind, CompanyRow};
use tenure_store::{Conn, Queue, rows::company};

use crate::{
    Actor, ContentTag, Error, Idempotency, IfMatch, Page, Paging, ProblemKind, Result, Service,
    authorize::{at_provider, provider_meant, sees_site, site_for},
    change, checks,
    idempotent::{self, Begun},
    page,
};

/// A company to add to the actor's own organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewCompany {
    /// Display name; two companies may carry the same.
    pub name: String,
    /// The site that serves it; who is confined to a site adds companies there.
    pub site: Option<SiteId>,
    /// What it is to the provider.
    pub kind: CompanyKind,
    /// The reseller that serves it.
    pub reseller: Option<CompanyId>,
}

/// What is to be different about a company. A doubled option says: stays, is cleared, becomes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompanyChange {
    /// Another name.
    pub name: Option<String>,
    /// Another site.
    pub site: Option<Option<SiteId>>,
    /// Another kind.
    pub kind: Option<CompanyKind>,
    /// Another reseller.
    pub reseller: Option<Option<CompanyId>>,
    /// Whether it may get new licenses.
    pub open: Option<bool>,
}

/// What a list of companies is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompanyFilter {
    /// Part of its name, in any case.
    pub name: Option<String>,
    /// What it is.
    pub kind: Option<CompanyKind>,
    /// The site that serves it.
    pub site: Option<SiteId>,
    /// The reseller that serves it.
    pub reseller: Option<CompanyId>,
    /// Only open ones, or only closed ones.
    pub open: Option<bool>,
}

#[derive(Serialize)]
struct Content<'a> {
    name: &'a str,
    site: Option<SiteId>,
    kind: CompanyKind,
    reseller: Option<CompanyId>,
    closed_at: Option<Timestamp>,
    merged_into: Option<CompanyId>,
}

fn content(row: &CompanyRow) -> Content<'_> {
    let (closed_at, merged_into) = (row.closed, row.merged_into);
    Content { name: &row.name, site: row.site, kind: row.kind, reseller: row.reseller, closed_at, merged_into }
}

/// The tag of a company's content.
pub fn company_tag(row: &CompanyRow) -> ContentTag {
    ContentTag::of(&content(row))
}

/// The companies of a provider (the actor's own where none is named) in the order they were added; only those of its site
/// for who is confined to one.
pub async fn list_companies(
    service: &Service,
    actor: &Actor,
    provider: Option<OrgId>,
    filter: CompanyFilter,
    paging: &Paging,
) -> Result<Page<CompanyRow>> {
    let limit = paging.limit()?;
    let provider = provider_meant(actor, provider);
    let query = format!("companies {provider} {filter:?}");
    let after = paging.after(service, actor.org, &query)?.map(CompanyId::from_uuid);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    if filter.site.is_some() && !sees_site(actor, filter.site) {
        return Err(ProblemKind::NotFound.because("there is no such site").into());
    }
    let name = filter.name.map(|name| name.to_lowercase());
    let site = actor.site.or(filter.site);
    let filter = company::Filter { site, reseller: filter.reseller, kind: filter.kind, open: filter.open, name };
    let rows = company::page(&mut read, provider, &filter, after, limit + 1).await?;
    Ok(page::cut(service, actor.org, &query, rows, limit, |row| row.id.uuid()))
}

/// One company of a provider (the actor's own where none is named).
pub async fn view_company(
    service: &Service,
    actor: &Actor,
    provider: Option<OrgId>,
    id: CompanyId,
) -> Result<CompanyRow> {
    let provider = provider_meant(actor, provider);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    find(&mut read, actor, provider, id).await
}

async fn find(conn: &mut Conn, actor: &Actor, provider: OrgId, id: CompanyId) -> Result<CompanyRow> {
    let found = company::find(conn, provider, id).await?.filter(|row| sees_site(actor, row.site));
    found.ok_or_else(|| ProblemKind::NotFound.into())
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
            let row = CompanyRow {
                provider: actor.org,
                id,
                site: site_for(tx, &actor, actor.org, input.site).await?,
                name: input.name.trim().to_owned(),
                created: now,
                kind: input.kind,
                reseller: input.reseller,
                closed: None,
                merged_into: None,
            };
            served_by(tx, &actor, &row).await?;
            company::insert(tx, &row).await?;
            let body = json!({ "name": row.name, "kind": row.kind, "site": row.site, "reseller": row.reseller });
            change::by(tx, &actor, actor.org, "company.created", id.to_string(), now, body);
            idempotent::remember(tx, remember, &id).await?;
            Ok::<_, Error>((actor.org, id))
        })
        .await?;
    let mut read = service.store().peek().await?;
    company::find(&mut read, made.0, made.1).await?.ok_or(Error::Internal("a new company is gone"))
}

/// Changes a company of the actor's own organization. Closed, it gets no new license; it can be closed once it holds none.
pub async fn edit_company(
    service: &Service,
    actor: &Actor,
    id: CompanyId,
    seen: IfMatch,
    input: CompanyChange,
) -> Result<CompanyRow> {
    if let Some(name) = &input.name {
        checks::name("name", name)?;
    }
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_provider(tx, &actor, actor.org, Action::ManageCompanies).await?;
            let before = find(tx, &actor, actor.org, id).await?;
            seen.check(&content(&before))?;
            let mut row = before.clone();
            if let Some(name) = &input.name {
                row.name = name.trim().to_owned();
            }
            if let Some(site) = input.site {
                row.site = site_for(tx, &actor, actor.org, site).await?;
            }
            row.kind = input.kind.unwrap_or(row.kind);
            row.reseller = input.reseller.unwrap_or(row.reseller);
            match input.open {
                Some(true) => (row.closed, row.merged_into) = (None, None),
                Some(false) => row.closed = row.closed.or(Some(now)),
                None => {}
            }
            if row == before {
                return Ok(row);
            }
            served_by(tx, &actor, &row).await?;
            let ends = row.closed.is_some() && before.closed.is_none();
            unused(tx, &row, ends).await?;
            company::update(tx, &row).await?;
            let body = json!({ "from": content(&before), "to": content(&row) });
            let verb = match (before.closed, row.closed) {
                (None, Some(_)) => "company.closed",
                (Some(_), None) => "company.opened",
                _ => "company.changed",
            };
            change::by(tx, &actor, actor.org, verb, id.to_string(), now, body);
            Ok::<_, Error>(row)
        })
        .await
}

/// The reseller must be an open one of the same provider, and resellers stand in one row: none serves another.
async fn served_by(conn: &mut Conn, actor: &Actor, row: &CompanyRow) -> Result<()> {
    let Some(reseller) = row.reseller else { return Ok(()) };
    if row.kind == CompanyKind::Reseller {
        return Err(ProblemKind::InvalidInput.because("a reseller is not served by another").into());
    }
    let found = find(conn, actor, row.provider, reseller).await;
    let found = found.map_err(|_| ProblemKind::NotFound.because("there is no such reseller"))?;
    if found.kind != CompanyKind::Reseller {
        return Err(ProblemKind::InvalidInput.because("`reseller` is no reseller").into());
    }
    if found.closed.is_some() {
        return Err(ProblemKind::Inactive.because("this reseller was closed").into());
    }
    Ok(())
}

/// Nothing in force may depend on what a company stops being.
async fn unused(conn: &mut Conn, row: &CompanyRow, closes: bool) -> Result<()> {
    let (licenses, served) = company::in_use(conn, row.provider, row.id).await?;
    if closes && licenses > 0 {
        let words = format!("it holds {licenses} licenses; revoke them or move them to another company");
        return Err(ProblemKind::InUse.because(words).into());
    }
    if closes || row.kind != CompanyKind::Reseller { serves_nobody(served) } else { Ok(()) }
}

/// No open company may be left with a reseller that is gone.
pub(crate) fn serves_nobody(served: i64) -> Result<()> {
    if served == 0 {
        return Ok(());
    }
    let words = format!("it serves {served} companies; give them another reseller");
    Err(ProblemKind::InUse.because(words).into())
}
