//! When a provider is suspended for not submitting, and what that blocks ("The monthly cycle", Suspended).

use serde::{Deserialize, Serialize};

use crate::{Period, Policy, Timestamp, deadline::provider_deadline};

/// How a period stands for the suspension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmissionStanding {
    /// Not submitted, or never opened.
    Unsubmitted,
    /// With the distributor, or Closed, by whomever.
    Submitted,
    /// The distributor sent it back then.
    Rejected(Timestamp),
}

impl SubmissionStanding {
    /// Whether it counts as submitted: a rejected one does for some days of 24 hours ("The monthly cycle").
    pub fn counts_as_submitted(self, now: Timestamp, policy: &Policy) -> bool {
        self == Self::Submitted || self.counts_until(policy).is_some_and(|until| now < until)
    }
    /// Until when a rejected one counts as submitted.
    pub fn counts_until(self, policy: &Policy) -> Option<Timestamp> {
        match self {
            Self::Rejected(at) => Some(at.plus_days(i64::from(policy.rejected_counts_days))),
            Self::Unsubmitted | Self::Submitted => None,
        }
    }
}

/// The periods a provider owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwedPeriods {
    /// The period of its first license ("The monthly cycle").
    pub first: Period,
    /// The last one under its agreement; none while it runs on.
    pub last: Option<Period>,
}

/// The newest owed period whose deadline for the provider has passed; `by_hand` says whether a period has a product that
/// reports by hand, which has the later deadline.
pub fn newest_past_deadline(
    owed: OwedPeriods,
    now: Timestamp,
    by_hand: impl Fn(Period) -> bool,
    policy: &Policy,
) -> Option<Period> {
    let mut period = Period::of(now).prev();
    if now < provider_deadline(period, by_hand(period), policy) {
        period = period.prev();
    }
    period = owed.last.map_or(period, |last| period.min(last));
    (period >= owed.first).then_some(period)
}

/// Whether a provider is suspended: exactly while the two newest periods past the provider's deadline are both unsubmitted
/// ("The monthly cycle"). It is computed, never stored, so submitting one of them lifts it at once.
///
/// A provider that owes fewer periods than the policy's is never suspended.
pub fn is_suspended(
    owed: Option<OwedPeriods>,
    now: Timestamp,
    by_hand: impl Fn(Period) -> bool,
    standing: impl Fn(Period) -> SubmissionStanding,
    policy: &Policy,
) -> bool {
    let Some(owed) = owed else { return false };
    let Some(newest) = newest_past_deadline(owed, now, by_hand, policy) else { return false };
    let oldest = newest.plus(1 - policy.suspension_periods as i32);
    let unsubmitted = |n| !standing(oldest.plus(n)).counts_as_submitted(now, policy);
    oldest >= owed.first && (0..policy.suspension_periods as i32).all(unsubmitted)
}

/// What a provider or its products want to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Create a license.
    Create,
    /// Assign a template.
    Assign,
    /// Copy a license.
    Copy,
    /// Switch automatic reporting.
    Toggle,
    /// Raise licensed workloads.
    EditUp,
    /// Lower licensed workloads, or change anything that costs nothing.
    EditDown,
    /// Check in and receive what is due.
    CheckIn,
    /// Send a report or watermark.
    Report,
    /// Submit a monthly usage.
    Submit,
    /// Revoke a license.
    Revoke,
    /// Delete a license.
    Delete,
    /// Download a license.
    Download,
}

impl Wish {
    /// Whether a suspension blocks it ("The monthly cycle", Suspended).
    pub const fn is_blocked_by_suspension(self) -> bool {
        matches!(self, Self::Create | Self::Assign | Self::Copy | Self::Toggle | Self::EditUp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SubmissionStanding::{Rejected, Submitted, Unsubmitted};

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }
    fn period(text: &str) -> Period {
        text.parse().expect("a period")
    }
    fn owed(first: &str) -> OwedPeriods {
        OwedPeriods { first: period(first), last: None }
    }

    #[test]
    fn exactly_while_the_two_newest_past_the_deadline_are_unsubmitted() {
        let suspended = |now: &str, submitted: &[&str]| {
            let standing =
                |month: Period| if submitted.contains(&month.to_string().as_str()) { Submitted } else { Unsubmitted };
            is_suspended(Some(owed("2026-01")), at(now), |_| false, standing, &Policy::default())
        };
        assert!(!suspended("2026-03-05T23:59:59.999999Z", &[]), "February's deadline has not passed");
        assert!(suspended("2026-03-06T00:00:00Z", &[]));
        assert!(!suspended("2026-03-06T00:00:00Z", &["2026-01"]));
        assert!(!suspended("2026-03-06T00:00:00Z", &["2026-02"]), "an older gap does not suspend");
        assert!(suspended("2026-05-01T00:00:00Z", &["2026-01"]), "February and March");
        assert!(!suspended("2026-05-01T00:00:00Z", &["2026-01", "2026-03"]));
        assert!(!suspended("2026-02-06T00:00:00Z", &[]), "only one period is owed");
    }

    #[test]
    fn by_hand_has_the_later_deadline() {
        let suspended =
            |now: &str| is_suspended(Some(owed("2026-01")), at(now), |_| true, |_| Unsubmitted, &Policy::default());
        assert!(!suspended("2026-03-10T23:59:59Z"));
        assert!(suspended("2026-03-11T00:00:00Z"));
    }

    #[test]
    fn rejected_counts_for_five_days() {
        let rejected = at("2026-03-07T12:00:00Z");
        let suspended = |now: &str| {
            let standing = |month| if month == period("2026-02") { Rejected(rejected) } else { Unsubmitted };
            is_suspended(Some(owed("2026-01")), at(now), |_| false, standing, &Policy::default())
        };
        assert!(!suspended("2026-03-12T11:59:59Z"));
        assert!(suspended("2026-03-12T12:00:00Z"));
    }

    #[test]
    fn what_an_ended_agreement_left_unsubmitted_still_suspends() {
        let last = |last: &str| Some(OwedPeriods { first: period("2026-01"), last: Some(period(last)) });
        let suspended =
            |owed| is_suspended(owed, at("2026-09-01T00:00:00Z"), |_| false, |_| Unsubmitted, &Policy::default());
        assert!(suspended(last("2026-02")));
        assert!(!suspended(last("2026-01")));
        assert!(!suspended(None), "no license, nothing owed");
    }

    #[test]
    fn a_suspension_blocks_growth_only() {
        for wish in [Wish::Create, Wish::Assign, Wish::Copy, Wish::Toggle, Wish::EditUp] {
            assert!(wish.is_blocked_by_suspension(), "{wish:?}");
        }
        for wish in
            [Wish::EditDown, Wish::CheckIn, Wish::Report, Wish::Submit, Wish::Revoke, Wish::Delete, Wish::Download]
        {
            assert!(!wish.is_blocked_by_suspension(), "{wish:?}");
        }
    }
}
