//! `/asyncActions`: every write is answered when it is done, so there never is one to ask for.

use axum::{
    Router,
    routing::{delete, get, put},
};
use serde_json::{Value, json};
use tenure_service::ProblemKind;

use crate::{Console, answer, error::Refusal, listing::Selected, principal::Caller};

pub(crate) fn router() -> Router<Console> {
    let none = async |_: Caller| {
        let words = "every operation is answered when it is done; none runs on";
        Refusal::from(ProblemKind::NotFound.because(words))
    };
    let list = async |_: Caller, Selected(select): Selected| answer::single(Value::Array(Vec::new()), &select);
    let config =
        async |_: Caller, Selected(select): Selected| answer::single(json!({ "resultRetentionTime": 0 }), &select);
    Router::new()
        .route("/", get(list))
        .route("/config", get(config))
        .route("/{action_id}", get(none).merge(delete(none)))
        .route("/{action_id}/result", get(none).merge(delete(none)))
        .route("/{action_id}/requestData", put(none))
}
