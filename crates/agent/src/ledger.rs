//! What was seen and what was counted: the part of the journal that becomes figures ("Counting").
//!
//! Sightings are kept as one instant per workload and day. Days are counted in order, once, and never again: each is a
//! [`JournalDay`] whose hash is the head of the daily chain, so a history that shrinks later is seen (F7).

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use tenure_core::{
    Day, InstallationId, Period, Policy, Timestamp, Week,
    counting::{counts_on, daily_high, is_new},
    month::{MonthCount, Workload, month},
};
use tenure_license::{DailyHead, DayCount, Hash, JournalDay, Payload, ReportLine, WatermarkLine, encode_payload};

use crate::collect::Sighting;

/// Type, variant, id: nested, so that it can be written as JSON.
type Tree<T> = BTreeMap<String, BTreeMap<String, BTreeMap<String, T>>>;

/// Everything that figures are made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    workloads: Tree<Seen>,
    days: BTreeMap<Day, Counted>,
    /// Every day up to here was counted, or cannot be any more.
    pub(crate) done_through: Option<Day>,
    /// Newest head of the daily chain.
    pub(crate) head: Option<DailyHead>,
    /// Watermarks were made for every week up to here.
    pub(crate) weeks_through: Option<Week>,
    /// When all collectors last succeeded.
    pub(crate) collected_at: Option<Timestamp>,
}

/// When one workload was protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    company: String,
    first: Timestamp,
    /// The last instant of each day on which it was, ascending, as far back as figures may still need it.
    at: Vec<Timestamp>,
}

/// A counted day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Counted {
    counts: Vec<DayCount>,
    head: Hash,
}

/// One workload as it stands now, for overuse and pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing<'a> {
    pub(crate) workload: &'a str,
    pub(crate) variant: &'a str,
    pub(crate) id: &'a str,
    pub(crate) first: Timestamp,
    pub(crate) new: bool,
}

impl Seen {
    fn from(sighting: &Sighting) -> Self {
        Self { company: sighting.company.clone(), first: sighting.at, at: vec![sighting.at] }
    }

    /// Whether a sighting changes nothing. Days before the oldest kept instant are no longer told apart.
    fn knows(&self, at: Timestamp) -> bool {
        let forgotten = self.at.first().is_none_or(|oldest| Day::of(at) < Day::of(*oldest));
        let held = self.last_by(Day::of(at).end()).is_some_and(|held| held >= at);
        self.first <= at && (forgotten || held)
    }

    fn add(&mut self, sighting: &Sighting) {
        let at = sighting.at;
        self.first = self.first.min(at);
        if self.at.last().is_none_or(|last| at >= *last) {
            self.company.clone_from(&sighting.company);
        }
        match self.at.binary_search_by_key(&Day::of(at), |held| Day::of(*held)) {
            Ok(index) => self.at[index] = self.at[index].max(at),
            Err(index) => self.at.insert(index, at),
        }
    }

    /// The last instant before `end`.
    fn last_by(&self, end: Timestamp) -> Option<Timestamp> {
        let after = self.at.partition_point(|at| *at < end);
        after.checked_sub(1).map(|index| self.at[index])
    }

    /// Forgets all but the newest instant before `cutoff`. Says whether anything is left that matters after `memory`.
    fn prune(&mut self, cutoff: Timestamp, memory: Timestamp) -> bool {
        let before = self.at.partition_point(|at| *at < cutoff);
        self.at.drain(..before.saturating_sub(1));
        self.at.last().is_some_and(|last| *last >= memory)
    }

    /// The instants that decide how it counts on one day: the last one before the day's end, the first of the period,
    /// and the newest before the period.
    fn on(&self, day: Day) -> impl Iterator<Item = Timestamp> {
        let start = day.period().start();
        let before = self.at.partition_point(|at| *at < start);
        let until = self.at.partition_point(|at| *at < day.end());
        [before.checked_sub(1), (before < until).then_some(before), until.checked_sub(1)]
            .into_iter()
            .flatten()
            .map(|index| self.at[index])
    }
}

