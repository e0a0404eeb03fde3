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
    /// Sum of the lines.
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
}

/// Computes the totals of `period` from its lines' points ("Totals").
pub fn totals(lines: impl IntoIterator<Item = Points>, terms: &Terms, period: Period) -> Totals {
    let reported: Points = lines.into_iter().sum();
    let overage = terms.limit.map_or(Points::ZERO, |limit| (reported - limit).max(Points::ZERO));
    if is_free(terms.signed_at, period) {
        return Totals { reported, overage, free: true, ..Totals::default() };
    }
    let enforcement = (terms.commit - reported).max(Points::ZERO);
    let total = reported + enforcement;
    Totals { reported, commit: terms.commit, enforcement, overage, total, free: false }
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
}
