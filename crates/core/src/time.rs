//! Program time: instants, UTC days, ISO weeks and calendar months ("Time").

use std::{fmt, str::FromStr};

use jiff::{civil, tz::TimeZone};
use serde::{Deserialize, Serialize};

const DAY_US: i64 = 86_400_000_000;

/// The text was not an instant, day, week or period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}")]
pub struct ParseTimeError {
    expected: &'static str,
}

/// An instant in microseconds since 1970-01-01 00:00 UTC. Its text is RFC 3339 with `Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first instant of 1970; also what a floor starts from.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    /// From whole seconds since the epoch, as signed payloads write them.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }
    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }
    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// The same instant without its fraction of a second.
    #[must_use]
    pub const fn floor_to_second(self) -> Self {
        Self::from_secs(self.as_secs())
    }
    /// This instant plus `micros` (negative: before). Saturates.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
    /// This instant plus `secs` seconds. Saturates.
    #[must_use]
    pub const fn plus_secs(self, secs: i64) -> Self {
        self.plus_micros(secs.saturating_mul(1_000_000))
    }
    /// This instant plus `days` times 24 hours. Saturates.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_micros(days.saturating_mul(DAY_US))
    }
    /// This instant plus calendar months, clamped to the month's last day (31 January + 1 month = 28 or 29 February).
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        let day = Day::of(self);
        let period = Period::of(self).plus(months);
        let date = day.date();
        let clamped = date.day().min(period.first_date().days_in_month());
        let start = Day::from_date(civil::date(period.year, period.month, clamped)).start();
        start.plus_micros(self.0.rem_euclid(DAY_US))
    }
    /// Microseconds from `earlier` to this instant; negative when `earlier` is later.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    fn jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.jiff(), f)
    }
}
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Timestamp {
    type Err = ParseTimeError;
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let error = ParseTimeError { expected: "an instant such as 2026-01-31T10:00:00Z" };
        text.parse::<jiff::Timestamp>().map(|at| Self(at.as_microsecond())).map_err(|_| error)
    }
}

/// A UTC day, as days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// The day an instant lies in.
    pub const fn of(at: Timestamp) -> Self {
        Self(at.0.div_euclid(DAY_US) as i32)
    }
    /// From days since 1970-01-01.
    pub const fn from_number(number: i32) -> Self {
        Self(number)
    }
    /// Days since 1970-01-01.
    pub const fn number(self) -> i32 {
        self.0
    }
    /// The day's first instant.
    pub const fn start(self) -> Timestamp {
        Timestamp(self.0 as i64 * DAY_US)
    }
    /// The next day's first instant.
    pub const fn end(self) -> Timestamp {
        self.plus(1).start()
    }
    /// `days` later (negative: earlier).
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0 + days)
    }
    /// The month this day lies in.
    pub fn period(self) -> Period {
        Period::of(self.start())
    }
    /// Day of the month, 1 to 31.
    pub fn of_month(self) -> u8 {
        self.date().day().unsigned_abs()
    }

    fn date(self) -> civil::Date {
        self.start().jiff().to_zoned_datetime(TimeZone::UTC).date()
    }
    fn from_date(date: civil::Date) -> Self {
        let at = date.to_datetime(civil::Time::midnight()).to_zoned_datetime(TimeZone::UTC);
        Self::of(Timestamp(at.map_or(0, |at| at.timestamp().as_microsecond())))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.date(), f)
    }
}
impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Day {
    type Err = ParseTimeError;
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let error = ParseTimeError { expected: "a day such as 2026-01-31" };
        let date: civil::Date = text.parse().map_err(|_| error.clone())?;
        let day = Self::from_date(date);
        if day.to_string() == text { Ok(day) } else { Err(error) }
    }
}

/// A completed or running ISO week, named by its Monday. Its text is `2026-W05`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Week(Day);

impl Week {
    /// The ISO week a day lies in.
    pub const fn of(day: Day) -> Self {
        // 1970-01-01 was a Thursday: three days after a Monday.
        Self(Day(day.0 - (day.0 + 3).rem_euclid(7)))
    }
    /// Its Monday.
    pub const fn first(self) -> Day {
        self.0
    }
    /// Its seven days, Monday first.
    pub fn days(self) -> impl Iterator<Item = Day> {
        (0..7).map(move |n| self.0.plus(n))
    }
    /// The following Monday's first instant: from then on the week is completed.
    pub const fn end(self) -> Timestamp {
        self.0.plus(7).start()
    }
    /// The week after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.plus(7))
    }
    /// The week before.
    #[must_use]
    pub const fn prev(self) -> Self {
        Self(self.0.plus(-7))
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let iso = self.0.date().iso_week_date();
        write!(f, "{:04}-W{:02}", iso.year(), iso.week())
    }
}
impl fmt::Debug for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Week {
    type Err = ParseTimeError;
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let error = ParseTimeError { expected: "an ISO week such as 2026-W05" };
        let (year, week) = text.split_once("-W").ok_or_else(|| error.clone())?;
        let (year, week) = year.parse().ok().zip(week.parse().ok()).ok_or_else(|| error.clone())?;
        let monday = civil::ISOWeekDate::new(year, week, civil::Weekday::Monday).map_err(|_| error.clone())?.date();
        let parsed = Self(Day::from_date(monday));
        if parsed.to_string() == text { Ok(parsed) } else { Err(error) }
    }
}

