//! What people do about their own access: who they are, their password, their sessions, a forgotten password.

use serde_json::{Value, json};
use tenure_core::{OrgId, SessionId, SiteId, Timestamp, TokenId, UserId, roles::Role};
use tenure_store::{
    AuditEntry, Message, Queue, Tx,
    rows::{
        api_token, org, password_reset,
        person::{self, PersonRow},
        session::{self, SessionRow},
    },
};
use zeroize::Zeroizing;

use crate::{
    Actor, ActorKind, Error, ProblemKind, Result, Service, password, people,
    secret::Seed,
    session::{IDLE_SECS, hash_of, new_secret},
    sign_in,
};

/// What the secret of a link to set a password begins with.
const PREFIX: &str = "tnp_";
/// How long such a link can be used.
const LINK_HOURS: i64 = 24;
/// How long after a link nobody can ask for another: a stranger must not fill somebody's mailbox.
const LINK_EVERY_SECS: i64 = 300;
/// Fewest characters of a password that a person chooses.
const MIN_PASSWORD: usize = 12;

/// Who asks, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The person, if it is one.
    pub person: Option<UserId>,
    /// The token, if it is one.
    pub token: Option<TokenId>,
    /// The person's or the token's name.
    pub name: String,
    /// The person's e-mail address.
    pub email: Option<String>,
    /// Whom it acts for.
    pub org: OrgId,
    /// That organization's name.
    pub org_name: String,
    /// What it may do.
    pub role: Role,
    /// The one site it is confined to.
    pub site: Option<SiteId>,
    /// Since when the person signs in with a second step.
    pub second_step: Option<Timestamp>,
}

/// A place where a person is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// When the person signed in there.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub seen: Timestamp,
    /// When it ends whatever happens.
    pub ends: Timestamp,
    /// The one that asks.
    pub current: bool,
}

/// Who the actor is.
pub async fn view_me(service: &Service, actor: &Actor) -> Result<Me> {
    let mut read = service.store().read().await?;
    let org = org::find(&mut read, actor.org).await?.ok_or(ProblemKind::Unauthenticated)?;
    let mut me = Me {
        person: None,
        token: None,
        name: actor.audit_name(),
        email: None,
        org: org.id,
        org_name: org.name,
        role: actor.role,
        site: actor.site,
        second_step: None,
    };
    match actor.kind {
        ActorKind::Person(id) => {
            let row = person::find(&mut read, id).await?.ok_or(ProblemKind::Unauthenticated)?;
            (me.person, me.name, me.email) = (Some(id), row.name, Some(row.email));
            me.second_step = row.second_step;
        }
        ActorKind::Token(id) => {
            let row = api_token::find_by_id(&mut read, actor.org, id).await?.ok_or(ProblemKind::Unauthenticated)?;
            (me.token, me.name) = (Some(id), row.name);
        }
        ActorKind::Job(_) | ActorKind::Operator => {}
    }
    Ok(me)
}

/// The person that acts; tokens have neither password nor sessions.
pub(crate) fn person_of(actor: &Actor) -> Result<UserId> {
    match actor.kind {
        ActorKind::Person(id) => Ok(id),
        _ => Err(ProblemKind::Forbidden.because("only a person who signed in has a password and sessions").into()),
    }
}

fn id_of(row: &SessionRow) -> SessionId {
    let (first, _) = row.token_hash.split_first_chunk::<16>().expect("a hash has 32 bytes");
    SessionId::from_uuid(uuid::Uuid::from_bytes(*first))
}

/// Where the acting person is signed in, newest first. `current` is the token of the session that asks.
pub async fn list_sessions(service: &Service, actor: &Actor, current: &str) -> Result<Vec<SessionView>> {
    let (person, now) = (person_of(actor)?, service.now());
    let mut read = service.store().read().await?;
    let rows = session::of_person(&mut read, person, now, now.plus_secs(-IDLE_SECS)).await?;
    let current = hash_of(current);
    let view = |row: &SessionRow| SessionView {
        id: id_of(row),
        created: row.created,
        seen: row.seen,
        ends: row.expires,
        current: row.token_hash == current,
    };
    Ok(rows.iter().map(view).collect())
}

