//! When a workload counts, and what the counts of many come to ("Counting"). A whole month is counted by
//! [`crate::month`].

use std::collections::BTreeMap;

use crate::{Day, InstallationId, Period, Points, Policy, Timestamp, Week, Weight};

/// The days on which one instant of protection makes a workload count: its own and the following ones, 31 in all
/// ("Counting": last protected within 31 x 24 h before the day's end).
///
/// The window's far edge belongs to it. So each instant of a day has the same days, and a workload protected daily at
/// midnight does not count a day less than one protected a second later.
pub fn counting_days(protected: Timestamp, policy: &Policy) -> (Day, Day) {
    let first = Day::of(protected);
    (first, first.plus(policy.count_window_days as i32 - 1))
}

/// Whether a workload counts on a day, given when it was last protected before that day's end ("Counting").
pub fn counts_on(day: Day, last_protected: Timestamp, policy: &Policy) -> bool {
    let (first, last) = counting_days(last_protected, policy);
    first <= day && day <= last
}

/// Whether a workload that first shows at `first_in_period` is *new* in that period: not seen by this installation, nor by
/// the one it replaces, in the 13 months before ("Counting"). `seen_before` is the newest sighting before the period.
pub fn is_new(first_in_period: Timestamp, seen_before: Option<Timestamp>, policy: &Policy) -> bool {
    let since = first_in_period.plus_months(-(policy.new_memory_months as i32));
    seen_before.is_none_or(|seen| seen < since)
}

/// The daily high: the largest of the observed days. `None` when no day was observed, which is *missing*, not zero
/// ("Counting").
pub fn daily_high(daily: &[Option<u32>]) -> Option<u32> {
    daily.iter().copied().flatten().max()
}

/// One figure summed over the installations of a license ("Counting").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InstallationSum {
    /// Sum of the daily highs.
    pub count: u32,
    /// Installations that have one.
    pub installations: u32,
}

impl InstallationSum {
    /// The license is on several installations, which is flagged and summed.
    pub const fn is_shared(self) -> bool {
        self.installations > 1
    }
}

/// Sums the figures that the installations of one license report for one line ("Counting"). An installation that occurs
/// twice counts with its larger figure: a figure is per installation and line, never twice.
pub fn sum_installations(figures: impl IntoIterator<Item = (InstallationId, u32)>) -> InstallationSum {
    let mut highest: BTreeMap<InstallationId, u32> = BTreeMap::new();
    for (installation, count) in figures {
        let held = highest.entry(installation).or_default();
        *held = (*held).max(count);
    }
    let count = highest.values().fold(0, |sum: u32, count| sum.saturating_add(*count));
    InstallationSum { count, installations: highest.len() as u32 }
}

/// How many of a report's new workloads are charged at once (protocol, F1).
///
/// Usually none: new ones cost nothing until the next period. But when the license, or its company and product, had
/// another installation in the previous period, a younger one's new workloads count unless their ids are proven unseen;
/// otherwise a fresh installation each month would make everything new for ever.
pub const fn charged_new(new: u32, proven_unseen: u32, had_other_installation: bool) -> u32 {
    if had_other_installation { new.saturating_sub(proven_unseen) } else { 0 }
}

/// One source of a data size: its bytes on the days it was measured.
#[derive(Debug, Clone, Copy)]
pub struct DataSource<'a> {
    /// What its bytes are summed under before rounding.
    pub root: &'a str,
    /// Bytes per day; a day may occur once.
    pub daily: &'a [(Day, u64)],
}

/// What the data sizes of one line come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataCount {
    /// Units: the sum over the roots of each root's own highest day, rounded down. `None` when no day was measured.
    pub units: Option<u32>,
    /// Units on each day of the period, first day first; `None` where nothing was measured.
    pub daily: Vec<Option<u32>>,
}

/// Units of data size: per root the highest daily sum of its sources' bytes, divided by the unit, rounded down
/// ("Counting"). Roots have their highs on different days, so `units` may exceed every day's figure.
pub fn data_units<'a>(period: Period, sources: impl IntoIterator<Item = DataSource<'a>>, policy: &Policy) -> DataCount {
    let first = period.first_day();
    let days = period.days().count();
    let mut roots: BTreeMap<&str, Vec<Option<u128>>> = BTreeMap::new();
    for source in sources {
        let sums = roots.entry(source.root).or_insert_with(|| vec![None; days]);
        for (day, bytes) in source.daily {
            let index = usize::try_from(day.number() - first.number()).ok().filter(|index| *index < days);
            if let Some(index) = index {
                *sums[index].get_or_insert(0) += u128::from(*bytes);
            }
        }
    }
    let units = |bytes: u128| u32::try_from(bytes / u128::from(policy.data_unit_bytes)).unwrap_or(u32::MAX);
    let add = |sum: Option<u32>, more: Option<u32>| match (sum, more) {
        (Some(sum), Some(more)) => Some(sum.saturating_add(more)),
        (sum, more) => sum.or(more),
    };
    let mut count = DataCount { units: None, daily: vec![None; days] };
    for sums in roots.values() {
        count.units = add(count.units, sums.iter().copied().flatten().max().map(units));
        for (day, bytes) in count.daily.iter_mut().zip(sums) {
            *day = add(*day, bytes.map(units));
        }
    }
    count
}

/// Units of a bundle: `max(primary, ceil(secondary / ratio))` ("Counting"). A ratio of 0 counts as 1.
pub fn bundle_units(primary: u32, secondary: u32, ratio: u32) -> u32 {
    primary.max(secondary.div_ceil(ratio.max(1)))
}

