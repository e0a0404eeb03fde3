//! From bytes to a payload that somebody known has signed, or to one sentence why not.

use std::ops::Deref;

use tenure_core::DeploymentId;

use crate::{
    bytes::{Hash, KeyId, PublicKey},
    envelope::{Envelope, EnvelopeError, MAX_SIGNATURES, pae},
    json::{PayloadError, decode_payload},
    keyring::Verifier,
    payload::{ActivationRequest, CheckInRequest, KeyRole, Payload},
    root::EPOCH_SPAN,
};

/// Why a signed document was refused. The text is one sentence, without its capital and full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Longer than its kind may be.
    #[error("the document is {size} bytes long, more than the {limit} its kind may have")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Another kind of document than asked for.
    #[error("the document is `{found}`, not `{expected}`")]
    WrongType {
        /// The type asked for.
        expected: &'static str,
        /// The type the envelope names.
        found: String,
    },
    /// Nobody signed it.
    #[error("the document carries no signature")]
    NoSignature,
    /// More signatures than anyone needs.
    #[error("the document carries {0} signatures; at most 8 are read")]
    TooManySignatures(usize),
    /// None of the signatures is by a key that is known here; a newer trust root may know it.
    #[error("the document is signed by a key that is not known here")]
    UnknownKey,
    /// It names a known key, and the signature is not that key's.
    #[error("the signature is wrong: the document was changed, or somebody else signed it")]
    BadSignature,
    /// The public key is not one that Ed25519 accepts strictly: not a point, not canonical, or of small order.
    #[error("the public key cannot be used")]
    UnusableKey,
    /// The key is known and may not sign this kind of document.
    #[error("the document is signed by a key that may not sign it: it is no {} key", role_name(*.needed))]
    WrongRole {
        /// The role that may sign it.
        needed: KeyRole,
    },
    /// The key is the right one and was not in use when the license was issued.
    #[error("the license is signed by a key that was not in use when it was issued")]
    KeyNotValidAtIssue,
    /// The key was revoked.
    #[error("the document is signed by a key that has been revoked")]
    Revoked,
    /// Fewer distinct keys signed than must.
    #[error("{have} of the {need} signatures needed from {} keys are there", role_name(*.role))]
    Threshold {
        /// The role that counts.
        role: KeyRole,
        /// Distinct keys that signed.
        have: usize,
        /// Distinct keys that must.
        need: usize,
    },
    /// Not strict JSON, or not of the kind's schema.
    #[error("the document cannot be read: {0}")]
    Malformed(String),
    /// Of a schema version that does not exist yet.
    #[error("the document has version {0}, and this program reads version 1")]
    UnsupportedVersion(u64),
    /// It has a field that must be understood and is not.
    #[error("the document needs a newer program, one that understands `{0}`")]
    UnknownCritical(String),
    /// Made by or for another deployment.
    #[error("the document belongs to the server {found}, not to {expected}")]
    WrongAudience {
        /// The deployment asked for.
        expected: DeploymentId,
        /// The deployment it names.
        found: DeploymentId,
    },
    /// Its epoch is not one that products accept.
    #[error("the document is of epoch {epoch}; the trust root accepts {floor} to {}", floor.saturating_add(EPOCH_SPAN))]
    EpochOutOfRange {
        /// The document's epoch.
        epoch: u64,
        /// Lowest epoch accepted.
        floor: u64,
    },
    /// It asks for a newer trust root than is held.
    #[error("the license needs version {need} of the trust root, and version {held} is held")]
    RootTooOld {
        /// Version needed.
        need: u64,
        /// Version held.
        held: u64,
    },
    /// The continuity note was revoked by the trust root.
    #[error("the continuity note `{0}` has been revoked")]
    ContinuityRevoked(String),
    /// The trust root contradicts itself.
    #[error("the trust root is unsound: {0}")]
    RootUnsound(&'static str),
    /// Not the version that follows.
    #[error("the trust root offered is version {offered}, and the next after the held one is {}", held + 1)]
    RootNotNext {
        /// Version held.
        held: u64,
        /// Version offered.
        offered: u64,
    },
    /// The version held, with other content.
    #[error("two different trust roots call themselves version {0}; the one held is kept")]
    RootOtherBytes(u64),
    /// The next trust root takes back what may only grow, or changes whose it is.
    #[error("the trust root offered {0}")]
    RootStepsBack(&'static str),
}

fn role_name(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Root => "root",
        KeyRole::License => "license",
        KeyRole::Receipt => "receipt",
        KeyRole::Continuity => "continuity",
    }
}

impl From<PayloadError> for VerifyError {
    fn from(error: PayloadError) -> Self {
        match error {
            PayloadError::TooLarge { size, limit } => Self::TooLarge { size, limit },
            PayloadError::Malformed(detail) => Self::Malformed(detail),
            PayloadError::UnsupportedVersion(version) => Self::UnsupportedVersion(version),
            PayloadError::UnknownCritical(name) => Self::UnknownCritical(name),
        }
    }
}

impl From<EnvelopeError> for VerifyError {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::TooLarge { size, limit } => Self::TooLarge { size, limit },
            EnvelopeError::Malformed(detail) => Self::Malformed(detail),
        }
    }
}

