//! problem+json: the service's problems as HTTP answers.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tenure_service::{Error, Problem, operation};
use utoipa::ToSchema;

/// The media type of refusals.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A refusal (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// Stable URI of the kind of problem; it also leads to its explanation.
    #[serde(rename = "type")]
    #[schema(example = "/problems/not-found")]
    pub kind: String,
    /// What happened.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What happened in this very case.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Why it happened.
    pub why: &'static str,
    /// What to do about it.
    pub what_to_do: &'static str,
    /// The operation's id, as found in the server's log.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub operation: String,
    /// Machine-readable additions.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extensions: serde_json::Map<String, serde_json::Value>,
}

/// What handlers return when a use case refuses.
#[derive(Debug)]
pub struct ApiProblem(Error);

impl<E: Into<Error>> From<E> for ApiProblem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        let problem = self.0.problem();
        if problem.kind.status() >= 500 {
            // Handled here, so logged here and nowhere else.
            tracing::error!(error = ?self.0, problem.kind = problem.kind.slug(), "request failed");
        }
        problem_response(&problem)
    }
}

/// The HTTP answer for a problem.
pub fn problem_response(problem: &Problem) -> Response {
    let kind = problem.kind;
    let body = ProblemBody {
        kind: format!("/problems/{}", kind.slug()),
        title: kind.title(),
        status: kind.status(),
        detail: problem.detail.to_string(),
        why: kind.why(),
        what_to_do: kind.what_to_do(),
        operation: operation::current(),
        extensions: problem.extensions.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    };
    let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = (status, json).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = problem.retry_after_s() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
