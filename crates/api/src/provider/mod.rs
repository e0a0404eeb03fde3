//! The provider API, `/api/v1`: a file per group of operations.

mod agreements;
mod approval_limit;
mod audit;
mod catalog;
mod companies;
mod enroll_tokens;
mod enrollment;
mod extract;
mod held;
mod installation_shape;
mod installations;
mod license_changes;
mod license_shape;
mod licenses;
mod obligations;
mod offline;
mod organizations;
mod own_access;
mod own_company;
mod people;
mod policy;
mod products;
mod second_step;
mod tokens;
mod usage_corrections;
mod usage_lines;
mod usage_record_shape;
mod usage_records;
mod usage_shape;
mod usages;

use utoipa_axum::router::OpenApiRouter;

use crate::AppState;

/// All operations; each group adds its own.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(own_access::router())
        .merge(second_step::router())
        .merge(organizations::router())
        .merge(people::router())
        .merge(tokens::router())
        .merge(products::router())
        .merge(policy::router())
        .merge(audit::router())
        .merge(catalog::router())
        .merge(agreements::router())
        .merge(companies::router())
        .merge(own_company::router())
        .merge(enrollment::router())
        .merge(licenses::router())
        .merge(license_changes::router())
        .merge(installations::router())
        .merge(enroll_tokens::router())
        .merge(held::router())
        .merge(offline::router())
        .merge(obligations::router())
        .merge(usages::router())
        .merge(approval_limit::router())
        .merge(usage_lines::router())
        .merge(usage_records::router())
        .merge(usage_corrections::router())
}
