//! Installations that the server lost: list, confirm, refuse.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use tenure_service as service;
use tenure_service::HeldConfirmation;
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, Keyed, Once, id, query_id};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_held_installations))
        .routes(routes!(confirm_held_installation))
        .routes(routes!(refuse_held_installation))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct OfQuery {
    /// The provider it belonged to; the caller's own organization otherwise, and for the vendor all.
    provider: Option<String>,
}

/// List lost servers
///
/// Servers that show an activation of ours, while the database that was restored has neither them nor their license. Each
/// waits for a person; what it sends is kept.
#[utoipa::path(
    get,
    path = "/held-installations",
    tag = "installations",
    params(OfQuery),
    responses((status = 200, body = wire::HeldServers), (status = "4XX", body = ProblemBody))
)]
async fn list_held_installations(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<OfQuery>,
) -> Result<Json<wire::HeldServers>, ApiProblem> {
    let provider = query_id("provider", query.provider.as_deref())?;
    let held = service::list_held(&state.service, &actor, provider).await?;
    let items = held.into_iter().map(|held| wire::HeldServer {
        id: held.installation,
        provider: held.provider,
        license: held.license,
        host: held.host,
        first_heard_at: held.heard.0,
        last_heard_at: held.heard.1,
        documents: held.documents,
    });
    Ok(Json(wire::HeldServers { items: items.collect() }))
}

/// Confirm a lost server
///
/// It exists again, under the license named, and what was kept of it is counted as of the day it came. It finds that out by
/// itself at its next check-in.
#[utoipa::path(
    post,
    path = "/held-installations/{id}/confirm",
    tag = "installations",
    params(("id" = String, Path, description = "The server's id"), ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    request_body = wire::ConfirmHeld,
    responses((status = 200, body = wire::HeldConfirmed), (status = "4XX", body = ProblemBody))
)]
async fn confirm_held_installation(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Once { body, idempotency }: Once<wire::ConfirmHeld>,
) -> Result<Json<wire::HeldConfirmed>, ApiProblem> {
    let wanted = HeldConfirmation { license: body.license, provider: body.provider };
    let documents_taken = service::confirm_held(&state.service, &actor, id(&key)?, wanted, idempotency).await?;
    Ok(Json(wire::HeldConfirmed { documents_taken }))
}

/// Refuse a lost server
///
/// It is nobody's: it is not listed any more, and nothing more of it is kept. What was kept stays as evidence.
#[utoipa::path(
    post,
    path = "/held-installations/{id}/refuse",
    tag = "installations",
    params(("id" = String, Path, description = "The server's id"), ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn refuse_held_installation(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Keyed(idempotency): Keyed,
) -> Result<StatusCode, ApiProblem> {
    service::refuse_held(&state.service, &actor, id(&key)?, idempotency).await?;
    Ok(StatusCode::NO_CONTENT)
}
