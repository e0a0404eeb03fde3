//! `/`: each side has its own beginning.

use axum::response::Response;

use crate::{
    pages::Desk,
    web::{Viewing, to},
};

/// `GET /`.
pub(super) async fn home(viewing: Viewing) -> Response {
    to(match viewing.desk() {
        Desk::Provider | Desk::Distributor => "/actions",
        Desk::Vendor => "/vendor",
    })
}
