//! How far above its license a product may go ("Overuse").

use serde::{Deserialize, Serialize};

use crate::{
    Period, Points, Policy, Timestamp, deadline::newest_auto_sent, policy::percent_of, reporting::AutomaticReporting,
};

/// What the allowance depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OveruseFacts {
    /// The license's points: one pool for all its workloads.
    pub licensed: Points,
    /// New points of the previous month.
    pub new_last_month: Points,
    /// Automatic reporting is On, and the newest period past the automatic send day was accepted.
    pub reports_by_itself: bool,
    /// In grace: the allowance at `expires_at`, below which it never falls.
    pub at_expiry: Option<Points>,
}

/// Points allowed above the license: the larger of 20 points and 20 %, doubled for a license that reports by itself,
/// plus the previous month's new points; in grace never less than at expiry ("Overuse").
pub fn allowed_above(facts: &OveruseFacts, policy: &Policy) -> Points {
    let first = percent_of(facts.licensed, policy.overuse_percent).max(policy.overuse_points);
    let factor = if facts.reports_by_itself { i64::from(policy.overuse_factor) } else { 1 };
    let allowed = Points::from_milli(first.as_milli().saturating_mul(factor)) + facts.new_last_month;
    facts.at_expiry.map_or(allowed, |floor| allowed.max(floor))
}

/// Whether a license reports by itself, which doubles the first term: automatic reporting is On, and the report of the newest
/// period past `auto_send_day` was accepted ("Overuse"). `newest_accepted` is the newest period with an accepted report.
///
/// A license that was activated after that period has had none to send; it gets the doubled term once it has sent one.
pub fn reports_by_itself(
    state: AutomaticReporting,
    newest_accepted: Option<Period>,
    now: Timestamp,
    policy: &Policy,
) -> bool {
    matches!(state, AutomaticReporting::On | AutomaticReporting::AlwaysOn)
        && newest_accepted.is_some_and(|accepted| accepted >= newest_auto_sent(now, policy))
}

/// How a workload stands to the license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Within the license.
    Licensed,
    /// First seen this month: uses no points yet.
    New,
    /// Above the license and within what is allowed.
    LicensedByExceed,
    /// Above what is allowed: not protected.
    Unlicensed,
}

/// Assigns coverage: first protected, first served ("Overuse"). `workloads` come in the order they were first protected,
/// each with its points and whether it is new.
///
/// Where one does not fit, no later one is served before it, even if it is smaller: to go ahead of an older workload
/// would not be "first served". New ones use no points and are never in the way.
pub fn cover(
    workloads: impl IntoIterator<Item = (Points, bool)>,
    licensed: Points,
    allowed_above: Points,
) -> Vec<Coverage> {
    let mut wanted = Points::ZERO;
    let coverage = |(points, new): (Points, bool)| {
        if new {
            return Coverage::New;
        }
        wanted += points;
        if wanted <= licensed {
            Coverage::Licensed
        } else if wanted <= licensed + allowed_above {
            Coverage::LicensedByExceed
        } else {
            Coverage::Unlicensed
        }
    };
    workloads.into_iter().map(coverage).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Coverage::{Licensed, LicensedByExceed, New, Unlicensed};

    #[test]
    fn vectors_of_the_program() {
        let policy = Policy::default();
        let facts = |licensed, reports_by_itself| OveruseFacts {
            licensed: Points::whole(licensed),
            new_last_month: Points::whole(10),
            reports_by_itself,
            at_expiry: None,
        };
        let allowed = |licensed, by_itself| allowed_above(&facts(licensed, by_itself), &policy);
        assert_eq!((allowed(50, false), allowed(200, false)), (Points::whole(30), Points::whole(50)));
        assert_eq!((allowed(50, true), allowed(200, true)), (Points::whole(50), Points::whole(90)));
        let grace = OveruseFacts { at_expiry: Some(Points::whole(50)), ..facts(50, false) };
        assert_eq!(allowed_above(&grace, &policy), Points::whole(50), "in grace it never falls");
    }

    #[test]
    fn first_protected_first_served() {
        let workload = |points, new| (Points::whole(points), new);
        let found = cover(
            [workload(10, false), workload(10, false), workload(3, true), workload(10, false), workload(1, false)],
            Points::whole(15),
            Points::whole(6),
        );
        assert_eq!(found, [Licensed, LicensedByExceed, New, Unlicensed, Unlicensed], "the small one waits its turn");
        let exact = cover([workload(15, false), workload(6, false)], Points::whole(15), Points::whole(6));
        assert_eq!(exact, [Licensed, LicensedByExceed], "to the point");
    }

    #[test]
    fn only_accepted_reports_double() {
        let doubles = |state, accepted: Option<&str>, now: &str| {
            let accepted = accepted.map(|text| text.parse().expect("a period"));
            reports_by_itself(state, accepted, now.parse().expect("an instant"), &Policy::default())
        };
        let on = AutomaticReporting::On;
        assert!(doubles(on, Some("2026-02"), "2026-04-03T23:59:59Z"));
        assert!(!doubles(on, Some("2026-02"), "2026-04-04T00:00:00Z"), "March is due");
        assert!(doubles(AutomaticReporting::AlwaysOn, Some("2026-03"), "2026-04-04T00:00:00Z"));
        assert!(!doubles(AutomaticReporting::SwitchingToOn, Some("2026-03"), "2026-04-04T00:00:00Z"));
        assert!(!doubles(on, None, "2026-04-04T00:00:00Z"));
    }
}
