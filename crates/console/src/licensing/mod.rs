//! `/licensing`: monthly usages as reports, current usage, and installations by the family of their product.

mod console;
mod csv;
mod current;
mod family;
mod report;
mod reports;
mod servers;
mod tally;

pub(crate) use tally::{newest, of_months};

use axum::{
    Router,
    routing::{get, post},
};

use crate::Console;

pub(crate) fn router() -> Router<Console> {
    Router::new()
        .route("/reports", get(reports::list))
        .route("/reports/latest", get(reports::latest))
        .route("/reports/settings", get(reports::settings).patch(reports::change_settings))
        .route("/reports/finalization", post(reports::finalize))
        .route("/reports/{which}", get(reports::of_date))
        .route("/reports/{which}/csv", get(reports::csv))
        .route("/usage/organizations", get(current::list))
        .route("/backupServers", get(servers::backup))
        .route("/backupServers/{server_uid}", get(servers::one_backup))
        .route("/backupServers/{server_uid}/update", post(servers::update_backup))
        .route("/voneServers", get(servers::monitoring))
        .route("/voneServers/{server_uid}", get(servers::one_monitoring))
        .route("/voneServers/{server_uid}/update", post(servers::update_monitoring))
        .route("/vb365Servers", get(servers::mail))
        .route("/vb365Servers/{server_uid}", get(servers::one_mail))
        .route("/vb365Servers/{server_uid}/update", post(servers::update_mail))
        .route("/console", get(console::show))
        .route("/console/settings", get(console::settings))
        .route("/console/update", post(console::update))
        .route("/sites", get(servers::sites))
        .route("/sites/{server_uid}", get(servers::one_site))
        .route("/sites/{server_uid}/update", post(servers::update_site))
}
