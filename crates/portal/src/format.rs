//! Figures and instants as people read them: "1,283.5", "+ 42", "Thursday 5 November, 23:59 UTC".

use jiff::{ZonedDateTime, tz::TimeZone};
use tenure_core::{Day, Period, Points, Timestamp};

/// A typographic minus, as wide as a plus.
const MINUS: char = '−';

/// A count with thousands separated: `12,480`.
pub fn count(value: i64) -> String {
    let sign = if value < 0 { "−" } else { "" };
    format!("{sign}{}", grouped(value.unsigned_abs()))
}

/// A count with what it counts: `14 machines`, `1 server`.
pub fn count_of(value: i64, unit: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {unit}{plural}", count(value))
}

/// Points with thousands separated and only the decimals they have: `1,283.5`, `800`.
pub fn points(value: Points) -> String {
    fraction(value, 0)
}

/// Points for a column, with at least one decimal, so that the decimal points stand under each other: `308.0`.
pub fn column(value: Points) -> String {
    fraction(value, 1)
}

/// A difference in points with its sign apart: `+ 42.0`, `− 6.5`, `0`.
pub fn points_change(value: Points) -> String {
    match value.as_milli() {
        0 => "0".to_owned(),
        milli if milli > 0 => format!("+ {}", points(value)),
        _ => format!("{MINUS} {}", points(-value)),
    }
}

/// A difference in units with its sign apart: `+ 2`, `− 6`.
pub fn count_change(value: i64) -> String {
    match value {
        0 => "0".to_owned(),
        more if more > 0 => format!("+ {}", count(more)),
        less => format!("{MINUS} {}", count(-less)),
    }
}

/// By how much `now` differs from `before`, in per cent with one decimal; `None` when `before` is not above zero.
pub fn per_cent(now: Points, before: Points) -> Option<String> {
    let (now, before) = (i128::from(now.as_milli()), i128::from(before.as_milli()));
    if before <= 0 || now == before {
        return None;
    }
    // Thousandths of the whole, rounded half away from zero.
    let scaled = (now - before) * 2000;
    let tenths = (scaled + scaled.signum() * before) / (2 * before);
    let sign = if tenths < 0 { MINUS } else { '+' };
    Some(format!("{sign} {}.{} %", grouped((tenths.unsigned_abs() / 10) as u64), tenths.unsigned_abs() % 10))
}

fn fraction(value: Points, at_least: usize) -> String {
    let milli = value.as_milli();
    let sign = if milli < 0 { "−" } else { "" };
    let digits = format!("{:03}", milli.unsigned_abs() % 1000);
    let shown = digits.trim_end_matches('0').len().max(at_least);
    let whole = grouped(milli.unsigned_abs() / 1000);
    if shown == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{}", &digits[..shown]) }
}

fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `October 2026`.
pub fn month(period: Period) -> String {
    utc(period.start()).strftime("%B %Y").to_string()
}

/// `October`, where the year is clear.
pub fn month_name(period: Period) -> String {
    utc(period.start()).strftime("%B").to_string()
}

/// `14 October`.
pub fn day(day: Day) -> String {
    utc(day.start()).strftime("%-d %B").to_string()
}

/// `Oct 2026`, where room is short.
pub fn short_month(period: Period) -> String {
    utc(period.start()).strftime("%b\u{a0}%Y").to_string()
}

/// `5 November 2026`, the UTC date of an instant.
pub fn date(at: Timestamp) -> String {
    utc(at).strftime("%-d\u{a0}%B\u{a0}%Y").to_string()
}

/// `5 Nov`, the UTC date of an instant where the year is clear and room is short.
pub fn short_date(at: Timestamp) -> String {
    utc(at).strftime("%-d\u{a0}%b").to_string()
}

/// `4 Nov 2026, 09:12 UTC`.
pub fn instant(at: Timestamp) -> String {
    utc(at).strftime("%-d\u{a0}%b\u{a0}%Y, %H:%M\u{a0}UTC").to_string()
}

/// `Thursday 5 November, 09:12 UTC`, for sentences.
pub fn weekday_instant(at: Timestamp) -> String {
    utc(at).strftime("%A\u{a0}%-d\u{a0}%B, %H:%M\u{a0}UTC").to_string()
}

