//! Later data of a closed month: adjustment lines in a month that is still open ("Adjustments, revisions, corrections").

use crate::{
    Period, Points, Policy, Timestamp,
    adjust::{MAX_COUNT, MAX_NOTE_CHARS, ReasonCode},
    cycle::UsageState,
    deviation::needs_vendor,
};

/// Whether data of `period` is still taken: until month P + 13 has ended ("Adjustments": until month P + 13).
pub fn is_taken(period: Period, received_at: Timestamp, policy: &Policy) -> bool {
    Period::of(received_at) <= period.plus(policy.max_correction_months as i32)
}

/// The month an adjustment line is billed in: the first after `of` that is neither submitted nor closed. `is_settled` says
/// whether a month is; months that do not exist yet are open.
///
/// After the agreement's end this is the final one that follows it. Bounded: no program has a hundred months of the same
/// provider in review.
pub fn billed_in(of: Period, is_settled: impl Fn(Period) -> bool) -> Period {
    let mut period = of.next();
    for _ in 0..120 {
        if !is_settled(period) {
            break;
        }
        period = period.next();
    }
    period
}

/// How corrections enter a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// What of each correction counts in this month, in the order given.
    pub applied: Vec<Points>,
    /// What is left of each for the next one.
    pub carried: Vec<Points>,
}

/// Applies corrections to a month whose other lines come to `own` points: the month's reported points are not brought
/// below 0, and the rest carries on. Corrections that add come first, so that as little as possible is carried.
pub fn apply(own: Points, corrections: &[Points]) -> Applied {
    let mut room = own + corrections.iter().copied().filter(|points| *points > Points::ZERO).sum();
    let mut found = Applied { applied: Vec::new(), carried: Vec::new() };
    for correction in corrections.iter().copied() {
        if correction >= Points::ZERO {
            found.applied.push(correction);
            found.carried.push(Points::ZERO);
            continue;
        }
        let takes = correction.max(-room).min(Points::ZERO);
        room += takes;
        found.applied.push(takes);
        found.carried.push(correction - takes);
    }
    found
}

/// A correction that a person wants to enter for a closed month.
#[derive(Debug, Clone, Copy)]
pub struct HandCorrection<'a> {
    /// Units more or less than what was closed.
    pub delta: i64,
    /// What that comes to with the weight of the month it is about.
    pub points: Points,
    /// Why; required to take away.
    pub reason: Option<ReasonCode>,
    /// One sentence; always required, for nothing else says where the figure comes from.
    pub note: &'a str,
}

/// What a correction by hand depends on besides itself.
#[derive(Debug, Clone, Copy)]
pub struct HandFacts {
    /// The month it is about.
    pub of: Period,
    /// Where that stands.
    pub state: UsageState,
    /// What that month was closed with, with all its corrections so far.
    pub closed_with: Points,
}

/// Why a correction by hand is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandRefusal {
    /// The month can be changed itself, or once it is decided.
    #[error("only a closed month is corrected; change the month itself while it is open")]
    NotClosed,
    /// Its data is not taken any more.
    #[error("the month is too long ago: corrections are taken for 13 months")]
    TooOld,
    /// It changes nothing.
    #[error("a correction of 0 changes nothing")]
    Nothing,
    /// The count is too large.
    #[error("the count is larger than 100,000,000")]
    CountTooLarge,
    /// Taking away needs a reason code.
    #[error("taking away needs a reason code")]
    ReasonMissing,
    /// A sentence is required.
    #[error("a correction needs a sentence that says why")]
    NoteMissing,
    /// The sentence is too long.
    #[error("the sentence is longer than 1000 characters")]
    NoteTooLong,
    /// More than the month came to.
    #[error("it takes away more than the month came to")]
    BelowZero,
}

