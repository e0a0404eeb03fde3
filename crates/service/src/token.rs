//! Machines' tokens: making, revoking, and who is behind one.

use serde_json::json;
use tenure_core::{
    OrgId, SiteId, Timestamp, TokenId, UserId,
    roles::{Action, OrgKind, Role},
};
pub use tenure_store::rows::api_token::{TokenRow, TokenScope};
use tenure_store::{Conn, Queue, Tx, rows::api_token};
use zeroize::Zeroizing;

use crate::{
    Actor, ActorKind, Error, Idempotency, Page, Paging, ProblemKind, Result, Service,
    authorize::{at_home, site_for},
    change, checks,
    idempotent::{self, Begun},
    page,
    secret::Seed,
    session::{self, hash_of, new_secret},
};

const PREFIX: &str = "tnr_";
/// Longest life of a token, in days.
const MAX_DAYS: i64 = 731;
/// Longest time, in hours, for which a rotated token goes on.
pub const MAX_OVERLAP_HOURS: u32 = 7 * 24;
/// Most tokens of one organization in force at once.
const MAX_TOKENS: i64 = 1_000;
const USED_EVERY_SECS: i64 = 60;

/// A token to make for the actor's own organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// What it is for, 1 to 200 characters.
    pub name: String,
    /// What it may do.
    pub scope: TokenScope,
    /// The one site it is confined to.
    pub site: Option<SiteId>,
    /// When it ends, at most two years from now.
    pub expires: Timestamp,
}

/// A token that was made.
#[derive(Clone)]
pub struct CreatedToken {
    /// Its id.
    pub id: TokenId,
    /// The token, `tnr_…`; it exists nowhere else.
    pub token: Zeroizing<String>,
}

/// Makes a token. Only people and the operator can: a leaked token must not make itself another way in.
pub async fn create_token(
    service: &Service,
    actor: &Actor,
    input: NewToken,
    idempotency: Option<Idempotency>,
) -> Result<CreatedToken> {
    checks::name("name", &input.name)?;
    let now = service.now();
    within_bounds(input.expires, now)?;
    let (id, seed) = (TokenId::generate(now, service.rng()), Seed::new(service.rng()));
    let (hash, actor) = (hash_of(&secret_of(service, seed)), actor.clone());
    let (id, seed) = service
        .store()
        .write(Queue::People, async move |tx| {
            let kind = at_home(tx, &actor, Action::ManagePeople).await?;
            let remember = match idempotent::begin(tx, &actor, "token.create", idempotency.as_ref(), now).await? {
                Begun::Done(made) => return Ok(made),
                Begun::Do(remember) => remember,
            };
            bounded(tx, actor.org, now).await?;
            let site = match (kind, input.site) {
                (OrgKind::Provider, wanted) => site_for(tx, &actor, actor.org, wanted).await?,
                (_, None) => None,
                (_, Some(_)) => return Err(ProblemKind::InvalidInput.because("only a provider has sites").into()),
            };
            let row = TokenRow {
                token_hash: hash,
                id,
                org: actor.org,
                org_kind: kind,
                org_disabled: None,
                site,
                name: input.name.trim().to_owned(),
                scope: input.scope,
                created_by: person_of(&actor),
                created: now,
                expires: input.expires,
                used: None,
                revoked: None,
                console: None,
            };
            api_token::insert(tx, &row).await?;
            let body = json!({
                "name": row.name, "scope": row.scope, "site": row.site, "expires": row.expires,
            });
            change::by(tx, &actor, actor.org, "token.created", id.to_string(), now, body);
            idempotent::remember(tx, remember, &(id, seed)).await?;
            Ok::<_, Error>((id, seed))
        })
        .await?;
    Ok(CreatedToken { id, token: secret_of(service, seed) })
}

fn within_bounds(expires: Timestamp, now: Timestamp) -> Result<()> {
    if expires > now && expires <= now.plus_days(MAX_DAYS) {
        return Ok(());
    }
    Err(ProblemKind::InvalidInput.because("expires_at must be within two years from now").into())
}

fn person_of(actor: &Actor) -> Option<UserId> {
    match actor.kind {
        ActorKind::Person(id) => Some(id),
        _ => None,
    }
}

/// The token that a seed stands for.
fn secret_of(service: &Service, seed: Seed) -> Zeroizing<String> {
    new_secret(PREFIX, &seed.derive(service, "api token"))
}

async fn bounded(conn: &mut Conn, org: OrgId, now: Timestamp) -> Result<()> {
    if api_token::count(conn, org, now).await? < MAX_TOKENS {
        return Ok(());
    }
    let words = format!("an organization has at most {MAX_TOKENS} tokens in force; revoke those that are not used");
    Err(ProblemKind::InvalidInput.because(words).into())
}

/// What a list of tokens is narrowed to.
pub use api_token::Filter as TokenFilter;

/// A rotation: another secret for what a token does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRotation {
    /// When the new one ends, at most two years from now.
    pub expires: Timestamp,
    /// How many hours the old one is still good for, at most [`MAX_OVERLAP_HOURS`].
    pub overlap_hours: u32,
}

/// A token's successor.
#[derive(Clone)]
pub struct RotatedToken {
    /// The new token.
    pub created: CreatedToken,
    /// When the old one ends.
    pub old_expires: Timestamp,
}

/// The tokens of the actor's organization in the order they were made; those of its site for who is confined to one.
pub async fn list_tokens(
    service: &Service,
    actor: &Actor,
    filter: TokenFilter,
    paging: &Paging,
) -> Result<Page<TokenRow>> {
    let limit = paging.limit()?;
    let query = format!("tokens {filter:?}");
    let after = paging.after(service, actor.org, &query)?.map(TokenId::from_uuid);
    let mut read = service.store().read().await?;
    at_home(&mut read, actor, Action::ManagePeople).await?;
    let rows = api_token::page(&mut read, actor.org, filter, service.now(), after, limit + 1).await?;
    Ok(page::cut(service, actor.org, &query, rows, limit, |row| row.id.uuid()))
}

