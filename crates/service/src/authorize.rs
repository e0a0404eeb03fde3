//! Who may see and do what: the tenant first, then the role.
//!
//! What is not yours does not exist ([`ProblemKind::NotFound`]); what you may see but not do is
//! [`ProblemKind::Forbidden`].

use tenure_core::{
    OrgId, SiteId,
    roles::{Action, OrgKind, Role},
};
use tenure_store::{
    Conn,
    rows::{
        agreement,
        org::{self, OrgRow},
        site,
    },
};

use crate::{Actor, ProblemKind, Result};

/// What the actor's organization is in the program.
pub(crate) async fn kind_of(conn: &mut Conn, actor: &Actor) -> Result<OrgKind> {
    if let Some(kind) = actor.role.org_kind() {
        return Ok(kind);
    }
    let org = org::find(conn, actor.org).await?.ok_or(ProblemKind::Unauthenticated)?;
    Ok(org.kind)
}

/// Whether the actor may do `action` for its own organization; gives what that organization is.
pub(crate) async fn at_home(conn: &mut Conn, actor: &Actor, action: Action) -> Result<OrgKind> {
    let kind = kind_of(conn, actor).await?;
    // A viewer of one company sees that company's pages, which are no part of its provider's lists.
    if actor.role == Role::CompanyViewer || !actor.role.may(action, kind, false) {
        return Err(ProblemKind::Forbidden.into());
    }
    Ok(kind)
}

/// Whether the actor may do `action` at a provider: its own, one it has an agreement with, or any for the vendor.
pub(crate) async fn at_provider(conn: &mut Conn, actor: &Actor, provider: OrgId, action: Action) -> Result<()> {
    let kind = kind_of(conn, actor).await?;
    let own = actor.org == provider && kind == OrgKind::Provider;
    let visible = own
        || match kind {
            OrgKind::Vendor => org::find(conn, provider).await?.is_some_and(|org| org.kind == OrgKind::Provider),
            OrgKind::Distributor => agreement::serves(conn, actor.org, provider).await?,
            OrgKind::Provider => false,
        };
    if !visible {
        return Err(ProblemKind::NotFound.into());
    }
    let has_sites = action == Action::SubmitUsage && !site::of_provider(conn, provider).await?.is_empty();
    if actor.role == Role::CompanyViewer || !actor.role.may(action, kind, has_sites) {
        return Err(ProblemKind::Forbidden.into());
    }
    Ok(())
}

/// An organization that the actor may see: its own, the vendor, one it has an agreement with, or any for the vendor.
pub(crate) async fn visible_org(conn: &mut Conn, actor: &Actor, id: OrgId) -> Result<OrgRow> {
    let kind = kind_of(conn, actor).await?;
    let row = org::find(conn, id).await?.ok_or(ProblemKind::NotFound)?;
    let visible = id == actor.org
        || kind == OrgKind::Vendor
        || row.kind == OrgKind::Vendor
        || org::partners(conn, actor.org, id).await?;
    if !visible {
        return Err(ProblemKind::NotFound.into());
    }
    at_home(conn, actor, Action::View).await?;
    Ok(row)
}

/// The same for who may change it: the vendor's administrator.
pub(crate) async fn managed_org(conn: &mut Conn, actor: &Actor, id: OrgId) -> Result<OrgRow> {
    let row = visible_org(conn, actor, id).await?;
    at_home(conn, actor, Action::ManageProgram).await?;
    Ok(row)
}

/// The provider that is meant: the named one, or the actor's own organization.
pub(crate) fn provider_meant(actor: &Actor, named: Option<OrgId>) -> OrgId {
    named.unwrap_or(actor.org)
}

/// Whether an actor may see what belongs to a site of its provider, or to none.
pub(crate) fn sees_site(actor: &Actor, site: Option<SiteId>) -> bool {
    actor.site.is_none() || actor.site == site
}

/// The site a new thing belongs to: the wanted one, which must exist and be within the actor's reach; who is confined to a
/// site makes things there.
pub(crate) async fn site_for(
    conn: &mut Conn,
    actor: &Actor,
    provider: OrgId,
    wanted: Option<SiteId>,
) -> Result<Option<SiteId>> {
    let site = wanted.or(actor.site);
    if let Some(id) = site {
        let found = site::find(conn, provider, id).await?.filter(|_| sees_site(actor, site));
        let found = found.ok_or_else(|| ProblemKind::NotFound.because("there is no such site"))?;
        if found.closed.is_some() {
            return Err(ProblemKind::Inactive.because("this site was closed").into());
        }
    }
    Ok(site)
}
