//! JSON bodies whose refusals speak problem+json.

use axum::{
    extract::{FromRequest, Request, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use tenure_service::ProblemKind;

use crate::problem::problem_response;

/// A JSON body. What cannot be read is `malformed-body`, what does not fit the type `invalid-input`, with the reason.
pub struct ApiJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for ApiJson<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection @ JsonRejection::JsonDataError(_)) => {
                Err(problem_response(&ProblemKind::InvalidInput.because(rejection.body_text())).into_response())
            }
            Err(rejection) => Err(problem_response(&ProblemKind::MalformedBody.because(rejection.body_text()))),
        }
    }
}
