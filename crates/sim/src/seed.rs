//! Chance from a seed: the same seed gives the same market.

use std::sync::Mutex;

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng as _, SeedableRng},
};
use tenure_core::Rng;

/// A seeded source of chance. For simulated products only; nothing real may draw its keys from it.
pub struct SeededRng(Mutex<ChaCha20Rng>);

impl SeededRng {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().expect("nobody panics while it draws").fill_bytes(bytes);
    }
}
