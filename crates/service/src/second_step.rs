//! A second step at sign-in: codes of an authenticator app (TOTP, RFC 6238: SHA-1, 6 digits, 30 seconds), each taken once,
//! and recovery codes for who lost the app.
//!
//! A secret counts only after a code has proved that the app has it. Wrong codes are counted with wrong passwords, each try
//! seeing those before it, so that nobody guesses many at once.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tenure_core::{Timestamp, UserId};
use tenure_store::{
    AuditEntry, Message, Queue, Tx,
    rows::{
        org,
        person::{self, PersonRow},
        second_step, session,
    },
};
use zeroize::Zeroizing;

use crate::{
    Actor, ActorKind, Error, Problem, ProblemKind, RecoveryCodes, Result, SecondStepSetup, Service, SignedIn, change,
    own_access::person_of, people, second_step_code as code, session::hash_of, sign_in,
};

/// What a person holds between the two steps begins with.
const CHALLENGE_PREFIX: &str = "tnc_";
/// How long the second step may take, in seconds.
const CHALLENGE_SECS: i64 = 300;

/// How a person's second step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondStep {
    /// Since when signing in takes it; none when it does not.
    pub since: Option<Timestamp>,
    /// Recovery codes that were not used.
    pub recovery_codes: u64,
}

/// How the acting person's second step stands.
pub async fn view_second_step(service: &Service, actor: &Actor) -> Result<SecondStep> {
    let id = person_of(actor)?;
    let mut read = service.store().read().await?;
    let row = person::find(&mut read, id).await?.ok_or(ProblemKind::Unauthenticated)?;
    Ok(SecondStep { since: row.second_step, recovery_codes: second_step::codes_left(&mut read, id).await? })
}

/// Makes a secret for the acting person; it counts from [`confirm_second_step`] on. Another one that was not confirmed is
/// forgotten. A wrong password counts as one at signing in.
pub async fn begin_second_step(
    service: &Service,
    actor: &Actor,
    password: Zeroizing<String>,
) -> Result<SecondStepSetup> {
    let id = person_of(actor)?;
    let mut read = service.store().peek().await?;
    let row = person::find(&mut read, id).await?.ok_or(ProblemKind::Unauthenticated)?;
    drop(read);
    if row.second_step.is_some() {
        return Err(counts_already().into());
    }
    filled("password", &password)?;
    sign_in::check_password(service, row.clone(), &password).await?;
    let (sealed, totp) = code::fresh(service, id);
    let now = service.now();
    service
        .store()
        .write(Queue::People, async move |tx| {
            if !second_step::begin(tx, id, &sealed, now).await? {
                return Err(counts_already().into());
            }
            Ok::<_, Error>(())
        })
        .await?;
    Ok(code::setup(service, &row, &totp))
}

fn counts_already() -> Problem {
    ProblemKind::Inactive.because("a second step is set up already; remove it first")
}

/// The acting person's secret that waits for its first code.
pub async fn pending_second_step(service: &Service, actor: &Actor) -> Result<Option<SecondStepSetup>> {
    let id = person_of(actor)?;
    let mut read = service.store().peek().await?;
    let row = person::find(&mut read, id).await?.ok_or(ProblemKind::Unauthenticated)?;
    let kept = second_step::find(&mut read, id).await?.filter(|kept| kept.confirmed.is_none());
    drop(read);
    kept.map(|kept| Ok(code::setup(service, &row, &code::open(service, id, &kept)?))).transpose()
}

/// Makes the acting person's secret count by a first code, and gives recovery codes. Its other sessions end: they were made
/// without a second step.
pub async fn confirm_second_step(
    service: &Service,
    actor: &Actor,
    session_token: &str,
    first: &str,
) -> Result<RecoveryCodes> {
    let id = person_of(actor)?;
    let mut read = service.store().peek().await?;
    let kept = second_step::find(&mut read, id).await?.filter(|kept| kept.confirmed.is_none());
    drop(read);
    let none = || ProblemKind::Inactive.because("no second step waits for its first code; begin with setting one up");
    let kept = kept.ok_or_else(none)?;
    let totp = code::open(service, id, &kept)?;
    let Some(step) = code::step_of(service, &totp, &code::tidy(first)) else {
        let words = "this is not the code that the app shows now; check that the device's time is right";
        return Err(ProblemKind::InvalidInput.because(words).into());
    };
    let (now, codes, org, keep) = (service.now(), code::fresh_codes(service), actor.org, hash_of(session_token));
    let hashes = code::hashes(service, id, &codes);
    service
        .store()
        .write(Queue::People, async move |tx| {
            if !second_step::confirm(tx, id, kept.begun, step, now).await? {
                return Err(none().into());
            }
            second_step::put_codes(tx, id, &hashes, now).await?;
            session::delete_others(tx, id, &keep).await?;
            tx.audit(AuditEntry {
                actor: id.to_string(),
                verb: "person.second_step_on",
                subject: id.to_string(),
                org: Some(org),
                at: now,
                body: json!({}),
            });
            tell(tx, id, "person.second_step_on", now, json!({}));
            Ok::<_, Error>(())
        })
        .await?;
    Ok(codes)
}

