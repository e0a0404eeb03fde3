//! Who calls the provider API.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use tenure_service::{Actor, ProblemKind, authenticate_session, authenticate_token};
use zeroize::Zeroizing;

use crate::{AppState, problem::ApiProblem};

/// What a session's token begins with.
const SESSION_PREFIX: &str = "tns_";

/// The actor behind a bearer token: an API token's, or a signed-in person's.
pub struct Principal(pub Actor);

impl FromRequestParts<AppState> for Principal {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiProblem> {
        let token = bearer(parts)?;
        if token.starts_with(SESSION_PREFIX) {
            return Ok(Self(authenticate_session(&state.service, token).await?.actor));
        }
        Ok(Self(authenticate_token(&state.service, token).await?))
    }
}

/// The bearer token itself, for what concerns the session that asks.
pub(crate) struct Bearer(pub(crate) Zeroizing<String>);

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        Ok(Self(Zeroizing::new(bearer(parts)?.to_owned())))
    }
}

fn bearer(parts: &Parts) -> Result<&str, ApiProblem> {
    let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer ")).ok_or(ProblemKind::Unauthenticated)?;
    Ok(token.trim())
}
