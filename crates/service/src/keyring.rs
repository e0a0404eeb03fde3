//! Online keys: sealed in the database, unsealed once at start, used to sign licenses and receipts.

use chacha20poly1305::{
    XChaCha20Poly1305,
    aead::{Aead, KeyInit, Payload as Sealed},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tenure_core::{
    InstallationId, Rng, Timestamp,
    key_life::{KeyLife, KeyState},
};
use tenure_license::{Challenge, Envelope, Hash, SigningKey, envelope::MAX_SIGNATURES, payload::KeyRole, sign_bytes};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;

/// The key that seals private keys at rest; it lives outside the database (`--key-file`, a systemd credential or the
/// environment).
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; 32]>);

/// A sealing key or what it sealed is not usable.
#[derive(Debug, thiserror::Error)]
pub enum SealingKeyError {
    /// The text is not 64 hexadecimal digits.
    #[error("a sealing key is 64 hexadecimal digits")]
    NotAKey,
    /// The sealed bytes are damaged, or another key sealed them.
    #[error("the sealed key does not open: the key file belongs to another deployment, or the database is damaged")]
    DoesNotOpen,
}

impl SealingKey {
    /// A fresh key.
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill(&mut *bytes);
        Self(bytes)
    }

    /// Reads the text of a key file: 64 hexadecimal digits and white space around them.
    pub fn parse(text: &str) -> Result<Self, SealingKeyError> {
        let hash: Hash = text.trim().parse().map_err(|_| SealingKeyError::NotAKey)?;
        Ok(Self(Zeroizing::new(*hash.as_bytes())))
    }

    /// The text of a key file.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", Hash::from_bytes(*self.0)))
    }

    /// Seals `secret` for one purpose; opening it needs the same purpose.
    ///
    /// # Panics
    /// Never: sealing fails only for secrets of many gigabytes.
    pub fn seal(&self, rng: &dyn Rng, purpose: &str, secret: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        rng.fill(&mut nonce);
        let sealed = self
            .cipher()
            .encrypt(&nonce.into(), Sealed { msg: secret, aad: purpose.as_bytes() })
            .expect("sealing a short secret cannot fail");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`SealingKey::seal`] made for the same purpose.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealingKeyError> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES).ok_or(SealingKeyError::DoesNotOpen)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| SealingKeyError::DoesNotOpen)?;
        self.cipher()
            .decrypt(&nonce.into(), Sealed { msg: sealed, aad: purpose.as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_| SealingKeyError::DoesNotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.0).into())
    }
}

/// A private key that is not revoked.
pub struct OnlineKey {
    /// What it signs: licenses or receipts.
    pub role: KeyRole,
    /// The key.
    pub key: SigningKey,
    /// When it signs.
    pub life: KeyLife,
}

/// The keys of this deployment, unsealed.
pub struct Keyring {
    /// Newest first, those that have run out included: a payload that was committed while they were in use may still
    /// wait for their signature.
    license: Vec<OnlineKey>,
    receipt: SigningKey,
    secret: Zeroizing<Vec<u8>>,
}

impl Keyring {
    /// Puts the unrevoked keys together. Licenses are signed by every license key in use when they were issued (two
    /// during an overlap), receipts by the newest receipt key. `None` when one of the two roles has no key.
    pub fn new(mut keys: Vec<OnlineKey>, secret: Zeroizing<Vec<u8>>) -> Option<Self> {
        keys.sort_by_key(|key| std::cmp::Reverse(key.life.from));
        let (license, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| key.role == KeyRole::License);
        let receipt = others.into_iter().find(|key| key.role == KeyRole::Receipt)?.key;
        (!license.is_empty()).then_some(Self { license, receipt, secret })
    }

    /// Signs committed license bytes with every license key that was in use when it was issued.
    ///
    /// Without any, the newest key signs, so that nothing waits for ever: no product accepts that license, and the next
    /// rotation writes another one in its place.
    pub fn sign_license(&self, payload_type: &str, payload: Vec<u8>, issued: Timestamp) -> Envelope {
        let in_use = self.license.iter().filter(|key| key.life.state(issued) == KeyState::InUse);
        let mut keys: Vec<&SigningKey> = in_use.take(MAX_SIGNATURES).map(|key| &key.key).collect();
        if keys.is_empty() {
            tracing::error!(license.issued = %issued, "no license key was in use: rotate the keys");
            keys.extend(self.license.first().map(|key| &key.key));
        }
        sign_bytes(payload_type, payload, &keys)
    }

    /// Signs committed receipt, answer or checkpoint bytes. A receipt key's age is no reason to refuse its signature.
    pub fn sign_receipt(&self, payload_type: &str, payload: Vec<u8>) -> Envelope {
        sign_bytes(payload_type, payload, &[&self.receipt])
    }

    /// What a rejoin must contain: bound to installation, epoch and head, it dies when the head moves (protocol, 2).
    pub fn challenge(&self, installation: InstallationId, epoch: u64, head: Hash) -> Challenge {
        let mut mac = self.mac(b"challenge");
        mac.update(installation.uuid().as_bytes());
        mac.update(&epoch.to_be_bytes());
        mac.update(head.as_bytes());
        Challenge::from_bytes(mac.finalize().into_bytes().into())
    }

    /// A MAC for opaque cursors and the like, separated by purpose.
    pub fn mac_of(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        let mut mac = self.mac(purpose.as_bytes());
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    fn mac(&self, purpose: &[u8]) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.secret).expect("HMAC takes any key length");
        mac.update(&[purpose.len() as u8]);
        mac.update(purpose);
        mac
    }
}
