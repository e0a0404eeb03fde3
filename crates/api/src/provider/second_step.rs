//! The second step of signing in: a code of an authenticator app.

use axum::{Json, extract::State, http::StatusCode};
use tenure_service as service;
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};
use zeroize::Zeroizing;

use super::own_access::signed_in;
use crate::{ApiJson, ApiProblem, AppState, Principal, ProblemBody, principal::Bearer};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(sign_in_second_step))
        .routes(routes!(get_second_step, begin_second_step))
        .routes(routes!(confirm_second_step))
        .routes(routes!(renew_recovery_codes))
        .routes(routes!(remove_second_step))
}

/// Sign in: second step
///
/// Trades the challenge of a right password and a code for a session's token. A code is taken once, for 90 seconds at most;
/// a recovery code is good once. Every wrong code counts like a wrong password.
#[utoipa::path(
    post,
    path = "/sign-in/second-step",
    tag = "own access",
    security(()),
    request_body = wire::SecondStepSignIn,
    responses((status = 200, body = wire::SignedIn), (status = "4XX", body = ProblemBody))
)]
async fn sign_in_second_step(
    State(state): State<AppState>,
    ApiJson(body): ApiJson<wire::SecondStepSignIn>,
) -> Result<Json<wire::SignedIn>, ApiProblem> {
    let signed = service::sign_in_second_step(&state.service, &body.challenge, &body.code).await?;
    Ok(Json(signed_in(&signed)))
}

/// Show the own second step
///
/// For people.
#[utoipa::path(
    get,
    path = "/me/second-step",
    tag = "own access",
    responses((status = 200, body = wire::SecondStep), (status = "4XX", body = ProblemBody))
)]
async fn get_second_step(
    State(state): State<AppState>,
    Principal(actor): Principal,
) -> Result<Json<wire::SecondStep>, ApiProblem> {
    let view = service::view_second_step(&state.service, &actor).await?;
    Ok(Json(wire::SecondStep { since: view.since, recovery_codes: view.recovery_codes }))
}

/// Begin a second step
///
/// For people. Makes a secret for an authenticator app; it counts once a code has confirmed it. Another one that was not
/// confirmed is forgotten. A wrong password counts like one at signing in.
#[utoipa::path(
    post,
    path = "/me/second-step",
    tag = "own access",
    request_body = wire::SecondStepBegin,
    responses((status = 200, body = wire::SecondStepSetup), (status = "4XX", body = ProblemBody))
)]
async fn begin_second_step(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiJson(body): ApiJson<wire::SecondStepBegin>,
) -> Result<Json<wire::SecondStepSetup>, ApiProblem> {
    let setup = service::begin_second_step(&state.service, &actor, Zeroizing::new(body.password)).await?;
    Ok(Json(wire::SecondStepSetup { secret: setup.secret.to_string(), uri: setup.uri.to_string() }))
}

/// Confirm the own second step
///
/// With the first code of the app. From now on signing in takes one. The answer holds recovery codes, once; all other
/// sessions end.
#[utoipa::path(
    post,
    path = "/me/second-step/confirm",
    tag = "own access",
    request_body = wire::SecondStepCode,
    responses((status = 200, body = wire::RecoveryCodes), (status = "4XX", body = ProblemBody))
)]
async fn confirm_second_step(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Bearer(session): Bearer,
    ApiJson(body): ApiJson<wire::SecondStepCode>,
) -> Result<Json<wire::RecoveryCodes>, ApiProblem> {
    let codes = service::confirm_second_step(&state.service, &actor, &session, &body.code).await?;
    Ok(Json(shape(&codes)))
}

/// Make other recovery codes
///
/// Those before are worth nothing then. A wrong password or code counts like one at signing in.
#[utoipa::path(
    post,
    path = "/me/second-step/recovery-codes",
    tag = "own access",
    request_body = wire::SecondStepProof,
    responses((status = 200, body = wire::RecoveryCodes), (status = "4XX", body = ProblemBody))
)]
async fn renew_recovery_codes(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiJson(body): ApiJson<wire::SecondStepProof>,
) -> Result<Json<wire::RecoveryCodes>, ApiProblem> {
    let password = Zeroizing::new(body.password);
    let codes = service::renew_recovery_codes(&state.service, &actor, password, &body.code).await?;
    Ok(Json(shape(&codes)))
}

/// Remove the own second step
///
/// A wrong password or code counts like one at signing in.
#[utoipa::path(
    post,
    path = "/me/second-step/remove",
    tag = "own access",
    request_body = wire::SecondStepProof,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn remove_second_step(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiJson(body): ApiJson<wire::SecondStepProof>,
) -> Result<StatusCode, ApiProblem> {
    service::remove_second_step(&state.service, &actor, Zeroizing::new(body.password), &body.code).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shape(codes: &service::RecoveryCodes) -> wire::RecoveryCodes {
    wire::RecoveryCodes { codes: codes.iter().map(|code| code.to_string()).collect() }
}
