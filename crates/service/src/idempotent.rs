//! The same write twice is done once and answered twice (A6).

use serde::{Serialize, de::DeserializeOwned};
use tenure_core::Timestamp;
use tenure_store::{
    Tx,
    idempotency::{self, Answer, IdempotencyKey, Known},
};

use crate::{Actor, Error, ProblemKind, Result};

/// What a caller sent to name its write: the `Idempotency-Key` header and the hash of what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The key, 1 to 100 visible ASCII characters.
    pub key: String,
    /// SHA-256 of the request: path and body.
    pub request: [u8; 32],
}

impl Idempotency {
    /// Checks the key's form.
    ///
    /// # Errors
    /// When it is empty, too long or holds anything but visible ASCII.
    pub fn new(key: &str, request: [u8; 32]) -> Result<Self> {
        if key.is_empty() || key.len() > 100 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let words = "Idempotency-Key must be 1 to 100 visible ASCII characters";
            return Err(ProblemKind::InvalidInput.because(words).into());
        }
        Ok(Self { key: key.to_owned(), request })
    }
}

/// Remembers what a write answered. Made by [`begin`] before anything else of the write.
pub(crate) struct Remember {
    key: IdempotencyKey,
    request: [u8; 32],
    now: Timestamp,
}

/// What to do about a write.
pub(crate) enum Begun<T> {
    /// It was done before: this was the answer.
    Done(T),
    /// Do it; hand the answer to [`remember`].
    Do(Option<Remember>),
}

/// Looks up whether this write was done. Without a key, it is done.
pub(crate) async fn begin<T: DeserializeOwned>(
    tx: &mut Tx,
    actor: &Actor,
    operation: &'static str,
    idempotency: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Begun<T>> {
    let Some(sent) = idempotency else { return Ok(Begun::Do(None)) };
    let key = IdempotencyKey { org: actor.org, principal: actor.audit_name(), operation, key: sent.key.clone() };
    match idempotency::begin(tx, &key, &sent.request, now).await? {
        Known::Fresh => Ok(Begun::Do(Some(Remember { key, request: sent.request, now }))),
        Known::Answered(answer) => serde_json::from_str(&answer.response)
            .map(Begun::Done)
            .map_err(|_| Error::Internal("a remembered answer cannot be read")),
        Known::OtherRequest => Err(ProblemKind::IdempotencyMismatch.into()),
        Known::InFlight => Err(ProblemKind::IdempotencyInFlight.into()),
    }
}

/// Keeps the answer in the transaction of the write.
pub(crate) async fn remember<T: Serialize>(tx: &mut Tx, remember: Option<Remember>, answer: &T) -> Result<()> {
    let Some(Remember { key, request, now }) = remember else { return Ok(()) };
    let response = serde_json::to_string(answer).map_err(|_| Error::Internal("an answer is not JSON"))?;
    // What is kept is the use case's answer, from which the door makes the same one again; the status is the door's.
    let answer = Answer { status: 200, response };
    Ok(idempotency::remember(tx, &key, &request, &answer, now).await?)
}
