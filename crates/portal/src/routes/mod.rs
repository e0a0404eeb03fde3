//! The handlers: extract, call a use case, map the answer.

mod companies;
mod home;
mod licenses;
mod new_license;
mod reporting;
mod sign_in;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use tenure_service::ProblemKind;
use tower_http::csrf::CsrfLayer;

use crate::{
    assets,
    pages::{Notice, Said},
    web::{Fields, Portal, Refused, guard},
};

/// Bytes of the largest form.
const MAX_FORM: usize = 64 * 1024;

pub(crate) fn router(portal: Portal) -> Router {
    Router::new()
        .route("/", get(home::home))
        .route("/sign-in", get(sign_in::door).post(sign_in::enter))
        .route("/sign-out", post(sign_in::leave))
        .route("/licenses", get(licenses::list))
        .route("/licenses/new", get(new_license::info).post(new_license::create))
        .route("/licenses/new/workloads", get(new_license::workloads))
        .route("/licenses/new/summary", get(new_license::summary))
        .route("/licenses/{key}", get(licenses::show))
        .route("/licenses/{key}/automatic", post(licenses::switch))
        .route("/licenses/{key}/assign", get(licenses::assign_form).post(licenses::assign))
        .route("/licenses/{key}/download", post(licenses::download))
        .route("/companies", get(companies::list).post(companies::create))
        .route("/automatic-reporting", get(reporting::show).post(reporting::request))
        .route("/automatic-reporting/approve", post(reporting::approve))
        .route("/automatic-reporting/decline", post(reporting::decline))
        .route("/assets/{name}", get(assets::serve))
        .fallback(async || Refused::from(ProblemKind::NotFound))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(CsrfLayer::new())
        .layer(from_fn_with_state(portal.clone(), guard))
        .with_state(portal)
}

/// What was just done, as the address says.
fn said(fields: &Fields) -> Said {
    Said { notice: Notice::from_slug(fields.get("said")), problem: None }
}
