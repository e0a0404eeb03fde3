//! Organizations and sites.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use tenure_core::roles::OrgKind;
use tenure_service as service;
use tenure_service::Paging;
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, Once, PageQuery, Seen, Tagged, id};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_organizations, create_organization))
        .routes(routes!(get_organization, edit_organization))
        .routes(routes!(list_sites, create_site))
        .routes(routes!(get_site, edit_site))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// `vendor`, `distributor` or `provider`; all otherwise.
    #[param(inline)]
    kind: Option<wire::OrganizationKind>,
    /// The cursor of the page before; leave it out for the first page.
    cursor: Option<String>,
    /// Items wanted, 1 to 200; 50 otherwise.
    limit: Option<u32>,
}

/// List organizations
///
/// The caller's own and those it has an agreement with, in the order they were added; for the vendor, all.
#[utoipa::path(
    get,
    path = "/organizations",
    tag = "organizations",
    params(ListQuery),
    responses((status = 200, body = wire::OrganizationPage), (status = "4XX", body = ProblemBody))
)]
async fn list_organizations(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<wire::OrganizationPage>, ApiProblem> {
    let kind = query.kind.map(|kind| match kind {
        wire::OrganizationKind::Vendor => OrgKind::Vendor,
        wire::OrganizationKind::Distributor => OrgKind::Distributor,
        wire::OrganizationKind::Provider => OrgKind::Provider,
    });
    let paging = Paging { cursor: query.cursor, limit: query.limit };
    let page = service::list_organizations(&state.service, &actor, kind, &paging).await?.map(shape);
    Ok(Json(wire::OrganizationPage { items: page.items, next: page.next }))
}

/// Add a distributor or provider
///
/// For the vendor's administrator.
#[utoipa::path(
    post,
    path = "/organizations",
    tag = "organizations",
    params(("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    request_body = wire::NewOrganization,
    responses((status = 201, body = wire::CreatedOrganization), (status = "4XX", body = ProblemBody))
)]
async fn create_organization(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Once { body, idempotency }: Once<wire::NewOrganization>,
) -> Result<(StatusCode, Json<wire::CreatedOrganization>), ApiProblem> {
    let kind = match body.kind {
        wire::NewOrganizationKind::Distributor => OrgKind::Distributor,
        wire::NewOrganizationKind::Provider => OrgKind::Provider,
    };
    let input = service::NewOrganization { kind, name: body.name };
    let id = service::create_organization(&state.service, &actor, input, idempotency).await?;
    Ok((StatusCode::CREATED, Json(wire::CreatedOrganization { id })))
}

/// Show an organization
///
/// The caller's own, one it has an agreement with, or any for the vendor. The answer's `ETag` names what an edit means.
#[utoipa::path(
    get,
    path = "/organizations/{organization}",
    tag = "organizations",
    params(("organization" = String, Path, description = "The organization")),
    responses((status = 200, body = wire::Organization), (status = "4XX", body = ProblemBody))
)]
async fn get_organization(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(organization): Path<String>,
) -> Result<Tagged<wire::Organization>, ApiProblem> {
    let row = service::view_organization(&state.service, &actor, id(&organization)?).await?;
    Ok(Tagged(service::organization_tag(&row), shape(row)))
}

/// Rename, deactivate or activate an organization
///
/// For the vendor's administrator. Deactivation locks its people and tokens out; its products go on.
#[utoipa::path(
    patch,
    path = "/organizations/{organization}",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "The organization"),
        ("if-match" = String, Header, description = "The organization's `ETag`")
    ),
    request_body = wire::OrganizationChange,
    responses((status = 200, body = wire::Organization), (status = "4XX", body = ProblemBody))
)]
async fn edit_organization(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(organization): Path<String>,
    Seen(seen): Seen,
    Once { body, .. }: Once<wire::OrganizationChange>,
) -> Result<Tagged<wire::Organization>, ApiProblem> {
    let input = service::OrganizationChange { name: body.name, active: body.active };
    let row = service::edit_organization(&state.service, &actor, id(&organization)?, seen, input).await?;
    Ok(Tagged(service::organization_tag(&row), shape(row)))
}

/// List the sites of a provider
///
/// In the order they were added, closed ones too; only its own for a caller confined to one.
#[utoipa::path(
    get,
    path = "/organizations/{organization}/sites",
    tag = "organizations",
    params(("organization" = String, Path, description = "The provider"), PageQuery),
    responses((status = 200, body = wire::SitePage), (status = "4XX", body = ProblemBody))
)]
async fn list_sites(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(organization): Path<String>,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<wire::SitePage>, ApiProblem> {
    let page = service::list_sites(&state.service, &actor, id(&organization)?, &query.into()).await?.map(site);
    Ok(Json(wire::SitePage { items: page.items, next: page.next }))
}

/// Add a site to a provider
///
/// For the vendor's administrator.
#[utoipa::path(
    post,
    path = "/organizations/{organization}/sites",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "The provider"),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")
    ),
    request_body = wire::NewSite,
    responses((status = 201, body = wire::CreatedSite), (status = "4XX", body = ProblemBody))
)]
async fn create_site(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(organization): Path<String>,
    Once { body, idempotency }: Once<wire::NewSite>,
) -> Result<(StatusCode, Json<wire::CreatedSite>), ApiProblem> {
    let made = service::create_site(&state.service, &actor, id(&organization)?, body.name, idempotency).await?;
    Ok((StatusCode::CREATED, Json(wire::CreatedSite { id: made })))
}

/// Show a site
///
/// The answer's `ETag` names what an edit means.
#[utoipa::path(
    get,
    path = "/organizations/{organization}/sites/{site}",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "The provider"),
        ("site" = String, Path, description = "The site")
    ),
    responses((status = 200, body = wire::Site), (status = "4XX", body = ProblemBody))
)]
async fn get_site(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((organization, wanted)): Path<(String, String)>,
) -> Result<Tagged<wire::Site>, ApiProblem> {
    let row = service::view_site(&state.service, &actor, id(&organization)?, id(&wanted)?).await?;
    Ok(Tagged(service::site_tag(&row), site(row)))
}

/// Rename, close or open a site
///
/// For the vendor's administrator. A site is closed once no person, token, company or license belongs to it.
#[utoipa::path(
    patch,
    path = "/organizations/{organization}/sites/{site}",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "The provider"),
        ("site" = String, Path, description = "The site"),
        ("if-match" = String, Header, description = "The site's `ETag`")
    ),
    request_body = wire::SiteChange,
    responses((status = 200, body = wire::Site), (status = "4XX", body = ProblemBody))
)]
async fn edit_site(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((organization, wanted)): Path<(String, String)>,
    Seen(seen): Seen,
    Once { body, .. }: Once<wire::SiteChange>,
) -> Result<Tagged<wire::Site>, ApiProblem> {
    let input = service::SiteChange { name: body.name, open: body.open };
    let row = service::edit_site(&state.service, &actor, id(&organization)?, id(&wanted)?, seen, input).await?;
    Ok(Tagged(service::site_tag(&row), site(row)))
}

fn shape(row: service::OrgRow) -> wire::Organization {
    wire::Organization {
        id: row.id,
        kind: match row.kind {
            OrgKind::Vendor => wire::OrganizationKind::Vendor,
            OrgKind::Distributor => wire::OrganizationKind::Distributor,
            OrgKind::Provider => wire::OrganizationKind::Provider,
        },
        name: row.name,
        created_at: row.created,
        deactivated_at: row.disabled,
    }
}

fn site(row: service::SiteRow) -> wire::Site {
    wire::Site { id: row.id, name: row.name, closed_at: row.closed }
}
