//! What the caller does about its own access: signing in, who it is, password, sessions.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use tenure_service as service;
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};
use zeroize::Zeroizing;

use super::extract::id;
use crate::{ApiJson, ApiProblem, AppState, Principal, ProblemBody, principal::Bearer};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(sign_in))
        .routes(routes!(sign_out))
        .routes(routes!(get_me))
        .routes(routes!(change_password))
        .routes(routes!(list_sessions, end_other_sessions))
        .routes(routes!(end_session))
        .routes(routes!(forgot_password))
        .routes(routes!(set_password))
}

/// Sign in
///
/// Trades e-mail address and password for a session's token. Machines use API tokens instead. Who signs in with a second step
/// is refused as `second-step`, with a `challenge` that `/sign-in/second-step` takes with a code.
#[utoipa::path(
    post,
    path = "/sign-in",
    tag = "own access",
    security(()),
    request_body = wire::SignIn,
    responses((status = 200, body = wire::SignedIn), (status = "4XX", body = ProblemBody))
)]
async fn sign_in(
    State(state): State<AppState>,
    ApiJson(body): ApiJson<wire::SignIn>,
) -> Result<Json<wire::SignedIn>, ApiProblem> {
    let input = service::SignIn { email: body.email, password: Zeroizing::new(body.password) };
    Ok(Json(signed_in(&service::sign_in(&state.service, input).await?)))
}

pub(super) fn signed_in(signed: &service::SignedIn) -> wire::SignedIn {
    wire::SignedIn {
        token: signed.token.to_string(),
        organization: signed.actor.org,
        role: signed.actor.role.word().to_owned(),
    }
}

/// Sign out
///
/// Ends the session that asks.
#[utoipa::path(
    post,
    path = "/sign-out",
    tag = "own access",
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn sign_out(
    State(state): State<AppState>,
    _signed_in: Principal,
    Bearer(session): Bearer,
) -> Result<StatusCode, ApiProblem> {
    service::sign_out(&state.service, &session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show who calls
///
/// The person or token behind the request, its organization and what it may do there.
#[utoipa::path(
    get,
    path = "/me",
    tag = "own access",
    responses((status = 200, body = wire::Me), (status = "4XX", body = ProblemBody))
)]
async fn get_me(State(state): State<AppState>, Principal(actor): Principal) -> Result<Json<wire::Me>, ApiProblem> {
    let me = service::view_me(&state.service, &actor).await?;
    Ok(Json(wire::Me {
        person: me.person,
        token: me.token,
        name: me.name,
        email: me.email,
        organization: wire::OrgRef { id: me.org, name: me.org_name },
        role: me.role.word().to_owned(),
        site: me.site,
        second_step_since: me.second_step,
    }))
}

/// Change the own password
///
/// For people. All other sessions end. A wrong current password counts like one at signing in.
#[utoipa::path(
    post,
    path = "/me/password",
    tag = "own access",
    request_body = wire::PasswordChange,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn change_password(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Bearer(session): Bearer,
    ApiJson(body): ApiJson<wire::PasswordChange>,
) -> Result<StatusCode, ApiProblem> {
    let (current, new) = (Zeroizing::new(body.current), Zeroizing::new(body.new));
    service::change_password(&state.service, &actor, &session, current, new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the own sessions
///
/// Where the caller is signed in, newest first; for people.
#[utoipa::path(
    get,
    path = "/me/sessions",
    tag = "own access",
    responses((status = 200, body = wire::Sessions), (status = "4XX", body = ProblemBody))
)]
async fn list_sessions(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Bearer(session): Bearer,
) -> Result<Json<wire::Sessions>, ApiProblem> {
    let shape = |view: service::SessionView| wire::Session {
        id: view.id,
        created_at: view.created,
        seen_at: view.seen,
        ends_at: view.ends,
        current: view.current,
    };
    let items = service::list_sessions(&state.service, &actor, &session).await?;
    Ok(Json(wire::Sessions { items: items.into_iter().map(shape).collect() }))
}

/// Sign out everywhere else
///
/// Ends the caller's sessions but the one that asks.
#[utoipa::path(
    delete,
    path = "/me/sessions",
    tag = "own access",
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn end_other_sessions(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Bearer(session): Bearer,
) -> Result<StatusCode, ApiProblem> {
    service::end_other_sessions(&state.service, &actor, &session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End one of the own sessions
#[utoipa::path(
    delete,
    path = "/me/sessions/{session}",
    tag = "own access",
    params(("session" = String, Path, description = "The session")),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn end_session(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(session): Path<String>,
) -> Result<StatusCode, ApiProblem> {
    service::end_session(&state.service, &actor, id(&session)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask for a link to set a password
///
/// Answers the same whether anybody has this e-mail address. At most one link is sent in five minutes.
#[utoipa::path(
    post,
    path = "/password-links",
    tag = "own access",
    security(()),
    request_body = wire::PasswordForgotten,
    responses((status = 202), (status = "4XX", body = ProblemBody))
)]
async fn forgot_password(State(state): State<AppState>, ApiJson(body): ApiJson<wire::PasswordForgotten>) -> StatusCode {
    service::request_password_link(&state.service, &body.email);
    StatusCode::ACCEPTED
}

/// Set a password with a link
///
/// The link works once, for 24 hours. All sessions of the person end.
#[utoipa::path(
    post,
    path = "/password-links/redeem",
    tag = "own access",
    security(()),
    request_body = wire::PasswordRedeemed,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn set_password(
    State(state): State<AppState>,
    ApiJson(body): ApiJson<wire::PasswordRedeemed>,
) -> Result<StatusCode, ApiProblem> {
    let secret = Zeroizing::new(body.secret);
    service::redeem_password_link(&state.service, &secret, Zeroizing::new(body.new)).await?;
    Ok(StatusCode::NO_CONTENT)
}