/// Points of a bundle: its weight times its units ("Counting").
pub fn bundle_points(weight: Weight, primary: u32, secondary: u32, ratio: u32) -> Points {
    weight.times(i64::from(bundle_units(primary, secondary, ratio)))
}

/// The highest daily count of one line that watermarks hold for days of `period`; a week across two months is split
/// exactly ("Counting", F5). `None` without an observed day.
pub fn watermark_high<'a>(period: Period, weeks: impl IntoIterator<Item = (Week, &'a [Option<u32>])>) -> Option<u32> {
    let of_period = |(week, daily): (Week, &'a [Option<u32>])| {
        week.days().zip(daily).filter(move |(day, _)| day.period() == period).filter_map(|(_, count)| *count).max()
    };
    weeks.into_iter().filter_map(of_period).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }
    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    #[test]
    fn a_workload_counts_for_31_days() {
        let policy = Policy::default();
        for protected in ["2026-03-15T00:00:00Z", "2026-03-15T10:00:00Z", "2026-03-15T23:59:59.999999Z"] {
            let counts = |text| counts_on(day(text), at(protected), &policy);
            assert!(!counts("2026-03-14"), "{protected}: not before");
            assert!(counts("2026-03-15") && counts("2026-04-14"), "{protected}");
            assert!(!counts("2026-04-15"), "{protected}: not on the 32nd day");
        }
    }

    #[test]
    fn new_means_unseen_for_13_months() {
        let policy = Policy::default();
        let first = at("2026-03-15T10:00:00Z");
        assert!(is_new(first, None, &policy));
        assert!(!is_new(first, Some(at("2025-02-15T10:00:00Z")), &policy));
        assert!(is_new(first, Some(at("2025-02-15T09:59:59Z")), &policy));
    }

    #[test]
    fn a_day_without_a_figure_is_not_zero() {
        assert_eq!(daily_high(&[None, Some(3), Some(7), None]), Some(7));
        assert_eq!(daily_high(&[Some(0), None]), Some(0));
        assert_eq!(daily_high(&[None, None]), None);
        assert_eq!(daily_high(&[]), None);
    }

    #[test]
    fn data_sizes_of_the_program() {
        const GB: u64 = 1_000_000_000;
        let period: Period = "2026-03".parse().expect("a period");
        let units = |sizes: &[(&str, u64)]| {
            let daily: Vec<Vec<(Day, u64)>> = sizes.iter().map(|(_, gb)| vec![(day("2026-03-10"), gb * GB)]).collect();
            let sources = sizes.iter().zip(&daily).map(|((root, _), daily)| DataSource { root, daily });
            data_units(period, sources, &Policy::default()).units
        };
        assert_eq!(units(&[("a", 499)]), Some(0));
        assert_eq!(units(&[("a", 990)]), Some(1));
        assert_eq!(units(&[("a", 1490)]), Some(2));
        assert_eq!(units(&[("a", 490), ("a", 600)]), Some(2));
        assert_eq!(units(&[("a", 490), ("b", 600)]), Some(1));
        assert_eq!(units(&[]), None);
    }

    #[test]
    fn the_highest_day_is_taken_per_root() {
        const GB: u64 = 1_000_000_000;
        let period: Period = "2026-02".parse().expect("a period");
        let (first, last) = ((day("2026-02-01"), 600 * GB), (day("2026-02-28"), 100 * GB));
        let other = [(day("2026-02-28"), 500 * GB), (day("2026-03-01"), 9_000 * GB)];
        let sources = [DataSource { root: "a", daily: &[first, last] }, DataSource { root: "b", daily: &other }];
        let count = data_units(period, sources, &Policy::default());
        assert_eq!(count.units, Some(2), "each has its own highest day, and March is not February");
        assert_eq!((count.daily[0], count.daily[1], count.daily[27]), (Some(1), None, Some(1)));
    }

    #[test]
    fn bundles_and_points_of_the_program() {
        let weight = |text: &str| text.parse::<Weight>().expect("a weight");
        assert_eq!(bundle_units(1000, 4000, 3), 1334);
        assert_eq!(bundle_points(weight("3"), 1000, 4000, 3), Points::whole(4002));
        assert_eq!(bundle_points(weight("3"), 2000, 4000, 3), Points::whole(6000));
        assert_eq!(weight("1.5").times(9), "13.5".parse().expect("points"));
    }

    #[test]
    fn installations_are_summed_and_sharing_is_seen() {
        let installation = |n| InstallationId::from_uuid(uuid::Uuid::from_u128(n));
        let alone = sum_installations([(installation(1), 5), (installation(1), 4)]);
        assert_eq!((alone, alone.is_shared()), (InstallationSum { count: 5, installations: 1 }, false));
        let shared = sum_installations([(installation(1), 5), (installation(2), 4)]);
        assert_eq!((shared.count, shared.is_shared()), (9, true));
    }

    #[test]
    fn new_ones_of_a_fresh_installation_are_charged_unless_proven() {
        assert_eq!(charged_new(6, 0, false), 0);
        assert_eq!(charged_new(6, 0, true), 6);
        assert_eq!(charged_new(6, 4, true), 2);
        assert_eq!(charged_new(6, 9, true), 0);
    }

    #[test]
    fn a_week_across_two_months_splits() {
        let week: Week = "2026-W05".parse().expect("a week");
        let daily = [Some(1), Some(2), None, Some(3), Some(4), Some(5), Some(9)];
        let january = watermark_high("2026-01".parse().expect("a period"), [(week, daily.as_slice())]);
        let february = watermark_high("2026-02".parse().expect("a period"), [(week, daily.as_slice())]);
        assert_eq!((january, february), (Some(5), Some(9)));
        assert_eq!(watermark_high("2026-03".parse().expect("a period"), [(week, daily.as_slice())]), None);
    }
}
