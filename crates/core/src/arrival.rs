//! What becomes of a document that arrives, by its period and the state of that month (protocol, X4, X5, T3, T4).

use crate::{Period, Policy, Timestamp, Week, correction::is_taken, cycle::UsageState};

/// A document was not taken because of its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeriodRefusal {
    /// Its period has not ended by the server's clock.
    #[error("its period has not ended yet")]
    NotYet,
    /// Its period is more than 13 months back, or before the activation.
    #[error("its period is too old, or lies before the activation")]
    TooOld,
}

/// Whether a report's period may be taken at the instant the server received it: not before the period's end, not before
/// the activation's month, not more than 13 months back (T4). The server's clock decides, not the sender's.
///
/// # Errors
/// Which of them it is.
pub fn check_report_period(
    period: Period,
    received_at: Timestamp,
    activated_at: Timestamp,
    policy: &Policy,
) -> Result<(), PeriodRefusal> {
    if received_at < period.end() {
        Err(PeriodRefusal::NotYet)
    } else if period < Period::of(activated_at) || !is_taken(period, received_at, policy) {
        Err(PeriodRefusal::TooOld)
    } else {
        Ok(())
    }
}

/// Whether a watermark's week may be taken: completed, not wholly before the activation, and its last day's month not more
/// than 13 months back (F5, T4).
///
/// # Errors
/// Which of them it is.
pub fn check_watermark_week(
    week: Week,
    received_at: Timestamp,
    activated_at: Timestamp,
    policy: &Policy,
) -> Result<(), PeriodRefusal> {
    if received_at < week.end() {
        Err(PeriodRefusal::NotYet)
    } else if week.end() <= activated_at || !is_taken(week.first().plus(6).period(), received_at, policy) {
        Err(PeriodRefusal::TooOld)
    } else {
        Ok(())
    }
}

/// Where the figures of an arriving report go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing {
    /// Into its own month, replacing the revision before.
    OwnMonth,
    /// Kept while the distributor decides: taken in when the month is rejected, else it becomes an adjustment line.
    Kept,
    /// The month is Closed: an adjustment line of a later one.
    AdjustmentLine,
}

/// Where the figures of a report go, by the state of its month, read under the month's lock ("Adjustments, revisions,
/// corrections"; X5). A month that was never opened is opened by it. What was kept is asked again once the distributor has
/// decided.
pub const fn landing(state: Option<UsageState>) -> Landing {
    match state {
        Some(UsageState::PendingDistributorReview) => Landing::Kept,
        Some(UsageState::Closed) => Landing::AdjustmentLine,
        _ => Landing::OwnMonth,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn not_before_its_end_nor_13_months_later() {
        let check = |period: &str, received: &str| {
            let activated = at("2026-01-31T10:00:00Z");
            check_report_period(period.parse().expect("a period"), at(received), activated, &Policy::default())
        };
        assert_eq!(check("2026-03", "2026-03-31T23:59:59.999999Z"), Err(PeriodRefusal::NotYet));
        assert_eq!(check("2026-03", "2026-04-01T00:00:00Z"), Ok(()));
        assert_eq!(check("2026-01", "2026-04-01T00:00:00Z"), Ok(()), "the activation's own month");
        assert_eq!(check("2025-12", "2026-04-01T00:00:00Z"), Err(PeriodRefusal::TooOld));
        assert_eq!(check("2026-03", "2027-04-30T23:59:59Z"), Ok(()));
        assert_eq!(check("2026-03", "2027-05-01T00:00:00Z"), Err(PeriodRefusal::TooOld));
    }

    #[test]
    fn watermarks_are_of_completed_weeks() {
        let check = |week: &str, received: &str| {
            let activated = at("2026-02-01T10:00:00Z");
            check_watermark_week(week.parse().expect("a week"), at(received), activated, &Policy::default())
        };
        assert_eq!(check("2026-W05", "2026-02-01T23:59:59Z"), Err(PeriodRefusal::NotYet));
        assert_eq!(check("2026-W05", "2026-02-02T00:00:00Z"), Ok(()), "activated on its Sunday");
        assert_eq!(check("2026-W04", "2026-02-02T00:00:00Z"), Err(PeriodRefusal::TooOld));
        assert_eq!(check("2026-W05", "2027-04-01T00:00:00Z"), Err(PeriodRefusal::TooOld));
    }

    #[test]
    fn closed_is_closed() {
        assert_eq!(landing(None), Landing::OwnMonth);
        for state in UsageState::ALL {
            let expected = match state {
                UsageState::Closed => Landing::AdjustmentLine,
                UsageState::PendingDistributorReview => Landing::Kept,
                _ => Landing::OwnMonth,
            };
            assert_eq!(landing(Some(state)), expected);
        }
    }
}
