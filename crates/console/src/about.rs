//! `GET /about`: which server answers.

use axum::{extract::State, response::Response};
use serde_json::json;

use crate::{Console, answer, listing::Selected, principal::Caller};

/// The server's version.
pub(crate) async fn about(State(state): State<Console>, _caller: Caller, Selected(select): Selected) -> Response {
    let data = json!({
        "installationId": state.service.deployment().id.uuid(),
        "serverVersion": env!("CARGO_PKG_VERSION"),
        "actualVawVersion": null,
        "actualValVersion": null,
        "actualVamVersion": null,
    });
    answer::single(data, &select)
}
