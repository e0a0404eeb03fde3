//! The product catalog.

use axum::{Json, extract::State};
use serde::Deserialize;
use tenure_core::Period;
use tenure_service as service;
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::ApiQuery;
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_catalog))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct OfMonth {
    /// A month, as 2026-05.
    #[param(value_type = Option<String>)]
    period: Option<Period>,
}

/// Show the catalog
///
/// All products with their workload types and the points per unit of a month: the running one where none is named.
#[utoipa::path(
    get,
    path = "/catalog",
    tag = "catalog",
    params(OfMonth),
    responses((status = 200, body = wire::Catalog), (status = "4XX", body = ProblemBody))
)]
async fn get_catalog(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<OfMonth>,
) -> Result<Json<wire::Catalog>, ApiProblem> {
    let catalog = match query.period {
        Some(period) => service::list_catalog_of(&state.service, &actor, period).await?,
        None => service::list_catalog(&state.service, &actor).await?,
    };
    Ok(Json(wire::Catalog { period: catalog.period, products: catalog.products.into_iter().map(product).collect() }))
}

pub(super) fn product(view: service::ProductView) -> wire::Product {
    let workloads = view.workloads.into_iter().map(|(row, weight)| wire::WorkloadType {
        code: row.code,
        variant: row.variant,
        name: row.name,
        unit: row.unit,
        weight,
    });
    wire::Product {
        id: view.product.id,
        code: view.product.code,
        name: view.product.name,
        edition: view.product.edition,
        version: view.product.version,
        reports: view.product.reports,
        workloads: workloads.collect(),
    }
}
