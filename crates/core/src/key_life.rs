//! How long the deployment's own keys are used, and when the next ones are due (protocol, E5, E6).
//!
//! These are the deployment's times and no numbers of a program. A key's end warns, it never stops a product: what was
//! signed while the key was in use stays good.

use crate::Timestamp;

/// An online key signs for so many days: a year and the overlap with its successor.
pub const ONLINE_DAYS: i64 = 395;
/// So long both the old and the new license key sign.
pub const OVERLAP_DAYS: i64 = 30;
/// So long before the end of a key, or of a trust root, people are told.
pub const WARN_DAYS: i64 = 60;
/// From then on the age of a trust root, or of a root key that signed none meanwhile, is worth a warning.
pub const OFFLINE_DAYS: i64 = 730;

/// When a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyLife {
    /// From then, whole seconds.
    pub from: Timestamp,
    /// Until then, not included.
    pub until: Timestamp,
    /// Its signatures count no more.
    pub revoked: bool,
}

/// How a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It signs later.
    NotYet,
    /// It signs.
    InUse,
    /// It signs no more; what it signed counts.
    RunOut,
    /// Nothing it signed counts.
    Revoked,
}

impl KeyLife {
    /// A key that is made now.
    pub fn online(now: Timestamp) -> Self {
        Self { from: now.floor_to_second(), until: now.plus_days(ONLINE_DAYS).floor_to_second(), revoked: false }
    }

    /// How it stands at `at`. Documents tell whole seconds, so it is judged by those.
    pub fn state(&self, at: Timestamp) -> KeyState {
        let at = at.as_secs();
        if self.revoked {
            KeyState::Revoked
        } else if at < self.from.as_secs() {
            KeyState::NotYet
        } else if at < self.until.as_secs() {
            KeyState::InUse
        } else {
            KeyState::RunOut
        }
    }

    /// Whether it may sign a license that is issued at `at`.
    pub fn signs_at(&self, at: Timestamp) -> bool {
        self.state(at) == KeyState::InUse
    }

    /// Its end once a successor signs beside it: the overlap from now on, and never later than before.
    pub fn until_beside_successor(&self, now: Timestamp) -> Timestamp {
        self.until.min(now.plus_days(OVERLAP_DAYS).floor_to_second())
    }
}

/// When to rotate a key with this end: from the first instant on it is worth doing, by the second it is due, so that a
/// whole overlap is left.
pub fn rotation_window(until: Timestamp) -> (Timestamp, Timestamp) {
    (until.plus_days(-WARN_DAYS), until.plus_days(-OVERLAP_DAYS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_year_and_an_overlap() {
        let life = KeyLife::online(at("2026-01-05T09:00:00.25Z"));
        assert_eq!((life.from, life.until), (at("2026-01-05T09:00:00Z"), at("2027-02-04T09:00:00Z")));
        assert_eq!(life.state(at("2026-01-05T08:59:59Z")), KeyState::NotYet);
        assert_eq!(life.state(at("2026-01-05T09:00:00Z")), KeyState::InUse);
        assert_eq!(life.state(at("2027-02-04T08:59:59.9Z")), KeyState::InUse);
        assert_eq!(life.state(at("2027-02-04T09:00:00Z")), KeyState::RunOut);
        assert_eq!(KeyLife { revoked: true, ..life }.state(at("2026-06-01T00:00:00Z")), KeyState::Revoked);
        let (from, by) = rotation_window(life.until);
        assert_eq!((from, by), (at("2026-12-06T09:00:00Z"), at("2027-01-05T09:00:00Z")));
        assert_eq!(life.until_beside_successor(by), life.until, "a year after it was made, the overlap is whole");
        assert_eq!(life.until_beside_successor(at("2026-06-01T00:00:00Z")), at("2026-07-01T00:00:00Z"));
        assert_eq!(life.until_beside_successor(at("2027-06-01T00:00:00Z")), life.until, "never later than before");
    }
}
