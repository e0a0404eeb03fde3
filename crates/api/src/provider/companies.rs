//! A provider's end customers, and the resellers among them.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use tenure_service as service;
use tenure_service::{CompanyFilter, CompanyKind, Paging};
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, Once, ProviderQuery, Seen, Tagged, id, query_id};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_companies, create_company))
        .routes(routes!(list_namesakes))
        .routes(routes!(get_company, edit_company))
        .routes(routes!(merge_companies))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// The provider; the caller's own organization otherwise.
    provider: Option<String>,
    /// Part of the name, in any case.
    name: Option<String>,
    /// `customer` or `reseller`.
    #[param(inline)]
    kind: Option<wire::CompanyKind>,
    /// The site that serves it.
    site: Option<String>,
    /// The reseller that serves it.
    reseller: Option<String>,
    /// Only those that may get new licenses, or only closed ones.
    open: Option<bool>,
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
    let filter = CompanyFilter {
        name: query.name,
        kind: query.kind.map(kind),
        site: query_id("site", query.site.as_deref())?,
        reseller: query_id("reseller", query.reseller.as_deref())?,
        open: query.open,
    };
    let paging = Paging { cursor: query.cursor, limit: query.limit };
    let page = service::list_companies(&state.service, &actor, provider, filter, &paging).await?.map(shape);
    Ok(Json(wire::CompanyPage { items: page.items, next: page.next }))
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
    let input =
        service::NewCompany { name: body.name, site: body.site, kind: kind(body.kind), reseller: body.reseller };
    let row = service::create_company(&state.service, &actor, input, idempotency).await?;
    Ok((StatusCode::CREATED, Json(shape(row))))
}

/// Show a company
///
/// The answer's `ETag` names what an edit means.
#[utoipa::path(
    get,
    path = "/companies/{company}",
    tag = "companies",
    params(("company" = String, Path, description = "The company"), ProviderQuery),
    responses((status = 200, body = wire::Company), (status = "4XX", body = ProblemBody))
)]
async fn get_company(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(company): Path<String>,
    ApiQuery(query): ApiQuery<ProviderQuery>,
) -> Result<Tagged<wire::Company>, ApiProblem> {
    let provider = query_id("provider", query.provider.as_deref())?;
    let row = service::view_company(&state.service, &actor, provider, id(&company)?).await?;
    Ok(Tagged(service::company_tag(&row), shape(row)))
}

/// Edit, close or open a company
///
/// Of the caller's own organization. A closed company gets no new license; it is closed once it holds none.
#[utoipa::path(
    patch,
    path = "/companies/{company}",
    tag = "companies",
    params(
        ("company" = String, Path, description = "The company"),
        ("if-match" = String, Header, description = "The company's `ETag`")
    ),
    request_body = wire::CompanyChange,
    responses((status = 200, body = wire::Company), (status = "4XX", body = ProblemBody))
)]
async fn edit_company(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(company): Path<String>,
    Seen(seen): Seen,
    Once { body, .. }: Once<wire::CompanyChange>,
) -> Result<Tagged<wire::Company>, ApiProblem> {
    let input = service::CompanyChange {
        name: body.name,
        site: body.site,
        kind: body.kind.map(kind),
        reseller: body.reseller,
        open: body.open,
    };
    let row = service::edit_company(&state.service, &actor, id(&company)?, seen, input).await?;
    Ok(Tagged(service::company_tag(&row), shape(row)))
}

/// List companies of one name
///
/// Open companies of the caller's own organization that carry one name, and what merging them would come to. Nothing is
/// changed.
#[utoipa::path(
    get,
    path = "/companies/namesakes",
    tag = "companies",
    responses((status = 200, body = wire::NamesakeList), (status = "4XX", body = ProblemBody))
)]
async fn list_namesakes(
    State(state): State<AppState>,
    Principal(actor): Principal,
) -> Result<Json<wire::NamesakeList>, ApiProblem> {
    let one = |side: service::MergeSide| wire::Namesake {
        company: wire::CompanyRef { id: side.company.id, name: side.company.name },
        licenses: side.licenses,
    };
    let found = service::preview_merges(&state.service, &actor).await?.into_iter();
    let group = |found: tenure_core::company::Namesakes<service::MergeSide>| wire::Namesakes {
        keep: one(found.keep),
        others: found.others.into_iter().map(one).collect(),
    };
    Ok(Json(wire::NamesakeList { items: found.map(group).collect() }))
}

/// Merge companies into one
///
/// The licenses of the companies named move to this one, with id and validity, and those companies are closed; opening one
/// again takes it out. At most 100 licenses move at once.
#[utoipa::path(
    post,
    path = "/companies/{company}/merge",
    tag = "companies",
    params(
        ("company" = String, Path, description = "The company that stays"),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")
    ),
    request_body = wire::CompanyMerge,
    responses((status = 200, body = wire::Company), (status = "4XX", body = ProblemBody))
)]
async fn merge_companies(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(company): Path<String>,
    Once { body, idempotency }: Once<wire::CompanyMerge>,
) -> Result<Json<wire::Company>, ApiProblem> {
    let into = id(&company)?;
    let merged = body.companies.into_iter().collect();
    service::merge_companies(&state.service, &actor, into, merged, idempotency).await?;
    Ok(Json(shape(service::view_company(&state.service, &actor, None, into).await?)))
}

const fn kind(kind: wire::CompanyKind) -> CompanyKind {
    match kind {
        wire::CompanyKind::Customer => CompanyKind::Customer,
        wire::CompanyKind::Reseller => CompanyKind::Reseller,
    }
}

fn shape(row: service::CompanyRow) -> wire::Company {
    wire::Company {
        id: row.id,
        name: row.name,
        kind: match row.kind {
            CompanyKind::Customer => wire::CompanyKind::Customer,
            CompanyKind::Reseller => wire::CompanyKind::Reseller,
        },
        site: row.site,
        reseller: row.reseller,
        created_at: row.created,
        closed_at: row.closed,
        merged_into: row.merged_into,
    }
}
