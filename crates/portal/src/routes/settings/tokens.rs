//! API tokens of the viewer's organization.

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_core::TokenId;
use tenure_service::{
    MAX_PAGE, NewToken, Paging, ProblemKind, TokenFilter, TokenRotation, TokenScope, create_token, list_tokens,
    revoke_token, rotate_token,
};

use super::{site_choices, site_name, sites, tabs};
use crate::{
    format,
    pages::{
        Choice, Notice, Said,
        settings::{Secret, Tab, TokenRow, TokenState, Tokens},
    },
    present,
    routes::said,
    web::{Fields, Refused, Viewing, back_to, page, page_with},
};

const HERE: &str = "/settings/tokens";

/// Scopes: word in the form, words on the page.
const SCOPES: [(TokenScope, &str, &str); 3] = [
    (TokenScope::Read, "read", "Read"),
    (TokenScope::Report, "report", "Read, and submit usage"),
    (TokenScope::Manage, "manage", "Read and change all"),
];

/// How long a token can be good for, in days.
const LIFETIMES: [(i64, &str); 4] = [(30, "30 days"), (90, "90 days"), (365, "One year"), (730, "Two years")];
const MICROS_A_DAY: i64 = 86_400_000_000;
/// How long a rotated token is still good for, in hours.
const OVERLAP_HOURS: u32 = 24;

/// `GET /settings/tokens`.
pub(super) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    show(&viewing, &fields, said(&fields), StatusCode::OK).await
}

async fn show(viewing: &Viewing, fields: &Fields, said: Said, status: StatusCode) -> Result<Response, Refused> {
    let paging = Paging { cursor: present::cursor(fields), limit: Some(MAX_PAGE) };
    let tokens = list_tokens(&viewing.service, viewing.actor(), TokenFilter::default(), &paging).await?;
    let sites = sites(viewing).await?;
    let scope = fields.get("scope");
    let days = if fields.get("days").is_empty() { "90" } else { fields.get("days") };
    let part = Tokens {
        said,
        tabs: tabs(viewing, Tab::Tokens),
        rows: tokens.items.iter().map(|token| row(viewing, token, site_name(&sites, token.site))).collect(),
        idempotency_key: viewing.fresh_key(),
        name: fields.get("name").to_owned(),
        scopes: SCOPES.into_iter().map(|(_, word, label)| Choice::new(word, label, scope)).collect(),
        sites: site_choices(&sites, "All sites", fields.get("site")),
        lifetimes: LIFETIMES.into_iter().map(|(each, label)| Choice::new(each.to_string(), label, days)).collect(),
        overlap_hours: OVERLAP_HOURS,
        next: tokens.next.map(|cursor| format!("{HERE}?after={cursor}")).unwrap_or_default(),
    };
    page_with(viewing, status, part).await
}

fn row(viewing: &Viewing, token: &tenure_service::TokenRow, site: String) -> TokenRow {
    let scope = SCOPES.into_iter().find(|(scope, ..)| *scope == token.scope);
    TokenRow {
        href: format!("{HERE}/{}", token.id),
        name: token.name.clone(),
        scope: scope.map_or("", |(.., label)| label),
        site,
        created: token.created,
        expires: token.expires,
        used: token.used,
        state: state(viewing, token),
        days: token.expires.micros_since(token.created) / MICROS_A_DAY,
        idempotency_key: viewing.fresh_key(),
    }
}

/// Whether a token is in force.
pub(super) fn state(viewing: &Viewing, token: &tenure_service::TokenRow) -> TokenState {
    match token.revoked {
        Some(at) => TokenState::Revoked(at),
        None if viewing.now >= token.expires => TokenState::Ended,
        None => TokenState::InForce,
    }
}

/// `POST /settings/tokens`: makes one, and shows it this once.
pub(super) async fn create(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let made = async {
        let wanted = fields.get("scope");
        let scope = SCOPES.into_iter().find(|(_, word, _)| *word == wanted).map(|(scope, ..)| scope);
        let input = NewToken {
            name: fields.get("name").to_owned(),
            scope: scope.ok_or_else(|| ProblemKind::InvalidInput.because("choose a scope"))?,
            site: fields.read_or_none("site")?,
            expires: viewing.now.plus_days(lifetime(&fields)?),
        };
        Ok(create_token(&viewing.service, viewing.actor(), input, Some(fields.idempotency()?)).await?)
    };
    let made: Result<_, Refused> = made.await;
    match made {
        Ok(made) => {
            let part = Secret {
                of: format!("Token for {}", fields.get("name")),
                secret: made.token.to_string(),
                what_to_do: "Put it where the program that uses it keeps its secrets.".to_owned(),
                back: HERE,
            };
            page(&viewing, part).await
        }
        Err(error) => {
            let (said, status) = super::super::refused(error)?;
            show(&viewing, &fields, said, status).await
        }
    }
}

fn lifetime(fields: &Fields) -> Result<i64, Refused> {
    let days: u16 = fields.read("days")?;
    Ok(i64::from(days))
}

fn parse(id: &str) -> Result<TokenId, Refused> {
    id.parse().map_err(|_| ProblemKind::NotFound.into())
}

/// `POST /settings/tokens/{id}/rotate`: makes its successor, and shows it this once.
pub(super) async fn rotate(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let id = parse(&id)?;
    let made = async {
        let expires = viewing.now.plus_days(lifetime(&fields)?);
        let rotation = TokenRotation { expires, overlap_hours: OVERLAP_HOURS };
        Ok(rotate_token(&viewing.service, viewing.actor(), id, rotation, Some(fields.idempotency()?)).await?)
    };
    let made: Result<_, Refused> = made.await;
    match made {
        Ok(made) => {
            let part = Secret {
                of: "The new token".to_owned(),
                secret: made.created.token.to_string(),
                what_to_do: format!(
                    "Put it where the program that uses it keeps its secrets; the old one ends {}.",
                    format::instant(made.old_expires)
                ),
                back: HERE,
            };
            page(&viewing, part).await
        }
        Err(error) => {
            let (said, status) = super::super::refused(error)?;
            show(&viewing, &fields, said, status).await
        }
    }
}

/// `POST /settings/tokens/{id}/revoke`.
pub(super) async fn revoke(viewing: Viewing, Path(id): Path<String>) -> Result<Response, Refused> {
    revoke_token(&viewing.service, viewing.actor(), parse(&id)?).await?;
    Ok(back_to(HERE, Notice::TokenRevoked))
}
