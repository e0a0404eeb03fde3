//! License update: what an installation is told, and when it asks again ("License update").

use serde::{Deserialize, Serialize};

use crate::{LicenseSerial, Period, Policy, Rng, Timestamp};

/// What a license update came to; the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateResult {
    /// The license shown is not one of ours, or not this installation's.
    InvalidLicense,
    /// The license was revoked; the product keeps what it has until that expires.
    Revoked,
    /// Two machines speak as one installation.
    SuspendedClone,
    /// The agreement was ended early; automatic update goes off.
    ContractTerminated,
    /// The agreement has run out.
    ContractExpired,
    /// Automatic update does not apply to this license.
    NotUpdatable,
    /// A newer license rides along.
    Updated,
    /// The product holds the newest license.
    UpToDate,
    /// The server failed; only its own failure says this.
    GeneralError,
}

impl UpdateResult {
    /// One sentence a person can act on.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::InvalidLicense => {
                "The server does not know this license as this installation's; activate again with a new code."
            }
            Self::Revoked => {
                "The license was revoked and will not be renewed; ask your license administrator for another one."
            }
            Self::SuspendedClone => {
                "Two machines speak as this installation; re-identify one of them in the portal to go on."
            }
            Self::ContractTerminated => {
                "The rental agreement was ended early; automatic update is off, ask your distributor."
            }
            Self::ContractExpired => "The rental agreement has run out; renew it with your distributor.",
            Self::NotUpdatable => "This license is not renewed automatically; install a new file before it expires.",
            Self::Updated => "A newer license was received.",
            Self::UpToDate => "The license is the newest there is.",
            Self::GeneralError => "The server could not make a license; it is asked again by itself.",
        }
    }

    /// Whether a license rides along or is already held.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Updated | Self::UpToDate)
    }
}

/// Everything the result depends on.
#[derive(Debug, Clone, Copy)]
pub struct UpdateFacts {
    /// The license shown is this installation's, or none was shown.
    pub license_is_ours: bool,
    /// The license was revoked or deleted.
    pub revoked: bool,
    /// The installation is suspended as a clone.
    pub clone: bool,
    /// The agreement was ended early, before now.
    pub terminated: bool,
    /// The agreement's end.
    pub agreement_end: Timestamp,
    /// The product installs new licenses by itself, or a person asked (*Update now*).
    pub updatable: bool,
    /// The license shown.
    pub shown: Option<LicenseSerial>,
    /// The newest license issued.
    pub newest: LicenseSerial,
}

/// The first result that holds ("License update").
///
/// The result is a word for people. A license that was issued rides beside any answer whose product does not hold it, so a
/// product still gets what was earned before its agreement ran out.
pub fn result(facts: &UpdateFacts, now: Timestamp) -> UpdateResult {
    let newer = facts.shown.is_none_or(|shown| shown < facts.newest);
    if !facts.license_is_ours {
        UpdateResult::InvalidLicense
    } else if facts.revoked {
        UpdateResult::Revoked
    } else if facts.clone {
        UpdateResult::SuspendedClone
    } else if facts.terminated {
        UpdateResult::ContractTerminated
    } else if now >= facts.agreement_end {
        UpdateResult::ContractExpired
    } else if newer && !facts.updatable {
        UpdateResult::NotUpdatable
    } else if newer {
        UpdateResult::Updated
    } else {
        UpdateResult::UpToDate
    }
}

/// A span in which a product draws a uniformly random instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First instant.
    pub from: Timestamp,
    /// Last instant.
    pub to: Timestamp,
}

impl Span {
    /// A uniformly random instant in it; `from` when it is empty or the wrong way round.
    pub fn draw(&self, rng: &dyn Rng) -> Timestamp {
        let width = self.to.micros_since(self.from);
        self.from.plus_micros(u64::try_from(width).map_or(0, |width| rng.below(width.saturating_add(1)) as i64))
    }
}

/// When to check in next: weekly, daily from some days before the end on; the last tenth of the interval is the window,
/// so that a fleet that was started together spreads ("License update").
pub fn next_check_in(now: Timestamp, expires_at: Timestamp, policy: &Policy) -> Span {
    let daily_from = expires_at.plus_days(-i64::from(policy.check_in_daily_from_days));
    let days = if now >= daily_from { 1 } else { i64::from(policy.check_in_days) };
    let mut to = now.plus_days(days);
    // A week that would run past the beginning of the daily time ends there.
    if now < daily_from {
        to = to.min(daily_from.plus_days(1));
    }
    let width = to.micros_since(now) / 100 * i64::from(policy.jitter_percent);
    Span { from: to.plus_micros(-width), to }
}

/// When to check in next after an *Update now* from the server's side was heeded: within the hour, so that whoever pressed
/// it sees soon whether the product took what it got.
pub fn soon(now: Timestamp, policy: &Policy) -> Span {
    let minutes = i64::from(policy.retry_unreachable_minutes);
    Span { from: now.plus_secs(i64::from(policy.wait_min_seconds)), to: now.plus_secs(60 * minutes) }
}

/// When the report of `period` is sent: from its end on, within the policy's hours ("The monthly cycle", 1st).
pub fn report_window(period: Period, policy: &Policy) -> Span {
    let from = period.end();
    Span { from, to: from.plus_secs(i64::from(policy.report_window_hours) * 3600) }
}