/// A payload whose signature was verified, read from exactly the bytes that were signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<P> {
    payload: P,
    /// `H` of the payload.
    pub hash: Hash,
    /// The distinct keys whose signatures counted.
    pub signed_by: Vec<KeyId>,
}

impl<P> Deref for Verified<P> {
    type Target = P;
    fn deref(&self) -> &P {
        &self.payload
    }
}

impl<P> Verified<P> {
    /// The payload alone.
    pub fn into_inner(self) -> P {
        self.payload
    }
}

impl<P: Addressed> Verified<P> {
    /// Refuses a document made by or for another deployment.
    pub fn for_audience(self, expected: DeploymentId) -> Result<Self, VerifyError> {
        check_audience(&self.payload, expected)?;
        Ok(self)
    }
}

/// A payload that names its deployment.
pub trait Addressed: Payload {
    /// The deployment that made it or that it is meant for.
    fn audience(&self) -> DeploymentId;
}

macro_rules! addressed {
    ($($name:ident)*) => {$(
        impl Addressed for crate::payload::$name {
            fn audience(&self) -> DeploymentId { self.aud }
        }
    )*};
}
addressed! {
    License Receipt ActivationRequest ActivationAnswer CheckInRequest CheckInAnswer OutOfStep UsageReport
    WorkloadEvidence Watermark OfflineRequest OfflineResponse Continuity TrustRoot AuditCheckpoint
}

pub(crate) fn check_audience<P: Addressed>(payload: &P, expected: DeploymentId) -> Result<(), VerifyError> {
    let found = payload.audience();
    if found == expected { Ok(()) } else { Err(VerifyError::WrongAudience { expected, found }) }
}

/// Verifies what one known key must have signed: documents and requests of an installation.
pub fn verify_with_key<P: Payload>(envelope: &Envelope, key: &PublicKey) -> Result<Verified<P>, VerifyError> {
    let message = message_of::<P>(envelope)?;
    check_key(envelope, &message, key)?;
    read(envelope, &message, vec![key.id()])
}

/// Verifies what two known keys must both have signed, as a key rotation by the old and the new one.
pub fn verify_two<P: Payload>(
    envelope: &Envelope,
    first: &PublicKey,
    second: &PublicKey,
) -> Result<Verified<P>, VerifyError> {
    if first == second {
        return Err(VerifyError::UnusableKey);
    }
    let message = message_of::<P>(envelope)?;
    check_key(envelope, &message, first)?;
    check_key(envelope, &message, second)?;
    read(envelope, &message, vec![first.id(), second.id()])
}

/// Verifies an activation request against the key it shows: it proves that its sender owns that key, nothing more.
///
/// The one document, besides a pinned trust root, that is read before it is verified, because its key is inside.
pub fn verify_activation(envelope: &Envelope) -> Result<Verified<ActivationRequest>, VerifyError> {
    message_of::<ActivationRequest>(envelope)?;
    let shown: ActivationRequest = decode_payload(&envelope.payload)?;
    verify_with_key(envelope, &shown.key)
}

/// Verifies a key rotation: a check-in request with `new_key`, signed by the present key and by that one.
pub fn verify_rotation(envelope: &Envelope, present: &PublicKey) -> Result<Verified<CheckInRequest>, VerifyError> {
    let request: Verified<CheckInRequest> = verify_with_key(envelope, present)?;
    let new_key = request.new_key.ok_or_else(|| VerifyError::Malformed("the rotation names no new key".into()))?;
    verify_two(envelope, present, &new_key)
}

/// The bytes that were signed, once size, type and number of signatures are known to be in bounds.
pub(crate) fn message_of<P: Payload>(envelope: &Envelope) -> Result<Vec<u8>, VerifyError> {
    if envelope.payload_type != P::TYPE {
        return Err(VerifyError::WrongType { expected: P::TYPE, found: envelope.payload_type.clone() });
    }
    let size = envelope.payload.len();
    if size > P::MAX_BYTES {
        return Err(VerifyError::TooLarge { size, limit: P::MAX_BYTES });
    }
    match envelope.signatures.len() {
        0 => Err(VerifyError::NoSignature),
        1..=MAX_SIGNATURES => Ok(pae(P::TYPE, &envelope.payload)),
        more => Err(VerifyError::TooManySignatures(more)),
    }
}

/// Parses what was verified, from the same buffer.
pub(crate) fn read<P: Payload>(
    envelope: &Envelope,
    message: &[u8],
    signed_by: Vec<KeyId>,
) -> Result<Verified<P>, VerifyError> {
    Ok(Verified { payload: decode_payload(&envelope.payload)?, hash: Hash::sha256(message), signed_by })
}

/// Whether one of the envelope's signatures is `key`'s.
fn check_key(envelope: &Envelope, message: &[u8], key: &PublicKey) -> Result<(), VerifyError> {
    let verifier = Verifier::new(key).ok_or(VerifyError::UnusableKey)?;
    if envelope.signatures.iter().any(|signature| verifier.accepts(message, &signature.sig)) {
        return Ok(());
    }
    let named = key.id().to_string();
    let hinted = envelope.signatures.iter().any(|signature| signature.keyid == named);
    Err(if hinted { VerifyError::BadSignature } else { VerifyError::UnknownKey })
}
