//! What handlers extract besides the caller: queries and bodies whose refusals speak problem+json.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request, rejection::JsonRejection},
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tenure_service::{ContentTag, Idempotency, IfMatch, Paging, ProblemKind};
use utoipa::IntoParams;

use crate::{ApiProblem, problem_response};

/// The query's parameters; what does not fit is `invalid-input`.
pub(crate) struct ApiQuery<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(ProblemKind::InvalidInput.because(rejection.body_text()).into()),
        }
    }
}

/// Whose it is.
#[derive(serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderQuery {
    /// The provider; the caller's own organization otherwise.
    pub(crate) provider: Option<String>,
}

/// Where a list goes on.
#[derive(serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// The cursor of the page before; leave it out for the first page.
    cursor: Option<String>,
    /// Items wanted, 1 to 200; 50 otherwise.
    limit: Option<u32>,
}

impl From<PageQuery> for Paging {
    fn from(query: PageQuery) -> Self {
        Self { cursor: query.cursor, limit: query.limit }
    }
}

/// A JSON body with the `Idempotency-Key` that names this write, if one was sent.
pub(crate) struct Once<T> {
    pub(crate) body: T,
    pub(crate) idempotency: Option<Idempotency>,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Once<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let key = parts.headers.get("idempotency-key").cloned();
        let target = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let is_json = parts
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.split(';').next().is_some_and(|kind| kind.trim() == "application/json"));
        if !is_json {
            return Err(problem_response(&ProblemKind::MalformedBody.because("send JSON as application/json")));
        }
        let bytes = Bytes::from_request(Request::from_parts(parts, body), state)
            .await
            .map_err(|rejection| problem_response(&ProblemKind::MalformedBody.because(rejection.body_text())))?;
        let body = match axum::Json::<T>::from_bytes(&bytes) {
            Ok(axum::Json(body)) => body,
            Err(rejection @ JsonRejection::JsonDataError(_)) => {
                return Err(problem_response(&ProblemKind::InvalidInput.because(rejection.body_text())));
            }
            Err(rejection) => return Err(problem_response(&ProblemKind::MalformedBody.because(rejection.body_text()))),
        };
        let idempotency = match key {
            None => None,
            Some(key) => {
                let request = Sha256::new().chain_update(target).chain_update([0]).chain_update(&bytes).finalize();
                let key = key.to_str().unwrap_or_default();
                let named = Idempotency::new(key, request.into());
                Some(named.map_err(|error| ApiProblem::from(error).into_response())?)
            }
        };
        Ok(Self { body, idempotency })
    }
}

/// The `Idempotency-Key` of a write without a body.
pub(crate) struct Keyed(pub(crate) Option<Idempotency>);

impl<S: Send + Sync> FromRequestParts<S> for Keyed {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        let Some(key) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let target = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let request =
            Sha256::new().chain_update(parts.method.as_str()).chain_update([0]).chain_update(target).finalize();
        Ok(Self(Some(Idempotency::new(key.to_str().unwrap_or_default(), request.into())?)))
    }
}

/// An id in a path. What is no id names nothing.
pub(crate) fn id<T: std::str::FromStr>(text: &str) -> Result<T, ApiProblem> {
    Ok(text.parse().map_err(|_| ProblemKind::NotFound)?)
}

/// An id in a query.
pub(crate) fn query_id<T: std::str::FromStr>(name: &str, text: Option<&str>) -> Result<Option<T>, ApiProblem> {
    let parsed = text.map(str::parse).transpose();
    Ok(parsed.map_err(|_| ProblemKind::InvalidInput.because(format!("`{name}` is not such an id")))?)
}

/// The version that `If-Match` names; it is required (428). A tag that is none of ours names another version (412).
pub(crate) struct Seen(pub(crate) IfMatch);

impl<S: Send + Sync> FromRequestParts<S> for Seen {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        let value = parts.headers.get(header::IF_MATCH).ok_or(ProblemKind::PreconditionRequired)?;
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(IfMatch::Any));
        }
        let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let tag = quoted.and_then(|tag| tag.parse().ok());
        let tag = tag.ok_or_else(|| ProblemKind::Stale.because("`If-Match` is not an ETag of this"))?;
        Ok(Self(IfMatch::Tag(tag)))
    }
}

/// A JSON answer with its ETag.
pub(crate) struct Tagged<T>(pub(crate) ContentTag, pub(crate) T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.1).into_response();
        if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", self.0)) {
            response.headers_mut().insert(header::ETAG, value);
        }
        response
    }
}
