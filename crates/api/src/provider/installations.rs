//! Installations: list, look at, retire, void, re-identify, resolve, update now.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use tenure_service as service;
use tenure_service::{CloneVerdict, HealthPreset, InstallationFilter, Paging, ProblemKind};
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{ApiQuery, Keyed, Once, ProviderQuery, id, query_id},
    installation_shape::{detail, server},
};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_installations))
        .routes(routes!(get_installation))
        .routes(routes!(retire_installation))
        .routes(routes!(void_installation))
        .routes(routes!(reidentify_installation))
        .routes(routes!(resolve_installation))
        .routes(routes!(update_installation_now))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The provider; the caller's own organization otherwise.
    provider: Option<String>,
    /// The license it holds.
    license: Option<String>,
    /// The company that holds the license.
    company: Option<String>,
    /// The product.
    product: Option<String>,
    /// The site the license belongs to.
    site: Option<String>,
    /// Only those that are retired, or only those that are not.
    retired: Option<bool>,
    /// `silent` (not heard for 48 hours), `will_miss_report`, `clone`, `rejoins_often`, `troubled`.
    preset: Option<String>,
    /// Those that are in trouble come first.
    #[serde(default)]
    troubled_first: bool,
    /// The cursor of the page before; leave it out for the first page.
    cursor: Option<String>,
    /// Items wanted, 1 to 200; 50 otherwise.
    limit: Option<u32>,
}

fn preset(text: &str) -> Result<HealthPreset, ApiProblem> {
    Ok(match text {
        "silent" => HealthPreset::Silent,
        "will_miss_report" => HealthPreset::WillMissReport,
        "clone" => HealthPreset::Clone,
        "rejoins_often" => HealthPreset::RejoinsOften,
        "troubled" => HealthPreset::Troubled,
        _ => {
            let words = "`preset` is silent, will_miss_report, clone, rejoins_often or troubled";
            return Err(ProblemKind::InvalidInput.because(words).into());
        }
    })
}

async fn shown(
    state: &AppState,
    actor: &service::Actor,
    key: tenure_core::InstallationId,
) -> Result<Json<wire::ServerDetail>, ApiProblem> {
    Ok(Json(detail(service::view_installation(&state.service, actor, None, key).await?)))
}

/// List servers
///
/// The installations of a provider, newest first, with what is wrong with each and what to do. A page may hold fewer items
/// than wanted, or none, while `next` says that the list goes on.
#[utoipa::path(
    get,
    path = "/installations",
    tag = "installations",
    params(ListQuery),
    responses((status = 200, body = wire::ServerPage), (status = "4XX", body = ProblemBody))
)]
async fn list_installations(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<wire::ServerPage>, ApiProblem> {
    let filter = InstallationFilter {
        license: query_id("license", query.license.as_deref())?,
        company: query_id("company", query.company.as_deref())?,
        product: query_id("product", query.product.as_deref())?,
        site: query_id("site", query.site.as_deref())?,
        retired: query.retired,
        preset: query.preset.as_deref().map(preset).transpose()?,
        troubled_first: query.troubled_first,
    };
    let paging = Paging { cursor: query.cursor, limit: query.limit };
    let provider = query_id("provider", query.provider.as_deref())?;
    let page = service::list_installations(&state.service, &actor, provider, filter, &paging).await?;
    Ok(Json(wire::ServerPage { next: page.next, items: page.items.into_iter().map(server).collect() }))
}

/// Show a server
///
/// With its health, and each time it came back from elsewhere with what both sides told of their hosts.
#[utoipa::path(
    get,
    path = "/installations/{id}",
    tag = "installations",
    params(("id" = String, Path, description = "The server's id"), ProviderQuery),
    responses((status = 200, body = wire::ServerDetail), (status = "4XX", body = ProblemBody))
)]
async fn get_installation(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    ApiQuery(query): ApiQuery<ProviderQuery>,
) -> Result<Json<wire::ServerDetail>, ApiProblem> {
    let provider = query_id("provider", query.provider.as_deref())?;
    let found = service::view_installation(&state.service, &actor, provider, id(&key)?).await?;
    Ok(Json(detail(found)))
}

