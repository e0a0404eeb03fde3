//! What a product takes for now (protocol, T1; design, "Clock of the product").
//!
//! While an answer is held that is bound to a request first sent in this boot, time is that answer's time plus what the
//! boot clock counted since, and the system clock is ignored. Without one, time is the later of a persisted floor and the
//! system clock. The floor follows authenticated time and running time; time that nobody observed raises it by a bounded
//! amount per boot, so neither a clock set to 2099 nor an endless loop of reboots does harm.

use serde::{Deserialize, Serialize};

use crate::{
    Boot, BootId, Policy, Timestamp,
    validity::{LicenseState, state_at},
};

/// The clock's persisted state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductClock {
    floor: Timestamp,
    base: Option<Base>,
    anchor: Option<Anchor>,
    /// The boot in which a contact was tried and failed.
    #[serde(default)]
    failed_in: Option<BootId>,
    #[serde(default)]
    quiet: Quiet,
}

/// How long this ran since the last authenticated time, by the boot clock alone. What was not observed does not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Quiet {
    ran_us: i64,
    /// The boot observed last, and where its clock stood.
    seen: Option<(BootId, i64)>,
}

impl Quiet {
    fn at(self, boot: Boot) -> Self {
        let ran_us = match self.seen {
            Some((id, seen_us)) if id == boot.id => self.ran_us + boot.elapsed_us.saturating_sub(seen_us).max(0),
            _ => self.ran_us,
        };
        Self { ran_us, seen: Some((boot.id, boot.elapsed_us)) }
    }
}

/// Where the floor stood when a boot was first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Base {
    boot: BootId,
    floor: Timestamp,
    elapsed_us: i64,
}

/// An authenticated time and when, by the boot clock, its request was first sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Anchor {
    boot: BootId,
    at: Timestamp,
    sent_elapsed_us: i64,
}

/// The time a product works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectiveTime {
    /// Now.
    pub at: Timestamp,
    /// It rests on an answer received in this boot, not on the system clock.
    pub authenticated: bool,
}

impl ProductClock {
    /// A clock that knows nothing but an authenticated lower bound, such as the trust root's time of issue.
    pub const fn new(floor: Timestamp) -> Self {
        Self { floor, base: None, anchor: None, failed_in: None, quiet: Quiet { ran_us: 0, seen: None } }
    }

    /// The persisted floor.
    pub const fn floor(&self) -> Timestamp {
        self.floor
    }

    /// How long this ran since the last authenticated time, in microseconds. The system clock has no part in it.
    pub fn quiet_us(&self, boot: Boot) -> i64 {
        self.quiet.at(boot).ran_us
    }

    /// Time now, without noting it down.
    pub fn effective(&self, boot: Boot, system: Timestamp) -> EffectiveTime {
        match self.anchor {
            Some(anchor) if anchor.boot == boot.id => {
                let since = boot.elapsed_us.saturating_sub(anchor.sent_elapsed_us).max(0);
                EffectiveTime { at: anchor.at.plus_micros(since), authenticated: true }
            }
            _ => EffectiveTime { at: self.floor.max(system), authenticated: false },
        }
    }

    /// Time now; raises the floor by what was observed. The caller persists the state when it changed.
    pub fn observe(&mut self, boot: Boot, system: Timestamp, policy: &Policy) -> EffectiveTime {
        self.quiet = self.quiet.at(boot);
        let now = self.effective(boot, system);
        if now.authenticated {
            self.floor = self.floor.max(now.at);
            return now;
        }
        let base = match self.base {
            Some(base) if base.boot == boot.id => base,
            _ => {
                let base = Base { boot: boot.id, floor: self.floor, elapsed_us: boot.elapsed_us };
                self.base = Some(base);
                base
            }
        };
        let ran_us = boot.elapsed_us.saturating_sub(base.elapsed_us).max(0);
        let unobserved_s = i64::from(policy.floor_rise_hours) * 3600;
        let highest = base.floor.plus_micros(ran_us).plus_secs(unobserved_s);
        let ran = base.floor.plus_micros(ran_us);
        self.floor = self.floor.max(ran).max(system.min(highest));
        EffectiveTime { at: self.floor.max(system), authenticated: false }
    }

    /// Takes an authenticated time: `at` of an answer bound to a request that was first sent at `sent`. Only a request
    /// first sent in this boot makes an anchor, and only that may lower the floor; an older one can only raise it.
    pub fn authenticate(&mut self, boot: Boot, sent: Boot, at: Timestamp) {
        self.quiet = Quiet { ran_us: 0, seen: Some((boot.id, boot.elapsed_us)) };
        if sent.id == boot.id && sent.elapsed_us <= boot.elapsed_us {
            self.anchor = Some(Anchor { boot: boot.id, at, sent_elapsed_us: sent.elapsed_us });
            self.floor = at.plus_micros(boot.elapsed_us.saturating_sub(sent.elapsed_us));
            self.base = Some(Base { boot: boot.id, floor: self.floor, elapsed_us: boot.elapsed_us });
        } else {
            self.floor = self.floor.max(at);
        }
    }
}

impl ProductClock {
    /// Notes that a contact was tried in this boot and failed: from now on the system clock may end a license.
    pub const fn contact_failed(&mut self, boot: Boot) {
        self.failed_in = Some(boot.id);
    }

