//! A new key for this installation (protocol, 2.7, "Rotation").

use tenure_license::{Exchange, KeyId, SigningKey};

use super::LicenseKeeper;
use crate::{
    error::AgentError,
    record::{Record, Seed},
};

/// What a rotation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRotation {
    /// The new key speaks.
    Rotated {
        /// Its id.
        key: KeyId,
    },
    /// No answer yet. The new key is kept: every request from now on hands over to it.
    NotReached {
        /// Why, for people.
        sentence: String,
    },
}

impl LicenseKeeper {
    /// Makes a new key and hands over to it at once. It is durable before a request names it, and the present key speaks
    /// until one of those requests is answered, so that a lost answer locks nobody out.
    ///
    /// # Errors
    /// When not activated, or the journal cannot be written.
    pub fn rotate_key(&mut self) -> Result<KeyRotation, AgentError> {
        if self.state.joined.is_none() {
            return Err(AgentError::NotActivated);
        }
        if self.state.next_key.is_none() {
            let key = SigningKey::generate(&*self.rng);
            self.commit(vec![Record::KeyMade { seed: Seed::of(&key) }])?;
        }
        // A request that waits is sent first; the one that hands over follows it.
        for _ in 0..3 {
            self.contact()?;
            if self.state.next_key.is_none() || self.state.contact.failure.is_some() {
                break;
            }
        }
        Ok(match (&self.state.next_key, &self.state.contact.failure) {
            (None, _) => KeyRotation::Rotated { key: self.key.key_id() },
            (Some(_), failure) => KeyRotation::NotReached {
                sentence: failure.as_ref().map_or_else(
                    || "the server answered an earlier request only".to_owned(),
                    |failure| failure.sentence.clone(),
                ),
            },
        })
    }

    /// The id of the key that speaks now.
    pub fn key_id(&self) -> KeyId {
        self.key.key_id()
    }

    /// The key that is to take over.
    pub(super) fn next_key(&self) -> Result<Option<SigningKey>, AgentError> {
        self.state.next_key.as_ref().map(Seed::key).transpose()
    }

    /// Whether a license that is bound to this key is bound to us: to the present key, or to the one taking over.
    pub(super) fn is_our_key(&self, key: KeyId) -> bool {
        key == self.key.key_id() || self.next_key().ok().flatten().is_some_and(|next| next.key_id() == key)
    }

    /// After an answer: the key that speaks now.
    pub(super) fn take_over(&mut self) -> Result<(), AgentError> {
        if let Some(seed) = &self.state.key {
            self.key = seed.key()?;
        }
        Ok(())
    }

    /// What proves this installation to a server that lost it or one of its keys: the activation answer and the first
    /// key, then each rotation in turn. Says whether there was anything to add.
    pub(super) fn remind(&self, body: &mut Exchange, step: usize) -> bool {
        if step > 0 && step >= self.state.rotations.len() {
            return false;
        }
        body.rotation = self.state.rotations.get(step).cloned();
        body.activation_answer = self.state.joined.as_ref().map(|joined| joined.answer.clone());
        body.activation_key = self.state.created.as_ref().and_then(|first| Some(first.seed.key().ok()?.public()));
        body.license = self.state.license.as_ref().map(|held| held.envelope.clone());
        true
    }
}