/// The last minute before an instant that is the first one too late: `Thursday 5 November, 23:59 UTC`.
pub fn last_minute(at: Timestamp) -> String {
    weekday_instant(at.plus_micros(-1))
}

/// `Thursday 5 November 2026, 09:12 UTC`.
pub fn full_instant(at: Timestamp) -> String {
    utc(at).strftime("%A %-d %B %Y, %H:%M UTC").to_string()
}

/// The last day before an instant that is the first one too late: `5 November 2026`.
pub fn last_day(at: Timestamp) -> String {
    date(at.plus_micros(-1))
}

/// A small number in words, as a sentence begins: `Two`; from thirteen on in figures.
pub fn spelled(value: usize) -> String {
    const WORDS: [&str; 13] =
        ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"];
    WORDS.get(value).map_or_else(|| count(value as i64), |word| (*word).to_owned())
}

/// A small number in words, inside a sentence: `two`.
pub fn spelled_small(value: usize) -> String {
    spelled(value).to_lowercase()
}

/// A message of the service with its instants and months as people read them: `before 6 Nov 2026, 00:00 UTC`.
pub fn dated(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches(['.', ',', ';', ':']);
        let rest = &word[bare.len()..];
        let said = match bare.len() {
            7 => bare.parse().ok().map(month),
            20.. if bare.ends_with('Z') => bare.parse().ok().map(instant),
            _ => None,
        };
        said.map(|said| said + rest)
    };
    text.split(' ').map(|each| word(each).unwrap_or_else(|| each.to_owned())).collect::<Vec<_>>().join(" ")
}

/// A message as a sentence: a capital letter first, a full stop last.
pub fn sentence(text: &str) -> String {
    let mut chars = text.trim().chars();
    let mut out: String = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    out.push_str(chars.as_str());
    if out.ends_with(['.', '!', '?', '…']) || out.is_empty() { out } else { out + "." }
}

fn utc(at: Timestamp) -> ZonedDateTime {
    zoned(at, TimeZone::UTC)
}

fn zoned(at: Timestamp, zone: TimeZone) -> ZonedDateTime {
    // Instants of the program lie between 1970 and 9998, far inside what jiff can hold.
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned_datetime(zone)
}

/// The viewer's time zone, as their browser named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// An IANA name such as `Europe/Rome`; `None` when there is no such zone, or when it is program time anyway.
    pub fn named(name: &str) -> Option<Self> {
        let rules = TimeZone::get(name).ok()?;
        let name = rules.iana_name()?.to_owned();
        if name == "UTC" || name.starts_with("Etc/") { None } else { Some(Self { name, rules }) }
    }

    /// The place people know it by: `Rome`, `New York`.
    pub fn place(&self) -> String {
        self.name.rsplit('/').next().unwrap_or(&self.name).replace('_', " ")
    }
}

/// An instant that somebody must act by, with what is needed to say it in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// The first instant that is too late.
    pub at: Timestamp,
    /// Program time of the page.
    pub now: Timestamp,
    /// Where the viewer is, if known.
    pub zone: Option<Zone>,
}

impl Deadline {
    /// The last minute that is in time, in program time: `Thursday 5 November, 23:59 UTC`.
    pub fn program(&self) -> String {
        last_minute(self.at)
    }
    /// The same minute for the viewer: `Friday 00:59 in Rome`; `None` when the zone is not known or reads the same.
    pub fn local(&self) -> Option<String> {
        let zone = self.zone.as_ref()?;
        let local = zoned(self.last(), zone.rules.clone());
        (local.datetime() != utc(self.last()).datetime())
            .then(|| format!("{} in {}", local.strftime("%A %H:%M"), zone.place()))
    }
    /// `in 1 day 15 hours`, `in 12 minutes`; for a deadline gone by, `3 days ago`.
    pub fn distance(&self) -> String {
        distance(self.now, self.at)
    }
    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.now >= self.at
    }

    fn last(&self) -> Timestamp {
        self.at.plus_micros(-1)
    }
}

/// How far `at` is from `now`: `in 1 day 15 hours`, `3 days ago`, `now`.
pub fn distance(now: Timestamp, at: Timestamp) -> String {
    let micros = at.micros_since(now);
    let span = span(micros.unsigned_abs() / 1_000_000);
    match micros {
        _ if span.is_empty() => "now".to_owned(),
        ahead if ahead > 0 => format!("in {span}"),
        _ => format!("{span} ago"),
    }
}

