//! Enroll tokens: with one, a fleet activates one license (A3). Making, listing, revoking.

use serde_json::json;
use tenure_core::{EnrollTokenId, LicenseId, OrgId, Timestamp, enroll::Network, roles::Action, suspension::Wish};
use tenure_license::ActivationCode;
pub use tenure_store::rows::enroll::{ApplicantRow, EnrollTokenRow};
use tenure_store::{
    Conn, Queue,
    rows::{agreement, enroll, license, template},
};

use crate::{
    Actor, ActorKind, Error, Idempotency, LicenseKey, ProblemKind, Result, Service,
    authorize::{at_provider, provider_meant, sees_site},
    change, checks,
    idempotent::{self, Begun},
    license_download,
    license_rules::{self, Facts},
    secret::Seed,
};

/// Most servers that one token lets in.
const MAX_SERVERS: u32 = 10_000;
/// Most networks of one token.
const MAX_NETWORKS: usize = 32;
/// Most tokens of one license in force at once.
const MAX_TOKENS: i64 = 20;
/// Most tokens that a license's page shows, ended ones included.
const MAX_LISTED: u32 = 50;
/// Most applicants that one list shows.
const MAX_APPLICANTS: u32 = 200;

/// A token to make for a license of the actor's organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnrollToken {
    /// What it is for, 1 to 200 characters.
    pub name: String,
    /// How many servers may ever show it, 1 to 10,000.
    pub cap: u32,
    /// Servers in use that the license may have before a further one waits for a person; `cap` otherwise.
    pub license_limit: Option<u32>,
    /// The networks it is good from, 1 to 32.
    pub networks: Vec<Network>,
    /// When it ends; the policy bounds how far ahead.
    pub expires: Timestamp,
}

/// A token that was made.
#[derive(Clone)]
pub struct CreatedEnrollToken {
    /// Its id.
    pub id: EnrollTokenId,
    /// The token, in the form of an activation code; it exists nowhere else.
    pub token: ActivationCode,
}

/// The tokens of a license, and who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollTokens {
    /// Tokens, newest first, at most 50.
    pub tokens: Vec<EnrollTokenRow>,
    /// Servers that wait for a person, the longest waiting first, at most 200.
    pub applicants: Vec<ApplicantRow>,
}

/// Makes a token with which servers activate a license until it ends, as many as it says and from where it says.
pub async fn create_enroll_token(
    service: &Service,
    actor: &Actor,
    key: LicenseKey,
    input: NewEnrollToken,
    idempotency: Option<Idempotency>,
) -> Result<CreatedEnrollToken> {
    let now = service.now();
    let license_limit = check(service, &input, now)?;
    let (id, seed) = (EnrollTokenId::generate(now, service.rng()), Seed::new(service.rng()));
    let hash = *token_of(service, seed).hash().as_bytes();
    let (service_, actor) = (service.clone(), actor.clone());
    let (id, seed) = service
        .store()
        .write(Queue::People, async move |tx| {
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let begun = idempotent::begin(tx, &actor, "enroll_token.create", idempotency.as_ref(), now).await?;
            let remember = match begun {
                Begun::Done(made) => return Ok(made),
                Begun::Do(remember) => remember,
            };
            let license = license_download::find(tx, &actor, key).await?;
            let agreement = agreement::find(tx, license.provider, license.agreement).await?;
            let agreement = agreement.ok_or(Error::Internal("a license of no agreement"))?;
            let holding = tenure_core::assignment::Holding::Assigned;
            let facts = Facts::gather(&service_, tx, agreement, license.usage_type, holding, None).await?;
            facts.may(Wish::Download)?;
            if enroll::count(tx, license.provider, license.id, now).await? >= MAX_TOKENS {
                let words = format!("a license has at most {MAX_TOKENS} enroll tokens in force; revoke one first");
                return Err(ProblemKind::InvalidInput.because(words).into());
            }
            let row = EnrollTokenRow {
                token_hash: hash,
                id,
                provider: license.provider,
                license: license.id,
                name: input.name.trim().to_owned(),
                cap: input.cap,
                used: 0,
                license_limit,
                networks: input.networks.clone(),
                created_by: match actor.kind {
                    ActorKind::Person(person) => Some(person),
                    _ => None,
                },
                created: now,
                expires: input.expires,
                revoked: None,
                refused: None,
            };
            enroll::insert(tx, &row).await?;
            let body = json!({
                "license": row.license, "name": row.name, "cap": row.cap, "license_limit": row.license_limit,
                "networks": row.networks, "expires": row.expires,
            });
            change::by(tx, &actor, row.provider, "enroll_token.created", id.to_string(), now, body);
            idempotent::remember(tx, remember, &(id, seed)).await?;
            Ok::<_, Error>((id, seed))
        })
        .await?;
    Ok(CreatedEnrollToken { id, token: token_of(service, seed) })
}