/// One token of the actor's organization.
pub async fn view_token(service: &Service, actor: &Actor, id: TokenId) -> Result<TokenRow> {
    let mut read = service.store().read().await?;
    at_home(&mut read, actor, Action::ManagePeople).await?;
    api_token::find_by_id(&mut read, actor.org, id).await?.ok_or_else(|| ProblemKind::NotFound.into())
}

/// Makes another token with the name, scope and site of one, which ends after the overlap: time to put the new one in place.
pub async fn rotate_token(
    service: &Service,
    actor: &Actor,
    old: TokenId,
    input: TokenRotation,
    idempotency: Option<Idempotency>,
) -> Result<RotatedToken> {
    let now = service.now();
    within_bounds(input.expires, now)?;
    if input.overlap_hours > MAX_OVERLAP_HOURS {
        let words = format!("overlap_hours must be at most {MAX_OVERLAP_HOURS}");
        return Err(ProblemKind::InvalidInput.because(words).into());
    }
    let (id, seed) = (TokenId::generate(now, service.rng()), Seed::new(service.rng()));
    let (hash, actor) = (hash_of(&secret_of(service, seed)), actor.clone());
    let (id, seed, old_expires) = service
        .store()
        .write(Queue::People, async move |tx| {
            at_home(tx, &actor, Action::ManagePeople).await?;
            let remember = match idempotent::begin(tx, &actor, "token.rotate", idempotency.as_ref(), now).await? {
                Begun::Done(made) => return Ok(made),
                Begun::Do(remember) => remember,
            };
            bounded(tx, actor.org, now).await?;
            let before = api_token::find_by_id(tx, actor.org, old).await?.ok_or(ProblemKind::NotFound)?;
            if before.revoked.is_some() || now >= before.expires {
                return Err(ProblemKind::Inactive.because("this token has expired or was revoked").into());
            }
            let until = before.expires.min(now.plus_secs(i64::from(input.overlap_hours) * 3_600));
            let row = TokenRow {
                token_hash: hash,
                id,
                created_by: person_of(&actor),
                created: now,
                expires: input.expires,
                used: None,
                console: None,
                ..before
            };
            api_token::insert(tx, &row).await?;
            api_token::expire(tx, actor.org, old, until).await?;
            let body = json!({
                "name": row.name, "new": id, "scope": row.scope, "site": row.site, "expires": row.expires, "old_expires": until,
            });
            change::by(tx, &actor, actor.org, "token.rotated", old.to_string(), now, body);
            idempotent::remember(tx, remember, &(id, seed, until)).await?;
            Ok::<_, Error>((id, seed, until))
        })
        .await?;
    Ok(RotatedToken { created: CreatedToken { id, token: secret_of(service, seed) }, old_expires })
}

/// Revokes a token of the actor's organization.
pub async fn revoke_token(service: &Service, actor: &Actor, id: TokenId) -> Result<()> {
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_home(tx, &actor, Action::ManagePeople).await?;
            if !api_token::revoke(tx, actor.org, id, now).await? {
                return Err(ProblemKind::NotFound.into());
            }
            change::by(tx, &actor, actor.org, "token.revoked", id.to_string(), now, json!({}));
            Ok::<_, Error>(())
        })
        .await
}

/// Who is behind a bearer token: a machine's, or a person's session.
pub async fn authenticate_token(service: &Service, token: &str) -> Result<Actor> {
    authenticate(service, token, Door::Provider).await
}

/// The same for the console API; a token that speaks it is a console's connection.
pub async fn authenticate_console(service: &Service, token: &str) -> Result<Actor> {
    authenticate(service, token, Door::Console).await
}

/// Where a token is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Provider,
    Console,
}

async fn authenticate(service: &Service, token: &str, door: Door) -> Result<Actor> {
    if token.starts_with(session::PREFIX) {
        return Ok(session::authenticate_any(service, token).await?.0.actor);
    }
    if !token.starts_with(PREFIX) {
        return Err(ProblemKind::Unauthenticated.into());
    }
    let (now, hash) = (service.now(), hash_of(token));
    let mut read = service.store().peek().await?;
    let row = api_token::find(&mut read, &hash).await?.ok_or(ProblemKind::Unauthenticated)?;
    drop(read);
    if row.revoked.is_some() || now >= row.expires {
        return Err(ProblemKind::Unauthenticated.because("the token has expired or was revoked").into());
    }
    if row.org_disabled.is_some() {
        return Err(ProblemKind::Unauthenticated.because("the token's organization was deactivated").into());
    }
    if let Some(limits) = service.limits() {
        limits.take_token(row.id)?;
    }
    let is_due = |noted: Option<Timestamp>| noted.is_none_or(|at| now >= at.plus_secs(USED_EVERY_SECS));
    let console = door == Door::Console && is_due(row.console);
    if is_due(row.used) || console {
        let note = async move |tx: &mut Tx| {
            api_token::used(tx, &hash, now).await?;
            if console {
                api_token::spoke_console(tx, &hash, now).await?;
            }
            Ok::<_, Error>(())
        };
        service.store().write(Queue::People, note).await?;
    }
    let role = match row.scope {
        TokenScope::Read => Role::TokenRead,
        TokenScope::Manage => Role::TokenManage,
        TokenScope::Report => Role::TokenReport,
    };
    Ok(Actor { kind: ActorKind::Token(row.id), org: row.org, role, site: row.site })
}
