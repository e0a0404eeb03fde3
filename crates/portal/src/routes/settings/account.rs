//! The viewer's own password and sessions.

use axum::{http::StatusCode, response::Response};
use tenure_core::SessionId;
use tenure_service::{change_password, end_other_sessions, end_session, list_sessions, view_me, view_second_step};
use zeroize::Zeroizing;

use super::tabs;
use crate::{
    pages::{
        Notice, Said,
        settings::{Account, SessionRow, Tab},
    },
    routes::said,
    web::{Fields, Refused, Viewing, back_to, page_with},
};

pub(super) const HERE: &str = "/settings/account";

/// `GET /settings/account`.
pub(super) async fn show(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    show_with(&viewing, said(&fields), StatusCode::OK).await
}

pub(super) async fn show_with(viewing: &Viewing, said: Said, status: StatusCode) -> Result<Response, Refused> {
    let (service, actor) = (&viewing.service, viewing.actor());
    let me = view_me(service, actor).await?;
    let second_step = view_second_step(service, actor).await?;
    let sessions = list_sessions(service, actor, &viewing.token).await?;
    let part = Account {
        said,
        tabs: tabs(viewing, Tab::Account),
        email: me.email.unwrap_or_default(),
        role: me.role.title(),
        sessions: sessions
            .into_iter()
            .map(|session| SessionRow {
                id: session.id.to_string(),
                created: session.created,
                seen: session.seen,
                ends: session.ends,
                is_current: session.current,
            })
            .collect(),
        second_step: second_step.since,
        recovery_codes: second_step.recovery_codes,
    };
    page_with(viewing, status, part).await
}

/// `POST /settings/account/sessions`: ends the one that is named, else all but this.
pub(super) async fn end_sessions(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let named: Option<SessionId> = fields.read_or_none("session")?;
    match named {
        Some(id) => end_session(&viewing.service, viewing.actor(), id).await?,
        None => {
            end_other_sessions(&viewing.service, viewing.actor(), &viewing.token).await?;
        }
    }
    Ok(back_to(HERE, Notice::SessionsEnded))
}

/// `POST /settings/account/password`. Passwords are taken as they are typed, spaces included.
pub(super) async fn password(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let typed = |name: &str| typed(&fields, name);
    let (service, actor) = (&viewing.service, viewing.actor());
    let done = change_password(service, actor, &viewing.token, typed("current"), typed("new")).await;
    match done.map_err(Refused::from) {
        Ok(()) => Ok(back_to(HERE, Notice::PasswordChanged)),
        Err(error) => {
            let (said, status) = super::super::refused(error)?;
            show_with(&viewing, said, status).await
        }
    }
}

/// A secret as it was typed.
pub(super) fn typed(fields: &Fields, name: &str) -> Zeroizing<String> {
    let typed = fields.0.iter().find(|(known, _)| known == name);
    Zeroizing::new(typed.map(|(_, value)| value.clone()).unwrap_or_default())
}
