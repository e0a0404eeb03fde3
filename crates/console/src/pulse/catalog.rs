//! Contracts (rental agreements) and products (the catalog).

use axum::{extract::State, response::Response};
use serde_json::{Value, json};
use tenure_core::AgreementKind;
use tenure_service::{self as service, Actor, AgreementView, ProductView};

use crate::{
    Console,
    answer::{points, weight},
    error::Refusal,
    listing::{Listing, all},
    principal::Caller,
};

/// The provider's rental agreements.
pub(crate) async fn contracts(
    State(state): State<Console>,
    Caller(actor): Caller,
    listing: Listing,
) -> Result<Response, Refusal> {
    let rows = agreements(&state, &actor).await?;
    Ok(listing.of(rows.iter().map(contract).collect()))
}

pub(super) async fn agreements(state: &Console, actor: &Actor) -> Result<Vec<AgreementView>, Refusal> {
    // Only a provider rents: nobody else has contracts here.
    service::view_console(&state.service, actor).await?;
    all(async |paging| service::list_agreements(&state.service, actor, &paging).await).await
}

fn contract(view: &AgreementView) -> Value {
    let agreement = &view.agreement;
    json!({
        "contractId": agreement.number,
        "expirationDate": agreement.end(),
        "pointsLimit": agreement.limit.map(points),
        "automaticExtensionAlwaysOn": agreement.kind == AgreementKind::NoCommit,
    })
}

/// The catalog with the weights of the running month.
pub(crate) async fn products(
    State(state): State<Console>,
    Caller(actor): Caller,
    listing: Listing,
) -> Result<Response, Refusal> {
    let catalog = service::list_catalog(&state.service, &actor).await?;
    let licensed = catalog.products.iter().filter(|view| view.product.withdrawn.is_none());
    Ok(listing.of(licensed.map(product).collect()))
}

fn product(view: &ProductView) -> Value {
    let row = &view.product;
    let workloads = view.workloads.iter().map(|(row, per_unit)| {
        json!({
            "workloadId": workload_id(&row.code, &row.variant),
            "name": row.name,
            "multiplier": weight(*per_unit),
        })
    });
    json!({
        "productId": row.id.uuid(),
        "name": row.name,
        "edition": row.edition,
        "version": row.version,
        "workloads": workloads.collect::<Vec<_>>(),
    })
}

/// A workload type and its variant as one text: `vm`, or `vm/socket`.
pub(crate) fn workload_id(code: &str, variant: &str) -> String {
    if variant.is_empty() { code.to_owned() } else { format!("{code}/{variant}") }
}
