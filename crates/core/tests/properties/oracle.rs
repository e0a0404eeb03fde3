//! A calendar and a counter that know nothing of the crate under test: they count days one by one and workloads by sets.

use std::collections::BTreeSet;

/// A civil date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Date {
    /// Year.
    pub(crate) year: i32,
    /// Month, 1 to 12.
    pub(crate) month: u32,
    /// Day, from 1.
    pub(crate) day: u32,
}

fn days_in(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 400 == 0 || (year % 4 == 0 && year % 100 != 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl Date {
    /// The next day.
    pub(crate) fn tomorrow(self) -> Self {
        if self.day < days_in(self.year, self.month) {
            Self { day: self.day + 1, ..self }
        } else if self.month < 12 {
            Self { month: self.month + 1, day: 1, ..self }
        } else {
            Self { year: self.year + 1, month: 1, day: 1 }
        }
    }

    /// The first of the next month.
    pub(crate) fn next_first(self) -> Self {
        if self.month < 12 {
            Self { month: self.month + 1, day: 1, ..self }
        } else {
            Self { year: self.year + 1, month: 1, day: 1 }
        }
    }

    /// The date after `n` days, one by one.
    pub(crate) fn after(self, n: u32) -> Self {
        (0..n).fold(self, |date, _| date.tomorrow())
    }

    /// The date `months` later: the day stays, or is the month's last when the month is too short.
    pub(crate) fn months_later(self, months: u32) -> Self {
        let first = (0..months).fold(Self { day: 1, ..self }, |date, _| date.next_first());
        Self { day: self.day.min(days_in(first.year, first.month)), ..first }
    }

    /// Its number, counted from 1970-01-01 day by day.
    pub(crate) fn number(self) -> i64 {
        let mut date = Self { year: 1970, month: 1, day: 1 };
        let mut number = 0;
        while date < self {
            // Whole months first, or the tests would take minutes; a month is its days, as above.
            if date.next_first() <= self {
                number += i64::from(days_in(date.year, date.month));
                date = date.next_first();
            } else {
                number += 1;
                date = date.tomorrow();
            }
        }
        number
    }
}

/// When a license with this anchor date ends: the k months that are reported without a gap, two more, fifteen days.
pub(crate) fn expires_on(anchor: Date, reported: &[(i32, u32)]) -> Date {
    let mut month = Date { day: 1, ..anchor };
    let mut extensions = 0;
    while reported.contains(&(month.year, month.month)) {
        extensions += 1;
        month = month.next_first();
    }
    anchor.months_later(2 + extensions).after(15)
}

/// One protection of one workload, in hours since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Protection {
    /// Workload.
    pub(crate) id: u8,
    /// Its type.
    pub(crate) kind: u8,
    /// When.
    pub(crate) hour: i64,
}

/// Ids of `kind` that were protected in the 31 x 24 hours before a day's end.
pub(crate) fn protected_on(day: i64, kind: u8, protections: &[Protection]) -> BTreeSet<u8> {
    let end = (day + 1) * 24;
    let within = |one: &&Protection| one.kind == kind && one.hour < end && one.hour >= end - 31 * 24;
    protections.iter().filter(within).map(|one| one.id).collect()
}

/// Ids that show in the month for the first time in 13 months. `months_back` gives the hour 13 months before another.
pub(crate) fn new_in(
    first_hour: i64,
    end_hour: i64,
    protections: &[Protection],
    months_back: impl Fn(i64) -> i64,
) -> BTreeSet<u8> {
    let ids: BTreeSet<u8> = protections.iter().map(|one| one.id).collect();
    let is_new = |id: &u8| {
        let of_id: Vec<i64> = protections.iter().filter(|one| one.id == *id).map(|one| one.hour).collect();
        let Some(first) = of_id.iter().filter(|hour| (first_hour..end_hour).contains(*hour)).min() else {
            return false;
        };
        !of_id.iter().any(|hour| *hour < first_hour && *hour >= months_back(*first))
    };
    ids.into_iter().filter(is_new).collect()
}
