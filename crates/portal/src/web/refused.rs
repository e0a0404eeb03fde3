//! Refusals: carried out of handlers as they are, written once, at the edge.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tenure_service::{Error, Problem, ProblemKind, operation};

use crate::pages::problem::Refusal;

/// What a handler returns when a use case refuses. The page is written by [`super::guard`], which knows who asked.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Error);

/// The problem that a response stands for, until the page is written.
#[derive(Debug, Clone)]
pub(crate) struct Unwritten(pub(crate) Problem);

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl Refused {
    /// What is said about it.
    pub(crate) fn problem(&self) -> Problem {
        self.0.problem()
    }

    /// Whether the page that was asked from can be shown again with the words above it: the person can act on it there.
    pub(crate) fn is_for_the_form(&self) -> bool {
        let status = self.problem().kind.status();
        (400..500).contains(&status)
            && !matches!(
                self.problem().kind,
                ProblemKind::Unauthenticated | ProblemKind::Forbidden | ProblemKind::NotFound
            )
    }

    /// The status to answer with.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.problem().kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let problem = self.problem();
        if problem.kind.status() >= 500 {
            // Handled here, so logged here and nowhere else.
            tracing::error!(error = ?self.0, problem.kind = problem.kind.slug(), "request failed");
        }
        let mut response = self.status().into_response();
        if let Some(seconds) = problem.retry_after_s() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(Unwritten(problem));
        response
    }
}

/// A problem in the words of the catalog.
pub(crate) fn refusal(problem: &Problem) -> Refusal {
    Refusal {
        title: problem.kind.title().to_owned(),
        detail: problem.detail.to_string(),
        why: problem.kind.why().to_owned(),
        what_to_do: problem.kind.what_to_do().to_owned(),
        operation: operation::current(),
    }
}
