//! Products, what is counted on them, and their weights.

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use tenure_core::Period;
use tenure_service as service;
use tenure_service::{CatalogProduct, CatalogWorkload};
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    catalog,
    extract::{Once, Seen, Tagged, id},
};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_product))
        .routes(routes!(get_product, edit_product))
        .routes(routes!(add_workloads))
        .routes(routes!(set_weights))
}

/// Show a product
///
/// With all it ever cost and will cost. The answer's `ETag` names what a change means.
#[utoipa::path(
    get,
    path = "/products/{product}",
    tag = "catalog",
    params(("product" = String, Path, description = "The product")),
    responses((status = 200, body = wire::ProductDetail), (status = "4XX", body = ProblemBody))
)]
async fn get_product(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(product): Path<String>,
) -> Result<Tagged<wire::ProductDetail>, ApiProblem> {
    let detail = service::view_product(&state.service, &actor, id(&product)?).await?;
    Ok(shape(&state, detail))
}

/// Add a product
///
/// In one edition, with its weights from the running month on; for who manages the catalog.
#[utoipa::path(
    post,
    path = "/products",
    tag = "catalog",
    params(("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    request_body = wire::NewProduct,
    responses((status = 201, body = wire::ProductDetail), (status = "4XX", body = ProblemBody))
)]
async fn create_product(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Once { body, idempotency }: Once<wire::NewProduct>,
) -> Result<(StatusCode, Tagged<wire::ProductDetail>), ApiProblem> {
    let input = CatalogProduct {
        code: body.code,
        name: body.name,
        edition: body.edition,
        version: body.version,
        reports: body.reports,
        workloads: body.workloads.into_iter().map(workload).collect(),
    };
    let detail = service::create_product(&state.service, &actor, input, idempotency).await?;
    Ok((StatusCode::CREATED, shape(&state, detail)))
}

/// Rename a product, or withdraw it from new licenses
///
/// For who manages the catalog. Licenses that exist go on.
#[utoipa::path(
    patch,
    path = "/products/{product}",
    tag = "catalog",
    params(
        ("product" = String, Path, description = "The product"),
        ("if-match" = String, Header, description = "The product's `ETag`")
    ),
    request_body = wire::ProductChange,
    responses((status = 200, body = wire::ProductDetail), (status = "4XX", body = ProblemBody))
)]
async fn edit_product(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(product): Path<String>,
    Seen(seen): Seen,
    Once { body, .. }: Once<wire::ProductChange>,
) -> Result<Tagged<wire::ProductDetail>, ApiProblem> {
    let input = service::ProductChange { name: body.name, version: body.version, withdrawn: body.withdrawn };
    let detail = service::edit_product(&state.service, &actor, id(&product)?, seen, input).await?;
    Ok(shape(&state, detail))
}

/// Add workload types to a product
///
/// For who manages the catalog, from the running month on or from one before: so a code that products report already gets a
/// weight.
#[utoipa::path(
    post,
    path = "/products/{product}/workloads",
    tag = "catalog",
    params(
        ("product" = String, Path, description = "The product"),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")
    ),
    request_body = wire::NewWorkloads,
    responses((status = 201, body = wire::ProductDetail), (status = "4XX", body = ProblemBody))
)]
async fn add_workloads(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(product): Path<String>,
    Once { body, idempotency }: Once<wire::NewWorkloads>,
) -> Result<(StatusCode, Tagged<wire::ProductDetail>), ApiProblem> {
    let input = body.workloads.into_iter().map(workload).collect();
    let detail = service::add_workloads(&state.service, &actor, id(&product)?, body.from, input, idempotency).await?;
    Ok((StatusCode::CREATED, shape(&state, detail)))
}

/// Set weights from a future month on
///
/// For who manages the catalog. What a unit cost or costs now is never changed.
#[utoipa::path(
    post,
    path = "/products/{product}/weights",
    tag = "catalog",
    params(
        ("product" = String, Path, description = "The product"),
        ("if-match" = String, Header, description = "The product's `ETag`"),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")
    ),
    request_body = wire::NewWeights,
    responses((status = 200, body = wire::ProductDetail), (status = "4XX", body = ProblemBody))
)]
async fn set_weights(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(product): Path<String>,
    Seen(seen): Seen,
    Once { body, idempotency }: Once<wire::NewWeights>,
) -> Result<Tagged<wire::ProductDetail>, ApiProblem> {
    let new =
        |one: wire::NewWeight| service::NewWeight { workload: one.workload, variant: one.variant, weight: one.weight };
    let weights = body.weights.into_iter().map(new).collect();
    let product = id(&product)?;
    let detail = service::set_weights(&state.service, &actor, product, seen, body.from, weights, idempotency).await?;
    Ok(shape(&state, detail))
}

fn workload(new: wire::NewWorkload) -> CatalogWorkload {
    CatalogWorkload {
        code: new.code,
        variant: new.variant,
        name: new.name,
        unit: new.unit,
        weight: new.weight,
        weight_from: std::collections::BTreeMap::new(),
    }
}

fn shape(state: &AppState, detail: service::ProductDetail) -> Tagged<wire::ProductDetail> {
    let (tag, withdrawn_at) = (detail.tag(), detail.product.withdrawn);
    let weights = detail.weights.iter().map(|row| wire::DatedWeight {
        workload: row.code.clone(),
        variant: row.variant.clone(),
        from: row.from,
        weight: row.weight,
    });
    let weights = weights.collect();
    let view = detail.in_period(Period::of(state.service.now()));
    Tagged(tag, wire::ProductDetail { product: catalog::product(view), withdrawn_at, weights })
}
