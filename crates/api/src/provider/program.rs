//! Setting a program up: signing in, organizations, sites, people, agreements, tokens.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use tenure_core::{AgreementKind, OrgId, roles::OrgKind};
use tenure_service as service;
use tenure_service::ProblemKind;
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};
use zeroize::Zeroizing;

use crate::{ApiJson, ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(sign_in))
        .routes(routes!(create_organization))
        .routes(routes!(create_site))
        .routes(routes!(create_person))
        .routes(routes!(create_agreement))
        .routes(routes!(create_token))
}

/// Sign in
///
/// Trades e-mail address and password for a session's token. Machines use API tokens instead.
#[utoipa::path(
    post,
    path = "/sign-in",
    tag = "people",
    security(()),
    request_body = wire::SignIn,
    responses((status = 200, body = wire::SignedIn), (status = "4XX", body = ProblemBody))
)]
async fn sign_in(
    State(state): State<AppState>,
    ApiJson(body): ApiJson<wire::SignIn>,
) -> Result<Json<wire::SignedIn>, ApiProblem> {
    let input = service::SignIn { email: body.email, password: Zeroizing::new(body.password) };
    let signed = service::sign_in(&state.service, input).await?;
    Ok(Json(wire::SignedIn {
        token: signed.token.to_string(),
        organization: signed.actor.org,
        role: signed.actor.role.word().to_owned(),
    }))
}

/// Add a distributor or provider
///
/// For the vendor's administrator.
#[utoipa::path(
    post,
    path = "/organizations",
    tag = "program",
    request_body = wire::NewOrganization,
    responses((status = 201, body = wire::CreatedOrganization), (status = "4XX", body = ProblemBody))
)]
async fn create_organization(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiJson(body): ApiJson<wire::NewOrganization>,
) -> Result<(StatusCode, Json<wire::CreatedOrganization>), ApiProblem> {
    let kind = match body.kind {
        wire::NewOrganizationKind::Distributor => OrgKind::Distributor,
        wire::NewOrganizationKind::Provider => OrgKind::Provider,
    };
    let input = service::NewOrganization { kind, name: body.name };
    let id = service::create_organization(&state.service, &actor, input).await?;
    Ok((StatusCode::CREATED, Json(wire::CreatedOrganization { id })))
}

/// Add a site to a provider
///
/// For the vendor's administrator.
#[utoipa::path(
    post,
    path = "/organizations/{organization}/sites",
    tag = "program",
    params(("organization" = String, Path, description = "The provider")),
    request_body = wire::NewSite,
    responses((status = 201, body = wire::CreatedSite), (status = "4XX", body = ProblemBody))
)]
async fn create_site(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(organization): Path<String>,
    ApiJson(body): ApiJson<wire::NewSite>,
) -> Result<(StatusCode, Json<wire::CreatedSite>), ApiProblem> {
    let id = service::create_site(&state.service, &actor, parse_org(&organization)?, body.name).await?;
    Ok((StatusCode::CREATED, Json(wire::CreatedSite { id })))
}

/// Add a person to an organization
///
/// For the organization's own administrators, and the vendor's for any. The first password is in the answer, once.
#[utoipa::path(
    post,
    path = "/organizations/{organization}/people",
    tag = "program",
    params(("organization" = String, Path, description = "The organization")),
    request_body = wire::NewPerson,
    responses((status = 201, body = wire::CreatedPerson), (status = "4XX", body = ProblemBody))
)]
async fn create_person(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(organization): Path<String>,
    ApiJson(body): ApiJson<wire::NewPerson>,
) -> Result<(StatusCode, Json<wire::CreatedPerson>), ApiProblem> {
    let role = body.role.parse().map_err(|_| ProblemKind::InvalidInput.because("`role` is no role"))?;
    let org = parse_org(&organization)?;
    let input = service::NewPerson { org, email: body.email, name: body.name, role, site: body.site };
    let created = service::create_person(&state.service, &actor, input).await?;
    let body = wire::CreatedPerson { id: created.id, password: created.password.to_string() };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Add a rental agreement
///
/// For the vendor's administrator.
#[utoipa::path(
    post,
    path = "/agreements",
    tag = "program",
    request_body = wire::NewAgreement,
    responses((status = 201, body = wire::Agreement), (status = "4XX", body = ProblemBody))
)]
async fn create_agreement(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiJson(body): ApiJson<wire::NewAgreement>,
) -> Result<(StatusCode, Json<wire::Agreement>), ApiProblem> {
    let input = service::NewAgreement {
        distributor: body.distributor,
        provider: body.provider,
        number: body.number,
        kind: match body.kind {
            wire::AgreementKind::NoCommit => AgreementKind::NoCommit,
            wire::AgreementKind::Volume => AgreementKind::Volume,
        },
        commit: body.commit,
        limit: body.limit,
        purchase_order: body.purchase_order,
        signed: body.signed_at,
        ends: body.ends_at,
    };
    let created = service::create_agreement(&state.service, &actor, input).await?;
    let agreement = service::view_agreement(&state.service, created).await?;
    Ok((StatusCode::CREATED, Json(super::agreements::shape(agreement))))
}

/// Make an API token
///
/// For people; the token is in the answer, once. It acts for the organization, within its scope and site.
#[utoipa::path(
    post,
    path = "/tokens",
    tag = "people",
    request_body = wire::NewToken,
    responses((status = 201, body = wire::CreatedToken), (status = "4XX", body = ProblemBody))
)]
async fn create_token(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiJson(body): ApiJson<wire::NewToken>,
) -> Result<(StatusCode, Json<wire::CreatedToken>), ApiProblem> {
    let scope =
        body.scope.parse().map_err(|_| ProblemKind::InvalidInput.because("`scope` is read, manage or report"))?;
    let input = service::NewToken { name: body.name, scope, site: body.site, expires: body.expires_at };
    let created = service::create_token(&state.service, &actor, input).await?;
    let body = wire::CreatedToken { id: created.id, token: created.token.to_string() };
    Ok((StatusCode::CREATED, Json(body)))
}

fn parse_org(text: &str) -> Result<OrgId, ApiProblem> {
    Ok(text.parse().map_err(|_| ProblemKind::NotFound)?)
}
