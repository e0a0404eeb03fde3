//! Signing in with e-mail address and password, and with a second step where the person set one up.

use tenure_core::{OrgId, Timestamp};
use tenure_store::{
    AuditEntry, Queue, StoreError, Tx,
    rows::{
        org,
        person::{self, PersonRow},
        session::{self, SessionRow},
    },
};
use zeroize::Zeroizing;

use crate::{
    Actor, ActorKind, Error, ProblemKind, Result, Service, password, second_step,
    session::{ABSOLUTE_HOURS, PREFIX, hash_of, new_secret},
};

/// Wrong passwords in a row before the next one has to wait.
const FREE_FAILURES: u32 = 5;
/// Longest wait, in minutes.
const MAX_LOCK_MINUTES: i64 = 15;

/// Who wants in.
#[derive(Clone)]
pub struct SignIn {
    /// E-mail address, in any case.
    pub email: String,
    /// Password.
    pub password: Zeroizing<String>,
}

/// A session was made.
#[derive(Clone)]
pub struct SignedIn {
    /// The session's token, shown once: `tns_…`.
    pub token: Zeroizing<String>,
    /// Who signed in.
    pub actor: Actor,
    /// When it ends whatever happens.
    pub ends: Timestamp,
}

/// Signs a person in. Every refusal reads alike, so that nobody learns who exists or who is locked.
///
/// After five wrong passwords in a row the next one waits: 1 minute, then 2, 4, 8, at most 15. Meanwhile no password is
/// looked at. Who has set up a second step is refused with [`ProblemKind::SecondStep`] and a challenge, which
/// [`sign_in_second_step`](crate::sign_in_second_step) takes with a code.
pub async fn sign_in(service: &Service, input: SignIn) -> Result<SignedIn> {
    let (person, now) = admit(service, input).await?;
    if person.second_step.is_some() {
        return Err(second_step::wanted(service, &person).into());
    }
    open(service, person, now).await
}

/// The person that an address and a password belong to, and the instant at which they were looked at. A wrong password is
/// counted.
pub(crate) async fn admit(service: &Service, input: SignIn) -> Result<(PersonRow, Timestamp)> {
    let email = input.email.trim().to_lowercase();
    if email.len() > 320 || input.password.len() > password::MAX_PASSWORD {
        return Err(ProblemKind::SignInFailed.into());
    }
    let mut read = service.store().peek().await?;
    let person = person::find_by_email(&mut read, &email).await?;
    let org = match &person {
        Some(person) => org::find(&mut read, person.org).await?,
        None => None,
    };
    drop(read);
    let now = service.now();
    let may_enter = |person: &PersonRow| {
        person.disabled.is_none() && now >= person.locked_until && org.is_some_and(|org| org.disabled.is_none())
    };
    let admitted = person.filter(may_enter);
    let hash = admitted.as_ref().map(|person| person.password_hash.clone());
    let right = password::verify(&input.password, hash).await?;
    match admitted {
        Some(person) if right => Ok((person, now)),
        Some(person) => {
            fail(service, person, now).await?;
            Err(ProblemKind::SignInFailed.into())
        }
        None => Err(ProblemKind::SignInFailed.into()),
    }
}

/// Whether somebody who is signed in knows their password; a wrong one counts and locks as at signing in.
pub(crate) async fn check_password(service: &Service, person: PersonRow, password: &str) -> Result<()> {
    let now = service.now();
    if now < person.locked_until || password.len() > password::MAX_PASSWORD {
        return Err(ProblemKind::SignInFailed.into());
    }
    if password::verify(password, Some(person.password_hash.clone())).await? {
        return Ok(());
    }
    fail(service, person, now).await?;
    Err(ProblemKind::SignInFailed.into())
}

/// Opens a session for whoever was admitted.
pub(crate) async fn open(service: &Service, person: PersonRow, now: Timestamp) -> Result<SignedIn> {
    let token = new_secret(PREFIX, service.rng());
    let row = SessionRow {
        token_hash: hash_of(&token),
        person: person.id,
        created: now,
        seen: now,
        expires: now.plus_secs(ABSOLUTE_HOURS * 3_600),
        refresh_hash: None,
        read_only: false,
    };
    let ends = row.expires;
    let actor = Actor { kind: ActorKind::Person(person.id), org: person.org, role: person.role, site: person.site };
    keep(service, person.org, row).await?;
    Ok(SignedIn { token, actor, ends })
}

/// Stores the session of somebody whose password was right, and code where one is wanted.
pub(crate) async fn keep(service: &Service, org: OrgId, row: SessionRow) -> Result<()> {
    service
        .store()
        .write(Queue::People, async move |tx| {
            // Of many tries at once, those after the lock are too late, also the right one.
            let person = person::lock(tx, row.person).await?.ok_or(ProblemKind::SignInFailed)?;
            if row.created < person.locked_until {
                return Err(ProblemKind::SignInFailed.into());
            }
            person::succeeded(tx, row.person).await?;
            session::insert(tx, &row).await?;
            tx.audit(AuditEntry {
                actor: row.person.to_string(),
                verb: "person.signed_in",
                subject: row.person.to_string(),
                org: Some(org),
                at: row.created,
                body: serde_json::json!({ "until": row.expires }),
            });
            Ok::<_, Error>(())
        })
        .await
}

async fn fail(service: &Service, person: PersonRow, now: Timestamp) -> Result<()> {
    Ok(service.store().write(Queue::People, async move |tx| count_failure(tx, &person, now).await).await?)
}

/// Counts a wrong password or code. Only the lock that follows is worth an audit entry: an attacker must not write the log.
pub(crate) async fn count_failure(tx: &mut Tx, person: &PersonRow, now: Timestamp) -> Result<(), StoreError> {
    let failures = person::failed(tx, person.id).await?;
    let Some(minutes) = lock_minutes(failures) else { return Ok(()) };
    let until = now.plus_secs(minutes * 60);
    person::lock_until(tx, person.id, until).await?;
    tx.audit(AuditEntry {
        actor: "server".to_owned(),
        verb: "person.locked",
        subject: person.id.to_string(),
        org: Some(person.org),
        at: now,
        body: serde_json::json!({ "failures": failures, "until": until }),
    });
    Ok(())
}

/// How long the next password has to wait after so many wrong ones.
fn lock_minutes(failures: u32) -> Option<i64> {
    let beyond = failures.checked_sub(FREE_FAILURES)?;
    Some((1_i64 << beyond.min(10)).min(MAX_LOCK_MINUTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        assert_eq!(
            [4, 5, 6, 7, 8, 9, 1000].map(lock_minutes),
            [None, Some(1), Some(2), Some(4), Some(8), Some(15), Some(15)]
        );
    }
}
