//! Organizations: distributors and providers, as the vendor makes and changes them and as their partners see them.

use serde::Serialize;
use serde_json::json;
use tenure_core::{
    OrgId, Timestamp,
    roles::{Action, OrgKind},
};
pub use tenure_store::rows::org::OrgRow;
use tenure_store::{
    Queue,
    rows::{agreement, org},
};

use crate::{
    Actor, ContentTag, Error, Idempotency, IfMatch, Page, Paging, ProblemKind, Result, Service,
    authorize::{at_home, managed_org, visible_org},
    change, checks,
    idempotent::{self, Begun},
    page,
};

/// An organization to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrganization {
    /// Distributor or provider.
    pub kind: OrgKind,
    /// Display name; may be another's too.
    pub name: String,
}

/// What is to be different about an organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationChange {
    /// Another name.
    pub name: Option<String>,
    /// Whether its people and tokens may act.
    pub active: Option<bool>,
}

#[derive(Serialize)]
struct Content<'a> {
    name: &'a str,
    disabled_at: Option<Timestamp>,
}

fn content(row: &OrgRow) -> Content<'_> {
    Content { name: &row.name, disabled_at: row.disabled }
}

/// The tag of an organization's content.
pub fn organization_tag(row: &OrgRow) -> ContentTag {
    ContentTag::of(&content(row))
}

/// Organizations in the order they were added, of one kind or of all: the actor's own and those it has an agreement with;
/// for the vendor, all.
pub async fn list_organizations(
    service: &Service,
    actor: &Actor,
    kind: Option<OrgKind>,
    paging: &Paging,
) -> Result<Page<OrgRow>> {
    let limit = paging.limit()?;
    let query = format!("organizations {kind:?}");
    let after = paging.after(service, actor.org, &query)?.map(OrgId::from_uuid);
    let mut read = service.store().read().await?;
    let viewer = (at_home(&mut read, actor, Action::View).await? != OrgKind::Vendor).then_some(actor.org);
    let rows = org::page(&mut read, viewer, kind, after, limit + 1).await?;
    Ok(page::cut(service, actor.org, &query, rows, limit, |row| row.id.uuid()))
}

/// One organization that the actor may see.
pub async fn view_organization(service: &Service, actor: &Actor, id: OrgId) -> Result<OrgRow> {
    let mut read = service.store().read().await?;
    visible_org(&mut read, actor, id).await
}

/// Adds a distributor or provider; for the vendor's administrator.
pub async fn create_organization(
    service: &Service,
    actor: &Actor,
    input: NewOrganization,
    idempotency: Option<Idempotency>,
) -> Result<OrgId> {
    checks::name("name", &input.name)?;
    if input.kind == OrgKind::Vendor {
        return Err(ProblemKind::InvalidInput.because("a deployment has one vendor").into());
    }
    let (now, actor) = (service.now(), actor.clone());
    let id = OrgId::generate(now, service.rng());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_home(tx, &actor, Action::ManageProgram).await?;
            let remember = match idempotent::begin(tx, &actor, "organization.create", idempotency.as_ref(), now).await?
            {
                Begun::Done(id) => return Ok(id),
                Begun::Do(remember) => remember,
            };
            let name = input.name.trim().to_owned();
            let row = OrgRow { id, kind: input.kind, name, created: now, disabled: None };
            org::insert(tx, &row).await?;
            let body = json!({ "name": row.name, "kind": row.kind });
            change::by(tx, &actor, actor.org, "organization.created", id.to_string(), now, body);
            idempotent::remember(tx, remember, &id).await?;
            Ok::<_, Error>(id)
        })
        .await
}

/// Renames, deactivates or activates a distributor or provider; for the vendor's administrator.
///
/// Deactivation locks its people and tokens out. Its products go on: their licenses are ended by their dates, never by
/// surprise. A distributor keeps the right to act while an agreement of it runs, for its providers depend on it.
pub async fn edit_organization(
    service: &Service,
    actor: &Actor,
    id: OrgId,
    seen: IfMatch,
    input: OrganizationChange,
) -> Result<OrgRow> {
    if let Some(name) = &input.name {
        checks::name("name", name)?;
    }
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let before = managed_org(tx, &actor, id).await?;
            seen.check(&content(&before))?;
            let mut row = before.clone();
            if let Some(name) = &input.name {
                row.name = name.trim().to_owned();
            }
            match input.active {
                Some(true) => row.disabled = None,
                Some(false) if row.kind == OrgKind::Vendor => {
                    return Err(ProblemKind::InvalidInput.because("the vendor cannot be deactivated").into());
                }
                Some(false) => row.disabled = row.disabled.or(Some(now)),
                None => {}
            }
            if row == before {
                return Ok(row);
            }
            let ends = row.disabled.is_some() && before.disabled.is_none();
            if ends && row.kind == OrgKind::Distributor {
                let running = agreement::running_of(tx, id, now).await?;
                if running > 0 {
                    let words =
                        format!("{running} of its agreements run; end them, or give them to another distributor");
                    return Err(ProblemKind::InUse.because(words).into());
                }
            }
            org::update(tx, &row).await?;
            if row.name != before.name {
                let body = json!({ "from": before.name, "to": row.name });
                change::by(tx, &actor, id, "organization.renamed", id.to_string(), now, body);
            }
            if row.disabled != before.disabled {
                let verb = if ends { "organization.deactivated" } else { "organization.activated" };
                change::by(tx, &actor, id, verb, id.to_string(), now, json!({ "name": row.name }));
            }
            Ok::<_, Error>(row)
        })
        .await
}