/// A calendar month in UTC: `[1st 00:00:00, next 1st 00:00:00)`. Its text is `2026-01`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    year: i16,
    month: i8,
}

impl Period {
    /// The month of a year; `None` unless the month is 1 to 12 and the year 1970 to 9998.
    pub const fn new(year: i16, month: i8) -> Option<Self> {
        if month >= 1 && month <= 12 && year >= 1970 && year <= 9998 { Some(Self { year, month }) } else { None }
    }
    /// The month an instant lies in.
    pub fn of(at: Timestamp) -> Self {
        let date = Day::of(at).date();
        Self { year: date.year(), month: date.month() }
    }
    /// Months since January of year 0: a dense number for storage and differences.
    pub const fn index(self) -> i32 {
        self.year as i32 * 12 + self.month as i32 - 1
    }
    /// The inverse of [`Period::index`].
    pub const fn from_index(index: i32) -> Self {
        Self { year: index.div_euclid(12) as i16, month: index.rem_euclid(12) as i8 + 1 }
    }
    /// `months` later (negative: earlier).
    #[must_use]
    pub const fn plus(self, months: i32) -> Self {
        Self::from_index(self.index() + months)
    }
    /// The month after.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }
    /// The month before.
    #[must_use]
    pub const fn prev(self) -> Self {
        self.plus(-1)
    }
    /// The period's first instant.
    pub fn start(self) -> Timestamp {
        self.first_day().start()
    }
    /// The first instant after the period.
    pub fn end(self) -> Timestamp {
        self.next().start()
    }
    /// The 1st.
    pub fn first_day(self) -> Day {
        Day::from_date(self.first_date())
    }
    /// All its days, the 1st first.
    pub fn days(self) -> impl Iterator<Item = Day> {
        (self.first_day().0..self.next().first_day().0).map(Day)
    }
    /// The deadline "by day `day` of the following month": that day's end.
    pub fn deadline(self, day: u8) -> Timestamp {
        self.end().plus_days(i64::from(day))
    }
    /// The year, as 2026.
    pub const fn year(self) -> i16 {
        self.year
    }
    /// The month, 1 to 12.
    pub const fn month(self) -> i8 {
        self.month
    }

    fn first_date(self) -> civil::Date {
        civil::date(self.year, self.month, 1)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}
impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Period {
    type Err = ParseTimeError;
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let error = ParseTimeError { expected: "a month such as 2026-01" };
        let (year, month) = text.split_once('-').ok_or_else(|| error.clone())?;
        let (year, month) = year.parse().ok().zip(month.parse().ok()).ok_or_else(|| error.clone())?;
        let parsed = Self::new(year, month).ok_or_else(|| error.clone())?;
        if parsed.to_string() == text { Ok(parsed) } else { Err(error) }
    }
}

macro_rules! serde_as_text {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
serde_as_text!(Timestamp, Day, Week, Period);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_clamp_and_weeks_are_iso() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        assert_eq!(at("2026-01-31T10:00:00Z").plus_months(1), at("2026-02-28T10:00:00Z"));
        assert_eq!(at("2028-01-31T10:00:00Z").plus_months(1), at("2028-02-29T10:00:00Z"));
        assert_eq!(at("2026-12-31T10:00:00Z").plus_months(2), at("2027-02-28T10:00:00Z"));
        let day = |text: &str| text.parse::<Day>().expect("a day");
        assert_eq!(Week::of(day("2027-01-03")).to_string(), "2026-W53");
        assert_eq!(Week::of(day("2027-01-04")).to_string(), "2027-W01");
        assert_eq!("2026-W05".parse::<Week>().map(|w| w.first().to_string()), Ok("2026-01-26".into()));
        assert!("2027-W53".parse::<Week>().is_err());
        assert_eq!(day("1969-12-31").number(), -1);
        let feb: Period = "2028-02".parse().expect("a period");
        assert_eq!(feb.days().count(), 29);
        assert_eq!(feb.deadline(5), at("2028-03-06T00:00:00Z"));
        assert_eq!(Period::from_index(feb.index()), feb);
        assert!("2028-2".parse::<Period>().is_err());
    }
}
