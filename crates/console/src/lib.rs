//! The console door, `/api/v3`: what management consoles and their scripts speak, over this server's own data.
//!
//! Names, shapes and enum values are that API's; `docs/console-api.md` says what is answered and what differs. A handler
//! extracts, calls use cases, maps the answer. Ids are bare UUIDs here, times RFC 3339 UTC, points numbers.

mod about;
mod answer;
mod async_actions;
mod client;
mod error;
mod filter;
mod licensing;
mod listing;
mod order;
mod organizations;
mod patch;
mod principal;
mod pulse;
mod select;
mod token;
mod write;

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    routing::{get, post},
};
use tenure_service::{ProblemKind, Service};

use crate::{error::Refusal, listing::Selected, principal::Caller};

/// Bytes of the largest body.
const MAX_BODY: usize = 256 * 1024;

/// What every handler gets.
#[derive(Clone)]
pub(crate) struct Console {
    pub(crate) service: Service,
}

/// All operations, below `/api/v3`.
pub fn router(service: Service) -> Router {
    let about = async |State(state): State<Console>, _: Caller, Selected(select): Selected| {
        answer::single(about::about(&state.service), &select)
    };
    let operations = Router::new()
        .route("/token", post(token::issue))
        .route("/about", get(about))
        .route("/organizations", get(organizations::list))
        .nest("/asyncActions", async_actions::router())
        .nest("/licensing", licensing::router())
        .nest("/pulse", pulse::router())
        .fallback(async || Refusal::from(ProblemKind::NotFound.because("this server does not serve this operation")))
        .method_not_allowed_fallback(async || Refusal::method_not_allowed())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Console { service });
    Router::new().nest("/api/v3", operations)
}