    /// The state of the license at the effective time (T1).
    ///
    /// `Expired` and `Restricted` are never entered on the system clock alone before a contact in this boot was tried and
    /// failed: until then the floor decides, which only proven time has raised.
    pub fn license_state(
        &self,
        boot: Boot,
        system: Timestamp,
        expires_at: Timestamp,
        grace_days: u32,
        policy: &Policy,
    ) -> LicenseState {
        let now = self.effective(boot, system);
        let state = state_at(now.at, expires_at, grace_days, policy);
        let may_end = now.authenticated || self.failed_in == Some(boot.id);
        if state.is_expired() && !may_end { state_at(self.floor, expires_at, grace_days, policy) } else { state }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const HOUR_US: i64 = 3_600_000_000;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }
    fn boot(n: u128, hours: i64) -> Boot {
        Boot { id: BootId(Uuid::from_u128(n)), elapsed_us: hours * HOUR_US }
    }

    #[test]
    fn an_answer_of_this_boot_beats_the_system_clock() {
        let policy = Policy::default();
        let mut clock = ProductClock::new(at("2026-01-01T00:00:00Z"));
        clock.authenticate(boot(1, 10), boot(1, 10), at("2026-03-01T00:00:00Z"));
        for system in ["1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
            let now = clock.observe(boot(1, 34), at(system), &policy);
            assert_eq!(now, EffectiveTime { at: at("2026-03-02T00:00:00Z"), authenticated: true });
        }
        // After a reboot the anchor is gone, and the floor stands.
        let now = clock.observe(boot(2, 0), at("1999-01-01T00:00:00Z"), &policy);
        assert_eq!(now, EffectiveTime { at: at("2026-03-02T00:00:00Z"), authenticated: false });
    }

    #[test]
    fn r2_silence_is_counted_in_running_time_alone() {
        let policy = Policy::default();
        let mut clock = ProductClock::new(at("2026-01-01T00:00:00Z"));
        clock.authenticate(boot(1, 10), boot(1, 10), at("2026-01-01T00:00:00Z"));
        clock.observe(boot(1, 34), at("2036-01-01T00:00:00Z"), &policy);
        assert_eq!(clock.quiet_us(boot(1, 34)), 24 * HOUR_US, "a clock of 2036 proves nothing");
        for n in 2..40 {
            clock.observe(boot(n, 0), at("2036-01-01T00:00:00Z"), &policy);
        }
        assert_eq!(clock.quiet_us(boot(39, 5)), 29 * HOUR_US, "nor do forty boots");
        clock.authenticate(boot(40, 1), boot(1, 1), at("2026-02-01T00:00:00Z"));
        assert_eq!(clock.quiet_us(boot(40, 1)), 0, "any answer ends it");
    }

    #[test]
    fn a_clock_of_2099_does_not_poison_the_floor() {
        let policy = Policy::default();
        let mut clock = ProductClock::new(at("2026-01-01T00:00:00Z"));
        let now = clock.observe(boot(1, 0), at("2099-01-01T00:00:00Z"), &policy);
        assert_eq!(now.at, at("2099-01-01T00:00:00Z"));
        assert_eq!(clock.floor(), at("2026-01-03T00:00:00Z"), "48 hours beyond what was authenticated");
        assert_eq!(clock.observe(boot(1, 5), at("2026-01-01T09:00:00Z"), &policy).at, at("2026-01-03T00:00:00Z"));
        clock.authenticate(boot(1, 6), boot(1, 6), at("2026-01-02T00:00:00Z"));
        assert_eq!(clock.floor(), at("2026-01-02T00:00:00Z"), "a fresh bound answer may lower it");
    }

    #[test]
    fn a_reboot_loop_without_a_clock_still_runs_out() {
        let policy = Policy::default();
        let mut clock = ProductClock::new(at("2026-01-01T00:00:00Z"));
        for n in 0..10 {
            clock.observe(boot(n, 0), at("1970-01-01T00:00:00Z"), &policy);
            clock.observe(boot(n, 24), at("1970-01-01T00:00:00Z"), &policy);
        }
        assert_eq!(clock.floor(), at("2026-01-11T00:00:00Z"), "ten boots of a day each");
    }

    #[test]
    fn an_answer_to_a_request_of_another_boot_only_raises_the_floor() {
        let mut clock = ProductClock::new(at("2026-03-01T00:00:00Z"));
        clock.authenticate(boot(2, 1), boot(1, 1), at("2026-02-01T00:00:00Z"));
        assert_eq!(clock.floor(), at("2026-03-01T00:00:00Z"));
        clock.authenticate(boot(2, 1), boot(1, 1), at("2026-04-01T00:00:00Z"));
        assert_eq!(clock.floor(), at("2026-04-01T00:00:00Z"));
        assert!(!clock.effective(boot(2, 1), at("2026-01-01T00:00:00Z")).authenticated);
    }

    #[test]
    fn the_system_clock_alone_ends_no_license_before_a_contact_failed() {
        let policy = Policy::default();
        let mut clock = ProductClock::new(at("2026-01-01T00:00:00Z"));
        let (ends, system) = (at("2026-04-15T00:00:00Z"), at("2036-01-01T00:00:00Z"));
        let state = |clock: &ProductClock, n| clock.license_state(boot(n, 1), system, ends, 60, &policy);
        assert_eq!(state(&clock, 1), LicenseState::Valid);
        clock.contact_failed(boot(1, 1));
        assert_eq!(state(&clock, 1), LicenseState::Restricted);
        assert_eq!(state(&clock, 2), LicenseState::Valid, "another boot tries again first");
        let mut proven = ProductClock::new(at("2026-04-16T00:00:00Z"));
        assert_eq!(state(&proven, 1), LicenseState::Expired { grace_days_remaining: 59 }, "the floor is proven time");
        proven.authenticate(boot(1, 0), boot(1, 0), at("2026-04-20T00:00:00Z"));
        assert!(state(&proven, 1).is_expired(), "so is an answer");
    }
}
