//! Figures and instants as people read them, program time first and then that of this machine.

use jiff::{ZonedDateTime, tz::TimeZone};
use tenure_core::{Day, Period, Timestamp};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A count with thousands separated: `12,480`.
pub(super) fn count(value: u32) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `October 2026`.
pub(super) fn month(period: Period) -> String {
    utc(period.start()).strftime("%B %Y").to_string()
}

/// `14 October`.
pub(super) fn day(day: Day) -> String {
    utc(day.start()).strftime("%-d %B").to_string()
}

/// `5 November 2026`, the UTC date of an instant.
pub(super) fn date(at: Timestamp) -> String {
    utc(at).strftime("%-d %B %Y").to_string()
}

/// `4 Nov 2026, 09:12 UTC`, for tables.
pub(super) fn instant(at: Timestamp) -> String {
    utc(at).strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// An instant in full: `Thursday 5 November, 23:59 UTC`, and what stands behind it in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct When {
    /// For the `datetime` attribute.
    pub(super) iso: String,
    /// By the program's time.
    pub(super) program: String,
    /// By this machine's, where that is another, and how far it is from now.
    pub(super) aside: String,
}

impl When {
    /// An instant as it is said at `now` on this machine.
    pub(super) fn of(at: Timestamp, now: Timestamp) -> Self {
        Self::in_zone(at, now, TimeZone::system())
    }

    fn in_zone(at: Timestamp, now: Timestamp, zone: TimeZone) -> Self {
        let year = if utc(at).year() == utc(now).year() { "" } else { " %Y" };
        let program = utc(at).strftime(&format!("%A %-d %B{year}, %H:%M UTC")).to_string();
        let local = zoned(at, zone);
        let elsewhere = local.offset().seconds() != 0;
        let aside = match (elsewhere, distance(at, now)) {
            (true, distance) => format!("{}, {distance}", local.strftime("%A %H:%M %Z")),
            (false, distance) => distance,
        };
        Self { iso: at.to_string(), program, aside }
    }
}

/// `in 1 day 15 hours`, `12 minutes ago`.
pub(super) fn distance(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.micros_since(now) / 1_000_000;
    let away = match seconds.abs() {
        away if away < MINUTE => return if seconds > 0 { "in a moment" } else { "just now" }.to_owned(),
        away if away < HOUR => units(away / MINUTE, "minute"),
        away if away < DAY => two(away / HOUR, "hour", away % HOUR / MINUTE, "minute"),
        away if away < 10 * DAY => two(away / DAY, "day", away % DAY / HOUR, "hour"),
        away => units(away / DAY, "day"),
    };
    if seconds > 0 { format!("in {away}") } else { format!("{away} ago") }
}

fn two(first: i64, unit: &str, second: i64, lesser: &str) -> String {
    let first = units(first, unit);
    if second == 0 { first } else { format!("{first} {}", units(second, lesser)) }
}

/// `1 day`, `3 days`.
pub(super) fn units(value: i64, unit: &str) -> String {
    format!("{value} {unit}{}", if value == 1 { "" } else { "s" })
}

fn utc(at: Timestamp) -> ZonedDateTime {
    zoned(at, TimeZone::UTC)
}

fn zoned(at: Timestamp, zone: TimeZone) -> ZonedDateTime {
    // Instants of the program lie between 1970 and 9998, far inside what jiff can hold.
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned_datetime(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn instants_are_said_in_both_zones_and_from_here() {
        let now = at("2026-11-04T09:00:00Z");
        let rome = TimeZone::get("Europe/Rome").unwrap();
        let when = When::in_zone(at("2026-11-05T23:59:00Z"), now, rome);
        assert_eq!(when.program, "Thursday 5 November, 23:59 UTC");
        assert_eq!(when.aside, "Friday 00:59 CET, in 1 day 14 hours");
        let when = When::in_zone(at("2027-01-01T00:00:00Z"), now, TimeZone::UTC);
        assert_eq!((when.program.as_str(), when.aside.as_str()), ("Friday 1 January 2027, 00:00 UTC", "in 57 days"));
        assert_eq!(distance(at("2026-11-04T08:59:30Z"), now), "just now");
        assert_eq!(distance(at("2026-11-04T07:59:00Z"), now), "1 hour 1 minute ago");
        assert_eq!((count(999), count(1_234_567)), ("999".to_owned(), "1,234,567".to_owned()));
    }
}
