//! The days of the month after a period, and until when things count ("The monthly cycle").
//!
//! "By day N" means before day N+1 00:00:00 UTC; lateness is measured when the server receives ("Time").

use crate::{Day, Period, Timestamp, policy::Policy};

/// The instant from which what a product did not send by hand is final: the end of `auto_send_day` ("The monthly
/// cycle"). A product itself sends its final report during that day.
pub fn auto_send_over_at(period: Period, policy: &Policy) -> Timestamp {
    period.deadline(policy.auto_send_day)
}

/// The beginning of `auto_send_day`: from then on a product sends its report as final without being told.
pub fn auto_send_from(period: Period, policy: &Policy) -> Timestamp {
    period.deadline(policy.auto_send_day.saturating_sub(1))
}

/// The provider's deadline: the end of its day; later when any of its products reports by hand ("The monthly cycle").
pub fn provider_deadline(period: Period, any_by_hand: bool, policy: &Policy) -> Timestamp {
    period.deadline(if any_by_hand { policy.manual_deadline_day } else { policy.provider_deadline_day })
}

/// When `auto_submit` acts: noon of the provider's deadline day ("The monthly cycle").
pub fn auto_submit_at(period: Period, any_by_hand: bool, policy: &Policy) -> Timestamp {
    let day = provider_deadline(period, any_by_hand, policy).plus_days(-1);
    day.plus_secs(i64::from(policy.auto_submit_hour) * 3600)
}

/// The distributor's deadline: the end of its day, or some days of 24 hours after the submission, if later ("The
/// monthly cycle").
pub fn distributor_deadline(period: Period, submitted_at: Timestamp, policy: &Policy) -> Timestamp {
    let after = submitted_at.plus_days(i64::from(policy.distributor_days_after_submission));
    period.deadline(policy.distributor_deadline_day).max(after)
}

/// From when an undecided, unflagged monthly usage counts as Closed for extensions, not for billing ("The monthly
/// cycle").
pub fn undecided_extends_at(period: Period, submitted_at: Timestamp, policy: &Policy) -> Timestamp {
    distributor_deadline(period, submitted_at, policy).plus_days(i64::from(policy.distributor_grace_days))
}

/// Whether something received then was on time; exactly at the deadline is late (T3). What counts is the arrival, not
/// the commit.
pub fn is_on_time(received_at: Timestamp, deadline: Timestamp) -> bool {
    received_at < deadline
}

/// Whole days of lateness, a begun one counted; 0 when it was on time.
pub fn days_late(deadline: Timestamp, received_at: Timestamp) -> u32 {
    if is_on_time(received_at, deadline) {
        return 0;
    }
    let days = Day::of(received_at).number() - Day::of(deadline).number() + 1;
    u32::try_from(days).unwrap_or(0)
}

/// Until when an unsubmitted monthly usage stays open, and late data of its period is taken: the end of the month
/// [`Policy::max_correction_months`] after it ("The monthly cycle", "Adjustments, revisions, corrections").
pub fn open_until(period: Period, policy: &Policy) -> Timestamp {
    period.plus(policy.max_correction_months as i32).end()
}

/// Until when a postponed question rests: tomorrow, 00:00 UTC ("The monthly cycle": the provider postpones the question
/// until tomorrow). The deadlines do not move.
pub const fn postponed_until(now: Timestamp) -> Timestamp {
    Day::of(now).end()
}

/// The newest period whose `auto_send_day` is over.
pub fn newest_auto_sent(now: Timestamp, policy: &Policy) -> Period {
    let last = Period::of(now).prev();
    if now < auto_send_over_at(last, policy) { last.prev() } else { last }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Period {
        text.parse().expect("a period")
    }
    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn days_end_at_midnight() {
        let (march, policy) = (period("2026-03"), Policy::default());
        assert_eq!(auto_send_from(march, &policy), at("2026-04-03T00:00:00Z"));
        assert_eq!(auto_send_over_at(march, &policy), at("2026-04-04T00:00:00Z"));
        assert_eq!(provider_deadline(march, false, &policy), at("2026-04-06T00:00:00Z"));
        assert_eq!(provider_deadline(march, true, &policy), at("2026-04-11T00:00:00Z"));
        assert_eq!(auto_submit_at(march, false, &policy), at("2026-04-05T12:00:00Z"));
        assert_eq!(auto_submit_at(march, true, &policy), at("2026-04-10T12:00:00Z"));
        let early = at("2026-04-02T08:00:00Z");
        assert_eq!(distributor_deadline(march, early, &policy), at("2026-04-11T00:00:00Z"));
        assert_eq!(undecided_extends_at(march, early, &policy), at("2026-04-16T00:00:00Z"));
        let late = at("2026-04-20T08:00:00Z");
        assert_eq!(distributor_deadline(march, late, &policy), at("2026-04-25T08:00:00Z"));
        assert_eq!(undecided_extends_at(march, late, &policy), at("2026-04-30T08:00:00Z"));
        assert_eq!(open_until(march, &policy), at("2027-05-01T00:00:00Z"));
        let deadline = provider_deadline(march, false, &policy);
        assert!(is_on_time(deadline.plus_micros(-1), deadline) && !is_on_time(deadline, deadline));
    }

    #[test]
    fn tomorrow_and_the_newest_auto_sent() {
        assert_eq!(postponed_until(at("2026-04-01T00:00:00Z")), at("2026-04-02T00:00:00Z"));
        assert_eq!(postponed_until(at("2026-04-01T23:59:59Z")), at("2026-04-02T00:00:00Z"));
        let newest = |text| newest_auto_sent(at(text), &Policy::default());
        assert_eq!(newest("2026-04-03T23:59:59Z"), period("2026-02"));
        assert_eq!(newest("2026-04-04T00:00:00Z"), period("2026-03"));
    }
}