impl Ledger {
    /// Of what a collector told, what is not known yet: the first sighting of a workload, its last one on each day, none
    /// that lies in the future.
    pub(crate) fn news(&self, sightings: Vec<Sighting>, now: Timestamp) -> Vec<Sighting> {
        let mut news: HashMap<(String, String, String, Day), Sighting> = HashMap::new();
        let mut firsts: HashMap<(String, String, String), Sighting> = HashMap::new();
        for sighting in sightings {
            let known = self.seen(&sighting).is_some_and(|seen| seen.knows(sighting.at));
            if known || sighting.at > now {
                continue;
            }
            let key = (sighting.workload.clone(), sighting.variant.clone(), sighting.id.clone());
            let first = firsts.entry(key.clone()).or_insert_with(|| sighting.clone());
            if sighting.at < first.at {
                first.clone_from(&sighting);
            }
            let of_day = news.entry((key.0, key.1, key.2, Day::of(sighting.at))).or_insert_with(|| sighting.clone());
            if sighting.at > of_day.at {
                *of_day = sighting;
            }
        }
        let mut news: Vec<Sighting> = news.into_values().chain(firsts.into_values()).collect();
        news.sort();
        news.dedup();
        news
    }

    fn seen(&self, sighting: &Sighting) -> Option<&Seen> {
        self.workloads.get(&sighting.workload)?.get(&sighting.variant)?.get(&sighting.id)
    }

    /// Takes a sighting.
    pub(crate) fn observe(&mut self, sighting: &Sighting) {
        let variants = self.workloads.entry(sighting.workload.clone()).or_default();
        let ids = variants.entry(sighting.variant.clone()).or_default();
        match ids.get_mut(&sighting.id) {
            Some(seen) => seen.add(sighting),
            None => {
                ids.insert(sighting.id.clone(), Seen::from(sighting));
            }
        }
    }

    /// The counts of a day from what is known now; a type of which nothing counts and nothing is new is left out.
    pub(crate) fn count(&self, day: Day, ins: InstallationId, policy: &Policy) -> JournalDay {
        let instants: Vec<(&str, &str, &str, &Seen, Vec<Timestamp>)> = self
            .each()
            .map(|(workload, variant, id, seen)| (workload, variant, id, seen, seen.on(day).collect()))
            .collect();
        let workloads = instants.iter().map(|(workload, variant, id, seen, protected)| Workload {
            id,
            company: &seen.company,
            workload,
            variant,
            protected,
            carried: None,
        });
        let counted = month(day.period(), workloads, |other| other == day, policy);
        let counts = counted.on(day).filter(|(_, count, new)| count + new > 0).map(|(line, count, new)| DayCount {
            workload: line.workload.clone(),
            variant: line.variant.clone(),
            count,
            new,
        });
        JournalDay {
            v: 1,
            ins,
            day,
            prev: self.head.as_ref().map(|head| head.head),
            counts: counts.collect(),
            crit: Vec::new(),
        }
    }

    /// Takes a counted day, the newest.
    pub(crate) fn add_day(&mut self, day: &JournalDay) {
        let head = Hash::of_payload(JournalDay::TYPE, &encode_payload(day));
        self.days.insert(day.day, Counted { counts: day.counts.clone(), head });
        self.head = Some(DailyHead { day: day.day, head });
        self.done_through = Some(day.day);
    }

    /// Days after `last` never happened: the clock that counted them was wrong.
    pub(crate) fn rewind(&mut self, last: Day) {
        self.days.retain(|day, _| *day <= last);
        self.head = self.days.iter().next_back().map(|(day, counted)| DailyHead { day: *day, head: counted.head });
        self.done_through = self.done_through.map(|done| done.min(last));
        let week = Week::of(last);
        self.weeks_through = self.weeks_through.map(|through| through.min(week.prev()));
    }

    /// Whether any day of the period was counted.
    pub(crate) fn observed(&self, period: Period) -> bool {
        self.in_period(period).next().is_some()
    }

    /// The daily chain of a period, oldest first.
    pub(crate) fn heads(&self, period: Period) -> Vec<DailyHead> {
        self.in_period(period).map(|(day, counted)| DailyHead { day: *day, head: counted.head }).collect()
    }

    /// The report lines of a period, unadjusted, in code order.
    pub(crate) fn lines(&self, period: Period, policy: &Policy) -> Vec<ReportLine> {
        let days: Vec<Day> = period.days().collect();
        let new: HashMap<(String, String), u32> = self
            .month(period, policy)
            .lines
            .into_iter()
            .map(|line| ((line.workload, line.variant), line.new))
            .collect();
        self.kinds(&days)
            .into_iter()
            .map(|(workload, variant)| {
                let daily = self.daily(&days, workload, variant);
                let raw = daily_high(&daily).unwrap_or(0);
                let key = (workload.to_owned(), variant.to_owned());
                let new = new.get(&key).copied().unwrap_or(0).max(self.highest_new(&days, workload, variant));
                let (workload, variant) = key;
                ReportLine { workload, variant, raw, count: raw, new, daily, adjustments: Vec::new() }
            })
            .collect()
    }

