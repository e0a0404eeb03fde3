//! People: adding them, their roles, and the end of their access.

use serde::Serialize;
use serde_json::json;
use tenure_core::{
    CompanyId, OrgId, SiteId, Timestamp, UserId,
    roles::{Action, OrgKind, Role},
};
pub use tenure_store::rows::person::{Filter as PersonFilter, PersonRow};
use tenure_store::{
    Conn, Queue, Tx,
    rows::{company, company_viewer, org, person, session},
};
use zeroize::Zeroizing;

use crate::{
    Actor, ActorKind, ContentTag, Error, Idempotency, IfMatch, Page, Paging, ProblemKind, Result, Service,
    authorize::{at_home, at_provider, kind_of, site_for},
    change, checks,
    idempotent::{self, Begun},
    page, password,
    secret::Seed,
};

/// A person to add to an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// The organization.
    pub org: OrgId,
    /// E-mail address, in any case; people sign in with it.
    pub email: String,
    /// Display name.
    pub name: String,
    /// What it may do there.
    pub role: Role,
    /// The one site of a location usage administrator.
    pub site: Option<SiteId>,
}

/// A person who was added.
#[derive(Clone)]
pub struct CreatedPerson {
    /// Its id.
    pub id: UserId,
    /// The first password; it exists nowhere else in clear.
    pub password: Zeroizing<String>,
}

/// Adds a person with a password made here: by an administrator of its organization, or by the vendor's for any.
pub async fn create_person(
    service: &Service,
    actor: &Actor,
    input: NewPerson,
    idempotency: Option<Idempotency>,
) -> Result<CreatedPerson> {
    add(service, actor, input, None, idempotency).await
}

/// The same; a company's viewer is confined to the company.
pub(crate) async fn add(
    service: &Service,
    actor: &Actor,
    input: NewPerson,
    company: Option<CompanyId>,
    idempotency: Option<Idempotency>,
) -> Result<CreatedPerson> {
    checks::name("name", &input.name)?;
    let email = checks::email(&input.email)?;
    let now = service.now();
    let mut read = service.store().peek().await?;
    company_of(&mut read, actor, input.org, company).await?;
    let kind = at_people(&mut read, actor, input.org, Manage::Change).await?;
    if company.is_none() {
        role_fits(input.role, input.site, kind)?;
    }
    may_give(actor, input.role)?;
    drop(read);
    let (id, seed) = (UserId::generate(now, service.rng()), Seed::new(service.rng()));
    let password = first_password(service, seed);
    let password_hash = password::hash(&password, service.rng()).await?;
    let (actor, org) = (actor.clone(), input.org);
    let row = PersonRow {
        id,
        org,
        site: input.site,
        email,
        name: input.name.trim().to_owned(),
        role: input.role,
        password_hash,
        failures: 0,
        locked_until: Timestamp::EPOCH,
        disabled: None,
        second_step: None,
    };
    let (made, seed) = service
        .store()
        .write(Queue::People, async move |tx| {
            at_people(tx, &actor, org, Manage::Change).await?;
            let remember = match idempotent::begin(tx, &actor, "person.create", idempotency.as_ref(), now).await? {
                Begun::Done(made) => return Ok(made),
                Begun::Do(remember) => remember,
            };
            if row.site.is_some() {
                site_for(tx, &actor, org, row.site).await?;
            }
            let company = company_of(tx, &actor, org, company).await?;
            if !person::insert(tx, &row).await? {
                // Whose it is is nobody's business (A7).
                return Err(ProblemKind::InvalidInput.because("this email cannot be used").into());
            }
            if let Some(company) = company {
                company_viewer::insert(tx, id, org, company).await?;
            }
            let body = json!({ "name": row.name, "role": row.role, "site": row.site, "company": company });
            change::by(tx, &actor, org, "person.created", id.to_string(), now, body);
            idempotent::remember(tx, remember, &(id, seed)).await?;
            Ok::<_, Error>((id, seed))
        })
        .await?;
    Ok(CreatedPerson { id: made, password: first_password(service, seed) })
}

/// The company that a viewer is to be confined to: one of the provider's own.
async fn company_of(
    conn: &mut Conn,
    actor: &Actor,
    org: OrgId,
    wanted: Option<CompanyId>,
) -> Result<Option<CompanyId>> {
    let Some(id) = wanted else { return Ok(None) };
    at_provider(conn, actor, org, Action::ManagePeople).await?;
    let found = company::find(conn, org, id).await?;
    found.map(|row| Some(row.id)).ok_or_else(|| ProblemKind::NotFound.because("there is no such company").into())
}

