//! How long a license is valid, and what it may do at an instant ("Validity of an automatically reported license").

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Day, Period, Points, Timestamp, policy::Policy};

/// The unbroken run of reported periods that begins with the anchor's month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contiguous {
    /// How many periods it has: the `k` of the formula.
    pub count: u32,
    /// Its last period; none while the anchor's month is unreported.
    pub through: Option<Period>,
    /// The next period to report.
    pub next: Period,
    /// The month that stops the count although later ones are reported. It is always `next`, if any.
    pub gap: Option<Period>,
}

/// The run of reported periods from the anchor's month on. Order and repetition of `reported` do not matter, and
/// periods before the anchor's month are ignored ("Validity").
pub fn contiguous(anchor: Timestamp, reported: impl IntoIterator<Item = Period>) -> Contiguous {
    let first = Period::of(anchor);
    let set: BTreeSet<Period> = reported.into_iter().filter(|period| *period >= first).collect();
    let count = set.iter().zip(first.index()..).take_while(|(period, index)| period.index() == *index).count() as u32;
    let next = first.plus(count as i32);
    Contiguous {
        count,
        through: (count > 0).then(|| next.prev()),
        next,
        gap: (set.len() as u32 > count).then_some(next),
    }
}

/// `anchor + (2 + k) calendar months + 15 days`, months first and clamped to the month's last day, at most the
/// agreement's end ("Validity").
///
/// Always computed from the anchor and the count of contiguous periods, never by adding to an earlier expiry: so no
/// order or repetition of reports can change it.
///
/// ```
/// use tenure_core::{Policy, Timestamp, validity::expires_at};
///
/// let anchor: Timestamp = "2026-01-31T10:00:00Z".parse()?;
/// let first = expires_at(anchor, 0, None, &Policy::default());
/// assert_eq!(first.to_string(), "2026-04-15T10:00:00Z");
/// # Ok::<(), tenure_core::ParseTimeError>(())
/// ```
pub fn expires_at(anchor: Timestamp, count: u32, agreement_end: Option<Timestamp>, policy: &Policy) -> Timestamp {
    // Beyond this many months the civil calendar ends; no anchor and count of a real license come near it.
    let months = count.saturating_add(policy.extra_months).min(12_000);
    let earned = anchor.plus_months(months as i32).plus_days(i64::from(policy.extra_days));
    at_most(earned, agreement_end)
}

/// The earlier of a date and the agreement's end.
pub fn at_most(wanted: Timestamp, agreement_end: Option<Timestamp>) -> Timestamp {
    agreement_end.map_or(wanted, |end| wanted.min(end))
}

/// How the end of a license's validity is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Validity {
    /// From the anchor and the reported periods.
    Automatic {
        /// The instant of assignment, or of the first switch to SwitchingToOn.
        anchor: Timestamp,
    },
    /// As a person chose, or as it stood when automatic reporting went off.
    Explicit {
        /// The chosen end.
        expires_at: Timestamp,
    },
}

impl Validity {
    /// The end of validity, at most the agreement's end ("Validity"). An agreement that is extended later gives back
    /// what was earned, because nothing but the anchor and the periods is kept.
    pub fn expires_at(
        &self,
        reported: impl IntoIterator<Item = Period>,
        agreement_end: Option<Timestamp>,
        policy: &Policy,
    ) -> Timestamp {
        match *self {
            Self::Automatic { anchor } => expires_at(anchor, contiguous(anchor, reported).count, agreement_end, policy),
            Self::Explicit { expires_at } => at_most(expires_at, agreement_end),
        }
    }
}

/// An explicit expiration date was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryRefusal {
    /// The date lies after the agreement's end.
    #[error("the date lies after the agreement's end on {0}")]
    AfterAgreementEnd(Timestamp),
    /// The date is not in the future.
    #[error("the date has passed")]
    Past,
}

/// The end of validity a person chose by its last day, for a license that is not automatically reported ("Validity").
///
/// The program says only "an explicit expiration date"; people expect the license to work through that day, so it ends
/// at the following midnight UTC. A last day that is also the agreement's last day ends with the agreement.
///
/// # Errors
/// When the whole day lies after the agreement's end, or ends before `now`.
pub fn explicit_expiry(
    last_day: Day,
    agreement_end: Option<Timestamp>,
    now: Timestamp,
) -> Result<Timestamp, ExpiryRefusal> {
    match agreement_end {
        Some(end) if last_day.start() >= end => Err(ExpiryRefusal::AfterAgreementEnd(end)),
        _ if last_day.end() <= now => Err(ExpiryRefusal::Past),
        _ => Ok(at_most(last_day.end(), agreement_end)),
    }
}

/// What a license may do at an instant ("Validity", states).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LicenseState {
    /// More than the warning time is left.
    Valid,
    /// Full function; the end is near.
    Expiring {
        /// Whole days left, rounded up.
        days_remaining: u32,
    },
    /// Past its end, still with full function.
    Expired {
        /// Whole days of grace left, rounded up: `grace_days` at `expires_at`, 1 in the last day.
        grace_days_remaining: u32,
    },
    /// Existing data is readable, nothing new is protected.
    Restricted,
}

