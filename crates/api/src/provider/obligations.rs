//! What servers owe, a month each (F2).

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use tenure_service as service;
use tenure_service::{OwedFilter, Paging};
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{ApiQuery, Once, id, query_id},
    installation_shape::obligation,
    usage_lines::answer,
};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_obligations)).routes(routes!(resolve_obligation))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The provider; the caller's own organization otherwise.
    provider: Option<String>,
    /// One month, as `2026-01`.
    period: Option<String>,
    /// One company.
    company: Option<String>,
    /// One product.
    product: Option<String>,
    /// Only what no submission has taken yet, or only what one has.
    open: Option<bool>,
    /// Only what nothing accounts for yet, or only what something does: a final report, an answer, a line entered by hand,
    /// a submission.
    owed: Option<bool>,
    /// The cursor of the page before; leave it out for the first page.
    cursor: Option<String>,
    /// Items wanted, 1 to 200; 50 otherwise.
    limit: Option<u32>,
}

/// List obligations
///
/// Each month in which a server had a valid license, newest first, and what accounts for it. Nothing that happens to a
/// license or a server takes a month from this list.
#[utoipa::path(
    get,
    path = "/obligations",
    tag = "obligations",
    params(ListQuery),
    responses((status = 200, body = wire::ObligationPage), (status = "4XX", body = ProblemBody))
)]
async fn list_obligations(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<wire::ObligationPage>, ApiProblem> {
    let filter = OwedFilter {
        period: query_id("period", query.period.as_deref())?,
        company: query_id("company", query.company.as_deref())?,
        product: query_id("product", query.product.as_deref())?,
        open: query.open,
        owed: query.owed,
        site: None,
    };
    let paging = Paging { cursor: query.cursor, limit: query.limit };
    let provider = query_id("provider", query.provider.as_deref())?;
    let page = service::list_obligations(&state.service, &actor, provider, filter, &paging).await?;
    Ok(Json(wire::ObligationPage { next: page.next, items: page.items.into_iter().map(obligation).collect() }))
}

/// Resolve an obligation
///
/// Answers for a server in a month that is open for changes: with figures, with what its weekly figures reached, or with
/// zero. The month's submission takes the answer for good.
#[utoipa::path(
    put,
    path = "/obligations/{period}/{installation}",
    tag = "obligations",
    params(
        ("period" = String, Path, description = "The month, as 2026-01"),
        ("installation" = String, Path, description = "The server")
    ),
    request_body = wire::NewAnswer,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn resolve_obligation(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((period, installation)): Path<(String, String)>,
    once: Once<wire::NewAnswer>,
) -> Result<StatusCode, ApiProblem> {
    let answer = answer(once.body)?;
    service::resolve_obligation(&state.service, &actor, id(&period)?, id(&installation)?, answer).await?;
    Ok(StatusCode::NO_CONTENT)
}
