//! The JSON doors: the product API (license update server) and the provider API (everything the portal does).
//!
//! A handler extracts, calls one use case, maps the answer. Every refusal is RFC 9457 problem+json from the service's
//! catalog; the OpenAPI document is generated from the handlers.

mod body;
mod principal;
mod problem;
mod product;
mod provider;

use std::net::IpAddr;

use axum::{Json, Router, response::IntoResponse, routing::get};
use tenure_service::Service;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use body::ApiJson;
pub use principal::Principal;
pub use problem::{ApiProblem, PROBLEM_JSON, ProblemBody, problem_response};

/// The address that a request counts for, proxies looked through. The server puts it beside the request, where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller(pub IpAddr);

/// What every handler gets.
#[derive(Clone)]
pub struct AppState {
    /// The use cases.
    pub service: Service,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tenure provider API",
        description = "Everything the portal does, for programs. Send a token as `Authorization: Bearer …`. Errors are \
            problem+json (RFC 9457) with a stable `type`. Times are RFC 3339 UTC, points are decimal strings.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    modifiers(&Security)
)]
struct ApiDoc;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        openapi.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("token", [])]);
    }
}

/// The provider API's routes, and what they say of themselves.
fn provider_parts() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let router = OpenApiRouter::with_openapi(ApiDoc::openapi()).nest("/api/v1", provider::router());
    let (router, mut openapi) = router.split_for_parts();
    name_problems(&mut openapi);
    (router, openapi)
}

/// Refusals are `application/problem+json`, and the document says so: what derives it knows one type of JSON only.
fn name_problems(openapi: &mut utoipa::openapi::OpenApi) {
    use utoipa::openapi::{Content, RefOr};
    let is_problem = |content: &RefOr<Content>| {
        let RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) = content else { return false };
        schema.ref_location.ends_with("/ProblemBody")
    };
    for item in openapi.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for response in operations.into_iter().flatten().flat_map(|one| one.responses.responses.values_mut()) {
            let RefOr::T(response) = response else { continue };
            let contents = std::mem::take(&mut response.content).into_iter();
            response.content = contents
                .map(
                    |(kind, content)| {
                        if is_problem(&content) { (PROBLEM_JSON.to_owned(), content) } else { (kind, content) }
                    },
                )
                .collect();
        }
    }
}

/// The OpenAPI 3.1 document of the provider API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    provider_parts().1
}

/// All routes of both APIs.
pub fn router(service: Service) -> Router {
    let (provider, openapi) = provider_parts();
    let document = Json(openapi);
    Router::new()
        .merge(provider)
        .nest("/product/v1", product::router())
        .route("/api/v1/openapi.json", get(move || async move { document.clone().into_response() }))
        .with_state(AppState { service })
}
