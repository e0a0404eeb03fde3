//! `/asyncActions`: every write is answered when it is done, so there never is one to ask for.

use axum::response::Response;
use serde_json::{Value, json};
use tenure_service::ProblemKind;

use crate::{
    answer,
    error::Refusal,
    listing::Selected,
    operation::{Operations, Said},
    principal::Caller,
};

async fn list(_: Caller, Selected(select): Selected) -> Response {
    answer::single(Value::Array(Vec::new()), &select)
}

async fn config(_: Caller, Selected(select): Selected) -> Response {
    answer::single(json!({ "resultRetentionTime": 0 }), &select)
}

async fn none(_: Caller) -> Refusal {
    ProblemKind::NotFound.because("every operation is answered when it is done; none runs on").into()
}

/// Adds the operations of `/asyncActions`.
pub(crate) fn operations(all: Operations) -> Operations {
    let (one, result) = ("/asyncActions/{action_id}", "/asyncActions/{action_id}/result");
    all.get("/asyncActions", Said::one("Actions that run on: none", "[@AsyncAction]"), list)
        .get("/asyncActions/config", Said::one("How long results are kept", "@AsyncActionsConfig"), config)
        .get(one, Said::never("No action"), none)
        .delete(one, Said::never("No action to end"), none)
        .get(result, Said::never("No action's result"), none)
        .delete(result, Said::never("No action's result to clear"), none)
        .put("/asyncActions/{action_id}/requestData", Said::never("No action that waits for data"), none)
}
