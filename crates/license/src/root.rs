//! The trust root: which keys may sign what, and the way from one version to the next.
//!
//! A product embeds one version and walks forward from it. Version N+1 counts only when enough distinct root keys of
//! N *and* of N+1 signed it. A key's algorithm and role are what the root says; a document cannot choose them.

use serde::{Deserialize, Deserializer, de};
use tenure_core::Timestamp;

use crate::{
    bytes::{Hash, KeyId, PublicKey},
    envelope::{AtMost, Envelope},
    json::decode_payload,
    payload::{
        ActivationAnswer, AuditCheckpoint, CheckInAnswer, Continuity, KeyRole, License, OfflineResponse, OutOfStep,
        Receipt, RootKey, TrustRoot,
    },
    verify::{Addressed, Verified, Verifier, VerifyError, check_audience, message_of, read},
};

/// Products accept epochs from the root's `epoch_floor` to this far above it.
pub const EPOCH_SPAN: u64 = 1000;
/// How many keys a trust root may list.
pub const MAX_ROOT_KEYS: usize = 64;
/// A continuity note lasts at most this many calendar months.
pub const CONTINUITY_MONTHS: i32 = 13;

const ED25519: &str = "ed25519";

/// A verified version of the trust root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    payload: TrustRoot,
    hash: Hash,
    envelope: Envelope,
}

/// What only the receipt key may sign.
pub trait ServerStatement: Addressed {
    /// The epoch it was made in, where a product judges it by that. A receipt's epoch is history.
    fn current_epoch(&self) -> Option<u64> {
        None
    }
}

impl ServerStatement for Receipt {}
impl ServerStatement for OfflineResponse {}
impl ServerStatement for AuditCheckpoint {}
impl ServerStatement for ActivationAnswer {
    fn current_epoch(&self) -> Option<u64> {
        Some(self.epoch)
    }
}
impl ServerStatement for CheckInAnswer {
    fn current_epoch(&self) -> Option<u64> {
        Some(self.epoch)
    }
}
impl ServerStatement for OutOfStep {
    fn current_epoch(&self) -> Option<u64> {
        Some(self.epoch)
    }
}

/// Something about a trust root that a person should attend to. It stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootWarning {
    /// The root is past its `renew_by`.
    RenewBy(i64),
    /// No unrevoked key of this role is in use at this time.
    NoKeyInUse(KeyRole),
}

impl Root {
    /// The version a product was built with, or that an operator chose: trusted because of where it comes from, and
    /// held to its own rules, as every version is.
    pub fn pinned(envelope: Envelope) -> Result<Self, VerifyError> {
        let message = message_of::<TrustRoot>(&envelope)?;
        // The keys that must have signed it are inside; nothing else is read from it before they have.
        let root = sound(decode_payload(&envelope.payload)?)?;
        check_threshold(&root, &envelope, &message, KeyRole::Root, root.root_threshold)?;
        Ok(Self { hash: Hash::sha256(&message), payload: root, envelope })
    }

    /// The newest of a chain of versions, the first of them pinned.
    pub fn from_chain(envelopes: impl IntoIterator<Item = Envelope>) -> Result<Self, VerifyError> {
        let mut envelopes = envelopes.into_iter();
        let first = envelopes.next().ok_or(VerifyError::RootUnsound("there is none"))?;
        envelopes.try_fold(Self::pinned(first)?, |root, next| root.walk(next))
    }

    /// One step forward, from version N to N+1. The version held, offered again, is no step and no error.
    pub fn walk(&self, next: Envelope) -> Result<Self, VerifyError> {
        let message = message_of::<TrustRoot>(&next)?;
        if Hash::sha256(&message) == self.hash {
            return Ok(self.clone());
        }
        check_threshold(&self.payload, &next, &message, KeyRole::Root, self.payload.root_threshold)?;
        let offered: TrustRoot = decode_payload(&next.payload)?;
        check_audience(&offered, self.payload.aud)?;
        if offered.version == self.payload.version {
            return Err(VerifyError::RootOtherBytes(offered.version));
        }
        if offered.version != self.payload.version + 1 {
            return Err(VerifyError::RootNotNext { held: self.payload.version, offered: offered.version });
        }
        if offered.vendor.id != self.payload.vendor.id {
            return Err(VerifyError::RootStepsBack("belongs to another vendor"));
        }
        if offered.test_clock != self.payload.test_clock {
            return Err(VerifyError::RootStepsBack("changes whether this is a test deployment"));
        }
        if offered.epoch_floor < self.payload.epoch_floor {
            return Err(VerifyError::RootStepsBack("lowers the epoch floor"));
        }
        let offered = sound(offered)?;
        check_threshold(&offered, &next, &message, KeyRole::Root, offered.root_threshold)?;
        Ok(Self { hash: Hash::sha256(&message), payload: offered, envelope: next })
    }

