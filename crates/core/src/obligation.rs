//! What is owed for each installation and month ("Template, assignment, revocation"; protocol, F2).

use crate::{Period, Policy, Timestamp};

/// The months in which a license was valid for a day: each month that the span touches ("Template, assignment,
/// revocation").
///
/// "For a day" is any part of a UTC day: a license of the last hour of a month owes that month, as the anchor's month is
/// the first to be reported however late in it the anchor lies. `until` is the end of validity, or when the license was
/// revoked or the installation ended, whichever came first; nothing is owed when it is not after `from`.
pub fn obliged_periods(from: Timestamp, until: Timestamp) -> impl Iterator<Item = Period> {
    let first = Period::of(from);
    let last = Period::of(until.plus_micros(-1));
    let count = if until > from { last.index() - first.index() + 1 } else { 0 };
    (0..count).map(move |n| first.plus(n))
}

/// Whether the oldest unresolved obligation of a company and product blocks new licenses for them: it is older than two
/// periods ("Template, assignment, revocation").
pub fn blocks_new_license(oldest_open: Option<Period>, now: Timestamp, policy: &Policy) -> bool {
    let age = |period: Period| i64::from(Period::of(now).index() - period.index());
    oldest_open.is_some_and(|period| age(period) > i64::from(policy.obligation_block_periods))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn each_month_touched_is_owed() {
        let owed = |from: &str, until: &str| {
            obliged_periods(at(from), at(until)).map(|period| period.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(owed("2026-01-31T23:00:00Z", "2026-04-15T23:00:00Z"), ["2026-01", "2026-02", "2026-03", "2026-04"]);
        assert_eq!(owed("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), ["2026-01"], "the end is not part of it");
        assert_eq!(owed("2026-01-01T00:00:00Z", "2026-02-01T00:00:00.000001Z"), ["2026-01", "2026-02"]);
        assert!(owed("2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z").is_empty());
        assert!(owed("2026-03-05T00:00:00Z", "2026-01-05T00:00:00Z").is_empty());
    }

    #[test]
    fn older_than_two_periods_blocks() {
        let blocks = |oldest: &str, now: &str| {
            blocks_new_license(Some(oldest.parse().expect("a period")), at(now), &Policy::default())
        };
        assert!(!blocks("2026-01", "2026-03-31T23:59:59Z"));
        assert!(blocks("2026-01", "2026-04-01T00:00:00Z"));
        assert!(!blocks_new_license(None, at("2030-01-01T00:00:00Z"), &Policy::default()));
    }
}