/// Checks a correction that a person enters ("Adjustments, revisions, corrections"): only of a closed month whose data is
/// still taken, never below what it came to; taking away needs what lowering a figure needs.
///
/// # Errors
/// The first rule it breaks.
pub fn check_by_hand(
    wanted: HandCorrection<'_>,
    facts: HandFacts,
    now: Timestamp,
    policy: &Policy,
) -> Result<(), HandRefusal> {
    if facts.state != UsageState::Closed {
        return Err(HandRefusal::NotClosed);
    }
    if !is_taken(facts.of, now, policy) {
        return Err(HandRefusal::TooOld);
    }
    if wanted.delta == 0 {
        return Err(HandRefusal::Nothing);
    }
    if wanted.delta.unsigned_abs() > u64::from(MAX_COUNT) {
        return Err(HandRefusal::CountTooLarge);
    }
    if wanted.delta < 0 && wanted.reason.is_none() {
        return Err(HandRefusal::ReasonMissing);
    }
    if wanted.note.trim().is_empty() {
        return Err(HandRefusal::NoteMissing);
    }
    if wanted.note.chars().count() > MAX_NOTE_CHARS {
        return Err(HandRefusal::NoteTooLong);
    }
    if wanted.delta < 0 && facts.closed_with + wanted.points < Points::ZERO {
        return Err(HandRefusal::BelowZero);
    }
    Ok(())
}

/// Whether corrections by hand take so much from a closed month that the vendor consents to the month they are billed in
/// (F8): otherwise what may not be lowered before closing could be lowered after it.
pub fn by_hand_needs_vendor(closed_with: Points, by_hand: Points, policy: &Policy) -> bool {
    needs_vendor(closed_with + by_hand, closed_with, policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Period {
        text.parse().expect("a period")
    }

    #[test]
    fn taken_until_the_thirteenth_month() {
        let policy = Policy::default();
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        assert!(is_taken(period("2026-01"), at("2027-02-28T23:59:59Z"), &policy));
        assert!(!is_taken(period("2026-01"), at("2027-03-01T00:00:00Z"), &policy));
    }

    #[test]
    fn billed_in_the_first_month_that_is_open() {
        let settled = [period("2026-02"), period("2026-03")];
        assert_eq!(billed_in(period("2026-01"), |month| settled.contains(&month)), period("2026-04"));
        assert_eq!(billed_in(period("2026-04"), |month| settled.contains(&month)), period("2026-05"));
    }

    #[test]
    fn a_month_never_falls_below_zero_and_the_rest_carries_on() {
        let points = Points::whole;
        let found = apply(points(10), &[points(-4), points(-9), points(2)]);
        assert_eq!(found.applied, [points(-4), points(-8), points(2)]);
        assert_eq!(found.carried, [Points::ZERO, points(-1), Points::ZERO]);
        let nothing = apply(Points::ZERO, &[points(-5)]);
        assert_eq!((nothing.applied, nothing.carried), (vec![Points::ZERO], vec![points(-5)]));
    }

    #[test]
    fn by_hand_only_what_is_closed_and_says_why() {
        let (policy, now) = (Policy::default(), "2026-03-10T00:00:00Z".parse().expect("an instant"));
        let facts = HandFacts { of: period("2026-01"), state: UsageState::Closed, closed_with: Points::whole(90) };
        let wanted = |delta: i64, reason, note| HandCorrection {
            delta,
            points: Points::whole(delta.clamp(-1000, 1000)),
            reason,
            note,
        };
        let check = |wanted, facts| check_by_hand(wanted, facts, now, &policy);
        let reason = Some(ReasonCode::MeteringError);
        assert_eq!(check(wanted(3, None, "three were forgotten"), facts), Ok(()));
        assert_eq!(check(wanted(3, None, " "), facts), Err(HandRefusal::NoteMissing));
        assert_eq!(check(wanted(-3, None, "counted twice"), facts), Err(HandRefusal::ReasonMissing));
        assert_eq!(check(wanted(-90, reason, "all were tests"), facts), Ok(()));
        assert_eq!(check(wanted(-91, reason, "all were tests"), facts), Err(HandRefusal::BelowZero));
        assert_eq!(check(wanted(0, reason, "x"), facts), Err(HandRefusal::Nothing));
        assert_eq!(check(wanted(i64::MIN, reason, "x"), facts), Err(HandRefusal::CountTooLarge));
        for state in UsageState::ALL.into_iter().filter(|state| *state != UsageState::Closed) {
            assert_eq!(check(wanted(3, None, "x"), HandFacts { state, ..facts }), Err(HandRefusal::NotClosed));
        }
        let old = HandFacts { of: period("2025-01"), ..facts };
        assert_eq!(check(wanted(3, None, "x"), old), Err(HandRefusal::TooOld));
        assert!(!by_hand_needs_vendor(Points::whole(90), Points::whole(-20), &policy));
        assert!(by_hand_needs_vendor(Points::whole(90), Points::whole(-21), &policy));
    }
}
