//! Figures that fit badly to what the products said before ("Deviation").

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Day, Period, Points, Policy, Timestamp, Week};

/// What is compared, per license and period, in points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviationFacts {
    /// What would be submitted, after adjustments and answers.
    pub submitted: Points,
    /// The raw reports of its installations, as the products counted.
    pub raw_reported: Points,
    /// The highest of its watermarks; none when there is none.
    pub highest_watermark: Option<Points>,
    /// Completed weeks of the period, while an installation was expected, without a watermark.
    pub missing_weeks: Vec<Week>,
    /// For each installation that is younger than the policy's periods: new units and counted units.
    pub young_new: Vec<(u32, u32)>,
    /// A daily head committed in a check-in does not occur in the report.
    pub history_differs: bool,
}

/// Why a license's figures are flagged. The text names both figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "flag", rename_all = "snake_case")]
pub enum Flag {
    /// Further below the products' figures than passes without a word.
    Below {
        /// What would be submitted.
        submitted: Points,
        /// The highest that the products said.
        highest: Points,
        /// What passes.
        slack: Points,
    },
    /// Zero, and a watermark was above zero.
    ZeroAgainstWatermark {
        /// The watermark.
        watermark: Points,
    },
    /// Weeks of which the product sent nothing.
    MissingWeeks {
        /// The weeks.
        weeks: Vec<Week>,
    },
    /// More new workloads on a young installation than is plausible.
    NewShare {
        /// New units.
        new: u32,
        /// Counted units beside them.
        counted: u32,
    },
    /// The report's history is not the one the check-ins committed to.
    HistoryDiffers,
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below { submitted, highest, slack } => write!(
                f,
                "{submitted} points against {highest} that the product itself counted: {} below, more than the {slack} \
                 that pass without a word",
                *highest - *submitted
            ),
            Self::ZeroAgainstWatermark { watermark } => {
                write!(f, "0 points against a weekly watermark of {watermark}")
            }
            Self::MissingWeeks { weeks } => {
                let names: Vec<String> = weeks.iter().map(ToString::to_string).collect();
                let verb = if weeks.len() == 1 { "is" } else { "are" };
                write!(f, "the weekly figures of {} {verb} missing", names.join(", "))
            }
            Self::NewShare { new, counted } => write!(
                f,
                "{new} of {} workloads are new on an installation younger than two periods",
                u64::from(*new) + u64::from(*counted)
            ),
            Self::HistoryDiffers => f.write_str("the report's daily history is not the one its check-ins committed to"),
        }
    }
}

/// All flags of a license's figures, in a fixed order ("Deviation").
pub fn flags(facts: &DeviationFacts, policy: &Policy) -> Vec<Flag> {
    let mut flags = Vec::new();
    let highest = facts.highest_watermark.map_or(facts.raw_reported, |mark| mark.max(facts.raw_reported));
    let slack = policy.deviation_slack(highest);
    if highest - facts.submitted > slack {
        flags.push(Flag::Below { submitted: facts.submitted, highest, slack });
    }
    if let Some(watermark) = facts.highest_watermark
        && watermark > Points::ZERO
        && facts.submitted == Points::ZERO
    {
        flags.push(Flag::ZeroAgainstWatermark { watermark });
    }
    if !facts.missing_weeks.is_empty() {
        flags.push(Flag::MissingWeeks { weeks: facts.missing_weeks.clone() });
    }
    for (new, counted) in facts.young_new.iter().copied() {
        let all = u64::from(new) + u64::from(counted);
        if u64::from(new) * 100 > all * u64::from(policy.new_share_percent) {
            flags.push(Flag::NewShare { new, counted });
        }
    }
    if facts.history_differs {
        flags.push(Flag::HistoryDiffers);
    }
    flags
}

/// The completed weeks of `period` whose watermark must be there at `now`, from the week of `first_day` on and up to that
/// of `last_day` (the days on which the installation was active).
///
/// A watermark is sent at a random time of the days after its week, so a week that has just ended is not missing yet: its
/// figures ride in the report anyway.
pub fn due_weeks(
    period: Period,
    first_day: Day,
    last_day: Day,
    now: Timestamp,
    policy: &Policy,
) -> impl Iterator<Item = Week> {
    let until = Week::of(period.next().first_day().plus(-1).min(last_day));
    let window = i64::from(policy.watermark_window_days);
    let mut week = Week::of(period.first_day().max(first_day));
    std::iter::from_fn(move || {
        let this = week;
        week = week.next();
        (this <= until && this.end().plus_days(window) <= now).then_some(this)
    })
}

/// The first day of `period` whose head was committed in a check-in and is not the report's head of that day (F7). Hashes
/// may be of any type that compares.
pub fn history_differs<H: PartialEq>(period: Period, committed: &[(Day, H)], reported: &[(Day, H)]) -> Option<Day> {
    let missing =
        |(day, head): &&(Day, H)| day.period() == period && !reported.iter().any(|(d, h)| d == day && h == head);
    committed.iter().filter(missing).map(|(day, _)| *day).min()
}

