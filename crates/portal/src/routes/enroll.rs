//! Enroll tokens of a license: made, revoked, and who waits admitted or refused.

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_core::{ApplicantId, EnrollTokenId, enroll::Network, roles::Action};
use tenure_service::{
    EnrollTokenRow, LicenseKey, NewEnrollToken, ProblemKind, create_enroll_token, decide_applicant, list_enroll_tokens,
    revoke_enroll_token, view_license,
};

use super::said;
use crate::{
    pages::{
        Choice, Notice, Said,
        enroll::{ApplicantRow, Enroll, TokenRow, Typed},
    },
    present,
    web::{Fields, Refused, Viewing, back_to, page_with},
};

/// How long a token can be good for, in days; what the program does not allow is left out.
const LIFETIMES: [(u32, &str); 4] = [(1, "One day"), (7, "7 days"), (30, "30 days"), (90, "90 days")];

/// `GET /licenses/{key}/enroll`.
pub(super) async fn show(viewing: Viewing, Path(key): Path<String>, fields: Fields) -> Result<Response, Refused> {
    render(&viewing, &key, &fields, said(&fields), String::new(), StatusCode::OK).await
}

/// `POST /licenses/{key}/enroll`: makes a token, and shows it this once.
pub(super) async fn create(viewing: Viewing, Path(key): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let made = async {
        let days: u32 = fields.read("days")?;
        let input = NewEnrollToken {
            name: fields.get("name").to_owned(),
            cap: fields.read("servers")?,
            license_limit: fields.read_or_none("limit")?,
            networks: networks(fields.get("networks"))?,
            expires: viewing.now.plus_days(i64::from(days)),
        };
        let once = Some(fields.idempotency()?);
        Ok(create_enroll_token(&viewing.service, viewing.actor(), parse(&key)?, input, once).await?)
    };
    let made: Result<_, Refused> = made.await;
    match made {
        Ok(made) => {
            let nothing = Fields(Vec::new());
            render(&viewing, &key, &nothing, Said::default(), made.token.to_string(), StatusCode::OK).await
        }
        Err(refused) => show_refused(&viewing, &key, &fields, refused).await,
    }
}

/// `POST /licenses/{key}/enroll/revoke`.
pub(super) async fn revoke(viewing: Viewing, Path(key): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let token: EnrollTokenId = fields.read("token")?;
    match revoke_enroll_token(&viewing.service, viewing.actor(), token).await.map_err(Refused::from) {
        Ok(()) => Ok(back_to(&format!("/licenses/{key}/enroll"), Notice::EnrollTokenRevoked)),
        Err(refused) => show_refused(&viewing, &key, &fields, refused).await,
    }
}

/// `POST /licenses/{key}/enroll/admit`.
pub(super) async fn admit(viewing: Viewing, path: Path<String>, fields: Fields) -> Result<Response, Refused> {
    decide(viewing, path, fields, true).await
}

/// `POST /licenses/{key}/enroll/refuse`.
pub(super) async fn refuse(viewing: Viewing, path: Path<String>, fields: Fields) -> Result<Response, Refused> {
    decide(viewing, path, fields, false).await
}

async fn decide(viewing: Viewing, Path(key): Path<String>, fields: Fields, admit: bool) -> Result<Response, Refused> {
    let id: ApplicantId = fields.read("applicant")?;
    let notice = if admit { Notice::ServerAdmitted } else { Notice::ServerNotAdmitted };
    match decide_applicant(&viewing.service, viewing.actor(), id, admit, None).await.map_err(Refused::from) {
        Ok(()) => Ok(back_to(&format!("/licenses/{key}/enroll"), notice)),
        Err(refused) => show_refused(&viewing, &key, &fields, refused).await,
    }
}

async fn show_refused(viewing: &Viewing, key: &str, fields: &Fields, refused: Refused) -> Result<Response, Refused> {
    let (said, status) = super::refused(refused)?;
    render(viewing, key, fields, said, String::new(), status).await
}

async fn render(
    viewing: &Viewing,
    key: &str,
    fields: &Fields,
    said: Said,
    made: String,
    status: StatusCode,
) -> Result<Response, Refused> {
    let (view, _) = view_license(&viewing.service, viewing.actor(), None, parse(key)?).await?;
    let found = list_enroll_tokens(&viewing.service, viewing.actor(), None, parse(key)?).await?;
    let name_of = |id: EnrollTokenId| {
        let token = found.tokens.iter().find(|token| token.id == id);
        token.map_or_else(|| id.to_string(), |token| token.name.clone())
    };
    let applicants = found.applicants.iter().map(|row| ApplicantRow {
        id: row.id.to_string(),
        name: if row.name.is_empty() { row.id.to_string() } else { row.name.clone() },
        address: row.address.clone(),
        asked: row.asked,
        token: name_of(row.token),
    });
    let most = viewing.service.policy().enroll_token_days;
    let days = if fields.get("days").is_empty() { "7" } else { fields.get("days") };
    let lifetimes = LIFETIMES.into_iter().filter(|(each, _)| *each <= most);
    let part = Enroll {
        said,
        made,
        base: present::licenses::href(&view),
        product: present::licenses::name(&view),
        applicants: applicants.collect(),
        tokens: found.tokens.iter().map(|token| row(viewing, token)).collect(),
        may: viewing.may(Action::ManageLicenses, false),
        idempotency_key: viewing.fresh_key(),
        typed: Typed {
            name: fields.get("name").to_owned(),
            servers: fields.get("servers").to_owned(),
            limit: fields.get("limit").to_owned(),
            networks: fields.get("networks").to_owned(),
        },
        lifetimes: lifetimes.map(|(each, label)| Choice::new(each.to_string(), label, days)).collect(),
    };
    page_with(viewing, status, part).await
}

fn row(viewing: &Viewing, token: &EnrollTokenRow) -> TokenRow {
    let networks: Vec<String> = token.networks.iter().map(ToString::to_string).collect();
    TokenRow {
        id: token.id.to_string(),
        name: token.name.clone(),
        used: (token.used, token.cap),
        limit: token.license_limit,
        networks: networks.join(", "),
        expires: token.expires,
        in_force: token.revoked.is_none() && viewing.now < token.expires,
        revoked: token.revoked,
        elsewhere: token.refused,
    }
}

/// Networks with commas or spaces between them.
fn networks(text: &str) -> Result<Vec<Network>, Refused> {
    let parts = text.split([',', ' ', '\n', '\r', '\t']).filter(|part| !part.is_empty());
    let read = |part: &str| {
        let wrong = |error| ProblemKind::InvalidInput.because(format!("`{part}`: {error}"));
        part.parse().map_err(wrong)
    };
    let found: Result<_, tenure_service::Problem> = parts.map(read).collect();
    Ok(found?)
}

fn parse(key: &str) -> Result<LicenseKey, Refused> {
    key.parse().map_err(|_| ProblemKind::NotFound.into())
}
