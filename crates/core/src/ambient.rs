//! Time and chance, the two things a rule may not fetch for itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Where "now" comes from. One implementation per process; tests and the demo bring their own.
pub trait Clock: Send + Sync {
    /// The wall clock, UTC.
    fn now(&self) -> Timestamp;

    /// What other people's devices show, which make codes of the time of day. A test clock differs from it.
    fn world(&self) -> Timestamp {
        self.now()
    }

    /// The boot this process runs in, and how long that boot has lasted (suspend included).
    fn boot(&self) -> Boot;
}

/// Where chance comes from: nonces, keys, ids, jitter.
pub trait Rng: Send + Sync {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// A uniformly drawn number in `0..bound`; 0 when `bound` is 0.
    fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        // Rejection sampling: a plain remainder would favor the small numbers.
        let zone = u64::MAX - u64::MAX % bound;
        loop {
            let mut raw = [0; 8];
            self.fill(&mut raw);
            let drawn = u64::from_le_bytes(raw);
            if drawn < zone {
                return drawn % bound;
            }
        }
    }

    /// A fresh 128-bit nonce.
    fn nonce(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes
    }
}

/// One boot of a machine and the time since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// Names the boot; another boot has another id.
    pub id: BootId,
    /// Microseconds since that boot, counted through suspend (`CLOCK_BOOTTIME`).
    pub elapsed_us: i64,
}

/// The identity of one boot (`/proc/sys/kernel/random/boot_id` on Linux).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(pub uuid::Uuid);

impl fmt::Debug for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "boot_{}", self.0)
    }
}
