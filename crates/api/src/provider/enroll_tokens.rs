//! Enroll tokens of a license, and the servers that wait for approval.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use tenure_service as service;
use tenure_service::{ApplicantRow, EnrollTokenRow};
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, Keyed, Once, ProviderQuery, id, query_id};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_enroll_tokens, create_enroll_token))
        .routes(routes!(revoke_enroll_token))
        .routes(routes!(admit_applicant))
        .routes(routes!(refuse_applicant))
}

/// List enroll tokens
///
/// Those of a license, newest first, and the servers that wait for approval. Never the tokens themselves.
#[utoipa::path(
    get,
    path = "/licenses/{id}/enroll-tokens",
    tag = "licenses",
    params(("id" = String, Path, description = "A template's or license's id"), ProviderQuery),
    responses((status = 200, body = wire::EnrollTokens), (status = "4XX", body = ProblemBody))
)]
async fn list_enroll_tokens(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    ApiQuery(query): ApiQuery<ProviderQuery>,
) -> Result<Json<wire::EnrollTokens>, ApiProblem> {
    let provider = query_id("provider", query.provider.as_deref())?;
    let found = service::list_enroll_tokens(&state.service, &actor, provider, id(&key)?).await?;
    Ok(Json(wire::EnrollTokens {
        tokens: found.tokens.into_iter().map(token).collect(),
        applicants: found.applicants.into_iter().map(applicant).collect(),
    }))
}

/// Make an enroll token
///
/// With it a fleet activates the license: each server shows it where it would show an activation code. It is good for so
/// many servers, from these networks, until it ends; once the license has `license_limit` servers in use, each further one
/// waits for a person and gets no license. The token is in the answer, once.
#[utoipa::path(
    post,
    path = "/licenses/{id}/enroll-tokens",
    tag = "licenses",
    params(
        ("id" = String, Path, description = "A template's or license's id"),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")
    ),
    request_body = wire::NewEnrollToken,
    responses((status = 201, body = wire::CreatedEnrollToken), (status = "4XX", body = ProblemBody))
)]
async fn create_enroll_token(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Once { body, idempotency }: Once<wire::NewEnrollToken>,
) -> Result<(StatusCode, Json<wire::CreatedEnrollToken>), ApiProblem> {
    let input = service::NewEnrollToken {
        name: body.name,
        cap: body.servers,
        license_limit: body.license_limit,
        networks: body.networks,
        expires: body.expires_at,
    };
    let made = service::create_enroll_token(&state.service, &actor, id(&key)?, input, idempotency).await?;
    Ok((StatusCode::CREATED, Json(wire::CreatedEnrollToken { id: made.id, token: made.token.to_string() })))
}

/// Revoke an enroll token
///
/// It ends at once, and who waits with it does so no longer. Servers that it let in stay.
#[utoipa::path(
    delete,
    path = "/enroll-tokens/{id}",
    tag = "licenses",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn revoke_enroll_token(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
) -> Result<StatusCode, ApiProblem> {
    service::revoke_enroll_token(&state.service, &actor, id(&key)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Admit a server that waits
///
/// It gets its license when it asks again, which it does by itself within the hour.
#[utoipa::path(
    post,
    path = "/applicants/{id}/admit",
    tag = "licenses",
    params(("id" = String, Path, description = "The applicant's id"), ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn admit_applicant(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Keyed(idempotency): Keyed,
) -> Result<StatusCode, ApiProblem> {
    service::decide_applicant(&state.service, &actor, id(&key)?, true, idempotency).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuse a server that waits
///
/// With the key it has, it never joins.
#[utoipa::path(
    post,
    path = "/applicants/{id}/refuse",
    tag = "licenses",
    params(("id" = String, Path, description = "The applicant's id"), ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn refuse_applicant(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Keyed(idempotency): Keyed,
) -> Result<StatusCode, ApiProblem> {
    service::decide_applicant(&state.service, &actor, id(&key)?, false, idempotency).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn token(row: EnrollTokenRow) -> wire::EnrollToken {
    wire::EnrollToken {
        id: row.id,
        name: row.name,
        servers: row.cap,
        used: row.used,
        license_limit: row.license_limit,
        networks: row.networks.iter().map(ToString::to_string).collect(),
        created_at: row.created,
        expires_at: row.expires,
        revoked_at: row.revoked,
        shown_elsewhere_at: row.refused,
    }
}

fn applicant(row: ApplicantRow) -> wire::Applicant {
    wire::Applicant { id: row.id, token: row.token, host: row.name, address: row.address, asked_at: row.asked }
}
