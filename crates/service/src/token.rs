//! Machines' tokens: making, revoking, and who is behind one.

use tenure_core::{
    SiteId, Timestamp, TokenId,
    roles::{Action, OrgKind, Role},
};
pub use tenure_store::rows::api_token::TokenScope;
use tenure_store::{
    Queue,
    rows::api_token::{self, TokenRow},
};
use zeroize::Zeroizing;

use crate::{
    Actor, ActorKind, Error, ProblemKind, Result, Service, authenticate_session,
    authorize::{at_home, site_for},
    change, checks,
    session::{self, hash_of, new_secret},
};

const PREFIX: &str = "tnr_";
/// Longest life of a token, in days.
const MAX_DAYS: i64 = 731;
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
pub async fn create_token(service: &Service, actor: &Actor, input: NewToken) -> Result<CreatedToken> {
    checks::name("name", &input.name)?;
    let now = service.now();
    if input.expires <= now || input.expires > now.plus_days(MAX_DAYS) {
        return Err(ProblemKind::InvalidInput.because("expires_at must be within two years from now").into());
    }
    let (id, token) = (TokenId::generate(now, service.rng()), new_secret(PREFIX, service.rng()));
    let (hash, actor) = (hash_of(&token), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let kind = at_home(tx, &actor, Action::ManagePeople).await?;
            let site = match (kind, input.site) {
                (OrgKind::Provider, wanted) => site_for(tx, &actor, actor.org, wanted).await?,
                (_, None) => None,
                (_, Some(_)) => return Err(ProblemKind::InvalidInput.because("only a provider has sites").into()),
            };
            let created_by = match actor.kind {
                ActorKind::Person(id) => Some(id),
                _ => None,
            };
            let row = TokenRow {
                token_hash: hash,
                id,
                org: actor.org,
                org_kind: kind,
                site,
                name: input.name.trim().to_owned(),
                scope: input.scope,
                created_by,
                created: now,
                expires: input.expires,
                used: None,
                revoked: None,
            };
            api_token::insert(tx, &row).await?;
            let body = serde_json::json!({
                "name": row.name, "scope": row.scope, "site": row.site, "expires": row.expires,
            });
            change::by(tx, &actor, actor.org, "token.created", id.to_string(), now, body);
            Ok::<_, Error>(())
        })
        .await?;
    Ok(CreatedToken { id, token })
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
            change::by(tx, &actor, actor.org, "token.revoked", id.to_string(), now, serde_json::json!({}));
            Ok::<_, Error>(())
        })
        .await
}

/// Who is behind a bearer token: a machine's, or a person's session.
pub async fn authenticate_token(service: &Service, token: &str) -> Result<Actor> {
    if token.starts_with(session::PREFIX) {
        return Ok(authenticate_session(service, token).await?.actor);
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
    if row.used.is_none_or(|used| now >= used.plus_secs(USED_EVERY_SECS)) {
        service.store().write(Queue::People, async move |tx| api_token::used(tx, &hash, now).await).await?;
    }
    let role = match row.scope {
        TokenScope::Read => Role::TokenRead,
        TokenScope::Manage => Role::TokenManage,
        TokenScope::Report => Role::TokenReport,
    };
    Ok(Actor { kind: ActorKind::Token(row.id), org: row.org, role, site: row.site })
}
