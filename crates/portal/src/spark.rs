//! The line of daily highs in a table cell: drawn on the server, its peak marked and read aloud.

use tenure_core::Period;

use crate::format;

const WIDTH: f64 = 90.0;
const TOP: f64 = 2.0;
const BOTTOM: f64 = 18.0;

/// The daily highs of one line in one period. Draw with `viewBox="0 0 90 20"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Spark {
    /// Points of one SVG polyline per unbroken run of observed days.
    pub runs: Vec<String>,
    /// Where the peak is, as `cx` and `cy`; none when all observed days are alike.
    pub peak: Option<(String, String)>,
    /// The day of the peak, as "14 October"; empty when all observed days are alike.
    pub day: String,
    /// What a screen reader says, and what a pointer sees.
    pub words: String,
}

impl Spark {
    /// From the counts of a period's days, the 1st first; a day without an observation is `None`. No spark when no day
    /// was observed.
    pub fn of(period: Period, daily: &[Option<u32>]) -> Option<Self> {
        let highest = daily.iter().flatten().copied().max()?;
        let lowest = daily.iter().flatten().copied().min()?;
        // The ground lies as far below the lowest day as that is below the peak, so that a small change can be seen and
        // a large one still looks large.
        let ground = f64::from(lowest) - f64::from(highest - lowest);
        let step = WIDTH / (daily.len().max(2) - 1) as f64;
        let place = |index: usize, value: u32| {
            let x = index as f64 * step;
            // A level line runs through the middle: it has neither top nor bottom.
            let y = if highest == lowest {
                f64::midpoint(TOP, BOTTOM)
            } else {
                BOTTOM - (BOTTOM - TOP) * (f64::from(value) - ground) / (f64::from(highest) - ground)
            };
            (number(x), number(y))
        };
        let runs = daily
            .iter()
            .enumerate()
            .collect::<Vec<_>>()
            .split(|(_, value)| value.is_none())
            .filter(|run| !run.is_empty())
            .map(|run| {
                let mut places: Vec<_> =
                    run.iter().filter_map(|(index, value)| value.map(|value| place(*index, value))).collect();
                if let [(x, y)] = places.as_slice() {
                    // One day alone is a dash as wide as a day, or nothing would be seen.
                    places.push((number(x.parse().unwrap_or(0.0) + step), y.clone()));
                }
                places.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
            })
            .collect();
        let peak = daily.iter().position(|value| *value == Some(highest)).filter(|_| highest != lowest);
        let day_of = |index: usize| format::day(period.first_day().plus(i32::try_from(index).unwrap_or(0)));
        let day = peak.map(day_of).unwrap_or_default();
        let high = format::count(highest.into());
        let words = if day.is_empty() {
            format!("Daily highs, level at {high}")
        } else {
            format!("Daily highs, peak {high} on {day}")
        };
        Some(Self { runs, peak: peak.map(|index| place(index, highest)), day, words })
    }
}

fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(ToOwned::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_marked_and_named() {
        let october: Period = "2026-10".parse().expect("a month");
        let mut daily = vec![Some(28); 31];
        daily[13] = Some(36);
        let spark = Spark::of(october, &daily).expect("a spark");
        assert_eq!(spark.words, "Daily highs, peak 36 on 14 October");
        assert_eq!(spark.day, "14 October");
        assert_eq!(spark.peak, Some(("39".into(), "2".into())));
        assert_eq!(spark.runs.len(), 1);
    }

    #[test]
    fn level_gaps_and_nothing() {
        let october: Period = "2026-10".parse().expect("a month");
        let level = Spark::of(october, &[Some(9), None, Some(9), Some(9)]).expect("a spark");
        assert_eq!(level.words, "Daily highs, level at 9");
        assert_eq!((level.peak, level.day.as_str()), (None, ""));
        assert_eq!(level.runs, ["0,10 30,10", "60,10 90,10"]);
        assert_eq!(Spark::of(october, &[None, None]), None);
        assert_eq!(Spark::of(october, &[]), None);
        assert!(Spark::of(october, &[Some(0)]).is_some());
    }
}
