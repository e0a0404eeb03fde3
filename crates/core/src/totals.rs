//! What a month comes to ("Totals").

use serde::{Deserialize, Serialize};

use crate::{Period, Points, Timestamp};

/// The agreement's terms that a month's total depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Minimum points per month; zero without a commitment.
    pub commit: Points,
    /// Points limit, if any.
    pub limit: Option<Points>,
    /// When the agreement was signed.
    pub signed_at: Timestamp,
}

/// A month's totals, computed once per provider and period, on the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Sum of the lines and of what was carried in, not below 0.
    pub reported: Points,
    /// Minimum commit that applies.
    pub commit: Points,
    /// What is missing to the minimum.
    pub enforcement: Points,
    /// What lies above the limit; shown, not added.
    pub overage: Points,
    /// What is owed: reported + enforcement; 0 in the month the agreement is signed in.
    pub total: Points,
    /// The month the agreement is signed in: opened, submitted, counts as reported, billed 0 without enforcement.
    pub free: bool,
    /// What adjustment lines took below 0; carried into the next month. Never above 0.
    #[serde(default)]
    pub carried_out: Points,
}

/// What a month is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MonthSum {
    /// Sum of the month's own lines.
    pub own: Points,
    /// Sum of the adjustment lines, which name earlier periods; may be negative.
    pub adjustments: Points,
    /// What the month before carried out; never above 0.
    pub carried_in: Points,
}

/// Computes the totals of `period` from its lines' points, without adjustment lines ("Totals").
pub fn totals(lines: impl IntoIterator<Item = Points>, terms: &Terms, period: Period) -> Totals {
    month_totals(MonthSum { own: lines.into_iter().sum(), ..MonthSum::default() }, terms, period)
}

/// Computes the totals of `period` ("Totals"; "Adjustments, revisions, corrections": reported points not below 0, the rest
/// carries on).
///
/// In the month an agreement is signed in only its own lines are free. Adjustment lines there name periods of an earlier
/// agreement, and what those owe does not become free by arriving late.
pub fn month_totals(sum: MonthSum, terms: &Terms, period: Period) -> Totals {
    let earlier = sum.adjustments + sum.carried_in;
    let free = is_free(terms.signed_at, period);
    let whole = sum.own + earlier;
    let reported = whole.max(Points::ZERO);
    let overage = terms.limit.map_or(Points::ZERO, |limit| (reported - limit).max(Points::ZERO));
    // Own lines of a free month are not billed, so nothing can be set off against them either.
    let (billed, commit) = if free { (earlier, Points::ZERO) } else { (whole, terms.commit) };
    let carried_out = billed.min(Points::ZERO);
    let enforcement = if free { Points::ZERO } else { (commit - reported).max(Points::ZERO) };
    Totals { reported, commit, enforcement, overage, total: billed.max(Points::ZERO) + enforcement, free, carried_out }
}

/// The month an agreement is signed in is billed 0: signed 5 April, first billed for May ("Totals").
pub fn is_free(signed_at: Timestamp, period: Period) -> bool {
    Period::of(signed_at) >= period
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn vectors_of_the_program() {
        let terms = Terms {
            commit: Points::whole(800),
            limit: Some(Points::whole(1000)),
            signed_at: at("2026-04-05T00:00:00Z"),
        };
        let may: Period = "2026-05".parse().expect("a period");
        let lines = [Points::whole(150), Points::whole(53)];
        let found = totals(lines, &terms, may);
        assert_eq!((found.reported, found.enforcement), (Points::whole(203), Points::whole(597)));
        assert_eq!((found.total, found.overage), (Points::whole(800), Points::ZERO));
        let april = totals(lines, &terms, may.prev());
        assert_eq!((april.reported, april.total, april.enforcement), (Points::whole(203), Points::ZERO, Points::ZERO));
        let over = totals([Points::whole(1200)], &terms, may);
        assert_eq!((over.total, over.overage), (Points::whole(1200), Points::whole(200)), "shown, not added");
    }

    #[test]
    fn corrections_take_a_month_to_zero_and_carry_the_rest() {
        let terms = Terms { commit: Points::whole(100), limit: None, signed_at: at("2026-04-05T00:00:00Z") };
        let june: Period = "2026-06".parse().expect("a period");
        let points = Points::whole;
        let sum = MonthSum { own: points(50), adjustments: points(-80), carried_in: Points::ZERO };
        let found = month_totals(sum, &terms, june);
        assert_eq!((found.reported, found.enforcement, found.total), (points(0), points(100), points(100)));
        assert_eq!(found.carried_out, points(-30));
        let next = MonthSum { own: points(150), adjustments: points(0), carried_in: found.carried_out };
        let found = month_totals(next, &terms, june.next());
        assert_eq!((found.reported, found.total, found.carried_out), (points(120), points(120), points(0)));
    }

    #[test]
    fn a_free_month_frees_only_its_own_lines() {
        let terms = Terms { commit: Points::whole(100), limit: None, signed_at: at("2026-04-30T23:59:59Z") };
        let april: Period = "2026-04".parse().expect("a period");
        let points = Points::whole;
        let found =
            month_totals(MonthSum { own: points(50), adjustments: points(7), carried_in: points(0) }, &terms, april);
        assert_eq!((found.reported, found.enforcement, found.total), (points(57), points(0), points(7)));
        let found =
            month_totals(MonthSum { own: points(50), adjustments: points(-7), carried_in: points(0) }, &terms, april);
        assert_eq!((found.total, found.carried_out), (points(0), points(-7)), "not set off against what is free");
    }
}
