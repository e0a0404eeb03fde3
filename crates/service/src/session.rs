//! Browser sessions: who is behind a token, and the end of it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use tenure_core::{Rng, SiteId, Timestamp, UserId};
use tenure_store::{
    Queue,
    rows::{org, person, session},
};
use zeroize::Zeroizing;

use crate::{Actor, ActorKind, Error, ProblemKind, Result, Service};

/// What a session's token begins with.
pub(crate) const PREFIX: &str = "tns_";
/// Hours until a session ends whatever happens.
pub(crate) const ABSOLUTE_HOURS: i64 = 7 * 24;
/// Hours without a request after which a session ends.
const IDLE_HOURS: i64 = 12;
/// Seconds between two notes that a session is used.
const SEEN_EVERY_SECS: i64 = 60;
const HOUR_SECS: i64 = 3_600;
/// The same in seconds.
pub(crate) const IDLE_SECS: i64 = IDLE_HOURS * HOUR_SECS;

/// Somebody who is signed in, as pages show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedInPerson {
    /// What use cases take.
    pub actor: Actor,
    /// The person.
    pub id: UserId,
    /// Display name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Name of the organization.
    pub org_name: String,
    /// The one site the person is confined to.
    pub site: Option<SiteId>,
    /// When the session ends whatever happens.
    pub ends: Timestamp,
}

/// A fresh secret: the prefix and 32 random bytes in base64url.
pub(crate) fn new_secret(prefix: &str, rng: &dyn Rng) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    rng.fill(&mut *bytes);
    Zeroizing::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(*bytes)))
}

/// What is stored instead of a secret. 256 bits of chance need no salt.
pub(crate) fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Who is behind a session's token. It ends after 12 hours without a request and after 7 days in any case.
pub async fn authenticate_session(service: &Service, token: &str) -> Result<SignedInPerson> {
    let (person, read_only) = authenticate_any(service, token).await?;
    if read_only {
        let words = "this token only reads, at the console API; sign in to change anything, your own access included";
        return Err(ProblemKind::Unauthenticated.because(words).into());
    }
    Ok(person)
}

/// As [`authenticate_session`], and whether the session may only read.
pub(crate) async fn authenticate_any(service: &Service, token: &str) -> Result<(SignedInPerson, bool)> {
    let now = service.now();
    let hash = hash_of(token);
    let mut read = service.store().peek().await?;
    let session = session::find(&mut read, &hash).await?.ok_or(ProblemKind::Unauthenticated)?;
    if now >= session.expires || now >= session.seen.plus_secs(IDLE_SECS) {
        return Err(ProblemKind::Unauthenticated.because("the session has ended").into());
    }
    let person = person::find(&mut read, session.person).await?.ok_or(Error::Internal("a session of nobody"))?;
    if person.disabled.is_some() {
        return Err(ProblemKind::Unauthenticated.because("this person may no longer sign in").into());
    }
    let org = org::find(&mut read, person.org).await?.ok_or(Error::Internal("a person of no organization"))?;
    if org.disabled.is_some() {
        return Err(ProblemKind::Unauthenticated.because("your organization was deactivated").into());
    }
    drop(read);
    let role = if session.read_only { person.role.reading() } else { person.role };
    if now >= session.seen.plus_secs(SEEN_EVERY_SECS) {
        service.store().write(Queue::People, async move |tx| session::seen(tx, &hash, now).await).await?;
    }
    let signed_in = SignedInPerson {
        actor: Actor { kind: ActorKind::Person(person.id), org: person.org, role, site: person.site },
        id: person.id,
        name: person.name,
        email: person.email,
        org_name: org.name,
        site: person.site,
        ends: session.expires,
    };
    Ok((signed_in, session.read_only))
}

/// Ends a session; one that is gone is none.
pub async fn sign_out(service: &Service, token: &str) -> Result<()> {
    let hash = hash_of(token);
    service.store().write(Queue::People, async move |tx| session::delete(tx, &hash).await).await?;
    Ok(())
}
