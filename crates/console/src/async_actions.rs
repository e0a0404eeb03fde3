//! `/asyncActions`: every write is answered when it is done, so there never is one to ask for.

use axum::{Router, response::Response, routing::get};
use serde_json::{Value, json};
use tenure_service::ProblemKind;

use crate::{Console, answer, error::Refusal, listing::Selected, principal::Caller};

pub(crate) fn router() -> Router<Console> {
    Router::new()
        .route("/", get(list))
        .route("/config", get(config))
        .route("/{action_id}", get(none).delete(none))
        .route("/{action_id}/result", get(none).delete(none))
        .route("/{action_id}/requestData", axum::routing::put(none))
}

async fn list(_caller: Caller, Selected(select): Selected) -> Response {
    answer::single(Value::Array(Vec::new()), &select)
}

async fn config(_caller: Caller, Selected(select): Selected) -> Response {
    answer::single(json!({ "resultRetentionTime": 0 }), &select)
}

async fn none(_caller: Caller) -> Refusal {
    ProblemKind::NotFound.because("every operation is answered when it is done; none runs on").into()
}
