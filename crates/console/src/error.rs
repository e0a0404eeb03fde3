//! Refusals in the console's shape: `{"errors": [{"message", "type", "code"}]}`.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tenure_service::{Error, Problem, ProblemKind};

/// Why an operation was refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    Service(Error),
    Method,
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Service(error.into())
    }
}

impl Refusal {
    pub(crate) const fn method_not_allowed() -> Self {
        Self::Method
    }

    /// Something in the request itself.
    pub(crate) fn invalid(words: impl Into<String>) -> Self {
        ProblemKind::InvalidInput.because(words.into()).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Method => {
                let words = "This address does not know this method.";
                answer(StatusCode::METHOD_NOT_ALLOWED, "logical", words)
            }
            Self::Service(error) => {
                let problem = error.problem();
                if problem.kind.status() >= 500 {
                    // Handled here, so logged here and nowhere else.
                    tracing::error!(error = ?error, problem.kind = problem.kind.slug(), "request failed");
                }
                refused(&problem)
            }
        }
    }
}

fn refused(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = answer(status, kind(status), &message(problem));
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = problem.retry_after_s() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// What happened, why, what to do: in one text, since the shape has room for one.
pub(crate) fn message(problem: &Problem) -> String {
    let detail = if problem.detail.is_empty() { String::new() } else { format!(": {}", problem.detail) };
    format!("{}{detail}. {} {}", problem.kind.title(), problem.kind.why(), problem.kind.what_to_do())
}

fn kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 | 403 => "security",
        503 => "retryableLogical",
        500.. => "unspecified",
        _ => "logical",
    }
}

fn answer(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = json!({ "errors": [{ "message": message, "type": kind, "code": status.as_u16() }] });
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_told_to_wait_is_told_how_long() {
        let after = |problem: &Problem| refused(problem).headers().get(header::RETRY_AFTER).cloned();
        let told = |kind: ProblemKind| Problem::from(kind).with("retry_after_s", 17);
        assert_eq!(after(&told(ProblemKind::TooManyRequests)), Some(HeaderValue::from(17)));
        assert_eq!(after(&told(ProblemKind::Halted)), Some(HeaderValue::from(17)));
        assert_eq!(after(&ProblemKind::NotFound.into()), None);
    }
}
