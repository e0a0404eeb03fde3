//! When a continuity note lets a license run on after its vendor is gone (protocol, R2).

use crate::{Timestamp, update::UpdateResult};

/// So many days of silence, in time that the product really ran, must have passed.
pub const SILENCE_DAYS: i64 = 60;

/// What the decision is made from. None of it rests on the system clock, which anybody can set.
#[derive(Debug, Clone, Copy)]
pub struct ContinuityFacts {
    /// The note takes effect at the earliest then.
    pub from: Timestamp,
    /// Licenses run at the latest until then.
    pub until: Timestamp,
    /// The time that the last signed answer told.
    pub last_answer: Timestamp,
    /// How long the product has run since, by the boot clock, microseconds.
    pub quiet_us: i64,
    /// What the server said of the license then.
    pub last_result: Option<UpdateResult>,
}

/// Until when a note that is genuine and not revoked lets the license run; none while it does nothing.
///
/// It acts only once its date and the days of silence have passed in authenticated and running time, and never revives a
/// license that the vendor ended, or took for a copy.
pub fn acts_until(facts: &ContinuityFacts) -> Option<Timestamp> {
    let in_good_standing = match facts.last_result {
        Some(
            UpdateResult::UpToDate | UpdateResult::Updated | UpdateResult::NotUpdatable | UpdateResult::GeneralError,
        ) => true,
        Some(
            UpdateResult::InvalidLicense
            | UpdateResult::Revoked
            | UpdateResult::SuspendedClone
            | UpdateResult::ContractTerminated
            | UpdateResult::ContractExpired,
        )
        | None => false,
    };
    let proven = facts.last_answer.plus_micros(facts.quiet_us);
    let silent = proven >= facts.last_answer.plus_days(SILENCE_DAYS);
    (in_good_standing && silent && proven >= facts.from).then_some(facts.until)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_US: i64 = 86_400_000_000;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn r2_date_and_silence_both_have_to_pass() {
        let facts = |quiet_days: i64, last_result| ContinuityFacts {
            from: at("2026-06-01T00:00:00Z"),
            until: at("2027-06-01T00:00:00Z"),
            last_answer: at("2026-01-01T00:00:00Z"),
            quiet_us: quiet_days * DAY_US,
            last_result,
        };
        let good = Some(UpdateResult::UpToDate);
        assert_eq!(acts_until(&facts(150, good)), None, "its date has not come");
        assert_eq!(acts_until(&facts(151, good)), Some(at("2027-06-01T00:00:00Z")));
        let late = |quiet_days, last_result| ContinuityFacts {
            last_answer: at("2026-08-01T00:00:00Z"),
            ..facts(quiet_days, last_result)
        };
        assert_eq!(acts_until(&late(59, good)), None, "its date has come, and the server was heard 59 days ago");
        assert!(acts_until(&late(60, good)).is_some());
        for ended in [
            UpdateResult::InvalidLicense,
            UpdateResult::Revoked,
            UpdateResult::SuspendedClone,
            UpdateResult::ContractTerminated,
            UpdateResult::ContractExpired,
        ] {
            assert_eq!(acts_until(&late(90, Some(ended))), None, "{ended:?} is never revived");
        }
        assert_eq!(acts_until(&late(90, None)), None, "never heard of");
    }
}
