//! Machines' tokens.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use tenure_service as service;
use tenure_service::{Paging, ProblemKind, TokenFilter, TokenScope};
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, Once, id};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(get_token, revoke_token))
        .routes(routes!(rotate_token))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Only those in force, or only those that are not.
    active: Option<bool>,
    /// `read`, `manage` or `report`.
    scope: Option<String>,
    /// The cursor of the page before; leave it out for the first page.
    cursor: Option<String>,
    /// Items wanted, 1 to 200; 50 otherwise.
    limit: Option<u32>,
}

/// List API tokens
///
/// Those of the caller's organization in the order they were made; for its administrators.
#[utoipa::path(
    get,
    path = "/tokens",
    tag = "tokens",
    params(ListQuery),
    responses((status = 200, body = wire::TokenPage), (status = "4XX", body = ProblemBody))
)]
async fn list_tokens(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<wire::TokenPage>, ApiProblem> {
    let filter = TokenFilter { active: query.active, scope: query.scope.as_deref().map(scope).transpose()? };
    let paging = Paging { cursor: query.cursor, limit: query.limit };
    let page = service::list_tokens(&state.service, &actor, filter, &paging).await?.map(shape);
    Ok(Json(wire::TokenPage { items: page.items, next: page.next }))
}

/// Make an API token
///
/// For people; the token is in the answer, once. It acts for the organization, within its scope and site.
#[utoipa::path(
    post,
    path = "/tokens",
    tag = "tokens",
    params(("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    request_body = wire::NewToken,
    responses((status = 201, body = wire::CreatedToken), (status = "4XX", body = ProblemBody))
)]
async fn create_token(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Once { body, idempotency }: Once<wire::NewToken>,
) -> Result<(StatusCode, Json<wire::CreatedToken>), ApiProblem> {
    let input =
        service::NewToken { name: body.name, scope: scope(&body.scope)?, site: body.site, expires: body.expires_at };
    let created = service::create_token(&state.service, &actor, input, idempotency).await?;
    let body = wire::CreatedToken { id: created.id, token: created.token.to_string() };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Show an API token
///
/// Never the token itself.
#[utoipa::path(
    get,
    path = "/tokens/{token}",
    tag = "tokens",
    params(("token" = String, Path, description = "The token's id")),
    responses((status = 200, body = wire::Token), (status = "4XX", body = ProblemBody))
)]
async fn get_token(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(token): Path<String>,
) -> Result<Json<wire::Token>, ApiProblem> {
    Ok(Json(shape(service::view_token(&state.service, &actor, id(&token)?).await?)))
}

/// Revoke an API token
///
/// For people; it ends at once.
#[utoipa::path(
    delete,
    path = "/tokens/{token}",
    tag = "tokens",
    params(("token" = String, Path, description = "The token's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn revoke_token(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(token): Path<String>,
) -> Result<StatusCode, ApiProblem> {
    service::revoke_token(&state.service, &actor, id(&token)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Rotate an API token
///
/// For people: makes another token of the same name, scope and site, and ends the old one after the overlap.
#[utoipa::path(
    post,
    path = "/tokens/{token}/rotate",
    tag = "tokens",
    params(
        ("token" = String, Path, description = "The token's id"),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")
    ),
    request_body = wire::TokenRotation,
    responses((status = 201, body = wire::RotatedToken), (status = "4XX", body = ProblemBody))
)]
async fn rotate_token(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(token): Path<String>,
    Once { body, idempotency }: Once<wire::TokenRotation>,
) -> Result<(StatusCode, Json<wire::RotatedToken>), ApiProblem> {
    let input = service::TokenRotation { expires: body.expires_at, overlap_hours: body.overlap_hours };
    let made = service::rotate_token(&state.service, &actor, id(&token)?, input, idempotency).await?;
    let body = wire::RotatedToken {
        id: made.created.id,
        token: made.created.token.to_string(),
        old_expires_at: made.old_expires,
    };
    Ok((StatusCode::CREATED, Json(body)))
}

fn scope(word: &str) -> Result<TokenScope, ApiProblem> {
    Ok(word.parse().map_err(|_| ProblemKind::InvalidInput.because("`scope` is read, manage or report"))?)
}

fn shape(row: service::TokenRow) -> wire::Token {
    wire::Token {
        id: row.id,
        name: row.name,
        scope: match row.scope {
            TokenScope::Read => "read",
            TokenScope::Manage => "manage",
            TokenScope::Report => "report",
        }
        .to_owned(),
        site: row.site,
        created_by: row.created_by,
        created_at: row.created,
        expires_at: row.expires,
        used_at: row.used,
        revoked_at: row.revoked,
    }
}
