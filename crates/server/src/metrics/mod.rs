//! Figures for Prometheus. Every label has a bound: routes are those of the router, statuses those of HTTP.

mod batches;
mod process;
mod state;

use std::{fmt, time::Duration};

use axum::http::{Method, StatusCode};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, prometheus_text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};
use tenure_service::{Service, observe};
use tokio::time::timeout;

use self::{batches::Batches, process::Process, state::State};

/// How long a scrape waits for the database. What it cannot tell keeps its last figure, and `tenure_database_up` is 0.
const LOOK: Duration = Duration::from_secs(2);
/// Bounds of the latency histogram, in seconds: from a check-in to what no request may take.
const LATENCY: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];
/// The route of what no route takes.
pub(crate) const UNMATCHED: &str = "unmatched";

/// A request as it is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: Verb,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// A method, those that nobody serves together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Verb(&'static str);

impl Verb {
    fn of(method: &Method) -> Self {
        Self(match method.as_str() {
            "GET" => "GET",
            "HEAD" => "HEAD",
            "POST" => "POST",
            "PUT" => "PUT",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
            _ => "other",
        })
    }
}

impl EncodeLabelValue for Verb {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), fmt::Error> {
        self.0.encode(encoder)
    }
}

/// A request that is being answered.
#[must_use]
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The figures of one process.
pub struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    latency: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    state: State,
    process: Process,
    batches: Batches,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Figures that begin at nothing.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let process = Process::registered(&mut registry);
        let ours = registry.sub_registry_with_prefix("tenure");
        let info = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        ours.register("build", "What runs", info);
        let answered = Family::<Answered, Counter>::default();
        ours.register("http_requests", "Requests answered, by route, method and status", answered.clone());
        let histogram: fn() -> Histogram = || Histogram::new(LATENCY);
        let latency = Family::<Route, Histogram, fn() -> Histogram>::new_with_constructor(histogram);
        let help = "Time from the request's head to the answer's, in seconds, by route";
        ours.register("http_request_duration_seconds", help, latency.clone());
        let in_flight = Gauge::default();
        ours.register("http_requests_in_flight", "Requests that are being answered", in_flight.clone());
        let state = State::registered(ours);
        let batches = Batches::default();
        ours.register_collector(Box::new(batches.clone()));
        Self { registry, answered, latency, in_flight, state, process, batches }
    }

    /// Counts a request as being answered until what this gives is dropped: when the answer is there, and also when the
    /// caller went away before.
    pub(crate) fn begun(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    pub(crate) fn answered(&self, route: &str, method: &Method, status: StatusCode, took_us: i64) {
        let labels = Answered { route: route.to_owned(), method: Verb::of(method), status: status.as_u16() };
        self.answered.get_or_create(&labels).inc();
        self.latency.get_or_create(&Route { route: labels.route }).observe(took_us as f64 / 1_000_000.0);
    }

    /// All figures as text, version 0.0.4 of the exposition format.
    pub async fn render(&self, service: &Service) -> String {
        let looked = timeout(LOOK, observe(service)).await.ok().and_then(|observed| {
            observed.inspect_err(|error| tracing::warn!(error = ?error, "the database tells no figures")).ok()
        });
        self.state.set(service, looked.as_ref());
        self.process.set();
        self.batches.set(service.ingest().sizes());
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = prometheus_text::encode(&mut text, &self.registry);
        text
    }
}
