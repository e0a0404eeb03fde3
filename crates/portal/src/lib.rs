//! The portal: HTML pages over the service's use cases.
//!
//! A handler extracts, calls a use case, maps the answer to a page's values ([`pages`]); templates say them in words. It
//! holds no rule of the program and no SQL. Every page works without JavaScript; with it, forms of the review swap the
//! same part that a reload would show.

mod assets;
mod filters;
pub mod format;
pub mod pages;
mod present;
mod routes;
pub mod spark;
mod web;
mod words;

use axum::Router;
use tenure_service::Service;

pub use web::PortalOptions;

/// All pages and their assets. Merge it into the application at the root.
pub fn router(service: Service, options: PortalOptions) -> Router {
    routes::router(web::Portal { service, options })
}
