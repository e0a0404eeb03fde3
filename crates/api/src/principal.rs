//! Who calls the provider API.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use tenure_service::{Actor, ProblemKind, authenticate_token};

use crate::{AppState, problem::ApiProblem};

/// The actor behind a bearer token.
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
        Ok(Self(authenticate_token(&state.service, token.trim()).await?))
    }
}
