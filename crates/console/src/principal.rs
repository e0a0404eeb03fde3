//! Who calls the console API: whoever holds a bearer token, be it a session's or a connection's.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use tenure_service::{Actor, ProblemKind, authenticate_console};

use crate::{Console, error::Refusal};

/// The actor behind the bearer token.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) Actor);

impl FromRequestParts<Console> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &Console) -> Result<Self, Refusal> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| value.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let token = token.ok_or(ProblemKind::Unauthenticated)?;
        Ok(Self(authenticate_console(&state.service, token).await?))
    }
}
