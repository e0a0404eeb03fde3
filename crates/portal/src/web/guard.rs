//! What every request passes through: the headers that keep a browser in bounds, and the writing of refusals.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tenure_service::{Problem, ProblemKind};
use tower_http::csrf::ProtectionError;

use super::{Htmx, Portal, answer, local_path, refusal, refused::Unwritten};
use crate::{
    pages::{Frame, problem::ProblemPage},
    present,
};

/// Nothing from outside, nothing inline, nobody around us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Runs the request, writes the page of a refusal, and sets the headers.
pub(crate) async fn guard(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let asked = Asked::of(&request);
    let mut response = next.run(request).await;
    if let Some(problem) = refused_before_or_in_a_handler(&response) {
        response = write(&portal, &asked, &problem, response);
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if portal.options.https {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    // Assets say themselves how long they keep; pages are somebody's own and never kept.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.append(header::VARY, HeaderValue::from_static("HX-Request"));
    response
}

/// What is kept of a request for the page of its refusal.
struct Asked {
    htmx: bool,
    is_get: bool,
    path: String,
    referer: String,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let own = header(header::HOST).unwrap_or_default();
        // Only a page of ours is a place to go back to.
        let referer = header(header::REFERER).and_then(|referer| referer.split_once("://"));
        let referer = referer.and_then(|(_, rest)| rest.strip_prefix(own)).filter(|_| !own.is_empty());
        Self {
            htmx: Htmx::of(request.headers()),
            is_get: request.method() == Method::GET,
            path: path.to_owned(),
            referer: referer.and_then(local_path).unwrap_or("/").to_owned(),
        }
    }
}

fn refused_before_or_in_a_handler(response: &Response) -> Option<Problem> {
    if let Some(Unwritten(problem)) = response.extensions().get() {
        return Some(problem.clone());
    }
    if response.extensions().get::<ProtectionError>().is_some() {
        return Some(ProblemKind::CrossSite.into());
    }
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => Some(ProblemKind::NotFound.into()),
        StatusCode::PAYLOAD_TOO_LARGE => Some(ProblemKind::MalformedBody.into()),
        _ => None,
    }
}

fn write(portal: &Portal, asked: &Asked, problem: &Problem, refused: Response) -> Response {
    if problem.kind == ProblemKind::Unauthenticated {
        return sign_in(asked);
    }
    let page = ProblemPage { refusal: refusal(problem), back: asked.referer.clone() };
    let status = refused.status();
    let mut response = if asked.htmx {
        answer::alone(status, &page)
    } else {
        // The database may be what failed, so this page asks it nothing: it stands without the navigation.
        let demo_clock = portal.service.deployment().test_clock.then(|| portal.service.now());
        answer::around(status, &Frame { viewer: None, waiting: 0, suspended_by: Vec::new(), demo_clock }, &page)
    };
    if let Some(after) = refused.headers().get(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, after.clone());
    }
    response
}

/// Sends who is not signed in to the door, and back to the page that was asked for.
fn sign_in(asked: &Asked) -> Response {
    let wanted = if asked.is_get && !asked.htmx { asked.path.as_str() } else { asked.referer.as_str() };
    let door = format!("/sign-in?{}", present::query([("to", wanted)]));
    if asked.htmx {
        let location = HeaderValue::from_str(&door).unwrap_or(HeaderValue::from_static("/sign-in"));
        return (StatusCode::NO_CONTENT, [(HeaderName::from_static("hx-redirect"), location)]).into_response();
    }
    answer::to(&door)
}