/// Whether an installation is young in a period: less than two periods old, its first included ("Deviation").
pub fn is_young(activated_at: Timestamp, period: Period, policy: &Policy) -> bool {
    period.index() - Period::of(activated_at).index() < policy.young_installation_periods as i32
}

/// Whether lowering a total needs the vendor's consent as well ("Adjustments"): further below the products' figures than
/// the deviation threshold.
pub fn needs_vendor(submitted_total: Points, products_total: Points, policy: &Policy) -> bool {
    products_total - submitted_total > policy.deviation_slack(products_total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(submitted: i64, raw: i64, mark: Option<i64>) -> DeviationFacts {
        DeviationFacts {
            submitted: Points::whole(submitted),
            raw_reported: Points::whole(raw),
            highest_watermark: mark.map(Points::whole),
            missing_weeks: Vec::new(),
            young_new: Vec::new(),
            history_differs: false,
        }
    }

    #[test]
    fn below_by_more_than_ten_percent_or_twenty_points() {
        let policy = Policy::default();
        let flagged = |facts: &DeviationFacts| !flags(facts, &policy).is_empty();
        assert!(!flagged(&facts(80, 100, None)), "20 points pass");
        assert!(flagged(&facts(79, 100, None)));
        assert!(!flagged(&facts(900, 1000, None)), "10 % pass");
        assert!(flagged(&facts(899, 1000, None)));
        assert!(flagged(&facts(308, 308, Some(396))), "the watermark counts as well as the report");
        let words = flags(&facts(308, 308, Some(396)), &policy)[0].to_string();
        assert!(words.contains("308 points") && words.contains("396") && words.contains("88 below"), "{words}");
        assert!(flagged(&facts(0, 0, Some(5))), "zero against a watermark above zero");
        assert!(!flagged(&facts(0, 0, Some(0))));
        assert!(!flagged(&facts(500, 100, Some(100))), "more than the products said is never flagged");
    }

    #[test]
    fn new_share_missing_weeks_and_history() {
        let policy = Policy::default();
        let with = |change: fn(&mut DeviationFacts)| {
            let mut facts = facts(100, 100, Some(100));
            change(&mut facts);
            flags(&facts, &policy).len()
        };
        assert_eq!(with(|facts| facts.young_new = vec![(5, 5)]), 0, "half is not above half");
        assert_eq!(with(|facts| facts.young_new = vec![(6, 5)]), 1);
        assert_eq!(with(|facts| facts.young_new = vec![(0, 0)]), 0);
        assert_eq!(with(|facts| facts.missing_weeks = vec!["2026-W05".parse().unwrap()]), 1);
        assert_eq!(with(|facts| facts.history_differs = true), 1);
    }

    #[test]
    fn weeks_are_due_once_their_sending_time_is_over() {
        let period: Period = "2026-02".parse().expect("a period");
        let day = |text: &str| text.parse::<Day>().expect("a day");
        let weeks = |first, last, now: &str| -> Vec<String> {
            let now = now.parse().expect("an instant");
            due_weeks(period, day(first), day(last), now, &Policy::default()).map(|week| week.to_string()).collect()
        };
        assert_eq!(
            weeks("2026-01-01", "2026-12-31", "2026-03-09T00:00:00Z"),
            ["2026-W05", "2026-W06", "2026-W07", "2026-W08", "2026-W09"],
            "1 February is the Sunday of week 5, 28 February lies in week 9, which ends on 2 March"
        );
        let on_the_fifth = weeks("2026-01-01", "2026-12-31", "2026-03-05T12:00:00Z");
        assert_eq!(on_the_fifth.last().map(String::as_str), Some("2026-W08"), "week 9 may still be sent");
        assert_eq!(weeks("2026-02-11", "2026-02-18", "2026-03-05T12:00:00Z"), ["2026-W07", "2026-W08"]);
    }

    #[test]
    fn every_committed_head_must_occur() {
        let (period, day) = ("2026-02".parse().expect("a period"), |n| Day::from_number(20_485 + n));
        let reported = [(day(0), 'a'), (day(1), 'b')];
        assert_eq!(history_differs(period, &[(day(1), 'b')], &reported), None);
        assert_eq!(history_differs(period, &[(day(1), 'x'), (day(0), 'a')], &reported), Some(day(1)));
        assert_eq!(history_differs(period, &[(day(2), 'c')], &reported), Some(day(2)), "shrunk");
        assert_eq!(history_differs(period, &[(day(40), 'x')], &reported), None, "of another month");
    }

    #[test]
    fn an_installation_is_young_for_two_periods() {
        let activated: Timestamp = "2026-01-31T23:00:00Z".parse().expect("an instant");
        let young = |text: &str| is_young(activated, text.parse().expect("a period"), &Policy::default());
        assert!(young("2026-01") && young("2026-02") && !young("2026-03"));
    }

    #[test]
    fn a_lowered_total_needs_the_vendor() {
        let policy = Policy::default();
        assert!(!needs_vendor(Points::whole(900), Points::whole(1000), &policy));
        assert!(needs_vendor(Points::whole(899), Points::whole(1000), &policy));
    }
}