/// The token that a seed stands for.
fn token_of(service: &Service, seed: Seed) -> ActivationCode {
    ActivationCode::generate(&seed.derive(service, "enroll token"))
}

/// Gives the limit of the license.
fn check(service: &Service, input: &NewEnrollToken, now: Timestamp) -> Result<u32> {
    checks::name("name", &input.name)?;
    let limit = input.license_limit.unwrap_or(input.cap);
    let days = service.policy().enroll_token_days;
    let wrong = if !(1..=MAX_SERVERS).contains(&input.cap) {
        format!("`servers` must be from 1 to {MAX_SERVERS}")
    } else if limit > MAX_SERVERS {
        format!("`license_limit` must be at most {MAX_SERVERS}")
    } else if !(1..=MAX_NETWORKS).contains(&input.networks.len()) {
        format!("`networks` must name 1 to {MAX_NETWORKS} networks")
    } else if input.expires <= now || input.expires > now.plus_days(i64::from(days)) {
        format!("`expires_at` must be within {days} days from now")
    } else {
        return Ok(limit);
    };
    Err(ProblemKind::InvalidInput.because(wrong).into())
}

/// The tokens of a license and the servers that wait, for whoever may see the license.
pub async fn list_enroll_tokens(
    service: &Service,
    actor: &Actor,
    provider: Option<OrgId>,
    key: LicenseKey,
) -> Result<EnrollTokens> {
    let provider = provider_meant(actor, provider);
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    let license = seen(&mut read, actor, provider, key).await?;
    Ok(EnrollTokens {
        tokens: enroll::of_license(&mut read, provider, license, MAX_LISTED).await?,
        applicants: enroll::waiting(&mut read, provider, license, MAX_APPLICANTS).await?,
    })
}

/// The license behind a key, ended or not, if the actor sees its site.
async fn seen(conn: &mut Conn, actor: &Actor, provider: OrgId, key: LicenseKey) -> Result<LicenseId> {
    let found = match key {
        LicenseKey::License(id) => license::find(conn, provider, id).await?.map(|row| (Some(row.id), row.site)),
        LicenseKey::Template(id) => template::find(conn, provider, id).await?.map(|row| (row.license, row.site)),
    };
    let (license, _) = found.filter(|(_, site)| sees_site(actor, *site)).ok_or(ProblemKind::NotFound)?;
    license.ok_or_else(|| license_rules::refused(tenure_core::assignment::LicenseRefusal::NotAssigned))
}

/// Revokes a token of the actor's organization: nobody joins with it any more, and who waits does so no longer. What it let
/// in stays.
pub async fn revoke_enroll_token(service: &Service, actor: &Actor, id: EnrollTokenId) -> Result<()> {
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let row = enroll::find(tx, actor.org, id).await?.ok_or(ProblemKind::NotFound)?;
            seen(tx, &actor, row.provider, LicenseKey::License(row.license)).await?;
            if !enroll::revoke(tx, row.provider, id, now).await? {
                return Err(ProblemKind::NotFound.because("this enroll token was revoked before").into());
            }
            let body = json!({ "license": row.license, "name": row.name, "used": row.used });
            change::by(tx, &actor, row.provider, "enroll_token.revoked", id.to_string(), now, body);
            Ok::<_, Error>(())
        })
        .await
}