/// What a server gives is clamped: never sooner than a minute, never later than eight days ("License update").
pub fn clamp_next(now: Timestamp, wanted: Timestamp, policy: &Policy) -> Timestamp {
    let soonest = now.plus_secs(i64::from(policy.wait_min_seconds));
    let latest = now.plus_days(i64::from(policy.wait_max_days));
    wanted.clamp(soonest, latest)
}

/// What an attempt met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection, no answer, or an answer that proves nothing.
    Unreachable,
    /// 429 or 503 with Retry-After, seconds.
    RetryAfter(u64),
    /// Any other 5xx.
    ServerError,
}

/// What the attempt was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A check-in alone.
    CheckIn,
    /// It carried a report or a watermark.
    Report,
}

/// When to try again; it never stops asking ("License update").
pub fn retry_at(now: Timestamp, failure: Failure, purpose: Purpose, policy: &Policy, rng: &dyn Rng) -> Timestamp {
    let minutes = |minutes: u32| i64::from(minutes) * 60;
    let secs = match (failure, purpose) {
        (Failure::RetryAfter(secs), _) => {
            return clamp_next(now, now.plus_secs(i64::try_from(secs).unwrap_or(i64::MAX)), policy);
        }
        (Failure::Unreachable, _) => minutes(policy.retry_unreachable_minutes),
        (Failure::ServerError, Purpose::CheckIn) => i64::from(policy.retry_check_in_hours) * 3600,
        (Failure::ServerError, Purpose::Report) => minutes(policy.retry_report_minutes),
    };
    let jitter = (secs * 1_000_000 / 100 * i64::from(policy.jitter_percent)).unsigned_abs();
    clamp_next(now, now.plus_secs(secs).plus_micros(rng.below(jitter + 1) as i64), policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Rng for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }
    fn facts() -> UpdateFacts {
        let serial = |serial| LicenseSerial { epoch: 1, serial };
        UpdateFacts {
            license_is_ours: true,
            revoked: false,
            clone: false,
            terminated: false,
            agreement_end: at("2027-01-01T00:00:00Z"),
            updatable: true,
            shown: Some(serial(3)),
            newest: serial(4),
        }
    }

    #[test]
    fn the_first_result_that_holds() {
        let now = at("2026-06-01T00:00:00Z");
        let later = at("2027-06-01T00:00:00Z");
        let all = UpdateFacts { license_is_ours: false, revoked: true, clone: true, terminated: true, ..facts() };
        assert_eq!(result(&all, now), UpdateResult::InvalidLicense);
        assert_eq!(result(&UpdateFacts { license_is_ours: true, ..all }, now), UpdateResult::Revoked);
        assert_eq!(
            result(&UpdateFacts { clone: true, terminated: true, ..facts() }, now),
            UpdateResult::SuspendedClone
        );
        assert_eq!(result(&UpdateFacts { terminated: true, ..facts() }, now), UpdateResult::ContractTerminated);
        assert_eq!(result(&UpdateFacts { updatable: false, ..facts() }, now), UpdateResult::NotUpdatable);
        assert_eq!(result(&facts(), now), UpdateResult::Updated);
        assert_eq!(result(&facts(), later), UpdateResult::ContractExpired);
        assert_eq!(result(&UpdateFacts { updatable: false, ..facts() }, later), UpdateResult::ContractExpired);
        let newest = UpdateFacts { shown: Some(facts().newest), ..facts() };
        assert_eq!(result(&newest, now), UpdateResult::UpToDate);
        assert_eq!(result(&newest, later), UpdateResult::ContractExpired);
        let end = facts().agreement_end;
        assert_eq!(result(&newest, end), UpdateResult::ContractExpired);
        assert_eq!(result(&newest, end.plus_micros(-1)), UpdateResult::UpToDate);
        let ahead = UpdateFacts { shown: Some(LicenseSerial { epoch: 2, serial: 1 }), ..facts() };
        assert_eq!(result(&ahead, now), UpdateResult::UpToDate, "an older one is never handed out");
    }

    #[test]
    fn weekly_then_daily_and_clamped() {
        let policy = Policy::default();
        let now = at("2026-06-01T00:00:00Z");
        assert_eq!(next_check_in(now, at("2026-09-01T00:00:00Z"), &policy).to, at("2026-06-08T00:00:00Z"));
        assert_eq!(next_check_in(now, at("2026-06-05T00:00:00Z"), &policy).to, at("2026-06-02T00:00:00Z"));
        assert_eq!(
            next_check_in(now, at("2026-06-11T00:00:00Z"), &policy).to,
            at("2026-06-05T00:00:00Z"),
            "a week that would reach into the daily time is cut short"
        );
        let soon = retry_at(now, Failure::RetryAfter(1), Purpose::CheckIn, &policy, &Fixed(0));
        assert_eq!(soon, now.plus_secs(60));
        let late = retry_at(now, Failure::RetryAfter(u64::MAX), Purpose::CheckIn, &policy, &Fixed(0));
        assert_eq!(late, now.plus_days(8));
        let hour = retry_at(now, Failure::Unreachable, Purpose::CheckIn, &policy, &Fixed(0));
        assert_eq!(hour, now.plus_secs(3600));
        let day = retry_at(now, Failure::ServerError, Purpose::CheckIn, &policy, &Fixed(0));
        assert_eq!(day, now.plus_secs(24 * 3600));
        let report = retry_at(now, Failure::ServerError, Purpose::Report, &policy, &Fixed(0));
        assert_eq!(report, now.plus_secs(3600));
    }
}
