//! The console door, `/api/v3`: what management consoles and their scripts speak, over this server's own data.
//!
//! Names, shapes and enum values are that API's; `docs/console-api.md` says what is answered and what differs. A handler
//! extracts, calls use cases, maps the answer. An operation is added together with what the OpenAPI document says of it. Ids are bare UUIDs here, times RFC 3339 UTC, points numbers.

mod about;
mod answer;
mod async_actions;
mod client;
mod error;
mod filter;
mod license_file;
mod licensing;
mod listing;
mod named;
mod operation;
mod order;
mod organizations;
mod patch;
mod principal;
mod pulse;
mod schema;
mod select;
mod token;
mod write;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    middleware::from_fn_with_state,
    routing::get,
};
use tenure_service::{ProblemKind, Service};

use crate::{
    error::Refusal,
    listing::Selected,
    operation::{Operations, Said},
    principal::Caller,
};

/// Bytes of the largest body.
const MAX_BODY: usize = 256 * 1024;

/// What every handler gets.
#[derive(Clone)]
pub(crate) struct Console {
    pub(crate) service: Service,
    /// How long a client is kept waiting for a write that it named.
    pub(crate) patience: Duration,
}

fn operations() -> Operations {
    let about = async |State(state): State<Console>, _: Caller, Selected(select): Selected| {
        answer::single(about::about(&state.service), &select)
    };
    let token = Said::other("Trade a password or a refresh token for tokens", "application/json", "@Token");
    let all = Operations::new()
        .post("/token", token.form("@TokenRequest").open(), token::issue)
        .get("/about", Said::one("Which server answers", "@About"), about)
        .get("/organizations", Said::list("The provider and its companies", "@Organization"), organizations::list);
    pulse::operations(licensing::operations(async_actions::operations(all)))
}

/// The OpenAPI 3.1 document of the console API.
pub fn openapi() -> serde_json::Value {
    operations().split().1
}

/// All operations, below `/api/v3`, and the document that tells them, `/api/v3/openapi.json`.
pub fn router(service: Service) -> Router {
    router_with_patience(service, named::PATIENCE)
}

/// The same, where a client that names its write is told to ask later when it takes longer than this.
pub fn router_with_patience(service: Service, patience: Duration) -> Router {
    let state = Console { service, patience };
    let (router, document) = operations().split();
    let operations = router
        .route("/openapi.json", get(async move || Json(document)))
        .fallback(async || Refusal::from(ProblemKind::NotFound.because("this server does not serve this operation")))
        .method_not_allowed_fallback(async || Refusal::method_not_allowed())
        .layer(from_fn_with_state(state.clone(), named::once))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(state);
    Router::new().nest("/api/v3", operations)
}