    /// Verifies a license: by a license key that was in use at `issued_at` and is not revoked, of this deployment, of an
    /// epoch and with a `min_root` that this root accepts.
    pub fn verify_license(&self, envelope: &Envelope) -> Result<Verified<License>, VerifyError> {
        let license = self.verify_held_license(envelope)?;
        self.check_epoch(license.epoch)?;
        if license.min_root > self.payload.version {
            return Err(VerifyError::RootTooOld { need: license.min_root, held: self.payload.version });
        }
        Ok(license)
    }

    /// Verifies a license that is shown as proof of what was once signed: as [`Root::verify_license`], whatever its epoch
    /// and `min_root`.
    pub fn verify_held_license(&self, envelope: &Envelope) -> Result<Verified<License>, VerifyError> {
        let message = message_of::<License>(envelope)?;
        let keys = self.signers_of_role(envelope, &message, KeyRole::License)?;
        let mut license: Verified<License> = read(envelope, &message, Vec::new())?;
        let in_use = |key: &&RootKey| (key.from..key.until).contains(&license.issued_at);
        let signed_by: Vec<KeyId> = keys.into_iter().filter(in_use).map(|key| key.key.id()).collect();
        if signed_by.is_empty() {
            return Err(VerifyError::KeyNotValidAtIssue);
        }
        check_audience(&*license, self.payload.aud)?;
        if license.installation.is_some() && license.activation.is_some() {
            return Err(VerifyError::Malformed("it is bound to an installation and still carries a code".into()));
        }
        license.signed_by = signed_by;
        Ok(license)
    }

    /// Verifies an answer, receipt or checkpoint: by an unrevoked receipt key, of this deployment, of an epoch that
    /// products accept. A retired key counts for ever: its age only warns.
    pub fn verify_receipt_role<P: ServerStatement>(&self, envelope: &Envelope) -> Result<Verified<P>, VerifyError> {
        let statement = self.verify_held_receipt_role::<P>(envelope)?;
        statement.current_epoch().map_or(Ok(()), |epoch| self.check_epoch(epoch))?;
        Ok(statement)
    }

    /// Verifies a statement that is shown as proof of what was once said (an answer held through a rejoin): as
    /// [`Root::verify_receipt_role`], whatever its epoch.
    pub fn verify_held_receipt_role<P: ServerStatement>(
        &self,
        envelope: &Envelope,
    ) -> Result<Verified<P>, VerifyError> {
        let message = message_of::<P>(envelope)?;
        let keys = self.signers_of_role(envelope, &message, KeyRole::Receipt)?;
        let statement: Verified<P> = read(envelope, &message, ids(&keys))?;
        check_audience(&*statement, self.payload.aud)?;
        Ok(statement)
    }

    /// Verifies a continuity note: by the threshold of continuity keys, of this vendor, not revoked, not too long. When it
    /// takes effect is the product's to judge.
    pub fn verify_continuity(&self, envelope: &Envelope) -> Result<Verified<Continuity>, VerifyError> {
        let message = message_of::<Continuity>(envelope)?;
        let need = self.payload.continuity_threshold;
        let signed_by = check_threshold(&self.payload, envelope, &message, KeyRole::Continuity, need)?;
        let note: Verified<Continuity> = read(envelope, &message, signed_by)?;
        check_audience(&*note, self.payload.aud)?;
        if note.vendor.id != self.payload.vendor.id {
            return Err(VerifyError::Malformed("the continuity note is another vendor's".into()));
        }
        let latest = Timestamp::from_secs(note.from).plus_months(CONTINUITY_MONTHS).as_secs();
        if note.until <= note.from || note.until > latest {
            return Err(VerifyError::Malformed(
                "the continuity note lasts longer than 13 months, or not at all".into(),
            ));
        }
        if self.payload.revoked_continuity.contains(&note.id) {
            return Err(VerifyError::ContinuityRevoked(note.id.clone()));
        }
        Ok(note)
    }

    /// Refuses an epoch outside `[epoch_floor, epoch_floor + 1000]`: a stolen key cannot push products out of reach.
    pub fn check_epoch(&self, epoch: u64) -> Result<(), VerifyError> {
        let floor = self.payload.epoch_floor;
        if (floor..=floor + EPOCH_SPAN).contains(&epoch) {
            Ok(())
        } else {
            Err(VerifyError::EpochOutOfRange { epoch, floor })
        }
    }

    /// What a person should attend to at `now` (seconds UTC).
    pub fn warnings(&self, now: i64) -> Vec<RootWarning> {
        let renew = (now > self.payload.renew_by).then_some(RootWarning::RenewBy(self.payload.renew_by));
        let idle = |role: &KeyRole| {
            let in_use =
                |key: &RootKey| key.role == *role && key.revoked.is_none() && (key.from..key.until).contains(&now);
            !self.payload.keys.iter().any(in_use)
        };
        let roles = [KeyRole::Root, KeyRole::License, KeyRole::Receipt].into_iter().filter(idle);
        renew.into_iter().chain(roles.map(RootWarning::NoKeyInUse)).collect()
    }

