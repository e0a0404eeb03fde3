//! Signing keys and what they make.

use std::{fmt, marker::PhantomData};

use ed25519_dalek::Signer;
use tenure_core::Rng;
use zeroize::Zeroizing;

use crate::{
    bytes::{Hash, KeyId, PublicKey},
    envelope::{Envelope, Signature, pae},
    payload::Payload,
};

/// An Ed25519 private key. Wiped from memory when dropped; never shown.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// From the 32 bytes that are the whole secret (RFC 8032's private key).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }
    /// A fresh key.
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill(seed.as_mut());
        Self::from_seed(&seed)
    }
    /// The secret, for whoever seals or stores it. Wiped when dropped.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }
    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey::from_bytes(self.0.verifying_key().to_bytes())
    }
    /// The id documents name this key by.
    pub fn key_id(&self) -> KeyId {
        self.public().id()
    }
    /// The raw signature of these bytes. Documents are signed through [`sign_bytes`], which adds their type.
    pub fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.key_id())
    }
}

/// An envelope that this program made from a `P`, and its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<P> {
    /// What travels.
    pub envelope: Envelope,
    /// `H` of the payload.
    pub hash: Hash,
    kind: PhantomData<fn() -> P>,
}

impl<P> Signed<P> {
    /// What travels.
    pub fn into_envelope(self) -> Envelope {
        self.envelope
    }
}

/// The bytes of a payload: what is stored, hashed and signed, once and for ever.
///
/// The same value gives the same bytes, but nobody relies on that: whoever holds bytes keeps them. Values beyond the
/// bounds of strict JSON (an integer of 2^53, more than [`Payload::MAX_BYTES`]) are for the caller to avoid; every
/// reader refuses them.
pub fn encode_payload<P: Payload>(payload: &P) -> Vec<u8> {
    serde_json::to_vec(payload).expect("payload types have string keys and cannot fail to serialize")
}

/// Signs payload bytes that were written down before ("payload committed, then signed").
pub fn sign_bytes(payload_type: &str, payload: Vec<u8>, keys: &[&SigningKey]) -> Envelope {
    let message = pae(payload_type, &payload);
    let signatures = keys
        .iter()
        .map(|key| Signature { keyid: key.key_id().to_string(), sig: key.sign_raw(&message).to_vec() })
        .collect();
    Envelope { payload, payload_type: payload_type.to_owned(), signatures }
}

/// Encodes and signs in one step, for whoever has no need to store the bytes first.
pub fn sign<P: Payload>(payload: &P, keys: &[&SigningKey]) -> Signed<P> {
    let envelope = sign_bytes(P::TYPE, encode_payload(payload), keys);
    Signed { hash: envelope.hash(), envelope, kind: PhantomData }
}
