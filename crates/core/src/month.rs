//! A month counted from what was observed: per day, per line, and why each workload counts or not ("Counting").
//!
//! The work is one pass over the instants of protection and one over the workloads; a month of 100,000 workloads with a
//! restore point a day takes a fraction of a second.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use serde::{Deserialize, Serialize};

use crate::{
    Day, Period, Policy, Timestamp,
    counting::{counting_days, daily_high, is_new},
};

/// What is known of one workload under one type and variant.
#[derive(Debug, Clone, Copy)]
pub struct Workload<'a> {
    /// Stable id: the same object has the same one in every month.
    pub id: &'a str,
    /// The customer it belongs to, where the product knows; else empty.
    pub company: &'a str,
    /// Workload type code.
    pub workload: &'a str,
    /// Variant code; empty where the type has none.
    pub variant: &'a str,
    /// When it was protected, in any order; may reach back before the period. Later instants are ignored.
    pub protected: &'a [Timestamp],
    /// The newest sighting carried over from the installation this one replaces. It makes the workload known, it does not
    /// make it count.
    pub carried: Option<Timestamp>,
}

/// Whether and why a workload counts in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// It counts.
    Yes,
    /// First seen in this period: shown, not charged until the next.
    New,
    /// Not protected within the window of any observed day of the period.
    Stale,
    /// A person took it out, with a reason.
    Adjusted,
}

/// A counted month of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthCount {
    /// The month.
    pub period: Period,
    /// Per workload type and variant, in code order.
    pub lines: Vec<LineCount>,
    /// Per workload, in the order of type, variant and id; equal input in any order gives equal rows.
    pub rows: Vec<WorkloadCount>,
    /// How many days of the period were observed. Without any the period is *missing*, not zero.
    pub observed_days: u32,
}

/// The counts of one workload type and variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineCount {
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// Workloads that count on each day, new ones not included, first day first; `None` where the day was not observed.
    pub daily: Vec<Option<u32>>,
    /// New ones on each day, in the same way.
    pub daily_new: Vec<Option<u32>>,
    /// The daily high, new ones not included; `None` when no day was observed.
    pub high: Option<u32>,
    /// Different workloads that are new in this period.
    pub new: u32,
}

/// One workload and why it counts or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadCount {
    /// Its stable id.
    pub id: String,
    /// The customer it belongs to, or empty.
    pub company: String,
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// First protected, as far as known.
    pub first: Timestamp,
    /// Last protected before the period's end.
    pub last: Timestamp,
    /// Whether and why.
    pub counted: Counted,
}

impl MonthCount {
    /// Counts and new ones of each line on one day of the period, for the day's journal entry; nothing where the day was
    /// not observed.
    pub fn on(&self, day: Day) -> impl Iterator<Item = (&LineCount, u32, u32)> {
        let index = index_of(self.period, day);
        self.lines.iter().filter_map(move |line| {
            let index = index?;
            let (count, new) =
                (line.daily.get(index).copied().flatten()?, line.daily_new.get(index).copied().flatten()?);
            Some((line, count, new))
        })
    }
}

/// Where a day lies in its period; `None` outside of it.
fn index_of(period: Period, day: Day) -> Option<usize> {
    (day.period() == period).then(|| usize::from(day.of_month()) - 1)
}

/// What is gathered of one workload under one type and variant.
#[derive(Clone, Copy)]
struct Gathered<'a> {
    company: &'a str,
    /// A bit per day of the period on which it counts.
    days: u32,
    first: Timestamp,
    last: Timestamp,
}

/// When a workload was seen, under whatever type.
#[derive(Clone, Copy, Default)]
struct Seen {
    before: Option<Timestamp>,
    first_in_period: Option<Timestamp>,
}

/// Counts a month ("Counting"). Order and repetition of `workloads` and of their instants change nothing; `observed` says
/// for which days a figure is known, be it that the agent ran or that its collector can look back.
///
/// Newness belongs to the stable id, whatever type it shows under. A stale workload is listed in the first period in which
/// it no longer counts, so that a figure that falls is explained; later it is left out.
pub fn month<'a>(
    period: Period,
    workloads: impl IntoIterator<Item = Workload<'a>>,
    observed: impl Fn(Day) -> bool,
    policy: &Policy,
) -> MonthCount {
    let calendar = Calendar::new(period, observed, policy);
    let (gathered, seen) = gather(&calendar, workloads, policy);
    let mut lines: BTreeMap<(&str, &str), LineCount> = BTreeMap::new();
    let mut rows = Vec::new();
    for ((id, workload, variant), found) in gathered {
        let known = seen.get(id).copied().unwrap_or_default();
        let new = known.first_in_period.is_some_and(|first| is_new(first, known.before, policy));
        let days = found.days & calendar.observed;
        let counted = match (days, new) {
            (0, _) if found.last < calendar.listed_from => continue,
            (0, _) => Counted::Stale,
            (_, true) => Counted::New,
            (_, false) => Counted::Yes,
        };
        let line = lines.entry((workload, variant)).or_insert_with(|| calendar.empty_line(workload, variant));
        line.add(days, counted);
        rows.push(WorkloadCount {
            id: id.to_owned(),
            company: found.company.to_owned(),
            workload: workload.to_owned(),
            variant: variant.to_owned(),
            first: found.first,
            last: found.last,
            counted,
        });
    }
    rows.sort_unstable_by(|a, b| (&a.workload, &a.variant, &a.id).cmp(&(&b.workload, &b.variant, &b.id)));
    let mut lines: Vec<LineCount> = lines.into_values().collect();
    for line in &mut lines {
        line.high = daily_high(&line.daily);
    }
    MonthCount { period, lines, rows, observed_days: calendar.observed.count_ones() }
}