    /// The payload.
    pub fn payload(&self) -> &TrustRoot {
        &self.payload
    }
    /// Its version.
    pub fn version(&self) -> u64 {
        self.payload.version
    }
    /// `H` of the payload.
    pub fn hash(&self) -> Hash {
        self.hash
    }
    /// The envelope it came in, to store and to serve.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }
    /// What this root says about a key.
    pub fn key(&self, id: &KeyId) -> Option<&RootKey> {
        self.payload.keys.iter().find(|key| key.key.id() == *id)
    }

    /// The unrevoked keys of a role that signed; never empty.
    fn signers_of_role(
        &self,
        envelope: &Envelope,
        message: &[u8],
        needed: KeyRole,
    ) -> Result<Vec<&RootKey>, VerifyError> {
        let signers = signers(&self.payload, envelope, message);
        if signers.is_empty() {
            let hinted =
                envelope.signatures.iter().any(|s| self.payload.keys.iter().any(|k| k.key.id().to_string() == s.keyid));
            return Err(if hinted { VerifyError::BadSignature } else { VerifyError::UnknownKey });
        }
        let of_role: Vec<&RootKey> = signers.into_iter().filter(|key| key.role == needed).collect();
        if of_role.is_empty() {
            return Err(VerifyError::WrongRole { needed });
        }
        let unrevoked: Vec<&RootKey> = of_role.into_iter().filter(|key| key.revoked.is_none()).collect();
        if unrevoked.is_empty() { Err(VerifyError::Revoked) } else { Ok(unrevoked) }
    }
}

/// The distinct keys of `root` that signed, whatever their role.
///
/// For each signature the hinted key is tried first and then every other one: a wrong hint must not deny a good
/// signature. The work is bounded by the signatures of an envelope and the keys of a root.
fn signers<'a>(root: &'a TrustRoot, envelope: &Envelope, message: &[u8]) -> Vec<&'a RootKey> {
    let known: Vec<(&RootKey, Verifier, String)> = root
        .keys
        .iter()
        .filter(|key| key.alg == ED25519)
        .filter_map(|key| Some((key, Verifier::new(&key.key)?, key.key.id().to_string())))
        .collect();
    let mut found: Vec<&RootKey> = Vec::new();
    for signature in &envelope.signatures {
        let (hinted, others): (Vec<_>, Vec<_>) = known.iter().partition(|(_, _, id)| *id == signature.keyid);
        let signer =
            hinted.into_iter().chain(others).find(|(_, verifier, _)| verifier.accepts(message, &signature.sig));
        if let Some((key, ..)) = signer
            && !found.iter().any(|seen| seen.key == key.key)
        {
            found.push(key);
        }
    }
    found
}

/// Counts the distinct, unrevoked keys of a role that signed. The age of an offline key is never a reason: it would leave
/// a deployment without any way to a next root.
fn check_threshold(
    root: &TrustRoot,
    envelope: &Envelope,
    message: &[u8],
    role: KeyRole,
    need: u32,
) -> Result<Vec<KeyId>, VerifyError> {
    let counted: Vec<&RootKey> =
        signers(root, envelope, message).into_iter().filter(|key| key.role == role && key.revoked.is_none()).collect();
    // A threshold of zero would let anyone sign; it means that nobody can.
    let need = usize::try_from(need.max(1)).unwrap_or(usize::MAX);
    if counted.len() < need {
        return Err(VerifyError::Threshold { role, have: counted.len(), need });
    }
    Ok(ids(&counted))
}

fn ids(keys: &[&RootKey]) -> Vec<KeyId> {
    keys.iter().map(|key| key.key.id()).collect()
}

/// A root that can be used: it has a version, its own threshold can be met, and no key has two roles.
fn sound(root: TrustRoot) -> Result<TrustRoot, VerifyError> {
    if root.version == 0 {
        return Err(VerifyError::RootUnsound("versions begin with 1"));
    }
    if root.root_threshold == 0 {
        return Err(VerifyError::RootUnsound("it asks for no signature"));
    }
    let mut keys: Vec<&PublicKey> = root.keys.iter().map(|key| &key.key).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(VerifyError::RootUnsound("it lists one key twice"));
    }
    Ok(root)
}

/// Reads a root's keys and leaves out those of an algorithm or a role that this program does not know: they can be added
/// to a root without stopping the products that came before.
pub(crate) fn known_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RootKey>, D::Error> {
    #[derive(Deserialize)]
    struct Kind {
        alg: String,
        role: String,
    }
    const ROLES: [&str; 4] = ["root", "license", "receipt", "continuity"];
    let entries = AtMost::<MAX_ROOT_KEYS, serde_json::Value>::deserialize(deserializer)?;
    let mut keys = Vec::new();
    for entry in entries.0 {
        let kind = Kind::deserialize(&entry).map_err(de::Error::custom)?;
        if kind.alg == ED25519 && ROLES.contains(&kind.role.as_str()) {
            keys.push(RootKey::deserialize(entry).map_err(de::Error::custom)?);
        }
    }
    Ok(keys)
}
