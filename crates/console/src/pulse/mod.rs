//! `/pulse`: the program as a console sees it: contracts, products, licenses, tenants.

mod catalog;
mod connection;
mod license_changes;
mod license_shape;
mod licenses;
mod monthly;
mod tenants;

pub(crate) use catalog::workload_id;
pub(crate) use licenses::every;
pub(crate) use tenants::{Resellers, companies, company_type, organization};

use axum::{
    Router,
    routing::{get, post},
};

use crate::Console;

pub(crate) fn router() -> Router<Console> {
    Router::new()
        .route("/", get(connection::show).patch(connection::change))
        .route("/sync", post(connection::sync))
        .route("/contracts", get(catalog::contracts))
        .route("/products", get(catalog::products))
        .route("/licenses", get(licenses::list).post(license_changes::create))
        .route(
            "/licenses/{license_uid}",
            get(licenses::show).patch(license_changes::change).delete(license_changes::delete),
        )
        .route("/licenses/{license_uid}/copy", post(license_changes::copy))
        .route("/licenses/{license_uid}/revoke", post(license_changes::revoke))
        .route("/licenses/{license_uid}/download", post(license_changes::download))
        .route("/licenses/{license_uid}/install", post(license_changes::install))
        .route("/monthlyUsages", get(monthly::list))
        .route("/tenants", get(tenants::list).post(tenants::create))
        .route("/tenants/{tenant_uid}", get(tenants::show))
        .route("/tenants/{tenant_uid}/createCompany", post(tenants::create_company))
}
