//! A provider's end customers.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use tenure_service as service;
use tenure_service::Paging;
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, Once, query_id};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_companies, create_company))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The provider; the caller's own organization otherwise.
    provider: Option<String>,
    /// The cursor of the page before; leave it out for the first page.
    cursor: Option<String>,
    /// Items wanted, 1 to 200; 50 otherwise.
    limit: Option<u32>,
}

/// List companies
///
/// The provider's end customers in the order they were added; only those of its site for a caller confined to one.
#[utoipa::path(
    get,
    path = "/companies",
    tag = "companies",
    params(ListQuery),
    responses((status = 200, body = wire::CompanyPage), (status = "4XX", body = ProblemBody))
)]
async fn list_companies(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<wire::CompanyPage>, ApiProblem> {
    let provider = query_id("provider", query.provider.as_deref())?;
    let paging = Paging { cursor: query.cursor, limit: query.limit };
    let page = service::list_companies(&state.service, &actor, provider, &paging).await?;
    let next = page.next.clone();
    Ok(Json(wire::CompanyPage { items: page.items.into_iter().map(shape).collect(), next }))
}

/// Add a company
///
/// An end customer of the caller's own organization. Two companies may carry the same name.
#[utoipa::path(
    post,
    path = "/companies",
    tag = "companies",
    params(("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    request_body = wire::NewCompany,
    responses((status = 201, body = wire::Company), (status = "4XX", body = ProblemBody))
)]
async fn create_company(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Once { body, idempotency }: Once<wire::NewCompany>,
) -> Result<(StatusCode, Json<wire::Company>), ApiProblem> {
    let input = service::NewCompany { name: body.name, site: body.site };
    let row = service::create_company(&state.service, &actor, input, idempotency).await?;
    Ok((StatusCode::CREATED, Json(shape(row))))
}

fn shape(row: service::CompanyRow) -> wire::Company {
    wire::Company { id: row.id, name: row.name, site: row.site, created_at: row.created }
}
