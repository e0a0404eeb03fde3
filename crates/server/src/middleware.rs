//! What every request passes through: an operation id, a log span, bounds, and a net under panics.

use std::{any::Any, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use tenure_api::Caller;
use tenure_portal::PortalOptions;
use tenure_service::{ProblemKind, Service, operation};
use tokio::time::timeout;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::{Edge, Metrics, client::client, metrics::UNMATCHED, system::elapsed_us};

const OPERATION_HEADER: HeaderName = HeaderName::from_static("x-operation-id");
/// The exposition format that is written.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Longer than any use case takes; a bound, not a pace.
const REQUEST_BOUND: Duration = Duration::from_secs(30);

/// The whole application: the JSON doors, the console's, the portal, health.
pub fn app(service: Service, portal: PortalOptions) -> Router {
    app_with(service, Edge { portal, ..Edge::default() })
}

/// As [`app`], with what stands around it.
pub fn app_with(service: Service, edge: Edge) -> Router {
    let around = Around { service: service.clone(), edge: edge.clone() };
    Router::new()
        .merge(tenure_api::router(service.clone()))
        .merge(tenure_console::router(service.clone()))
        .merge(tenure_portal::router(service.clone(), edge.portal))
        .layer(from_fn_with_state(around.clone(), limited))
        // After the limits: who asks whether the server is ready is never turned away.
        .merge(health(service.clone()))
        .layer(from_fn_with_state(service, halted))
        .layer(from_fn(bounded))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(around, with_operation))
}

/// What the operator's own address answers: the figures, and health. It has no guard: listen where only the operator is.
pub fn operator(service: Service, metrics: Arc<Metrics>) -> Router {
    let scrape = {
        let service = service.clone();
        async move || ([(header::CONTENT_TYPE, METRICS_TYPE)], metrics.render(&service).await)
    };
    Router::new().route("/metrics", get(scrape)).merge(health(service))
}

fn health(service: Service) -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready).with_state(service))
}

#[derive(Clone)]
struct Around {
    service: Service,
    edge: Edge,
}

/// Whether this server should get traffic: 503 and the reasons while it should not.
async fn ready(State(service): State<Service>) -> Response {
    let reasons = service.not_ready();
    if reasons.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n").into_response()
}

/// Turns away an address that asks too often, before anything of its request is read (A8). This machine's own addresses
/// are an operator's, or a proxy's whose word about its clients is not taken.
async fn limited(State(around): State<Around>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let client = client(peer.ip(), request.headers(), &around.edge.proxies);
        if !client.is_loopback()
            && let Some(limits) = around.service.limits()
            && let Err(error) = limits.take_address(client)
        {
            return tenure_api::problem_response(&error.problem());
        }
        request.extensions_mut().insert(Caller(client));
    }
    next.run(request).await
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

/// A bound for what should never need one.
async fn bounded(request: Request, next: Next) -> Response {
    timeout(REQUEST_BOUND, next.run(request)).await.unwrap_or_else(|_| {
        tracing::error!(bound.seconds = REQUEST_BOUND.as_secs(), "a request took too long");
        tenure_api::problem_response(&ProblemKind::Busy.into())
    })
}

async fn with_operation(State(around): State<Around>, request: Request, next: Next) -> Response {
    let began = elapsed_us();
    let metrics = &around.edge.metrics;
    let _in_flight = metrics.begun();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let id = operation::new_id(around.service.rng());
    // The route, not the path: what stands in a path may be somebody's.
    let span = tracing::info_span!("request", operation.id = %id, http.method = %method, http.route = route);
    let mut response = operation::scope(id.clone(), next.run(request)).instrument(span.clone()).await;
    let _in_span = span.enter();
    let took_us = elapsed_us() - began;
    tracing::debug!(http.status = response.status().as_u16(), duration.us = took_us, "answered");
    metrics.answered(route, &method, response.status(), took_us);
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
