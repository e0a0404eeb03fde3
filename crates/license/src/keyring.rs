//! Public keys ready to verify with, and which of a trust root's keys signed an envelope.

use crate::{
    bytes::{KeyId, PublicKey},
    envelope::Envelope,
    payload::{KeyRole, RootKey, TrustRoot},
    verify::VerifyError,
};

/// A public key ready to verify with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verifier(ed25519_dalek::VerifyingKey);

impl Verifier {
    /// None unless the key is a canonical point that is not of small order.
    pub(crate) fn new(key: &PublicKey) -> Option<Self> {
        let point = ed25519_dalek::VerifyingKey::from_bytes(key.as_bytes()).ok()?;
        // Decoding accepts a second spelling of a few keys; one key with two spellings would count as two.
        let canonical = point.to_edwards().compress().as_bytes() == key.as_bytes();
        (canonical && !point.is_weak()).then_some(Self(point))
    }

    /// Strict Ed25519 (RFC 8032): canonical `S` and `R`, no point of small order.
    pub(crate) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

/// The keys of a trust root that this program can verify with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keyring(Vec<KnownKey>);

/// A key of the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownKey {
    pub(crate) id: KeyId,
    pub(crate) listed: RootKey,
    verifier: Verifier,
}

impl KnownKey {
    /// Whether the root lets it sign at `at` (seconds UTC), `until` not included.
    pub(crate) fn in_use_at(&self, at: i64) -> bool {
        (self.listed.from..self.listed.until).contains(&at)
    }

    fn counts_as(&self, role: KeyRole) -> bool {
        self.listed.role == role && self.listed.revoked.is_none()
    }
}

impl Keyring {
    /// Leaves out keys that cannot verify anything; those of other algorithms were left out when the root was read.
    pub(crate) fn of(root: &TrustRoot) -> Self {
        let known = |listed: &RootKey| {
            let verifier = Verifier::new(&listed.key)?;
            Some(KnownKey { id: listed.key.id(), listed: listed.clone(), verifier })
        };
        Self(root.keys.iter().filter_map(known).collect())
    }

    pub(crate) fn get(&self, id: &KeyId) -> Option<&KnownKey> {
        self.0.iter().find(|key| key.id == *id)
    }

    /// Unrevoked keys of a role.
    pub(crate) fn of_role(&self, role: KeyRole) -> impl Iterator<Item = &KnownKey> {
        self.0.iter().filter(move |key| key.counts_as(role))
    }

    /// The unrevoked keys of `needed` that signed `message`; never empty.
    pub(crate) fn signers_of_role(
        &self,
        envelope: &Envelope,
        message: &[u8],
        needed: KeyRole,
    ) -> Result<Vec<&KnownKey>, VerifyError> {
        let signers = self.signers(envelope, message);
        if signers.is_empty() {
            let hinted = envelope.signatures.iter().any(|signature| self.hinted(&signature.keyid).is_some());
            return Err(if hinted { VerifyError::BadSignature } else { VerifyError::UnknownKey });
        }
        if signers.iter().all(|key| key.listed.role != needed) {
            return Err(VerifyError::WrongRole { needed });
        }
        let counted: Vec<&KnownKey> = signers.into_iter().filter(|key| key.counts_as(needed)).collect();
        if counted.is_empty() { Err(VerifyError::Revoked) } else { Ok(counted) }
    }

    /// The ids of at least `threshold` distinct, unrevoked keys of a role that signed `message`.
    ///
    /// The age of an offline key is never a reason to refuse: it would leave a deployment without a way to a next root.
    pub(crate) fn check_threshold(
        &self,
        envelope: &Envelope,
        message: &[u8],
        role: KeyRole,
        threshold: u32,
    ) -> Result<Vec<KeyId>, VerifyError> {
        let counted = self.signers(envelope, message).into_iter().filter(|key| key.counts_as(role));
        let counted: Vec<KeyId> = counted.map(|key| key.id).collect();
        // A threshold of zero would let anyone sign; it means that nobody can.
        let need = usize::try_from(threshold.max(1)).unwrap_or(usize::MAX);
        if counted.len() < need { Err(VerifyError::Threshold { role, have: counted.len(), need }) } else { Ok(counted) }
    }

    /// The distinct keys that signed, whatever their role.
    ///
    /// For each signature the hinted key is tried first and then every other one: a wrong hint must not deny a good
    /// signature. The work is bounded by the signatures of an envelope times the keys of a root.
    fn signers(&self, envelope: &Envelope, message: &[u8]) -> Vec<&KnownKey> {
        let mut found: Vec<&KnownKey> = Vec::new();
        for signature in &envelope.signatures {
            let hinted = self.hinted(&signature.keyid);
            let signed = |key: &&KnownKey| key.verifier.accepts(message, &signature.sig);
            let others = self.0.iter().filter(|key| hinted.is_none_or(|hinted| hinted.id != key.id));
            if let Some(signer) = hinted.into_iter().chain(others).find(signed)
                && !found.iter().any(|seen| seen.id == signer.id)
            {
                found.push(signer);
            }
        }
        found
    }

    fn hinted(&self, keyid: &str) -> Option<&KnownKey> {
        self.get(&keyid.parse().ok()?)
    }
}
