//! Answers: a page, its part alone for htmx, a redirect after a change, a file.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use tenure_service::ProblemKind;

use super::{Refused, Viewing};
use crate::pages::{Frame, Notice, Page, Part};

/// A part as it answers htmx: its title goes along, so that the window's follows.
#[derive(askama::Template)]
#[template(source = "<title>{{ part.title() }} · Tenure</title>{{ part|safe }}", ext = "html")]
struct Alone<'a, P: Part> {
    part: &'a P,
}

/// The page around the part, or the part alone for htmx.
pub(crate) async fn page<P: Part>(viewing: &Viewing, part: P) -> Result<Response, Refused> {
    page_with(viewing, StatusCode::OK, part).await
}

/// The page with a status, for one that also says why something was refused.
pub(crate) async fn page_with<P: Part>(viewing: &Viewing, status: StatusCode, part: P) -> Result<Response, Refused> {
    if viewing.htmx {
        return Ok(alone(status, &part));
    }
    let frame = viewing.frame().await?;
    Ok(around(status, &frame, &part))
}

/// The part alone. A refused change must not leave its own address in the browser's history.
pub(crate) fn alone<P: Part>(status: StatusCode, part: &P) -> Response {
    let mut response = html(status, &Alone { part });
    if !status.is_success() {
        let never = HeaderValue::from_static("false");
        response.headers_mut().insert(HeaderName::from_static("hx-push-url"), never);
    }
    response
}

/// The part in its frame.
pub(crate) fn around<P: Part>(status: StatusCode, frame: &Frame, part: &P) -> Response {
    html(status, &Page { frame, part })
}

fn html(status: StatusCode, template: &impl askama::Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(error = ?error, "a page could not be written");
            Refused::from(ProblemKind::Internal).into_response()
        }
    }
}

/// On to another page of the portal (303): what a changing request answers.
pub(crate) fn to(path: &str) -> Response {
    // A path of ours is visible ASCII; anything else would be a mistake, and home is a page that always exists.
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// On to a page, which says at its top what was done. `path` may carry a query and a fragment.
pub(crate) fn back_to(path: &str, notice: Notice) -> Response {
    let (path, fragment) =
        path.split_once('#').map_or((path, String::new()), |(path, rest)| (path, format!("#{rest}")));
    let sign = if path.contains('?') { '&' } else { '?' };
    to(&format!("{path}{sign}said={}{fragment}", notice.slug()))
}

/// A file to keep.
pub(crate) fn attachment(name: &str, media_type: &'static str, content: impl Into<Body>) -> Response {
    let safe: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{safe}\""));
    let mut response = (StatusCode::OK, content.into()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment")));
    response
}
