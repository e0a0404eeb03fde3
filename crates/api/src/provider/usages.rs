//! Monthly usages: what waits, lists, one with its lines, its submission and the decision about it.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
};
use serde::Deserialize;
use tenure_license::Hash;
use tenure_service as service;
use tenure_service::{LinesTag, MonthRef, ProblemKind, SubmitInput};
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{ApiQuery, Once, PageQuery, id},
    usage_shape,
};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(my_actions))
        .routes(routes!(list_monthly_usages))
        .routes(routes!(get_monthly_usage))
        .routes(routes!(start_review))
        .routes(routes!(submit_monthly_usage))
        .routes(routes!(get_receipt))
        .routes(routes!(approve_monthly_usage))
        .routes(routes!(consent_to_monthly_usage))
        .routes(routes!(reject_monthly_usage))
        .routes(routes!(close_monthly_usage))
        .routes(routes!(set_auto_submit))
        .routes(routes!(submit_part))
        .routes(routes!(return_part))
}

/// The month a path names: `2026-01` for one's own, or an id.
pub(super) fn which(text: &str) -> Result<MonthRef, ApiProblem> {
    id(text)
}

/// The lines that `If-Match` names; it is required.
fn seen(headers: &HeaderMap) -> Result<LinesTag, ApiProblem> {
    let value = headers.get(header::IF_MATCH).ok_or(ProblemKind::PreconditionRequired)?;
    let text = value.to_str().unwrap_or_default().trim();
    let tag = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    // What is no tag of ours names other lines than these.
    let tag = tag.and_then(|tag| tag.parse().ok());
    Ok(tag.ok_or_else(|| ProblemKind::Changed.because("`If-Match` is not an ETag of this month"))?)
}

/// What waits
///
/// *Monthly Usages > My Actions*: what the caller's organization has to do, by when, and what happens otherwise. A
/// distributor sees the months that wait for its decision, the vendor those that need its consent.
#[utoipa::path(
    get,
    path = "/my-actions",
    tag = "monthly usages",
    responses((status = 200, body = wire::MyActions), (status = "4XX", body = ProblemBody))
)]
async fn my_actions(
    State(state): State<AppState>,
    Principal(actor): Principal,
) -> Result<Json<wire::MyActions>, ApiProblem> {
    Ok(Json(usage_shape::actions(service::my_actions(&state.service, &actor).await?)))
}

/// List monthly usages
///
/// Newest first: a provider's own, those of a distributor's agreements, or all for the vendor.
#[utoipa::path(
    get,
    path = "/monthly-usages",
    tag = "monthly usages",
    params(PageQuery),
    responses((status = 200, body = wire::MonthlyUsagePage), (status = "4XX", body = ProblemBody))
)]
async fn list_monthly_usages(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<wire::MonthlyUsagePage>, ApiProblem> {
    let page = service::list_months(&state.service, &actor, &query.into()).await?.map(usage_shape::summary);
    Ok(Json(wire::MonthlyUsagePage { items: page.items, next: page.next }))
}

/// Get a monthly usage
///
/// With all its lines, what is flagged, and what stands against a submission. The `ETag` names the lines.
#[utoipa::path(
    get,
    path = "/monthly-usages/{month}",
    tag = "monthly usages",
    params(("month" = String, Path, description = "The month, as 2026-01, of one's own organization; or an id.")),
    responses(
        (status = 200, body = wire::MonthlyUsage, headers(("etag" = String, description = "Names the lines."))),
        (status = "4XX", body = ProblemBody)
    )
)]
async fn get_monthly_usage(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
) -> Result<([(HeaderName, String); 1], Json<wire::MonthlyUsage>), ApiProblem> {
    let month = service::view_month(&state.service, &actor, which(&month)?).await?;
    let tag = [(header::ETAG, format!("\"{}\"", month.tag))];
    Ok((tag, Json(usage_shape::month(month))))
}

/// Start the review
///
/// Before all reports are in. Any change of a line does it too.
#[utoipa::path(
    post,
    path = "/monthly-usages/{month}/review",
    tag = "monthly usages",
    params(("month" = String, Path, description = "The month, as 2026-01; or an id.")),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn start_review(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
) -> Result<StatusCode, ApiProblem> {
    service::start_review(&state.service, &actor, which(&month)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Submit a monthly usage
///
/// To the distributor. `If-Match` names the lines that were seen; if they changed, nothing is submitted and the problem's
/// `changes` say what did. The same submission again gives the same answer.
#[utoipa::path(
    post,
    path = "/monthly-usages/{month}/submit",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("if-match" = String, Header, description = "The month's `ETag`.")
    ),
    request_body = wire::SubmitUsage,
    responses((status = 200, body = wire::SubmittedUsage), (status = "4XX", body = ProblemBody))
)]
async fn submit_monthly_usage(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
    headers: HeaderMap,
    once: Once<wire::SubmitUsage>,
) -> Result<Json<wire::SubmittedUsage>, ApiProblem> {
    let which = which(&month)?;
    let input =
        SubmitInput { seen: seen(&headers)?, purchase_order: once.body.purchase_order, comment: once.body.comment };
    let submitted = service::submit_month(&state.service, &actor, which, input).await?;
    let receipt = service::view_receipt(&state.service, &actor, which, Some(submitted.number)).await?;
    Ok(Json(wire::SubmittedUsage {
        number: submitted.number,
        at: submitted.at,
        lines_hash: Hash::from_bytes(submitted.lines_hash).to_string(),
        reported: submitted.reported,
        total: submitted.total,
        receipt: envelope(&receipt.envelope)?,
    }))
}