/// Retire a server
///
/// It is gone: it is not expected from the next month on and gets no license any more. What it owes up to now stays.
#[utoipa::path(
    post,
    path = "/installations/{id}/retire",
    tag = "installations",
    params(("id" = String, Path, description = "The server's id"), ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    responses((status = 200, body = wire::ServerDetail), (status = "4XX", body = ProblemBody))
)]
async fn retire_installation(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Keyed(idempotency): Keyed,
) -> Result<Json<wire::ServerDetail>, ApiProblem> {
    let key = id(&key)?;
    service::retire_installation(&state.service, &actor, key, idempotency).await?;
    shown(&state, &actor, key).await
}

/// Void a server
///
/// It should never have been: somebody used a code that was not theirs. It is retired, and nothing that it sends counts;
/// its months up to now are answered in their review.
#[utoipa::path(
    post,
    path = "/installations/{id}/void",
    tag = "installations",
    params(("id" = String, Path, description = "The server's id"), ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    responses((status = 200, body = wire::ServerDetail), (status = "4XX", body = ProblemBody))
)]
async fn void_installation(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Keyed(idempotency): Keyed,
) -> Result<Json<wire::ServerDetail>, ApiProblem> {
    let key = id(&key)?;
    service::void_installation(&state.service, &actor, key, idempotency).await?;
    shown(&state, &actor, key).await
}

/// Re-identify a server
///
/// Makes a one-time code with which a machine activates anew in place of this server: after a reinstallation, a lost key, or
/// for one side of a clone. Each call makes another code and voids the one before, so `Idempotency-Key` is not needed.
#[utoipa::path(
    post,
    path = "/installations/{id}/re-identify",
    tag = "installations",
    params(("id" = String, Path, description = "The server's id")),
    responses((status = 200, body = wire::LicenseFile), (status = "4XX", body = ProblemBody))
)]
async fn reidentify_installation(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
) -> Result<Json<wire::LicenseFile>, ApiProblem> {
    let file = service::reidentify_installation(&state.service, &actor, id(&key)?).await?;
    let (activation_code, code_until) = file.activation.unzip();
    Ok(Json(wire::LicenseFile { file_name: file.file_name, content: file.content, activation_code, code_until }))
}

/// Settle a clone or a set-back
///
/// `one_machine` ends the suspension of a server that only looked like two, and counts what it sent meanwhile; `noted` says
/// that a set-back is in order. Two real machines are settled by re-identifying one of them.
#[utoipa::path(
    post,
    path = "/installations/{id}/resolve",
    tag = "installations",
    params(("id" = String, Path, description = "The server's id"), ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    request_body = wire::ResolveServer,
    responses((status = 200, body = wire::ServerDetail), (status = "4XX", body = ProblemBody))
)]
async fn resolve_installation(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Once { body, idempotency }: Once<wire::ResolveServer>,
) -> Result<Json<wire::ServerDetail>, ApiProblem> {
    let key = id(&key)?;
    let verdict = match body.verdict {
        wire::Verdict::OneMachine => CloneVerdict::OneMachine,
        wire::Verdict::Noted => CloneVerdict::Noted,
    };
    service::resolve_clone(&state.service, &actor, key, verdict, idempotency).await?;
    shown(&state, &actor, key).await
}

/// Update a server now
///
/// It gets the newest license at its next check-in, also when its automatic update is off, and checks in again within the
/// hour.
#[utoipa::path(
    post,
    path = "/installations/{id}/update-now",
    tag = "installations",
    params(("id" = String, Path, description = "The server's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn update_installation_now(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
) -> Result<StatusCode, ApiProblem> {
    service::update_installation_now(&state.service, &actor, id(&key)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
