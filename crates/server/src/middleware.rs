//! What every request passes through: an operation id, a log span, bounds, and a net under panics.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use tenure_portal::PortalOptions;
use tenure_service::{ProblemKind, Service, operation};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};
use tracing::Instrument;

const OPERATION_HEADER: HeaderName = HeaderName::from_static("x-operation-id");
/// Longer than any use case takes; a bound, not a pace.
const REQUEST_BOUND: Duration = Duration::from_secs(30);

/// The whole application: both JSON doors, the portal, health.
pub fn app(service: Service, portal: PortalOptions) -> Router {
    Router::new()
        .merge(tenure_api::router(service.clone()))
        .merge(tenure_portal::router(service.clone(), portal))
        .route("/healthz", get(|| async { "ok\n" }))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_BOUND))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(service, with_operation))
}

async fn with_operation(State(service): State<Service>, request: Request, next: Next) -> Response {
    let id = operation::new_id(service.rng());
    let span = tracing::info_span!(
        "request",
        operation.id = %id,
        http.method = %request.method(),
        http.path = request.uri().path(),
    );
    let mut response = operation::scope(id.clone(), next.run(request)).instrument(span.clone()).await;
    let _in_span = span.enter();
    tracing::debug!(http.status = response.status().as_u16(), "answered");
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(OPERATION_HEADER, value);
    }
    response
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic.message = message, "a request panicked");
    tenure_api::problem_response(&ProblemKind::Internal.into()).into_response()
}
