//! `GET /about`: which server answers.

use serde_json::{Value, json};
use tenure_service::Service;

/// The server and its version.
pub(crate) fn about(service: &Service) -> Value {
    json!({
        "installationId": service.deployment().id.uuid(),
        "serverVersion": env!("CARGO_PKG_VERSION"),
        "actualVawVersion": null,
        "actualValVersion": null,
        "actualVamVersion": null,
    })
}