impl Gathered<'_> {
    /// Both together. The company is the one of the last protection; of two at one instant, the larger name, so that the
    /// order of input does not decide.
    fn with(self, other: Self) -> Self {
        let company = match self.last.cmp(&other.last) {
            Ordering::Greater => self.company,
            Ordering::Equal => self.company.max(other.company),
            Ordering::Less => other.company,
        };
        Self {
            company,
            days: self.days | other.days,
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

type Key<'a> = (&'a str, &'a str, &'a str);

fn gather<'a>(
    calendar: &Calendar,
    workloads: impl IntoIterator<Item = Workload<'a>>,
    policy: &Policy,
) -> (HashMap<Key<'a>, Gathered<'a>>, HashMap<&'a str, Seen>) {
    let mut gathered: HashMap<Key<'a>, Gathered<'a>> = HashMap::new();
    let mut seen: HashMap<&'a str, Seen> = HashMap::new();
    for one in workloads {
        let (found, shown) = calendar.look_at(&one, policy);
        let known = seen.entry(one.id).or_default();
        known.before = known.before.max(shown.before);
        known.first_in_period = earlier(known.first_in_period, shown.first_in_period);
        if let Some(found) = found {
            gathered
                .entry((one.id, one.workload, one.variant))
                .and_modify(|held| *held = held.with(found))
                .or_insert(found);
        }
    }
    (gathered, seen)
}

/// The period's days as bits.
struct Calendar {
    first: Day,
    days: u32,
    start: Timestamp,
    end: Timestamp,
    observed: u32,
    /// Workloads last protected before this are no longer listed.
    listed_from: Timestamp,
}

impl Calendar {
    fn new(period: Period, observed: impl Fn(Day) -> bool, policy: &Policy) -> Self {
        let bits = period.days().enumerate().filter(|(_, day)| observed(*day)).fold(0, |bits, (n, _)| bits | 1 << n);
        Self {
            first: period.first_day(),
            days: period.days().count() as u32,
            start: period.start(),
            end: period.end(),
            observed: bits,
            listed_from: period.prev().start().plus_days(1 - i64::from(policy.count_window_days)),
        }
    }

    /// The days of the period on which an instant of protection counts.
    fn days_counted(&self, at: Timestamp, policy: &Policy) -> u32 {
        let (from, to) = counting_days(at, policy);
        let last = self.days as i32 - 1;
        let (from, to) = ((from.number() - self.first.number()).max(0), (to.number() - self.first.number()).min(last));
        if from > to {
            return 0;
        }
        // At most 31 ones, so the shift cannot overflow.
        let ones = (1_u32 << (to - from + 1)).wrapping_sub(1);
        ones << from
    }

    /// What one workload's instants say, without looking at any other.
    fn look_at<'a>(&self, one: &Workload<'a>, policy: &Policy) -> (Option<Gathered<'a>>, Seen) {
        let mut seen = Seen { before: one.carried.filter(|carried| *carried < self.start), first_in_period: None };
        let mut found: Option<Gathered<'a>> = None;
        for at in one.protected.iter().copied().filter(|at| *at < self.end) {
            if at < self.start {
                seen.before = seen.before.max(Some(at));
            } else {
                seen.first_in_period = earlier(seen.first_in_period, Some(at));
            }
            let this = Gathered { company: one.company, days: self.days_counted(at, policy), first: at, last: at };
            found = Some(found.map_or(this, |found| found.with(this)));
        }
        (found, seen)
    }

    fn empty_line(&self, workload: &str, variant: &str) -> LineCount {
        let daily: Vec<Option<u32>> = (0..self.days).map(|n| (self.observed & 1 << n != 0).then_some(0)).collect();
        LineCount {
            workload: workload.to_owned(),
            variant: variant.to_owned(),
            daily_new: daily.clone(),
            daily,
            high: None,
            new: 0,
        }
    }
}