/// Ends one of the acting person's sessions.
pub async fn end_session(service: &Service, actor: &Actor, id: SessionId) -> Result<()> {
    let (person, now, org) = (person_of(actor)?, service.now(), actor.org);
    service
        .store()
        .write(Queue::People, async move |tx| {
            let rows = session::of_person(tx, person, now, now.plus_secs(-IDLE_SECS)).await?;
            let row = rows.into_iter().find(|row| id_of(row) == id).ok_or(ProblemKind::NotFound)?;
            session::delete(tx, &row.token_hash).await?;
            log(tx, person, org, person, "person.session_ended", now, json!({ "session": id }));
            Ok::<_, Error>(())
        })
        .await
}

/// Ends all of the acting person's sessions but the one that asks; how many.
pub async fn end_other_sessions(service: &Service, actor: &Actor, current: &str) -> Result<u64> {
    let (person, now, org, current) = (person_of(actor)?, service.now(), actor.org, hash_of(current));
    service
        .store()
        .write(Queue::People, async move |tx| {
            let ended = session::delete_others(tx, person, &current).await?;
            log(tx, person, org, person, "person.sessions_ended", now, json!({ "sessions": ended }));
            Ok::<_, Error>(ended)
        })
        .await
}

/// Ends all sessions of a person; for those who may manage it.
pub async fn end_sessions_of(service: &Service, actor: &Actor, id: UserId) -> Result<()> {
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let (row, _) = people::find_managed(tx, &actor, id).await?;
            let ended = session::delete_of_person(tx, id).await?;
            let body = json!({ "name": row.name, "sessions": ended });
            crate::change::by(tx, &actor, row.org, "person.sessions_ended", id.to_string(), now, body);
            Ok::<_, Error>(())
        })
        .await
}

/// Changes the acting person's password. Its other sessions end. A wrong current password counts as one at signing in.
pub async fn change_password(
    service: &Service,
    actor: &Actor,
    session: &str,
    current: Zeroizing<String>,
    new: Zeroizing<String>,
) -> Result<()> {
    let (person, now) = (person_of(actor)?, service.now());
    let mut read = service.store().peek().await?;
    let row = person::find(&mut read, person).await?.ok_or(ProblemKind::Unauthenticated)?;
    drop(read);
    acceptable(&new, &row)?;
    sign_in::check_password(service, row.clone(), &current).await?;
    let (hash, keep) = (password::hash(&new, service.rng()).await?, hash_of(session));
    service
        .store()
        .write(Queue::People, async move |tx| {
            person::set_password(tx, person, &hash).await?;
            session::delete_others(tx, person, &keep).await?;
            password_reset::delete_of_person(tx, person, now).await?;
            log(tx, person, row.org, person, "person.password_changed", now, json!({}));
            Ok::<_, Error>(())
        })
        .await
}

/// Sends a person a link with which it sets a new password, once, within 24 hours; by who may manage it. The link goes to
/// the person alone.
pub async fn send_password_link(service: &Service, actor: &Actor, id: UserId) -> Result<Timestamp> {
    let (now, actor, seed) = (service.now(), actor.clone(), Seed::new(service.rng()));
    let hash = hash_of(&secret_of(service, seed));
    service
        .store()
        .write(Queue::People, async move |tx| {
            let (row, _) = people::find_managed(tx, &actor, id).await?;
            if row.disabled.is_some() {
                return Err(ProblemKind::Inactive.because("this person may no longer sign in").into());
            }
            let until = send(tx, &row, seed, &hash, now).await?;
            log_by(tx, actor.audit_name(), row.org, id, "person.password_link_sent", now, json!({ "until": until }));
            Ok::<_, Error>(until)
        })
        .await
}

/// Sends a link to whoever has this e-mail address. It answers the same at once whether anybody has, so that nobody learns
/// who exists; at most one link is sent in five minutes.
pub fn request_password_link(service: &Service, email: &str) {
    let (service, email) = (service.clone(), email.trim().to_lowercase());
    tokio::spawn(async move {
        if let Err(error) = send_if_known(&service, email).await {
            tracing::error!(error = ?error, "a link to set a password could not be sent");
        }
    });
}

