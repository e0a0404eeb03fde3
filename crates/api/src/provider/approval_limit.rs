//! A distributor's rule of two people.

use axum::{Json, extract::State, http::StatusCode};
use tenure_service as service;
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{ApiJson, ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_approval_limit, set_approval_limit))
}

/// Show the rule of two people
///
/// For a distributor's own people and tokens.
#[utoipa::path(
    get,
    path = "/approval-limit",
    tag = "monthly usages",
    responses((status = 200, body = wire::ApprovalLimit), (status = "4XX", body = ProblemBody))
)]
async fn get_approval_limit(
    State(state): State<AppState>,
    Principal(actor): Principal,
) -> Result<Json<wire::ApprovalLimit>, ApiProblem> {
    let limit = service::view_approval_limit(&state.service, &actor).await?;
    let set = limit.set.map(|(at, by)| wire::Done { at, by: by.name });
    Ok(Json(wire::ApprovalLimit { above: limit.above, set }))
}

/// Set the rule of two people
///
/// For a distributor's administrators. Months of more points than `above` are approved by two different people, and never by
/// the automatic rule; `null` lets one person approve whatever it is. It holds at once, also for months that wait.
#[utoipa::path(
    put,
    path = "/approval-limit",
    tag = "monthly usages",
    request_body = wire::NewApprovalLimit,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn set_approval_limit(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiJson(body): ApiJson<wire::NewApprovalLimit>,
) -> Result<StatusCode, ApiProblem> {
    service::set_approval_limit(&state.service, &actor, body.above).await?;
    Ok(StatusCode::NO_CONTENT)
}
