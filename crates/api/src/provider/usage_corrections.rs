//! Corrections of closed months, marks on reviewed lines, and a distributor's rule.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use tenure_service as service;
use tenure_service::{NewCorrection, ProblemKind};
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{ApiQuery, Once, id, query_id},
    usage_record_shape as shape,
    usage_shape::{done, reason_code},
    usages::which,
};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_corrections))
        .routes(routes!(add_correction))
        .routes(routes!(remove_correction))
        .routes(routes!(mark_reviewed))
        .routes(routes!(get_approval_rule, set_approval_rule))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CorrectionQuery {
    /// The provider; one's own organization otherwise.
    provider: Option<String>,
    /// Only those of this closed month, as 2026-01.
    of: Option<String>,
}

/// List corrections
///
/// Usage of closed months that products sent late, or that people entered afterwards, billed in the last 13 months or
/// later; newest first, at most 500.
#[utoipa::path(
    get,
    path = "/corrections",
    tag = "monthly usages",
    params(CorrectionQuery),
    responses((status = 200, body = wire::CorrectionList), (status = "4XX", body = ProblemBody))
)]
async fn list_corrections(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<CorrectionQuery>,
) -> Result<Json<wire::CorrectionList>, ApiProblem> {
    let provider = query_id("provider", query.provider.as_deref())?;
    let of = query_id("of", query.of.as_deref())?;
    let list = service::list_corrections(&state.service, &actor, provider, of).await?;
    Ok(Json(wire::CorrectionList { items: list.into_iter().map(shape::correction).collect() }))
}

/// Correct a closed month by hand
///
/// For whoever submits the provider's months, and for the vendor. It becomes a line of the first month after it that is
/// neither submitted nor closed, and is approved with that; taking away more than the program's threshold also needs the
/// vendor's consent there.
#[utoipa::path(
    post,
    path = "/monthly-usages/{month}/corrections",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The closed month, as 2026-01; or an id."),
        ("idempotency-key" = Option<String>, Header, description = "Names this write; sent again, it is done once.")
    ),
    request_body = wire::NewCorrection,
    responses((status = 201, body = wire::CreatedCorrection), (status = "4XX", body = ProblemBody))
)]
async fn add_correction(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
    once: Once<wire::NewCorrection>,
) -> Result<(StatusCode, Json<wire::CreatedCorrection>), ApiProblem> {
    let input = NewCorrection {
        product: once.body.product,
        workload: once.body.workload,
        variant: once.body.variant,
        delta: once.body.delta,
        license: once.body.license,
        company: once.body.company,
        reason: once.body.reason.map(reason_code),
        note: once.body.note,
    };
    let entered = service::add_correction(&state.service, &actor, which(&month)?, input, once.idempotency).await?;
    let created = wire::CreatedCorrection { id: entered.id, billed_in: entered.billed_in };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Take a correction by hand back
///
/// While the month it is billed in is neither submitted nor closed.
#[utoipa::path(
    delete,
    path = "/monthly-usages/{month}/corrections/{correction}",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The closed month it is about, as 2026-01; or an id."),
        ("correction" = String, Path, description = "The correction.")
    ),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn remove_correction(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, correction)): Path<(String, String)>,
) -> Result<StatusCode, ApiProblem> {
    service::remove_correction(&state.service, &actor, which(&month)?, id(&correction)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mark lines as reviewed
///
/// Or no longer. A mark holds for a line with its figure: when that changes, it is gone.
#[utoipa::path(
    put,
    path = "/monthly-usages/{month}/reviewed",
    tag = "monthly usages",
    params(("month" = String, Path, description = "The month, as 2026-01; or an id.")),
    request_body = wire::ReviewedLines,
    responses((status = 200, body = wire::MarkedLines), (status = "4XX", body = ProblemBody))
)]
async fn mark_reviewed(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
    once: Once<wire::ReviewedLines>,
) -> Result<Json<wire::MarkedLines>, ApiProblem> {
    let tags = once.body.lines.iter().map(|text| text.parse::<tenure_license::Hash>().map(|hash| *hash.as_bytes()));
    let tags = tags.collect::<Result<Vec<_>, _>>();
    let tags = tags.map_err(|_| ProblemKind::InvalidInput.because("lines must be tags of lines"))?;
    let changed = service::mark_reviewed(&state.service, &actor, which(&month)?, tags, once.body.reviewed).await?;
    Ok(Json(wire::MarkedLines { changed }))
}

/// The distributor's rule
///
/// Whether the server approves months of the distributor's providers in which nothing is flagged.
#[utoipa::path(
    get,
    path = "/approval-rule",
    tag = "monthly usages",
    responses((status = 200, body = wire::ApprovalRule), (status = "4XX", body = ProblemBody))
)]
async fn get_approval_rule(
    State(state): State<AppState>,
    Principal(actor): Principal,
) -> Result<Json<wire::ApprovalRule>, ApiProblem> {
    let rule = service::view_approval_rule(&state.service, &actor).await?;
    Ok(Json(wire::ApprovalRule { on: rule.on.is_some(), since: rule.on.map(done) }))
}

/// Set the distributor's rule
///
/// It decides months that are submitted from then on; those that wait are left to people.
#[utoipa::path(
    put,
    path = "/approval-rule",
    tag = "monthly usages",
    request_body = wire::SetApprovalRule,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn set_approval_rule(
    State(state): State<AppState>,
    Principal(actor): Principal,
    once: Once<wire::SetApprovalRule>,
) -> Result<StatusCode, ApiProblem> {
    service::set_approval_rule(&state.service, &actor, once.body.on).await?;
    Ok(StatusCode::NO_CONTENT)
}