async fn send_if_known(service: &Service, email: String) -> Result<()> {
    let (now, seed) = (service.now(), Seed::new(service.rng()));
    let hash = hash_of(&secret_of(service, seed));
    service
        .store()
        .write(Queue::People, async move |tx| {
            let row = person::find_by_email(tx, &email).await?.filter(|row| row.disabled.is_none());
            let Some(row) = row else { return Ok(()) };
            let newest = password_reset::newest(tx, row.id).await?;
            if newest.is_some_and(|at| now < at.plus_secs(LINK_EVERY_SECS)) {
                return Ok(());
            }
            let until = send(tx, &row, seed, &hash, now).await?;
            let body = json!({ "until": until });
            log_by(tx, "server".to_owned(), row.org, row.id, "person.password_link_asked", now, body);
            Ok::<_, Error>(())
        })
        .await
}

async fn send(tx: &mut Tx, row: &PersonRow, seed: Seed, hash: &[u8; 32], now: Timestamp) -> Result<Timestamp> {
    let until = now.plus_secs(LINK_HOURS * 3_600);
    password_reset::delete_of_person(tx, row.id, now).await?;
    password_reset::insert(tx, hash, row.id, now, until).await?;
    // What lies in the outbox is worth nothing without the deployment's own secret.
    tx.outbox(Message {
        aggregate: row.id.to_string(),
        kind: "person.password_link",
        to: row.id.to_string(),
        body: json!({ "seed": seed, "until": until }),
        at: now,
    });
    Ok(until)
}

/// The secret of the link that a `person.password_link` message stands for; for whoever sends it. `None` where the body is
/// no such message's.
pub fn password_link_secret(service: &Service, body: &Value) -> Option<Zeroizing<String>> {
    let seed = serde_json::from_value(body.get("seed")?.clone()).ok()?;
    Some(secret_of(service, seed))
}

fn secret_of(service: &Service, seed: Seed) -> Zeroizing<String> {
    new_secret(PREFIX, &seed.derive(service, "password link"))
}

/// Sets a password with the secret of a link. All sessions of the person end.
pub async fn redeem_password_link(service: &Service, secret: &str, new: Zeroizing<String>) -> Result<()> {
    let (now, hash) = (service.now(), hash_of(secret));
    let mut read = service.store().peek().await?;
    let gone = || ProblemKind::NotFound.because("this link was used already, or has lapsed; ask for another");
    let person = password_reset::find(&mut read, &hash, now).await?.ok_or_else(gone)?;
    let row = person::find(&mut read, person).await?.filter(|row| row.disabled.is_none()).ok_or_else(gone)?;
    drop(read);
    acceptable(&new, &row)?;
    let password = password::hash(&new, service.rng()).await?;
    service
        .store()
        .write(Queue::People, async move |tx| {
            if !password_reset::use_up(tx, &hash, now).await? {
                return Err(gone().into());
            }
            person::set_password(tx, person, &password).await?;
            session::delete_of_person(tx, person).await?;
            password_reset::delete_of_person(tx, person, now).await?;
            log(tx, person, row.org, person, "person.password_set", now, json!({}));
            Ok::<_, Error>(())
        })
        .await
}

/// A password that somebody chose: long, and not made of what others know of them.
fn acceptable(new: &str, row: &PersonRow) -> Result<()> {
    let refused = |words: String| Err(ProblemKind::InvalidInput.because(words).into());
    if new.chars().count() < MIN_PASSWORD || new.len() > password::MAX_PASSWORD {
        return refused(format!(
            "a password has at least {MIN_PASSWORD} characters, and at most {} bytes",
            password::MAX_PASSWORD
        ));
    }
    let lower = new.to_lowercase();
    let user = row.email.split('@').next().unwrap_or_default();
    let repeats = new.chars().all(|c| new.starts_with(c));
    if repeats || lower.contains(&row.email) || (user.len() >= MIN_PASSWORD && lower == user) {
        return refused("a password is not your e-mail address, and not one character again and again".to_owned());
    }
    Ok(())
}

fn log(tx: &mut Tx, by: UserId, org: OrgId, subject: UserId, verb: &'static str, at: Timestamp, body: Value) {
    log_by(tx, by.to_string(), org, subject, verb, at, body);
}

/// What somebody does about their own access is recorded; nobody else is told.
fn log_by(tx: &mut Tx, actor: String, org: OrgId, subject: UserId, verb: &'static str, at: Timestamp, body: Value) {
    tx.audit(AuditEntry { actor, verb, subject: subject.to_string(), org: Some(org), at, body });
}