impl LicenseState {
    /// Whether new data may be protected.
    pub const fn has_full_function(self) -> bool {
        !matches!(self, Self::Restricted)
    }
    /// Whether the end of validity has passed.
    pub const fn is_expired(self) -> bool {
        matches!(self, Self::Expired { .. } | Self::Restricted)
    }
}

impl std::fmt::Display for LicenseState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Valid => f.write_str("Valid"),
            Self::Expiring { .. } => f.write_str("Expiring"),
            Self::Expired { grace_days_remaining: n } => write!(f, "Expired ({n} days of grace remaining)"),
            Self::Restricted => f.write_str("Restricted"),
        }
    }
}

/// The state of a license at an instant ("Validity", states). `grace_days` is what the license itself says; a server
/// without one at hand passes the policy's.
pub fn state_at(at: Timestamp, expires_at: Timestamp, grace_days: u32, policy: &Policy) -> LicenseState {
    let restricted_from = expires_at.plus_days(i64::from(grace_days));
    if at >= restricted_from {
        LicenseState::Restricted
    } else if at >= expires_at {
        LicenseState::Expired { grace_days_remaining: days_rounded_up(restricted_from.micros_since(at)) }
    } else if at >= expires_at.plus_days(-i64::from(policy.warning_days)) {
        LicenseState::Expiring { days_remaining: days_rounded_up(expires_at.micros_since(at)) }
    } else {
        LicenseState::Valid
    }
}

fn days_rounded_up(micros: i64) -> u32 {
    const DAY: i64 = 86_400_000_000;
    u32::try_from(micros / DAY + i64::from(micros % DAY != 0)).unwrap_or(0)
}

/// How one month stands for a license whose validity follows from reported months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MonthMark {
    /// It is none of the license's: before the anchor's month, or reports do not extend it.
    NotCounted,
    /// Reported.
    Reported,
    /// Over, not reported, and its cycle still runs.
    Due,
    /// Not reported though it is long over.
    Missing,
    /// It still runs, so that nobody could report it.
    Running,
}

/// The last twelve months up to the running one, oldest first, as cells of a page.
pub fn twelve_months(
    anchor: Option<Timestamp>,
    reported: &BTreeSet<Period>,
    now: Timestamp,
) -> [(Period, MonthMark); 12] {
    let running = Period::of(now);
    let first = anchor.map(Period::of);
    std::array::from_fn(|n| {
        let period = running.plus(n as i32 - 11);
        let mark = match first {
            Some(first) if period >= first => match reported.contains(&period) {
                true => MonthMark::Reported,
                false if period == running => MonthMark::Running,
                false if period.next() == running => MonthMark::Due,
                false => MonthMark::Missing,
            },
            _ => MonthMark::NotCounted,
        };
        (period, mark)
    })
}

/// The points written into a new key: a non-integral number is rounded up; reports never round ("Validity").
pub fn key_points(points: Points) -> Points {
    Points::whole(points.ceil())
}

