//! The viewer's second step of signing in.

use axum::{http::StatusCode, response::Response};
use tenure_service::{
    ProblemKind, SecondStepSetup, begin_second_step, confirm_second_step, pending_second_step, remove_second_step,
    renew_recovery_codes,
};

use super::account::{HERE, show_with, typed};
use crate::{
    pages::{
        Notice,
        problem::Refusal,
        second_step::{RecoveryCodes, SetUp},
    },
    present,
    web::{Fields, Refused, Viewing, back_to, page, page_with},
};

/// `POST /settings/account/second-step`: makes a secret and shows it.
pub(super) async fn begin(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let password = typed(&fields, "current");
    match begin_second_step(&viewing.service, viewing.actor(), password).await.map_err(Refused::from) {
        Ok(setup) => set_up(&viewing, &setup, None, StatusCode::OK).await,
        Err(error) => refused(&viewing, error).await,
    }
}

/// `POST /settings/account/second-step/confirm`: makes it count, and shows recovery codes this once.
pub(super) async fn confirm(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let (service, actor) = (&viewing.service, viewing.actor());
    let confirmed = confirm_second_step(service, actor, &viewing.token, fields.get("code")).await;
    match confirmed.map_err(Refused::from) {
        Ok(codes) => {
            page(&viewing, RecoveryCodes { codes: codes.iter().map(|code| code.to_string()).collect(), is_first: true })
                .await
        }
        Err(error) if error.problem().kind == ProblemKind::InvalidInput => {
            let (said, status) = super::super::refused(error)?;
            match pending_second_step(service, actor).await? {
                Some(setup) => set_up(&viewing, &setup, said.problem, status).await,
                None => show_with(&viewing, said, status).await,
            }
        }
        Err(error) => refused(&viewing, error).await,
    }
}

/// `POST /settings/account/second-step/codes`: other recovery codes.
pub(super) async fn codes(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let (service, actor) = (&viewing.service, viewing.actor());
    let made = renew_recovery_codes(service, actor, typed(&fields, "current"), fields.get("code")).await;
    match made.map_err(Refused::from) {
        Ok(codes) => {
            let codes = codes.iter().map(|code| code.to_string()).collect();
            page(&viewing, RecoveryCodes { codes, is_first: false }).await
        }
        Err(error) => refused(&viewing, error).await,
    }
}

/// `POST /settings/account/second-step/remove`.
pub(super) async fn remove(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let (service, actor) = (&viewing.service, viewing.actor());
    let done = remove_second_step(service, actor, typed(&fields, "current"), fields.get("code")).await;
    match done.map_err(Refused::from) {
        Ok(()) => Ok(back_to(HERE, Notice::SecondStepRemoved)),
        Err(error) => refused(&viewing, error).await,
    }
}

async fn refused(viewing: &Viewing, error: Refused) -> Result<Response, Refused> {
    let (said, status) = super::super::refused(error)?;
    show_with(viewing, said, status).await
}

async fn set_up(
    viewing: &Viewing,
    setup: &SecondStepSetup,
    problem: Option<Refusal>,
    status: StatusCode,
) -> Result<Response, Refused> {
    let qr = present::qr(&setup.uri).ok_or(ProblemKind::Internal)?;
    let groups: Vec<&str> =
        setup.secret.as_bytes().chunks(4).filter_map(|four| std::str::from_utf8(four).ok()).collect();
    page_with(viewing, status, SetUp { problem, secret: groups.join(" "), qr }).await
}
