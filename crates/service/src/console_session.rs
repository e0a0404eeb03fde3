//! Signing in to the console API: a session with a second token that carries it on, and that may be for reading only.

use tenure_core::Timestamp;
use tenure_store::{
    Queue, StoreError,
    rows::{
        person,
        session::{self, SessionRow},
    },
};
use zeroize::Zeroizing;

use crate::{
    ProblemKind, Result, Service, SignIn,
    session::{ABSOLUTE_HOURS, IDLE_SECS, PREFIX, hash_of, new_secret},
    sign_in,
};

/// What a refresh token begins with.
const REFRESH_PREFIX: &str = "tnf_";

/// A session of the console API.
#[derive(Clone)]
pub struct ConsoleSession {
    /// The bearer token.
    pub access: Zeroizing<String>,
    /// What trades itself, once, for another pair.
    pub refresh: Zeroizing<String>,
    /// When both end whatever happens.
    pub ends: Timestamp,
}

/// Signs a person in to the console API; refusals and waits are those of [`sign_in`](crate::sign_in). Who signs in with a
/// second step uses a token here: scripts have no second step.
pub async fn console_sign_in(service: &Service, input: SignIn, read_only: bool) -> Result<ConsoleSession> {
    let (person, now) = sign_in::admit(service, input).await?;
    if person.second_step.is_some() {
        let words = "a script cannot give the code that this person signs in with; use a token instead, which is made in \
                     the portal under Settings > API tokens";
        return Err(ProblemKind::SecondStep.because(words).into());
    }
    let (made, row) = make(service, person.id, now, now.plus_secs(ABSOLUTE_HOURS * 3_600), read_only);
    sign_in::keep(service, person.org, row).await?;
    Ok(made)
}

/// Trades a refresh token for another pair, which ends when the first would have. The old pair ends now; a refresh token
/// that was traded already is refused. Nothing widens: what only read goes on reading only.
pub async fn console_refresh(service: &Service, refresh: &str, read_only: bool) -> Result<ConsoleSession> {
    if !refresh.starts_with(REFRESH_PREFIX) {
        return Err(ProblemKind::SignInFailed.into());
    }
    let (now, hash) = (service.now(), hash_of(refresh));
    let mut read = service.store().peek().await?;
    let old = session::find_by_refresh(&mut read, &hash).await?.ok_or(ProblemKind::SignInFailed)?;
    let person = person::find(&mut read, old.person).await?.filter(|row| row.disabled.is_none());
    person.ok_or(ProblemKind::SignInFailed)?;
    drop(read);
    if now >= old.expires || now >= old.seen.plus_secs(IDLE_SECS) {
        return Err(ProblemKind::SignInFailed.into());
    }
    let (made, row) = make(service, old.person, now, old.expires, read_only || old.read_only);
    let traded = service
        .store()
        .write(Queue::People, async move |tx| {
            // Two that trade at once: one finds the session gone.
            if !session::delete(tx, &old.token_hash).await? {
                return Ok(false);
            }
            session::insert(tx, &row).await?;
            Ok::<_, StoreError>(true)
        })
        .await?;
    if traded { Ok(made) } else { Err(ProblemKind::SignInFailed.into()) }
}

fn make(
    service: &Service,
    person: tenure_core::UserId,
    now: Timestamp,
    ends: Timestamp,
    read_only: bool,
) -> (ConsoleSession, SessionRow) {
    let access = new_secret(PREFIX, service.rng());
    let refresh = new_secret(REFRESH_PREFIX, service.rng());
    let row = SessionRow {
        token_hash: hash_of(&access),
        person,
        created: now,
        seen: now,
        expires: ends,
        refresh_hash: Some(hash_of(&refresh)),
        read_only,
    };
    (ConsoleSession { access, refresh, ends }, row)
}