/// Gives the acting person other recovery codes; those before are worth nothing. Takes password and code.
pub async fn renew_recovery_codes(
    service: &Service,
    actor: &Actor,
    password: Zeroizing<String>,
    code: &str,
) -> Result<RecoveryCodes> {
    let row = prove(service, actor, &password, code).await?;
    let (now, codes) = (service.now(), code::fresh_codes(service));
    let hashes = code::hashes(service, row.id, &codes);
    service
        .store()
        .write(Queue::People, async move |tx| {
            second_step::put_codes(tx, row.id, &hashes, now).await?;
            tx.audit(AuditEntry {
                actor: row.id.to_string(),
                verb: "person.recovery_codes_made",
                subject: row.id.to_string(),
                org: Some(row.org),
                at: now,
                body: json!({ "codes": hashes.len() }),
            });
            Ok::<_, Error>(())
        })
        .await?;
    Ok(codes)
}

/// Removes the acting person's second step. Takes password and code.
pub async fn remove_second_step(
    service: &Service,
    actor: &Actor,
    password: Zeroizing<String>,
    code: &str,
) -> Result<()> {
    let row = prove(service, actor, &password, code).await?;
    let now = service.now();
    service
        .store()
        .write(Queue::People, async move |tx| {
            second_step::delete(tx, row.id).await?;
            tx.audit(AuditEntry {
                actor: row.id.to_string(),
                verb: "person.second_step_removed",
                subject: row.id.to_string(),
                org: Some(row.org),
                at: now,
                body: json!({}),
            });
            tell(tx, row.id, "person.second_step_removed", now, json!({}));
            Ok::<_, Error>(())
        })
        .await
}

/// Removes somebody's second step, as after a lost phone: by who may manage that person, never of oneself. The person is
/// signed out everywhere and told by letter.
pub async fn reset_second_step(service: &Service, actor: &Actor, id: UserId) -> Result<()> {
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let (row, _) = people::find_managed(tx, &actor, id).await?;
            if actor.kind == ActorKind::Person(id) {
                let words = "remove your own second step under Your account, with password and code";
                return Err(ProblemKind::RoleRefused.because(words).into());
            }
            if row.second_step.is_none() {
                return Err(ProblemKind::Inactive.because("this person signs in without a second step").into());
            }
            second_step::delete(tx, id).await?;
            session::delete_of_person(tx, id).await?;
            let by = match actor.kind {
                ActorKind::Person(by) => person::find(tx, by).await?.map(|by| by.name),
                _ => None,
            };
            let by_org = org::find(tx, actor.org).await?.map(|org| org.name);
            change::by(
                tx,
                &actor,
                row.org,
                "person.second_step_reset",
                id.to_string(),
                now,
                json!({ "name": row.name }),
            );
            tell(tx, id, "person.second_step_reset", now, json!({ "by": by, "by_organization": by_org }));
            Ok::<_, Error>(())
        })
        .await
}

/// Signs in whose password was right before, by the challenge that was answered then and a code of the app or a recovery
/// code. Every wrong code counts like a wrong password.
pub async fn sign_in_second_step(service: &Service, challenge: &str, code: &str) -> Result<SignedIn> {
    filled("code", code)?;
    let row = challenged(service, challenge).await?;
    spend(service, row.id, code).await?;
    sign_in::open(service, row, service.now()).await
}

/// The acting person, after password and code were right.
async fn prove(service: &Service, actor: &Actor, password: &str, code: &str) -> Result<PersonRow> {
    let id = person_of(actor)?;
    let mut read = service.store().peek().await?;
    let row = person::find(&mut read, id).await?.ok_or(ProblemKind::Unauthenticated)?;
    drop(read);
    if row.second_step.is_none() {
        return Err(ProblemKind::Inactive.because("no second step is set up").into());
    }
    filled("password", password)?;
    filled("code", code)?;
    sign_in::check_password(service, row.clone(), password).await?;
    spend(service, id, code).await?;
    Ok(row)
}

/// What was forgotten is no guess.
fn filled(field: &str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(ProblemKind::InvalidInput.because(format!("{field} is empty")).into());
    }
    Ok(())
}

