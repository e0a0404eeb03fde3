//! `GET /about`: which server answers.

use serde_json::{Value, json};
use tenure_core::Timestamp;
use tenure_service::Service;

/// The server and its version.
pub(crate) fn about(service: &Service) -> Value {
    let id = service.deployment().id.uuid();
    // The id was made when the server was set up, and says when that was.
    let (secs, nanos) = id.get_timestamp().map_or((0, 0), |at| at.to_unix());
    json!({
        "installationId": id,
        "installationDate": Timestamp::from_micros(secs as i64 * 1_000_000 + i64::from(nanos / 1_000)),
        "serverVersion": env!("CARGO_PKG_VERSION"),
        "actualVawVersion": null,
        "actualValVersion": null,
        "actualVamVersion": null,
        "windowsManagementAgentVersion": "",
        "linuxManagementAgentVersion": "",
        "macManagementAgentVersion": "",
    })
}