pub(super) fn envelope(envelope: &tenure_license::Envelope) -> Result<serde_json::Value, ApiProblem> {
    Ok(serde_json::to_value(envelope).map_err(|_| service::Error::Internal("an envelope is JSON"))?)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ReceiptQuery {
    /// Which submission of the month, from 1; the newest otherwise.
    number: Option<u32>,
}

/// Get the receipt of a submission
///
/// The server's signed statement that it durably holds exactly these lines.
#[utoipa::path(
    get,
    path = "/monthly-usages/{month}/receipt",
    tag = "monthly usages",
    params(("month" = String, Path, description = "The month, as 2026-01; or an id."), ReceiptQuery),
    responses((status = 200, body = wire::SubmissionReceipt), (status = "4XX", body = ProblemBody))
)]
async fn get_receipt(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
    ApiQuery(query): ApiQuery<ReceiptQuery>,
) -> Result<Json<wire::SubmissionReceipt>, ApiProblem> {
    let found = service::view_receipt(&state.service, &actor, which(&month)?, query.number).await?;
    let receipt = found.receipt;
    let tenure_license::payload::ReceiptSubject::Submission { usage, provider, period, number, reported, total } =
        receipt.subject
    else {
        return Err(service::Error::Internal("a submission's receipt is of a submission").into());
    };
    Ok(Json(wire::SubmissionReceipt {
        usage,
        provider,
        period,
        number,
        received_at: tenure_core::Timestamp::from_secs(receipt.received_at),
        lines_hash: receipt.hash.to_string(),
        reported,
        total,
        envelope: envelope(&found.envelope)?,
    }))
}

/// Approve a monthly usage
///
/// For the distributor; it closes the month. `If-Match` names the lines that were seen. Nobody approves what their own
/// user or organization submitted. Above the distributor's limit (`/approval-limit`) two different people approve: the first
/// approval is noted in `approved_first`, the second closes the month, and a token is neither.
#[utoipa::path(
    post,
    path = "/monthly-usages/{month}/approve",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The monthly usage's id."),
        ("if-match" = String, Header, description = "The month's `ETag`.")
    ),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn approve_monthly_usage(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiProblem> {
    service::approve_month(&state.service, &actor, which(&month)?, seen(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Consent to lowered figures
///
/// For the vendor, where figures were lowered below the products' own by more than the threshold. The distributor decides
/// all the same. `If-Match` names the lines that were seen.
#[utoipa::path(
    post,
    path = "/monthly-usages/{month}/consent",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The monthly usage's id."),
        ("if-match" = String, Header, description = "The month's `ETag`.")
    ),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn consent_to_monthly_usage(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiProblem> {
    service::consent_to_month(&state.service, &actor, which(&month)?, seen(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reject a monthly usage
///
/// For the distributor, with a reason. The provider may change and submit it again; for five days it counts as submitted.
/// `If-Match` names the lines that were seen.
#[utoipa::path(
    post,
    path = "/monthly-usages/{month}/reject",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The monthly usage's id."),
        ("if-match" = String, Header, description = "The month's `ETag`.")
    ),
    request_body = wire::Reason,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn reject_monthly_usage(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
    headers: HeaderMap,
    once: Once<wire::Reason>,
) -> Result<StatusCode, ApiProblem> {
    service::reject_month(&state.service, &actor, which(&month)?, seen(&headers)?, once.body.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Close a monthly usage
///
/// For the vendor, whatever its state, with a reason. `If-Match` names the lines that were seen.
#[utoipa::path(
    post,
    path = "/monthly-usages/{month}/close",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The monthly usage's id."),
        ("if-match" = String, Header, description = "The month's `ETag`.")
    ),
    request_body = wire::Reason,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn close_monthly_usage(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
    headers: HeaderMap,
    once: Once<wire::Reason>,
) -> Result<StatusCode, ApiProblem> {
    service::close_month(&state.service, &actor, which(&month)?, seen(&headers)?, once.body.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Submit by itself
///
/// Asks for this month and those after it to be submitted at noon of the deadline's day when nothing is missing or
/// flagged, or no longer asks for it.
#[utoipa::path(
    put,
    path = "/monthly-usages/{month}/auto-submit",
    tag = "monthly usages",
    params(("month" = String, Path, description = "The month, as 2026-01; or an id.")),
    request_body = wire::AutoSubmit,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn set_auto_submit(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
    once: Once<wire::AutoSubmit>,
) -> Result<StatusCode, ApiProblem> {
    service::set_auto_submit(&state.service, &actor, which(&month)?, once.body.on).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Submit a site's part
///
/// To the provider's primary license administrator.
#[utoipa::path(
    post,
    path = "/monthly-usages/{month}/parts/{site}/submit",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("site" = String, Path, description = "The site's id.")
    ),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn submit_part(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, site)): Path<(String, String)>,
) -> Result<StatusCode, ApiProblem> {
    service::submit_part(&state.service, &actor, which(&month)?, id(&site)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Return a site's part
///
/// With a reason, for the primary license administrator.
#[utoipa::path(
    post,
    path = "/monthly-usages/{month}/parts/{site}/return",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("site" = String, Path, description = "The site's id.")
    ),
    request_body = wire::Reason,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn return_part(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, site)): Path<(String, String)>,
    once: Once<wire::Reason>,
) -> Result<StatusCode, ApiProblem> {
    service::return_part(&state.service, &actor, which(&month)?, id(&site)?, once.body.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}
