//! Signing in and out.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use tenure_service::{ProblemKind, SignIn, SignedIn, sign_in, sign_in_second_step, sign_out};
use zeroize::Zeroizing;

use crate::{
    pages::{self, Frame, Part, problem::Refusal},
    web::{Fields, Portal, Refused, SessionCookie, Viewing, around, local_path, refusal, to},
};

/// `GET /sign-in`: e-mail and password; who is signed in already goes home.
pub(super) async fn door(State(portal): State<Portal>, viewing: Result<Viewing, Refused>, fields: Fields) -> Response {
    match viewing {
        Ok(_) => to(wanted(&fields)),
        Err(_) => page(&portal, StatusCode::OK, &fields, None),
    }
}

/// `POST /sign-in`: on to the page that was wanted.
pub(super) async fn enter(State(portal): State<Portal>, fields: Fields) -> Result<Response, Refused> {
    let input = SignIn { email: fields.get("email").to_owned(), password: password(&fields) };
    let signed_in = match sign_in(&portal.service, input).await.map_err(Refused::from) {
        Ok(signed_in) => signed_in,
        Err(refused) if refused.problem().kind == ProblemKind::SecondStep => {
            let extensions = refused.problem().extensions;
            let challenge = extensions.iter().find(|(name, _)| *name == "challenge");
            let challenge = challenge.and_then(|(_, value)| value.as_str()).unwrap_or_default().to_owned();
            return Ok(code_page(&portal, StatusCode::OK, &fields, challenge, None));
        }
        Err(refused) if refused.status() == StatusCode::UNAUTHORIZED => {
            return Ok(page(&portal, refused.status(), &fields, Some(refusal(&refused.problem()))));
        }
        Err(refused) => return Err(refused),
    };
    Ok(entered(&portal, &fields, &signed_in))
}

/// `POST /sign-in/code`: the second step, on to the page that was wanted.
pub(super) async fn code(State(portal): State<Portal>, fields: Fields) -> Result<Response, Refused> {
    let challenge = fields.get("challenge").to_owned();
    match sign_in_second_step(&portal.service, &challenge, fields.get("code")).await.map_err(Refused::from) {
        Ok(signed_in) => Ok(entered(&portal, &fields, &signed_in)),
        Err(refused) if refused.status().is_client_error() => {
            let problem = Some(refusal(&refused.problem()));
            Ok(code_page(&portal, refused.status(), &fields, challenge, problem))
        }
        Err(refused) => Err(refused),
    }
}

fn entered(portal: &Portal, fields: &Fields, signed_in: &SignedIn) -> Response {
    let seconds = signed_in.ends.micros_since(portal.service.now()) / 1_000_000;
    let mut response = to(wanted(fields));
    if let Some(cookie) = SessionCookie::set(portal.options, &signed_in.token, seconds) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// `POST /sign-out`: ends the session here and on the server.
pub(super) async fn leave(State(portal): State<Portal>, headers: HeaderMap) -> Result<Response, Refused> {
    if let Some(token) = SessionCookie::read(&headers, portal.options) {
        sign_out(&portal.service, token).await?;
    }
    let mut response = to("/sign-in?left=true");
    if let Some(cookie) = SessionCookie::clear(portal.options) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// A password is taken as it is typed, spaces included.
fn password(fields: &Fields) -> Zeroizing<String> {
    let typed = fields.0.iter().find(|(name, _)| name == "password");
    Zeroizing::new(typed.map(|(_, value)| value.clone()).unwrap_or_default())
}

fn wanted(fields: &Fields) -> &str {
    local_path(fields.get("to")).unwrap_or("/")
}

fn page(portal: &Portal, status: StatusCode, fields: &Fields, problem: Option<Refusal>) -> Response {
    let deployment = portal.service.deployment();
    let part = pages::sign_in::SignIn {
        vendor: deployment.vendor_name.clone(),
        email: fields.get("email").to_owned(),
        to: wanted(fields).to_owned(),
        problem,
        signed_out: fields.is_set("left"),
        password_set: fields.is_set("set"),
        sends_letters: portal.options.sends_letters,
    };
    bare(portal, status, &part)
}

fn code_page(
    portal: &Portal,
    status: StatusCode,
    fields: &Fields,
    challenge: String,
    problem: Option<Refusal>,
) -> Response {
    bare(portal, status, &pages::second_step::Code { challenge, to: wanted(fields).to_owned(), problem })
}

fn bare(portal: &Portal, status: StatusCode, part: &impl Part) -> Response {
    let demo_clock = portal.service.deployment().test_clock.then(|| portal.service.now());
    let frame = Frame { viewer: None, waiting: 0, suspended_by: Vec::new(), demo_clock };
    around(status, &frame, part)
}
