//! `POST /product/v1/check-in`: one signed request, its documents, one signed answer.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tenure_license::exchange::Exchange;
use tenure_service::{CheckInReply, check_in as take_check_in};

use crate::{ApiJson, AppState, problem::ApiProblem};

pub(super) async fn check_in(
    State(state): State<AppState>,
    ApiJson(body): ApiJson<Exchange>,
) -> Result<Response, ApiProblem> {
    Ok(match take_check_in(&state.service, body).await? {
        CheckInReply::Answered(answer) => Json(answer).into_response(),
        CheckInReply::OutOfStep(answer) => (StatusCode::CONFLICT, Json(answer)).into_response(),
    })
}
