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

/// The whole application: the JSON doors, the console's, the portal, health.
pub fn app(service: Service, portal: PortalOptions) -> Router {
    Router::new()
        .merge(tenure_api::router(service.clone()))
        .merge(tenure_console::router(service.clone()))
        .merge(tenure_portal::router(service.clone(), portal))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state(service.clone()))
        .layer(from_fn_with_state(service.clone(), halted))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_BOUND))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(service, with_operation))
}

/// Whether this server should get traffic: 503 and the reasons while it should not.
async fn ready(State(service): State<Service>) -> Response {
    let reasons = service.not_ready();
    if reasons.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n").into_response()
}

/// While the server halts, only reads pass.
async fn halted(State(service): State<Service>, request: Request, next: Next) -> Response {
    if !request.method().is_safe()
        && let Err(error) = service.must_go_on()
    {
        return tenure_api::problem_response(&error.problem()).into_response();
    }
    next.run(request).await
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