impl LineCount {
    fn add(&mut self, mut days: u32, counted: Counted) {
        let daily = match counted {
            Counted::Yes => &mut self.daily,
            Counted::New => {
                self.new += 1;
                &mut self.daily_new
            }
            Counted::Stale | Counted::Adjusted => return,
        };
        while days != 0 {
            let index = days.trailing_zeros() as usize;
            days &= days - 1;
            if let Some(count) = daily.get_mut(index).and_then(Option::as_mut) {
                *count += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }
    fn workload<'a>(id: &'a str, protected: &'a [Timestamp]) -> Workload<'a> {
        Workload { id, company: "", workload: "vm", variant: "", protected, carried: None }
    }
    fn march() -> Period {
        "2026-03".parse().expect("a period")
    }

    #[test]
    fn new_ones_are_shown_and_cost_nothing_until_the_next_period() {
        let (old, fresh) = ([at("2026-02-20T10:00:00Z")], [at("2026-03-20T10:00:00Z")]);
        let workloads = [workload("old", &old), workload("fresh", &fresh)];
        let policy = Policy::default();
        let count = month(march(), workloads, |_| true, &policy);
        let line = &count.lines[0];
        assert_eq!((line.high, line.new), (Some(1), 1));
        // Protected on 20 February, it counts through 22 March: 31 days.
        assert_eq!((line.daily[21], line.daily[22]), (Some(1), Some(0)));
        assert_eq!((line.daily_new[18], line.daily_new[19], line.daily_new[30]), (Some(0), Some(1), Some(1)));
        let april = month(march().next(), workloads, |_| true, &policy);
        assert_eq!((april.lines[0].high, april.lines[0].new), (Some(1), 0), "now the fresh one counts");
        let counted =
            |count: &MonthCount| count.rows.iter().map(|row| (row.id.clone(), row.counted)).collect::<Vec<_>>();
        assert_eq!(counted(&count), [("fresh".into(), Counted::New), ("old".into(), Counted::Yes)]);
        assert_eq!(counted(&april), [("fresh".into(), Counted::Yes), ("old".into(), Counted::Stale)]);
        let may = month(march().plus(2), workloads, |_| true, &policy);
        assert_eq!(counted(&may), [("fresh".into(), Counted::Stale)], "stale is listed once");
    }

    #[test]
    fn the_daily_high_is_of_one_day_not_of_the_month() {
        let (early, late) = ([at("2026-02-05T00:00:00Z")], [at("2026-01-01T00:00:00Z"), at("2026-03-20T00:00:00Z")]);
        let count = month(march(), [workload("a", &early), workload("b", &late)], |_| true, &Policy::default());
        assert_eq!(count.lines[0].high, Some(1), "never both on one day");
        assert!(count.rows.iter().all(|row| row.counted == Counted::Yes));
    }

    #[test]
    fn an_unobserved_day_has_no_figure_and_an_unobserved_month_is_missing() {
        let seen = [at("2026-02-20T10:00:00Z")];
        let policy = Policy::default();
        let second_half = month(march(), [workload("a", &seen)], |day| day.of_month() > 20, &policy);
        assert_eq!(second_half.lines[0].daily[19..23], [None, Some(1), Some(1), Some(0)]);
        assert_eq!(second_half.observed_days, 11);
        let after = month(march(), [workload("a", &seen)], |day| day.of_month() > 22, &policy);
        assert_eq!(after.rows[0].counted, Counted::Stale, "it counted only on days that nobody observed");
        let none = month(march(), [workload("a", &seen)], |_| false, &policy);
        assert_eq!((none.observed_days, none.lines[0].high), (0, None));
        assert_eq!(second_half.on("2026-03-20".parse().expect("a day")).count(), 0);
        let day = second_half.on("2026-03-21".parse().expect("a day")).map(|(_, count, new)| (count, new));
        assert_eq!(day.collect::<Vec<_>>(), [(1, 0)]);
    }

    #[test]
    fn what_the_replaced_installation_saw_is_not_new() {
        let fresh = [at("2026-03-20T10:00:00Z")];
        let carried = Workload { carried: Some(at("2026-02-01T00:00:00Z")), ..workload("a", &fresh) };
        let count = month(march(), [carried], |_| true, &Policy::default());
        assert_eq!((count.lines[0].high, count.lines[0].new), (Some(1), 0));
        assert_eq!(count.lines[0].daily[0], Some(0), "known, and still not protected on the 1st");
    }

    #[test]
    fn an_id_seen_under_another_type_is_not_new() {
        let (old, now) = ([at("2026-01-05T00:00:00Z")], [at("2026-03-05T00:00:00Z")]);
        let moved = Workload { variant: "large", ..workload("a", &now) };
        let count = month(march(), [workload("a", &old), moved], |_| true, &Policy::default());
        let large = count.lines.iter().find(|line| line.variant == "large").expect("its line");
        assert_eq!((large.high, large.new), (Some(1), 0));
    }
}
