//! The product catalog.

use axum::{Json, extract::State};
use tenure_service as service;
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_catalog))
}

/// Show the catalog
///
/// All products with their workload types and the points per unit of the running month.
#[utoipa::path(
    get,
    path = "/catalog",
    tag = "catalog",
    responses((status = 200, body = wire::Catalog), (status = "4XX", body = ProblemBody))
)]
async fn get_catalog(
    State(state): State<AppState>,
    Principal(actor): Principal,
) -> Result<Json<wire::Catalog>, ApiProblem> {
    let catalog = service::list_catalog(&state.service, &actor).await?;
    Ok(Json(wire::Catalog { period: catalog.period, products: catalog.products.into_iter().map(product).collect() }))
}

fn product(view: service::ProductView) -> wire::Product {
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