/// The password that a seed stands for.
fn first_password(service: &Service, seed: Seed) -> Zeroizing<String> {
    password::generate(&seed.derive(service, "first password"))
}

/// What an organization is whose people the actor may see or manage: its own, or any for the vendor.
pub(crate) async fn at_people(conn: &mut Conn, actor: &Actor, org: OrgId, manage: Manage) -> Result<OrgKind> {
    let own = match manage {
        Manage::See => Action::View,
        Manage::Change => Action::ManagePeople,
    };
    if actor.org == org {
        // Who is confined to a site has nothing to do with the others', nor with who administers them.
        if actor.site.is_some() {
            return Err(ProblemKind::Forbidden.into());
        }
        return at_home(conn, actor, own).await;
    }
    if kind_of(conn, actor).await? != OrgKind::Vendor {
        return Err(ProblemKind::NotFound.into());
    }
    let found = org::find(conn, org).await?.ok_or(ProblemKind::NotFound)?;
    // Not `ManageProgram`, which tokens have: a leaked token must not make itself another way in.
    at_home(conn, actor, own).await?;
    if manage == Manage::Change && found.disabled.is_some() {
        return Err(ProblemKind::Inactive.because("this organization was deactivated").into());
    }
    Ok(found.kind)
}

/// What is wanted of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manage {
    /// To look.
    See,
    /// To add or change.
    Change,
}

/// Nobody gives a role that may do more than their own.
fn may_give(actor: &Actor, role: Role) -> Result<()> {
    if actor.role.may_grant(role) { Ok(()) } else { Err(ProblemKind::RoleRefused.into()) }
}

/// The role must be one of the organization, and confined to a site exactly where it is a location's.
fn role_fits(role: Role, site: Option<SiteId>, kind: OrgKind) -> Result<()> {
    let refused = |words: &'static str| Err(ProblemKind::InvalidInput.because(words).into());
    if role.org_kind() != Some(kind) || role == Role::CompanyViewer {
        return refused("this organization has no such role");
    }
    match (role == Role::ProviderLocation, site) {
        (true, None) => refused("a location usage administrator needs a site"),
        (false, Some(_)) => refused("only a location usage administrator is confined to a site"),
        _ => Ok(()),
    }
}

/// What is to be different about a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonChange {
    /// Another name.
    pub name: Option<String>,
    /// Another role.
    pub role: Option<Role>,
    /// Another site, or none: `Some(None)`.
    pub site: Option<Option<SiteId>>,
    /// Whether the person may sign in.
    pub active: Option<bool>,
}

#[derive(Serialize)]
struct Content<'a> {
    name: &'a str,
    role: Role,
    site: Option<SiteId>,
    deactivated_at: Option<Timestamp>,
}

fn content(row: &PersonRow) -> Content<'_> {
    Content { name: &row.name, role: row.role, site: row.site, deactivated_at: row.disabled }
}

/// The tag of what can be changed of a person.
pub fn person_tag(row: &PersonRow) -> ContentTag {
    ContentTag::of(&content(row))
}

/// The people of an organization in the order they were added: the actor's own, or any for the vendor.
pub async fn list_people(
    service: &Service,
    actor: &Actor,
    org: OrgId,
    filter: PersonFilter,
    paging: &Paging,
) -> Result<Page<PersonRow>> {
    let limit = paging.limit()?;
    let query = format!("people {org} {filter:?}");
    let after = paging.after(service, actor.org, &query)?.map(UserId::from_uuid);
    let mut read = service.store().read().await?;
    at_people(&mut read, actor, org, Manage::See).await?;
    let rows = person::page(&mut read, org, filter, after, limit + 1).await?;
    Ok(page::cut(service, actor.org, &query, rows, limit, |row| row.id.uuid()))
}

/// One person of the actor's own organization, or any for the vendor.
pub async fn view_person(service: &Service, actor: &Actor, id: UserId) -> Result<PersonRow> {
    let mut read = service.store().read().await?;
    find(&mut read, actor, id, Manage::See).await.map(|(row, _)| row)
}

