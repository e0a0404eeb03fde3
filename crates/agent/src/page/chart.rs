//! A month's daily figures, drawn on the server: a bar a day, the peak marked, what is licensed as a line.

use tenure_core::Period;

use super::format;
use crate::view::UsageLine;

/// The drawing's own measures; it is stretched to the width there is.
const DAY_WIDTH: f64 = 20.0;
const HEIGHT: f64 = 100.0;
/// Room above the highest, so that a line on it is seen whole.
const HEADROOM: f64 = 1.08;

/// One workload type's month.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    pub(super) title: String,
    /// The newest counted day's figure, and which day that was.
    pub(super) latest: Option<(String, String)>,
    /// The month's figure so far.
    pub(super) high: String,
    pub(super) licensed: Option<String>,
    pub(super) new: Option<String>,
    pub(super) width: f64,
    pub(super) bars: Vec<Bar>,
    /// Where the line of what is licensed runs.
    pub(super) licensed_y: Option<f64>,
    /// First, middle and last day, beneath.
    pub(super) axis: [String; 3],
    /// What a screen reader says instead of the drawing.
    pub(super) words: String,
    /// The figures themselves, for those who want them: day and figure.
    pub(super) days: Vec<(String, String)>,
}

/// A day of it. One that was not counted is drawn too, as a gap with a floor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) height: f64,
    pub(super) class: &'static str,
    pub(super) words: String,
}

/// A workload type and its variant.
pub(super) fn kind(workload: &str, variant: &str) -> String {
    if variant.is_empty() { workload.to_owned() } else { format!("{workload}/{variant}") }
}

impl Chart {
    /// Of a line in a month.
    pub(super) fn of(period: Period, line: &UsageLine) -> Self {
        let days: Vec<_> = period.days().collect();
        let daily = |index: usize| line.daily.get(index).copied().flatten();
        let highest = line.daily.iter().copied().flatten().max().unwrap_or(0);
        let lowest = line.daily.iter().copied().flatten().min().unwrap_or(0);
        let top = f64::from(highest.max(line.licensed.unwrap_or(0)).max(1)) * HEADROOM;
        let height = |value: u32| (HEIGHT * f64::from(value) / top * 10.0).round() / 10.0;
        let peak = (0..days.len()).find(|index| daily(*index) == Some(highest)).filter(|_| highest != lowest);
        let bars = days.iter().enumerate().map(|(index, day)| {
            let x = DAY_WIDTH * index as f64 + 2.0;
            let name = format::day(*day);
            match daily(index) {
                None => Bar { x, y: HEIGHT - 1.0, height: 1.0, class: "none", words: format!("{name}: not counted") },
                Some(value) => {
                    // A zero is a figure, so it is seen.
                    let height = height(value).max(1.5);
                    let class = if Some(index) == peak { "peak" } else { "day" };
                    Bar { x, y: HEIGHT - height, height, class, words: format!("{name}: {}", format::count(value)) }
                }
            }
        });
        let counted = (0..days.len()).filter_map(|index| Some((format::day(days[index]), daily(index)?)));
        let counted: Vec<_> = counted.map(|(day, value)| (day, format::count(value))).collect();
        let licensed = line.licensed.map(format::count);
        let middle = days.len().div_ceil(2);
        Self {
            title: kind(&line.workload, &line.variant),
            latest: counted.last().cloned(),
            high: format::count(line.high),
            new: (line.new > 0).then(|| format::count(line.new)),
            width: DAY_WIDTH * days.len() as f64,
            bars: bars.collect(),
            licensed_y: line.licensed.map(|licensed| HEIGHT - height(licensed)),
            axis: ["1".to_owned(), middle.to_string(), days.len().to_string()],
            words: words(peak.map(|index| format::day(days[index])), highest, licensed.as_deref(), counted.len()),
            licensed,
            days: counted,
        }
    }
}

fn words(peak: Option<String>, highest: u32, licensed: Option<&str>, counted: usize) -> String {
    let of = licensed.map_or(String::new(), |licensed| format!(" of {licensed} licensed"));
    match peak {
        Some(day) => format!("Daily figures, peak {}{of} on {day}", format::count(highest)),
        None if counted > 0 => format!("Daily figures, level at {}{of}", format::count(highest)),
        None => "No day was counted yet".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_marked_the_gaps_are_kept_and_the_licensed_line_is_inside() {
        let february: Period = "2026-02".parse().unwrap();
        let mut daily = vec![Some(3); 10];
        daily[1] = None;
        daily[4] = Some(8);
        daily[9] = Some(0);
        let line = UsageLine {
            workload: "vm".into(),
            variant: "large".into(),
            licensed: Some(10),
            high: 8,
            new: 2,
            latest: Some(0),
            daily,
        };
        let chart = Chart::of(february, &line);
        assert_eq!((chart.title.as_str(), chart.bars.len(), chart.days.len()), ("vm/large", 28, 9));
        assert_eq!(chart.words, "Daily figures, peak 8 of 10 licensed on 5 February");
        assert_eq!(chart.latest, Some(("10 February".into(), "0".into())));
        let classes: Vec<_> = chart.bars.iter().take(11).map(|bar| bar.class).collect();
        assert_eq!(classes, ["day", "none", "day", "day", "peak", "day", "day", "day", "day", "day", "none"]);
        let licensed = chart.licensed_y.unwrap();
        assert!(licensed > 0.0 && chart.bars.iter().all(|bar| bar.y >= licensed && bar.y + bar.height <= HEIGHT));
        let empty = UsageLine { daily: vec![None; 28], licensed: None, high: 0, new: 0, latest: None, ..line };
        let chart = Chart::of(february, &empty);
        assert_eq!((chart.words.as_str(), chart.latest), ("No day was counted yet", None));
    }
}
