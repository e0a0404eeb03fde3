//! What becomes of a license after its creation: edit, move, copy, revoke, delete, shadow month, update now, coverage.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use tenure_service as service;
use tenure_service::{LicenseKey, ProblemKind, WorkloadCount};
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{ApiQuery, Keyed, Once, ProviderQuery, id, query_id},
    license_shape::{shape, with_installations},
};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(edit_license, delete_license))
        .routes(routes!(move_license))
        .routes(routes!(copy_license))
        .routes(routes!(revoke_license))
        .routes(routes!(set_shadow_month))
        .routes(routes!(update_license_now))
        .routes(routes!(get_coverage))
}

async fn shown(state: &AppState, actor: &service::Actor, key: LicenseKey) -> Result<Json<wire::License>, ApiProblem> {
    let (view, installations) = service::view_license(&state.service, actor, None, key).await?;
    Ok(Json(with_installations(&view, installations)))
}

/// Edit a license
///
/// Its description, what it licenses, and its last day where reports do not extend it. Other workloads make a new license
/// on each of its servers; a month shows as licensed what stood at its end. Raising anything is refused while the provider
/// is suspended.
#[utoipa::path(
    patch,
    path = "/licenses/{id}",
    tag = "licenses",
    params(("id" = String, Path, description = "A template's or license's id"), ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    request_body = wire::EditLicense,
    responses((status = 200, body = wire::License), (status = "4XX", body = ProblemBody))
)]
async fn edit_license(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Once { body, idempotency }: Once<wire::EditLicense>,
) -> Result<Json<wire::License>, ApiProblem> {
    let key: LicenseKey = id(&key)?;
    let workload =
        |each: wire::WorkloadCount| WorkloadCount { workload: each.workload, variant: each.variant, count: each.count };
    let edit = service::LicenseEdit {
        description: body.description,
        workloads: body.workloads.map(|workloads| workloads.into_iter().map(workload).collect()),
        last_day: body.expires_on,
    };
    service::edit_license(&state.service, &actor, key, edit, idempotency).await?;
    shown(&state, &actor, key).await
}

/// Delete a license
///
/// The template, and the license made of it. What was used until now is owed all the same.
#[utoipa::path(
    delete,
    path = "/licenses/{id}",
    tag = "licenses",
    params(("id" = String, Path, description = "A template's or license's id"), ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn delete_license(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Keyed(idempotency): Keyed,
) -> Result<StatusCode, ApiProblem> {
    service::delete_license(&state.service, &actor, id(&key)?, idempotency).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Move a license
///
/// To another company or site of the caller's own organization. It keeps its id and validity; a month stands whole under
/// the company that holds the license at the month's end.
#[utoipa::path(
    post,
    path = "/licenses/{id}/move",
    tag = "licenses",
    params(("id" = String, Path, description = "A template's or license's id"), ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    request_body = wire::MoveLicense,
    responses((status = 200, body = wire::License), (status = "4XX", body = ProblemBody))
)]
async fn move_license(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Once { body, idempotency }: Once<wire::MoveLicense>,
) -> Result<Json<wire::License>, ApiProblem> {
    let key: LicenseKey = id(&key)?;
    let site = match (body.site, body.no_site) {
        (Some(_), true) => return Err(ProblemKind::InvalidInput.because("give either site or no_site").into()),
        (Some(site), false) => Some(Some(site)),
        (None, true) => Some(None),
        (None, false) => None,
    };
    let to = service::LicenseMove { company: body.company, site };
    service::move_license(&state.service, &actor, key, to, idempotency).await?;
    shown(&state, &actor, key).await
}

/// Copy a license
///
/// The copy is a template, which costs nothing until it is assigned.
#[utoipa::path(
    post,
    path = "/licenses/{id}/copy",
    tag = "licenses",
    params(("id" = String, Path, description = "A template's or license's id"), ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    responses((status = 201, body = wire::License), (status = "4XX", body = ProblemBody))
)]
async fn copy_license(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Keyed(idempotency): Keyed,
) -> Result<(StatusCode, Json<wire::License>), ApiProblem> {
    let template = service::copy_license(&state.service, &actor, id(&key)?, idempotency).await?;
    let key = LicenseKey::Template(template);
    let (view, _) = service::view_license(&state.service, &actor, None, key).await?;
    Ok((StatusCode::CREATED, Json(shape(&view))))
}

/// Revoke a license
///
/// The license id ends and a template is left; its servers hear so when they ask next. What was used until now is owed all
/// the same. Answers with the template.
#[utoipa::path(
    post,
    path = "/licenses/{id}/revoke",
    tag = "licenses",
    params(("id" = String, Path, description = "A template's or license's id"), ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    responses((status = 200, body = wire::License), (status = "4XX", body = ProblemBody))
)]
async fn revoke_license(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Keyed(idempotency): Keyed,
) -> Result<Json<wire::License>, ApiProblem> {
    let key: LicenseKey = id(&key)?;
    service::revoke_license(&state.service, &actor, key, idempotency).await?;
    let (view, _) = service::view_license(&state.service, &actor, None, key).await?;
    shown(&state, &actor, LicenseKey::Template(view.template)).await
}

/// Set a shadow month
///
/// The next whole month is collected from the products and shown beside the manual figures, which count; on the 1st after
/// it automatic reporting is turned on. Taking it back is possible until then.
#[utoipa::path(
    post,
    path = "/licenses/{id}/shadow-month",
    tag = "licenses",
    params(("id" = String, Path, description = "A template's or license's id")),
    request_body = wire::SetShadowMonth,
    responses((status = 200, body = wire::License), (status = "4XX", body = ProblemBody))
)]
async fn set_shadow_month(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    once: Once<wire::SetShadowMonth>,
) -> Result<Json<wire::License>, ApiProblem> {
    let key: LicenseKey = id(&key)?;
    service::set_shadow_month(&state.service, &actor, key, once.body.on).await?;
    shown(&state, &actor, key).await
}

/// Update a license now
///
/// Its servers get the newest license at their next check-in, also those whose automatic update is off, and check in again
/// within the hour. A server cannot be called: it is the one that asks.
#[utoipa::path(
    post,
    path = "/licenses/{id}/update-now",
    tag = "licenses",
    params(("id" = String, Path, description = "A template's or license's id")),
    responses((status = 200, body = wire::UpdateAsked), (status = "4XX", body = ProblemBody))
)]
async fn update_license_now(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
) -> Result<Json<wire::UpdateAsked>, ApiProblem> {
    let servers = service::update_license_now(&state.service, &actor, id(&key)?).await?;
    Ok(Json(wire::UpdateAsked { servers }))
}

/// Show how many licenses report by themselves
#[utoipa::path(
    get,
    path = "/coverage",
    tag = "licenses",
    params(ProviderQuery),
    responses((status = 200, body = wire::Coverage), (status = "4XX", body = ProblemBody))
)]
async fn get_coverage(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<ProviderQuery>,
) -> Result<Json<wire::Coverage>, ApiProblem> {
    let provider = query_id("provider", query.provider.as_deref())?;
    let coverage = service::view_coverage(&state.service, &actor, provider).await?;
    Ok(Json(wire::Coverage {
        text: coverage.text(),
        licenses: coverage.licenses,
        automatic: coverage.automatic,
        switching: coverage.switching,
        never: coverage.never,
    }))
}
