//! A clock that stands until it is moved, and chance that repeats itself.

use std::sync::{
    Mutex,
    atomic::{AtomicI64, Ordering},
};

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng as _, SeedableRng},
};
use tenure_core::{Boot, BootId, Clock, Rng, Timestamp};

/// A clock that the test moves.
pub struct MockClock {
    wall: AtomicI64,
    /// How far the wall clock was moved without time passing.
    jumped: AtomicI64,
}

impl MockClock {
    /// A clock that says `at`, as `2026-03-01T00:00:00Z`.
    ///
    /// # Panics
    /// When `at` is not an instant.
    pub fn at(at: &str) -> Self {
        let at: Timestamp = at.parse().expect("an RFC 3339 instant");
        Self { wall: AtomicI64::new(at.as_micros()), jumped: AtomicI64::new(0) }
    }
    /// Moves it to an instant.
    ///
    /// # Panics
    /// When `at` is not an instant.
    pub fn set(&self, at: &str) {
        self.set_to(at.parse().expect("an RFC 3339 instant"));
    }
    /// Moves it to an instant.
    pub fn set_to(&self, at: Timestamp) {
        self.wall.store(at.as_micros(), Ordering::SeqCst);
    }
    /// Moves it forward.
    pub fn advance_secs(&self, secs: i64) {
        self.wall.fetch_add(secs * 1_000_000, Ordering::SeqCst);
    }
    /// Moves the wall clock alone, as somebody at the machine does: the boot clock does not go with it.
    pub fn jump_secs(&self, secs: i64) {
        self.jumped.fetch_add(secs * 1_000_000, Ordering::SeqCst);
        self.advance_secs(secs);
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.wall.load(Ordering::SeqCst))
    }
    fn boot(&self) -> Boot {
        let elapsed_us = self.wall.load(Ordering::SeqCst) - self.jumped.load(Ordering::SeqCst);
        Boot { id: BootId(uuid::Uuid::from_u128(1)), elapsed_us }
    }
}

/// Chance from a seed: the same seed gives the same run.
pub struct SeededRng(Mutex<ChaCha20Rng>);

impl SeededRng {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().expect("no test panics while it draws").fill_bytes(bytes);
    }
}
