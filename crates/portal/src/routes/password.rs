//! A lost password: a link is asked for, and opened from the letter.

use axum::{extract::State, http::StatusCode, response::Response};
use tenure_service::{redeem_password_link, request_password_link};
use zeroize::Zeroizing;

use crate::{
    pages::{
        Frame, Part,
        password::{AskLink, NewPassword},
    },
    web::{Fields, Portal, Refused, around, refusal, to},
};

/// `GET /password`: for which address.
pub(super) async fn ask(State(portal): State<Portal>) -> Response {
    page(&portal, StatusCode::OK, &AskLink { sent: false })
}

/// `POST /password`: says the same whoever was named, so that nobody learns who exists.
pub(super) async fn send(State(portal): State<Portal>, fields: Fields) -> Response {
    request_password_link(&portal.service, fields.get("email"));
    page(&portal, StatusCode::OK, &AskLink { sent: true })
}

/// `GET /password/new?secret=`: the letter's link. It changes nothing, so a scanner of links uses none up.
pub(super) async fn choose(State(portal): State<Portal>, fields: Fields) -> Response {
    let part = NewPassword { secret: fields.get("secret").to_owned(), problem: None };
    page(&portal, StatusCode::OK, &part)
}

/// `POST /password/new`: sets it, and on to the door.
pub(super) async fn set(State(portal): State<Portal>, fields: Fields) -> Result<Response, Refused> {
    let (secret, new) = (fields.get("secret").to_owned(), Zeroizing::new(fields.get("new").to_owned()));
    match redeem_password_link(&portal.service, &secret, new).await.map_err(Refused::from) {
        Ok(()) => Ok(to("/sign-in?set=true")),
        Err(refused) if refused.status().is_client_error() => {
            let part = NewPassword { secret, problem: Some(refusal(&refused.problem())) };
            Ok(page(&portal, refused.status(), &part))
        }
        Err(refused) => Err(refused),
    }
}

fn page(portal: &Portal, status: StatusCode, part: &impl Part) -> Response {
    let demo_clock = portal.service.deployment().test_clock.then(|| portal.service.now());
    let frame = Frame { viewer: None, waiting: 0, suspended_by: Vec::new(), demo_clock };
    around(status, &frame, part)
}