/// Records a reported period. Returns whether it earns an extension: at most one per license and period, and one that
/// was granted is never taken back ("Validity").
pub fn grant_extension(granted: &mut BTreeSet<Period>, period: Period) -> bool {
    granted.insert(period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }
    fn periods(list: &[&str]) -> Vec<Period> {
        list.iter().map(|text| text.parse().expect("a period")).collect()
    }
    fn expiry(anchor: &str, reported: &[&str]) -> String {
        let validity = Validity::Automatic { anchor: at(anchor) };
        validity.expires_at(periods(reported), None, &Policy::default()).to_string()
    }

    #[test]
    fn twelve_cells_end_with_the_running_month() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let period = |text: &str| text.parse::<Period>().expect("a period");
        let reported = BTreeSet::from([period("2026-01"), period("2026-03")]);
        let cells = twelve_months(Some(at("2026-01-31T10:00:00Z")), &reported, at("2026-05-02T00:00:00Z"));
        let (first, last) = (cells[0], cells[11]);
        assert_eq!(
            (first, last),
            ((period("2025-06"), MonthMark::NotCounted), (period("2026-05"), MonthMark::Running))
        );
        let marks: Vec<MonthMark> = cells[7..].iter().map(|(_, mark)| *mark).collect();
        let expected =
            [MonthMark::Reported, MonthMark::Missing, MonthMark::Reported, MonthMark::Due, MonthMark::Running];
        assert_eq!(marks, expected);
        assert!(
            twelve_months(None, &reported, at("2026-05-02T00:00:00Z")).iter().all(|(_, m)| *m == MonthMark::NotCounted)
        );
    }

    #[test]
    fn vectors_of_the_program() {
        let table: [(&str, &[&str], &str); 12] = [
            ("2026-01-31T10:00:00Z", &[], "2026-04-15T10:00:00Z"),
            ("2026-01-31T10:00:00Z", &["2026-01"], "2026-05-15T10:00:00Z"),
            ("2026-01-31T10:00:00Z", &["2026-01", "2026-02"], "2026-06-15T10:00:00Z"),
            ("2026-01-31T10:00:00Z", &["2026-01", "2026-03"], "2026-05-15T10:00:00Z"),
            ("2026-01-31T10:00:00Z", &["2026-03", "2026-01", "2026-02", "2026-01"], "2026-07-15T10:00:00Z"),
            ("2026-01-31T10:00:00Z", &["2025-12", "2025-11"], "2026-04-15T10:00:00Z"),
            ("2027-12-31T00:00:00Z", &[], "2028-03-15T00:00:00Z"),
            ("2026-01-29T00:00:00Z", &[], "2026-04-13T00:00:00Z"),
            ("2026-01-30T00:00:00Z", &[], "2026-04-14T00:00:00Z"),
            ("2026-12-29T00:00:00Z", &[], "2027-03-15T00:00:00Z"),
            ("2026-12-30T00:00:00Z", &[], "2027-03-15T00:00:00Z"),
            ("2026-12-31T00:00:00Z", &[], "2027-03-15T00:00:00Z"),
        ];
        for (anchor, reported, expected) in table {
            assert_eq!(expiry(anchor, reported), expected, "{anchor} {reported:?}");
        }
        assert_eq!(expiry("2026-01-31T00:00:00Z", &[]), "2026-04-15T00:00:00Z");
    }

    #[test]
    fn a_gap_is_named_and_filling_it_catches_up() {
        let anchor = at("2026-01-31T10:00:00Z");
        let run = contiguous(anchor, periods(&["2026-03", "2026-01"]));
        assert_eq!((run.count, run.through, run.gap), (1, "2026-01".parse().ok(), "2026-02".parse().ok()));
        let run = contiguous(anchor, periods(&["2026-03", "2026-01", "2026-02"]));
        assert_eq!((run.count, run.gap, run.next.to_string()), (3, None, "2026-04".into()));
        let none = contiguous(anchor, []);
        assert_eq!((none.count, none.through, none.gap, none.next.to_string()), (0, None, None, "2026-01".into()));
    }

    #[test]
    fn agreement_bounds_and_gives_back() {
        let validity = Validity::Automatic { anchor: at("2026-01-31T10:00:00Z") };
        let until = |end: &str| validity.expires_at(periods(&["2026-01"]), Some(at(end)), &Policy::default());
        assert_eq!(until("2026-05-01T00:00:00Z"), at("2026-05-01T00:00:00Z"));
        assert_eq!(until("2027-05-01T00:00:00Z"), at("2026-05-15T10:00:00Z"));
        let explicit = Validity::Explicit { expires_at: at("2030-01-01T00:00:00Z") };
        assert_eq!(
            explicit.expires_at([], Some(at("2027-01-01T00:00:00Z")), &Policy::default()),
            at("2027-01-01T00:00:00Z")
        );
    }

    #[test]
    fn explicit_dates_last_through_their_day() {
        let now = at("2026-06-15T12:00:00Z");
        let day = |text: &str| text.parse::<Day>().expect("a day");
        let end = Some(at("2026-12-31T00:00:00Z"));
        assert_eq!(explicit_expiry(day("2026-06-15"), end, now), Ok(at("2026-06-16T00:00:00Z")));
        assert_eq!(explicit_expiry(day("2026-12-30"), end, now), Ok(at("2026-12-31T00:00:00Z")));
        assert_eq!(
            explicit_expiry(day("2026-12-31"), end, now),
            Err(ExpiryRefusal::AfterAgreementEnd(at("2026-12-31T00:00:00Z")))
        );
        assert_eq!(explicit_expiry(day("2026-06-14"), end, now), Err(ExpiryRefusal::Past));
    }

    #[test]
    fn states_change_at_their_microsecond() {
        let end = at("2026-04-15T10:00:00Z");
        let policy = Policy::default();
        let state = |micros: i64| state_at(end.plus_micros(micros), end, policy.grace_days, &policy);
        let day = 86_400_000_000;
        let expired = |n| LicenseState::Expired { grace_days_remaining: n };
        assert_eq!(state(-30 * day - 1), LicenseState::Valid);
        assert_eq!(state(-30 * day), LicenseState::Expiring { days_remaining: 30 });
        assert_eq!(state(-1), LicenseState::Expiring { days_remaining: 1 });
        assert_eq!(state(0), expired(60));
        assert_eq!(state(1), expired(60));
        assert_eq!(state(day), expired(59));
        assert_eq!(state(60 * day - 1), expired(1));
        assert_eq!(state(60 * day), LicenseState::Restricted);
        assert_eq!(state(1).to_string(), "Expired (60 days of grace remaining)");
        assert!(state(60 * day - 1).has_full_function() && !state(60 * day).has_full_function());
    }

    #[test]
    fn keys_round_up_and_extensions_come_once() {
        assert_eq!(key_points("13.5".parse().expect("points")), Points::whole(14));
        assert_eq!(key_points(Points::whole(14)), Points::whole(14));
        let mut granted = BTreeSet::new();
        let period = "2026-01".parse().expect("a period");
        assert!(grant_extension(&mut granted, period));
        assert!(!grant_extension(&mut granted, period));
    }
}
