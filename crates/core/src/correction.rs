//! Later data of a closed month: adjustment lines in a month that is still open ("Adjustments, revisions, corrections").

use crate::{Period, Points, Policy, Timestamp};

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
}
