//! The product API, `/product/v1`: the license update server.
//!
//! Bodies carry signed envelopes; the transport adds nothing that a product would have to believe. A refusal is unsigned
//! problem+json and changes nothing in a product.

mod activate;
mod check_in;
mod root;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};

use crate::AppState;

/// The largest check-in body: 64 documents of ordinary size, or a few very large ones.
const MAX_CHECK_IN_BYTES: usize = 8 * 1024 * 1024;
const MAX_ACTIVATION_BYTES: usize = 64 * 1024;

pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/activate", post(activate::activate).layer(DefaultBodyLimit::max(MAX_ACTIVATION_BYTES)))
        .route("/check-in", post(check_in::check_in).layer(DefaultBodyLimit::max(MAX_CHECK_IN_BYTES)))
        .route("/root", get(root::newest))
        .route("/root/{version}", get(root::version))
}
