//! Writes named by `X-Request-id`: done once, answered again for 48 hours, and answered 202 while they run longer than a
//! client may be kept waiting.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequestParts, MatchedPath, Query, Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tenure_service::{self as service, Actor, ConsoleActionBegun, NewConsoleAction, ProblemKind};
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::{Console, MAX_BODY, error::Refusal, principal::Caller, write};

/// How long a client is kept waiting for a named write; then it is told where to ask.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Operations whose answers are not kept: a file with a one-time code, tokens, and the actions themselves.
const NOT_KEPT: [&str; 3] = ["/download", "/token", "/asyncActions"];

/// Runs a request; a write that is named, once.
pub(crate) async fn once(State(state): State<Console>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match name(&parts) {
        Ok(None) => next.run(Request::from_parts(parts, body)).await,
        Ok(Some(id)) => match named(&state, parts, body, id, next).await {
            Ok(response) => response,
            Err(refusal) => refusal.into_response(),
        },
        Err(refusal) => refusal.into_response(),
    }
}

/// What names a write; none of what only reads, or whose answer is not kept.
fn name(parts: &Parts) -> Result<Option<Uuid>, Refusal> {
    let path = parts.uri.path();
    let is_kept = parts.method != Method::GET && !NOT_KEPT.iter().any(|part| path.contains(part));
    if is_kept { write::request_id(parts) } else { Ok(None) }
}

async fn named(state: &Console, mut parts: Parts, body: Body, id: Uuid, next: Next) -> Result<Response, Refusal> {
    let Caller(actor) = Caller::from_request_parts(&mut parts, state).await?;
    // The handler asks again and finds it here, so that a token's share is taken once.
    parts.extensions.insert(Caller(actor.clone()));
    let bytes = to_bytes(body, MAX_BODY).await;
    let bytes =
        bytes.map_err(|_| ProblemKind::MalformedBody.because(format!("a body has at most {MAX_BODY} bytes")))?;
    let action = action(&parts, &bytes, id);
    match service::begin_console_action(&state.service, &actor, action).await? {
        ConsoleActionBegun::Do => {}
        ConsoleActionBegun::Runs => return Ok(runs_on(id)),
        ConsoleActionBegun::Answered(status, answer) => return Ok(again(status, answer)),
    }
    let request = Request::from_parts(parts, Body::from(bytes));
    let (state_, running) = (state.clone(), next.run(request));
    // It runs on when the client goes away, as the same operation of the log.
    let work = async move { keep(&state_, &actor, id, running.await).await };
    let work = service::operation::scope(service::operation::current(), work).instrument(Span::current());
    let mut task = tokio::spawn(work);
    match tokio::time::timeout(state.patience, &mut task).await {
        Ok(done) => Ok(done.unwrap_or_else(|_| Refusal::from(ProblemKind::Internal).into_response())),
        Err(_) => Ok(runs_on(id)),
    }
}

fn action(parts: &Parts, body: &Bytes, id: Uuid) -> NewConsoleAction {
    let matched = parts.extensions.get::<MatchedPath>().map_or(parts.uri.path(), MatchedPath::as_str);
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map(|query| query.0).unwrap_or_default();
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        query.entry(name).or_default().push(value);
    }
    // A license file is no text that a list of actions shows.
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let text = Some(body).filter(|body| !body.is_empty() && kind.starts_with("application/json"));
    NewConsoleAction {
        id,
        request: write::request_hash(parts, body),
        name: format!("{} {matched}", parts.method),
        query,
        body: text.and_then(|body| String::from_utf8(body.to_vec()).ok()),
    }
}

/// Keeps an answer before it is given, so that whoever hears it can hear it again.
async fn keep(state: &Console, actor: &Actor, id: Uuid, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Refusal::from(ProblemKind::Internal).into_response();
    };
    let answer = String::from_utf8_lossy(&bytes).into_owned();
    let kept = service::finish_console_action(&state.service, actor, id, parts.status.as_u16(), answer).await;
    if let Err(error) = kept {
        // It was done: who sends it again is answered by the use case's own memory.
        tracing::warn!(error = ?error, "the answer of a named write could not be kept");
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// Told to ask later.
fn runs_on(id: Uuid) -> Response {
    let location = HeaderValue::from_str(&format!("/api/v3/asyncActions/{id}")).expect("a UUID is visible ASCII");
    (StatusCode::ACCEPTED, [(header::LOCATION, location)]).into_response()
}

/// The first answer, again.
pub(crate) fn again(status: u16, answer: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], answer).into_response()
}
