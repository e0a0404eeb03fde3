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
    keyring::Keyring,
    payload::{
        ActivationAnswer, AuditCheckpoint, CheckInAnswer, Continuity, KeyRole, License, OfflineResponse, OutOfStep,
        Receipt, RootKey, TrustRoot,
    },
    verify::{Addressed, Verified, VerifyError, check_audience, message_of, read},
};

/// Products accept epochs from the root's `epoch_floor` to this far above it.
pub const EPOCH_SPAN: u64 = 1000;
/// How many keys a trust root may list.
pub const MAX_ROOT_KEYS: usize = 64;
/// A continuity note lasts at most this many calendar months.
pub const CONTINUITY_MONTHS: i32 = 13;

/// A verified version of the trust root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    payload: TrustRoot,
    keys: Keyring,
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
        Self::own_threshold(decode_payload(&envelope.payload)?, envelope, &message)
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
        self.keys.check_threshold(&next, &message, KeyRole::Root, self.payload.root_threshold)?;
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
        Self::own_threshold(offered, next, &message)
    }

    /// The last step for each version: it makes sense, and enough of the root keys that it lists signed it.
    fn own_threshold(payload: TrustRoot, envelope: Envelope, message: &[u8]) -> Result<Self, VerifyError> {
        check_sound(&payload)?;
        let keys = Keyring::of(&payload);
        keys.check_threshold(&envelope, message, KeyRole::Root, payload.root_threshold)?;
        Ok(Self { payload, keys, hash: Hash::sha256(message), envelope })
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
        let keys = self.keys.signers_of_role(envelope, &message, KeyRole::License)?;
        let mut license: Verified<License> = read(envelope, &message, Vec::new())?;
        let in_use = keys.into_iter().filter(|key| key.in_use_at(license.issued_at));
        let signed_by: Vec<KeyId> = in_use.map(|key| key.id).collect();
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
        let keys = self.keys.signers_of_role(envelope, &message, KeyRole::Receipt)?;
        let statement: Verified<P> = read(envelope, &message, keys.iter().map(|key| key.id).collect())?;
        check_audience(&*statement, self.payload.aud)?;
        Ok(statement)
    }

    /// Verifies a continuity note: by the threshold of continuity keys, of this vendor, not revoked, not too long. When it
    /// takes effect is the product's to judge.
    pub fn verify_continuity(&self, envelope: &Envelope) -> Result<Verified<Continuity>, VerifyError> {
        let message = message_of::<Continuity>(envelope)?;
        let need = self.payload.continuity_threshold;
        let signed_by = self.keys.check_threshold(envelope, &message, KeyRole::Continuity, need)?;
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
        if (floor..=floor.saturating_add(EPOCH_SPAN)).contains(&epoch) {
            Ok(())
        } else {
            Err(VerifyError::EpochOutOfRange { epoch, floor })
        }
    }

    /// What a person should attend to at `now` (seconds UTC).
    pub fn warnings(&self, now: i64) -> Vec<RootWarning> {
        let renew = (now > self.payload.renew_by).then_some(RootWarning::RenewBy(self.payload.renew_by));
        let idle = |role: &KeyRole| !self.keys.of_role(*role).any(|key| key.in_use_at(now));
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
        self.keys.get(id).map(|key| &key.listed)
    }
}

/// Refuses a root that contradicts itself: no version, no threshold, or one key in two places.
fn check_sound(root: &TrustRoot) -> Result<(), VerifyError> {
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
    Ok(())
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
    const ED25519: &str = "ed25519";
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
