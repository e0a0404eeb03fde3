//! Who calls the provider API.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use tenure_service::{Actor, ProblemKind, authenticate_session, authenticate_token};

use crate::{AppState, problem::ApiProblem};

/// What a session's token begins with.
const SESSION_PREFIX: &str = "tns_";

/// The actor behind a bearer token: an API token's, or a signed-in person's.
pub struct Principal(pub Actor);

impl FromRequestParts<AppState> for Principal {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiProblem> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(ProblemKind::Unauthenticated)?;
        let token = token.trim();
        if token.starts_with(SESSION_PREFIX) {
            return Ok(Self(authenticate_session(&state.service, token).await?.actor));
        }
        Ok(Self(authenticate_token(&state.service, token).await?))
    }
}
