//! `POST /token`: the OAuth 2.0 grants `password` and `refresh_token`, form-encoded.

use axum::{
    Form, Json,
    extract::{State, rejection::FormRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;
use tenure_service::{self as service, Error, ProblemKind, SignIn};
use zeroize::Zeroizing;

use crate::{
    Console,
    error::{Refusal, message},
};

/// Seconds after which a client should refresh; the token itself ends after 12 hours without a request.
const EXPIRES_IN_SECS: u32 = 3_600;

/// The form.
#[derive(Deserialize)]
pub(crate) struct Grant {
    #[serde(rename = "grant_type")]
    kind: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    refresh_token: String,
    #[serde(default, alias = "read_only", rename = "readOnly")]
    read_only: Option<String>,
}

/// Trades a password or a refresh token for a pair of tokens.
pub(crate) async fn issue(
    State(state): State<Console>,
    form: Result<Form<Grant>, FormRejection>,
) -> Result<Response, Refusal> {
    let Ok(Form(grant)) = form else {
        return Ok(refused("invalid_request", "Send grant_type and what belongs to it, form-encoded."));
    };
    let read_only = match grant.read_only.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("" | "false") => false,
        Some("true") => true,
        Some(_) => return Ok(refused("invalid_request", "readOnly must be true or false.")),
    };
    let issued = match grant.kind.as_str() {
        "password" => {
            let input = SignIn { email: grant.username, password: Zeroizing::new(grant.password) };
            service::console_sign_in(&state.service, input, read_only).await
        }
        "refresh_token" => {
            let refresh = Zeroizing::new(grant.refresh_token);
            service::console_refresh(&state.service, &refresh, read_only).await
        }
        _ => return Ok(refused("unsupported_grant_type", "Use password or refresh_token.")),
    };
    match issued {
        Ok(session) => {
            let body = json!({
                "access_token": *session.access, "token_type": "bearer", "refresh_token": *session.refresh,
                "mfa_token": null, "encrypted_code": null, "expires_in": EXPIRES_IN_SECS,
            });
            let uncached = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            Ok((uncached, Json(body)).into_response())
        }
        Err(Error::Problem(problem)) if problem.kind == ProblemKind::SignInFailed => {
            Ok(refused("invalid_grant", &message(&problem)))
        }
        // The catalog's words are for who can answer a challenge, which no script can.
        Err(Error::Problem(problem)) if problem.kind == ProblemKind::SecondStep => {
            Ok(refused("invalid_grant", &format!("{}: {}.", problem.kind.title(), problem.detail)))
        }
        Err(error) => Err(error.into()),
    }
}

fn refused(error: &str, words: &str) -> Response {
    let body = json!({ "error": error, "error_description": words, "error_uri": null });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