/// A length of time in at most two units: `1 day 15 hours`; from a week on in days alone.
fn span(secs: u64) -> String {
    let (days, hours, minutes) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60);
    let unit = |value: u64, one: &str| if value == 1 { format!("1 {one}") } else { format!("{value} {one}s") };
    let parts = match (days, hours, minutes) {
        (0, 0, 0) => vec![],
        (0, 0, minutes) => vec![unit(minutes, "minute")],
        (0, hours, 0) => vec![unit(hours, "hour")],
        (0, hours, minutes) if hours < 3 => vec![unit(hours, "hour"), unit(minutes, "minute")],
        (0, hours, _) => vec![unit(hours, "hour")],
        (days, hours, _) if days < 7 && hours > 0 => vec![unit(days, "day"), unit(hours, "hour")],
        (days, ..) => vec![unit(days, "day")],
    };
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn figures() {
        let p = |text: &str| text.parse::<Points>().expect("points");
        assert_eq!(points(p("1283.5")), "1,283.5");
        assert_eq!(points(p("800")), "800");
        assert_eq!(points(p("-1234567.125")), "−1,234,567.125");
        assert_eq!(column(p("308")), "308.0");
        assert_eq!(column(p("0.125")), "0.125");
        assert_eq!(points_change(p("42")), "+ 42");
        assert_eq!(points_change(p("-6.5")), "− 6.5");
        assert_eq!(count(1000), "1,000");
        assert_eq!(count_change(-6), "− 6");
        assert_eq!(per_cent(p("1283.5"), p("1241.5")), Some("+ 3.4 %".into()));
        assert_eq!(per_cent(p("50"), p("100")), Some("− 50.0 %".into()));
        assert_eq!(per_cent(p("100"), p("100")), None);
        assert_eq!(per_cent(p("100"), p("0")), None);
    }

    #[test]
    fn a_deadline_is_said_in_program_time_then_the_viewers_then_how_long() {
        let mut deadline = Deadline {
            at: at("2026-11-06T00:00:00Z"),
            now: at("2026-11-04T09:00:00Z"),
            zone: Zone::named("Europe/Rome"),
        };
        assert_eq!(deadline.program(), "Thursday\u{a0}5\u{a0}November, 23:59\u{a0}UTC");
        assert_eq!(deadline.local().as_deref(), Some("Friday 00:59 in Rome"));
        assert_eq!(deadline.distance(), "in 1 day 15 hours");
        deadline.zone = Zone::named("Africa/Abidjan");
        assert_eq!(deadline.local(), None, "the same wall clock is not said twice");
        deadline.now = at("2026-11-09T01:00:00Z");
        assert_eq!(deadline.distance(), "3 days 1 hour ago");
        assert_eq!(Zone::named("Etc/UTC"), None);
        assert_eq!(Zone::named("../../etc/passwd"), None);
    }

    #[test]
    fn the_services_dates_are_said_as_people_say_them() {
        let said = dated("rotate the key, which signs until 2027-09-03T09:00:00Z; its report of 2026-10 did not come.");
        let wanted = "rotate the key, which signs until 3\u{a0}Sep\u{a0}2027, 09:00\u{a0}UTC; its report of October 2026 did \
                      not come.";
        assert_eq!(said, wanted);
        assert_eq!(dated("2026-W42 and 2026-13, PO-2026"), "2026-W42 and 2026-13, PO-2026");
    }

    #[test]
    fn spans_have_two_units_at_most() {
        let from = at("2026-11-01T00:00:00Z");
        let say = |to: &str| distance(from, at(to));
        assert_eq!(say("2026-11-01T00:00:30Z"), "now");
        assert_eq!(say("2026-11-01T00:01:00Z"), "in 1 minute");
        assert_eq!(say("2026-11-01T02:05:00Z"), "in 2 hours 5 minutes");
        assert_eq!(say("2026-11-01T04:05:00Z"), "in 4 hours");
        assert_eq!(say("2026-11-20T04:05:00Z"), "in 19 days");
        assert_eq!(say("2026-10-31T00:00:00Z"), "1 day ago");
    }
}