    /// The lines of a week's watermark; none when no day of it was counted.
    pub(crate) fn week_lines(&self, week: Week) -> Option<Vec<WatermarkLine>> {
        let days: Vec<Day> = week.days().collect();
        days.iter().any(|day| self.days.contains_key(day)).then(|| {
            self.kinds(&days)
                .into_iter()
                .map(|(workload, variant)| WatermarkLine {
                    workload: workload.to_owned(),
                    variant: variant.to_owned(),
                    daily: self.daily(&days, workload, variant),
                })
                .collect()
        })
    }

    /// The whole month, for the workloads behind its figures.
    pub(crate) fn month(&self, period: Period, policy: &Policy) -> MonthCount {
        // The very first sighting belongs to a row even when the instants after it were forgotten.
        let instants: Vec<Vec<Timestamp>> = self
            .each()
            .map(|(.., seen)| std::iter::once(seen.first).chain(seen.at.iter().copied()).collect())
            .collect();
        let workloads = self.each().zip(&instants).map(|((workload, variant, id, seen), protected)| Workload {
            id,
            company: &seen.company,
            workload,
            variant,
            protected,
            carried: None,
        });
        month(period, workloads, |day| self.days.contains_key(&day), policy)
    }

    /// Workloads that count on `day`, in the order they were first protected.
    pub(crate) fn standing(&self, day: Day, policy: &Policy) -> Vec<Standing<'_>> {
        let new_from = day.period().start();
        let mut known_before: HashMap<&str, Timestamp> = HashMap::new();
        for (.., id, seen) in self.each() {
            if let Some(before) = seen.last_by(new_from) {
                known_before.entry(id).and_modify(|held| *held = before.max(*held)).or_insert(before);
            }
        }
        let mut standing: Vec<Standing<'_>> = self
            .each()
            .filter(|(.., seen)| seen.last_by(day.end()).is_some_and(|last| counts_on(day, last, policy)))
            .map(|(workload, variant, id, seen)| {
                let before = known_before.get(id).copied();
                let shown = seen.at.iter().copied().find(|at| *at >= new_from);
                let new = shown.is_some_and(|shown| is_new(shown, before, policy));
                Standing { workload, variant, id, first: seen.first, new }
            })
            .collect();
        standing.sort_by_key(|one| (one.first, one.id));
        standing
    }

    /// Forgets instants that no figure needs any more, workloads that were not seen since `memory`, and old days.
    pub(crate) fn prune(&mut self, instants_before: Timestamp, memory: Timestamp) {
        for variants in self.workloads.values_mut() {
            for ids in variants.values_mut() {
                ids.retain(|_, seen| seen.prune(instants_before, memory));
            }
            variants.retain(|_, ids| !ids.is_empty());
        }
        self.workloads.retain(|_, variants| !variants.is_empty());
        let oldest = Day::of(memory);
        self.days.retain(|day, _| *day >= oldest);
    }

    fn each(&self) -> impl Iterator<Item = (&str, &str, &str, &Seen)> {
        self.workloads.iter().flat_map(|(workload, variants)| {
            variants.iter().flat_map(move |(variant, ids)| {
                ids.iter().map(move |(id, seen)| (workload.as_str(), variant.as_str(), id.as_str(), seen))
            })
        })
    }

    fn in_period(&self, period: Period) -> impl Iterator<Item = (&Day, &Counted)> {
        self.days.range(period.first_day()..period.next().first_day())
    }

    /// Types and variants that have a figure on any of the days, in code order.
    fn kinds(&self, days: &[Day]) -> Vec<(&str, &str)> {
        let counts = days.iter().filter_map(|day| self.days.get(day)).flat_map(|counted| &counted.counts);
        let mut kinds: Vec<_> = counts.map(|count| (count.workload.as_str(), count.variant.as_str())).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    fn daily(&self, days: &[Day], workload: &str, variant: &str) -> Vec<Option<u32>> {
        let figure = |counted: &Counted| figure_of(&counted.counts, workload, variant).map_or(0, |count| count.count);
        days.iter().map(|day| self.days.get(day).map(figure)).collect()
    }

    fn highest_new(&self, days: &[Day], workload: &str, variant: &str) -> u32 {
        let counted = days.iter().filter_map(|day| self.days.get(day));
        counted.filter_map(|day| figure_of(&day.counts, workload, variant)).map(|count| count.new).max().unwrap_or(0)
    }
}

fn figure_of<'a>(counts: &'a [DayCount], workload: &str, variant: &str) -> Option<&'a DayCount> {
    counts.iter().find(|count| count.workload == workload && count.variant == variant)
}

#[cfg(test)]
mod tests;
