//! Enrollment in automatic reporting.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use tenure_core::reporting::Enrollment;
use tenure_service as service;
use tenure_service::{Decision, EnrollmentFilter, Paging};
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, Keyed, Once, ProviderQuery, id, query_id};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_enrollment, request_enrollment, withdraw_enrollment))
        .routes(routes!(get_enrollment_history))
        .routes(routes!(list_enrollments))
        .routes(routes!(decide_enrollment))
}

/// Show the enrollment in automatic reporting
///
/// Whether a provider's products may report by themselves, and what that means for it.
#[utoipa::path(
    get,
    path = "/enrollment",
    tag = "enrollment",
    params(ProviderQuery),
    responses((status = 200, body = wire::Enrollment), (status = "4XX", body = ProblemBody))
)]
async fn get_enrollment(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<ProviderQuery>,
) -> Result<Json<wire::Enrollment>, ApiProblem> {
    let provider = query_id("provider", query.provider.as_deref())?;
    Ok(Json(shape(service::view_enrollment(&state.service, &actor, provider).await?)))
}

/// Ask for automatic reporting
///
/// For the caller's own organization, which confirms the requirements. The vendor decides.
#[utoipa::path(
    post,
    path = "/enrollment",
    tag = "enrollment",
    params(("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    request_body = wire::EnrollmentRequest,
    responses((status = 200, body = wire::Enrollment), (status = "4XX", body = ProblemBody))
)]
async fn request_enrollment(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Once { body, idempotency }: Once<wire::EnrollmentRequest>,
) -> Result<Json<wire::Enrollment>, ApiProblem> {
    let confirmed = body.requirements_confirmed;
    Ok(Json(shape(service::request_enrollment(&state.service, &actor, confirmed, idempotency).await?)))
}

/// Take the request for automatic reporting back
///
/// While the vendor has not decided. It may be asked for again.
#[utoipa::path(
    delete,
    path = "/enrollment",
    tag = "enrollment",
    params(("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    responses((status = 200, body = wire::Enrollment), (status = "4XX", body = ProblemBody))
)]
async fn withdraw_enrollment(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Keyed(idempotency): Keyed,
) -> Result<Json<wire::Enrollment>, ApiProblem> {
    Ok(Json(shape(service::withdraw_enrollment(&state.service, &actor, idempotency).await?)))
}

/// Show what became of an enrollment
///
/// Each request, withdrawal and decision, oldest first.
#[utoipa::path(
    get,
    path = "/enrollment/history",
    tag = "enrollment",
    params(ProviderQuery),
    responses((status = 200, body = wire::EnrollmentHistory), (status = "4XX", body = ProblemBody))
)]
async fn get_enrollment_history(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<ProviderQuery>,
) -> Result<Json<wire::EnrollmentHistory>, ApiProblem> {
    let provider = query_id("provider", query.provider.as_deref())?;
    let changes = service::enrollment_history(&state.service, &actor, provider).await?;
    let change = |each: service::EnrollmentChange| wire::EnrollmentChange {
        at: each.at,
        state: each.state,
        reason: each.reason,
        by: each.by.name,
    };
    Ok(Json(wire::EnrollmentHistory { changes: changes.into_iter().map(change).collect() }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those in this state: `requested`, `active` or `declined`.
    #[param(value_type = Option<String>)]
    state: Option<EnrollmentFilter>,
    /// The cursor of the page before; leave it out for the first page.
    cursor: Option<String>,
    /// Items wanted, 1 to 200; 50 otherwise.
    limit: Option<u32>,
}

/// List enrollments
///
/// Of all providers that ever asked; for the vendor. `state=requested` are those that wait for a decision.
#[utoipa::path(
    get,
    path = "/enrollments",
    tag = "enrollment",
    params(ListQuery),
    responses((status = 200, body = wire::EnrollmentPage), (status = "4XX", body = ProblemBody))
)]
async fn list_enrollments(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<wire::EnrollmentPage>, ApiProblem> {
    let paging = Paging { cursor: query.cursor, limit: query.limit };
    let page = service::list_enrollments(&state.service, &actor, query.state, &paging).await?.map(shape);
    Ok(Json(wire::EnrollmentPage { items: page.items, next: page.next }))
}

/// Decide on an enrollment
///
/// For the vendor's administrator: approves, or declines with a reason that the provider reads.
#[utoipa::path(
    post,
    path = "/enrollment/{provider}/decision",
    tag = "enrollment",
    params(
        ("provider" = String, Path, description = "The provider that asked"),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")
    ),
    request_body = wire::EnrollmentDecision,
    responses((status = 200, body = wire::Enrollment), (status = "4XX", body = ProblemBody))
)]
async fn decide_enrollment(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(provider): Path<String>,
    Once { body, idempotency }: Once<wire::EnrollmentDecision>,
) -> Result<Json<wire::Enrollment>, ApiProblem> {
    let decision = if body.approve { Decision::Approve } else { Decision::Decline(body.reason) };
    let view = service::decide_enrollment(&state.service, &actor, id(&provider)?, decision, idempotency).await?;
    Ok(Json(shape(view)))
}

fn shape(view: service::EnrollmentView) -> wire::Enrollment {
    let meaning = service::enrollment_text(&view);
    let (state, reason) = match view.enrollment {
        Enrollment::NotRequested => (wire::EnrollmentState::NotRequested, String::new()),
        Enrollment::Requested => (wire::EnrollmentState::Requested, String::new()),
        Enrollment::Active => (wire::EnrollmentState::Active, String::new()),
        Enrollment::Declined { reason } => (wire::EnrollmentState::Declined, reason),
    };
    let provider = wire::OrgRef { id: view.provider, name: view.provider_name };
    wire::Enrollment { provider, state, reason, changed_at: view.changed, meaning }
}