/// A person whom the actor may see or manage, and what the organization is.
pub(crate) async fn find(conn: &mut Conn, actor: &Actor, id: UserId, manage: Manage) -> Result<(PersonRow, OrgKind)> {
    let row = person::find(conn, id).await?.ok_or(ProblemKind::NotFound)?;
    let kind = at_people(conn, actor, row.org, manage).await?;
    Ok((row, kind))
}

/// A person whom the actor may manage: neither somebody of a higher role, nor where it matters oneself.
pub(crate) async fn find_managed(conn: &mut Conn, actor: &Actor, id: UserId) -> Result<(PersonRow, OrgKind)> {
    let found = find(conn, actor, id, Manage::Change).await?;
    may_give(actor, found.0.role)?;
    Ok(found)
}

/// Changes a person's name, role or site, or ends or restores its access; by an administrator of its organization, or by the
/// vendor's for any.
///
/// Nobody changes their own role, site or access, gives or takes a role that may do more than their own, or removes the last
/// administrator. Whoever may no longer sign in is signed out at once; tokens it made stay, for they are the organization's.
pub async fn edit_person(
    service: &Service,
    actor: &Actor,
    id: UserId,
    seen: IfMatch,
    input: PersonChange,
) -> Result<PersonRow> {
    if let Some(name) = &input.name {
        checks::name("name", name)?;
    }
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let (before, kind) = find_managed(tx, &actor, id).await?;
            seen.check(&content(&before))?;
            let mut row = before.clone();
            if let Some(name) = &input.name {
                row.name = name.trim().to_owned();
            }
            row.role = input.role.unwrap_or(row.role);
            row.site = input.site.unwrap_or(row.site);
            if row.role != Role::ProviderLocation && input.site.is_none() {
                row.site = None;
            }
            match input.active {
                Some(true) => row.disabled = None,
                Some(false) => row.disabled = row.disabled.or(Some(now)),
                None => {}
            }
            if row == before {
                return Ok(row);
            }
            allowed(tx, &actor, &before, &row, kind).await?;
            person::update(tx, &row).await?;
            if row.disabled.is_some() && before.disabled.is_none() {
                session::delete_of_person(tx, id).await?;
            }
            record(tx, &actor, &before, &row, now);
            Ok::<_, Error>(row)
        })
        .await
}

async fn allowed(tx: &mut Tx, actor: &Actor, before: &PersonRow, row: &PersonRow, kind: OrgKind) -> Result<()> {
    let same_access = (row.role, row.site, row.disabled) == (before.role, before.site, before.disabled);
    if actor.kind == ActorKind::Person(row.id) && !same_access {
        return Err(ProblemKind::RoleRefused.because("this is your own role").into());
    }
    if before.role == Role::CompanyViewer && row.role != before.role {
        return Err(ProblemKind::RoleRefused.because("a company's viewer stays one: end its access instead").into());
    }
    if (row.role, row.site) != (before.role, before.site) {
        role_fits(row.role, row.site, kind)?;
    }
    may_give(actor, row.role)?;
    if row.site != before.site && row.site.is_some() {
        site_for(tx, actor, row.org, row.site).await?;
    }
    let was = before.disabled.is_none() && before.role.is_administrator();
    let is = row.disabled.is_none() && row.role.is_administrator();
    if was && !is {
        let active = person::lock_active(tx, row.org).await?;
        if !active.iter().any(|(other, role)| *other != row.id && role.is_administrator()) {
            return Err(ProblemKind::LastAdministrator.into());
        }
    }
    Ok(())
}

fn record(tx: &mut Tx, actor: &Actor, before: &PersonRow, row: &PersonRow, now: Timestamp) {
    let subject = || row.id.to_string();
    if row.name != before.name {
        let body = json!({ "from": before.name, "to": row.name });
        change::by(tx, actor, row.org, "person.renamed", subject(), now, body);
    }
    if (row.role, row.site) != (before.role, before.site) {
        let body = json!({
            "name": row.name, "from": before.role, "to": row.role, "from_site": before.site, "site": row.site,
        });
        change::by(tx, actor, row.org, "person.role_changed", subject(), now, body);
    }
    if row.disabled != before.disabled {
        let verb = if row.disabled.is_some() { "person.deactivated" } else { "person.activated" };
        change::by(tx, actor, row.org, verb, subject(), now, json!({ "name": row.name, "role": row.role }));
    }
}
