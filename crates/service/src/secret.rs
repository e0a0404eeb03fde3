//! Secrets that can be answered twice: drawn from a seed that is kept only with the idempotency key, for 48 hours.
//!
//! "Shown once" and "the same request, the same answer" (A6) fit together when what is remembered is not the secret but a
//! seed, which is worth nothing without the deployment's own sealed secret.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use tenure_core::Rng;

use crate::{Keyring, Service};

/// What a secret is drawn from, together with the deployment's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Seed([u8; 16]);

/// Chance that repeats itself: the same seed and purpose give the same bytes.
pub(crate) struct Derived {
    keys: Arc<Keyring>,
    purpose: &'static str,
    seed: Seed,
    drawn: Mutex<(u64, Vec<u8>)>,
}

impl Seed {
    pub(crate) fn new(rng: &dyn Rng) -> Self {
        Self(rng.nonce())
    }

    /// The same bytes for as long as the deployment's secret lives.
    pub(crate) fn derive(self, service: &Service, purpose: &'static str) -> Derived {
        Derived { keys: service.keys(), purpose, seed: self, drawn: Mutex::new((0, Vec::new())) }
    }
}

impl Rng for Derived {
    fn fill(&self, bytes: &mut [u8]) {
        let mut drawn = self.drawn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (block, rest) = &mut *drawn;
        while rest.len() < bytes.len() {
            let message = [self.seed.0.as_slice(), &block.to_be_bytes()].concat();
            rest.extend(self.keys.mac_of(self.purpose, &message));
            *block += 1;
        }
        bytes.copy_from_slice(&rest[..bytes.len()]);
        rest.drain(..bytes.len());
    }
}