/// What the password earned: the word that the second step is wanted, with what it is answered by.
pub(crate) fn wanted(service: &Service, row: &PersonRow) -> Problem {
    let until = service.now().plus_secs(CHALLENGE_SECS);
    let mut bytes = [row.id.uuid().as_bytes().as_slice(), &until.as_micros().to_be_bytes()].concat();
    bytes.extend(mac(service, row, until));
    let challenge = format!("{CHALLENGE_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
    Problem::from(ProblemKind::SecondStep).with("challenge", challenge)
}

/// Another password, or a second step set up anew, voids what was answered before.
fn mac(service: &Service, row: &PersonRow, until: Timestamp) -> [u8; 32] {
    let since = row.second_step.map_or(0, Timestamp::as_micros);
    let mut message = [row.id.uuid().as_bytes().as_slice(), &until.as_micros().to_be_bytes()].concat();
    message.extend(since.to_be_bytes());
    message.extend(row.password_hash.as_bytes());
    service.keys().mac_of("second step", &message)
}

async fn challenged(service: &Service, challenge: &str) -> Result<PersonRow> {
    let lapsed = || ProblemKind::SignInFailed.because("the second step came too late; begin again with your password");
    let bytes = challenge.strip_prefix(CHALLENGE_PREFIX).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let bytes = bytes.ok_or_else(lapsed)?;
    let (id, rest) = bytes.split_first_chunk::<16>().ok_or_else(lapsed)?;
    let (until, shown) = rest.split_first_chunk::<8>().ok_or_else(lapsed)?;
    let until = Timestamp::from_micros(i64::from_be_bytes(*until));
    if service.now() >= until {
        return Err(lapsed().into());
    }
    let mut read = service.store().peek().await?;
    let id = UserId::from_uuid(uuid::Uuid::from_bytes(*id));
    let row = person::find(&mut read, id).await?.filter(|row| row.disabled.is_none()).ok_or_else(lapsed)?;
    let org = org::find(&mut read, row.org).await?;
    drop(read);
    // Compared by their hashes, so that the time it takes says nothing of the right one.
    let hashes = [shown, mac(service, &row, until).as_slice()].map(|mac| hash_of(&URL_SAFE_NO_PAD.encode(mac)));
    if hashes[0] != hashes[1] || org.is_none_or(|org| org.disabled.is_some()) {
        return Err(lapsed().into());
    }
    Ok(row)
}

/// Takes a code, once. It is judged with the person's row locked: of many tries at once each sees the failures of those
/// before it.
async fn spend(service: &Service, id: UserId, shown: &str) -> Result<()> {
    let (now, service_, code) = (service.now(), service.clone(), code::tidy(shown));
    let right = service
        .store()
        .write(Queue::People, async move |tx| {
            let row = person::lock(tx, id).await?.ok_or(ProblemKind::Unauthenticated)?;
            if now < row.locked_until {
                return Ok(false);
            }
            if row.second_step.is_some() && is_right(&service_, tx, &row, &code, now).await? {
                return Ok(true);
            }
            sign_in::count_failure(tx, &row, now).await?;
            Ok::<_, Error>(false)
        })
        .await?;
    if right {
        return Ok(());
    }
    let words = "the code is wrong or was used before, or there were too many wrong tries";
    Err(ProblemKind::SignInFailed.because(words).into())
}

async fn is_right(service: &Service, tx: &mut Tx, row: &PersonRow, shown: &str, now: Timestamp) -> Result<bool> {
    if code::is_of_app(shown) {
        let Some(kept) = second_step::find(tx, row.id).await? else { return Ok(false) };
        return match code::step_of(service, &code::open(service, row.id, &kept)?, shown) {
            Some(step) => Ok(second_step::take(tx, row.id, step).await?),
            None => Ok(false),
        };
    }
    let Some(used) = second_step::use_code(tx, row.id, &code::hash(service, row.id, shown), now).await? else {
        return Ok(false);
    };
    let left = second_step::codes_left(tx, row.id).await?;
    tx.audit(AuditEntry {
        actor: row.id.to_string(),
        verb: "person.recovery_code_used",
        subject: row.id.to_string(),
        org: Some(row.org),
        at: now,
        body: json!({ "n": used.n, "made": used.made, "left": left }),
    });
    tell(tx, row.id, "person.recovery_code_used", now, json!({ "left": left }));
    Ok(true)
}

/// A letter to the person alone.
fn tell(tx: &mut Tx, person: UserId, kind: &'static str, at: Timestamp, body: Value) {
    tx.outbox(Message { aggregate: person.to_string(), kind, to: person.to_string(), body, at });
}
