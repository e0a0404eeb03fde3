//! Figures that fit badly to what the products said before ("Deviation").

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Period, Points, Policy, Week};

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

/// The completed weeks that a watermark is due for in `period`: those with a day in it that ended by `now`, from the week
/// of `first_day` on and up to that of `last_day`.
pub fn due_weeks(
    period: Period,
    first_day: crate::Day,
    last_day: crate::Day,
    now: crate::Timestamp,
) -> impl Iterator<Item = Week> {
    let from = Week::of(period.first_day().max(first_day));
    let until = Week::of(period.next().first_day().plus(-1).min(last_day));
    let mut week = from;
    std::iter::from_fn(move || {
        let this = week;
        week = week.next();
        (this <= until && this.end() <= now).then_some(this)
    })
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
    fn weeks_are_due_once_they_ended() {
        let period: Period = "2026-02".parse().unwrap();
        let day = |text: &str| text.parse::<crate::Day>().unwrap();
        let now = |text: &str| text.parse::<crate::Timestamp>().unwrap();
        let weeks = |first, last, at| -> Vec<String> {
            due_weeks(period, day(first), day(last), now(at)).map(|week| week.to_string()).collect()
        };
        assert_eq!(
            weeks("2026-01-01", "2026-12-31", "2026-03-02T00:00:00Z"),
            ["2026-W05", "2026-W06", "2026-W07", "2026-W08", "2026-W09"],
            "1 February is the Sunday of week 5, 28 February lies in week 9, which ends on 2 March"
        );
        assert_eq!(weeks("2026-02-11", "2026-12-31", "2026-03-01T12:00:00Z"), ["2026-W07", "2026-W08"]);
    }

    #[test]
    fn a_lowered_total_needs_the_vendor() {
        let policy = Policy::default();
        assert!(!needs_vendor(Points::whole(900), Points::whole(1000), &policy));
        assert!(needs_vendor(Points::whole(899), Points::whole(1000), &policy));
    }
}
