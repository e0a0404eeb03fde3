//! Writes: the request's name, so that a repeat is answered with the first answer, and its body.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tenure_service::{Idempotency, ProblemKind};
use uuid::Uuid;

use crate::error::Refusal;

/// What names a write: `X-Request-id`, where it was sent.
pub(crate) struct Named(pub(crate) Option<Idempotency>);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        named(parts, &[]).map(Self)
    }
}

/// A JSON body with the write's name.
pub(crate) struct Write<T> {
    pub(crate) body: T,
    pub(crate) name: Option<Idempotency>,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Write<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let whole = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await;
        let bytes = whole.map_err(|error| ProblemKind::MalformedBody.because(error.body_text()))?;
        let body = serde_json::from_slice(&bytes).map_err(|error| {
            let kind = if error.is_data() { ProblemKind::InvalidInput } else { ProblemKind::MalformedBody };
            kind.because(error.to_string())
        })?;
        Ok(Self { body, name: named(&parts, &bytes)? })
    }
}

fn named(parts: &Parts, body: &[u8]) -> Result<Option<Idempotency>, Refusal> {
    let Some(id) = request_id(parts)? else { return Ok(None) };
    Ok(Some(Idempotency::new(&id.hyphenated().to_string(), request_hash(parts, body))?))
}

/// What the caller named its request.
pub(crate) fn request_id(parts: &Parts) -> Result<Option<Uuid>, Refusal> {
    let Some(value) = parts.headers.get("x-request-id") else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| Uuid::try_parse(text.trim()).ok());
    id.map(Some).ok_or_else(|| Refusal::invalid("`X-Request-id` must be a UUID"))
}

/// What makes another request of it under the same name.
pub(crate) fn request_hash(parts: &Parts, body: &[u8]) -> [u8; 32] {
    let target = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let hash = Sha256::new()
        .chain_update(parts.method.as_str())
        .chain_update([0])
        .chain_update(target)
        .chain_update([0])
        .chain_update(body)
        .finalize();
    hash.into()
}
