//! Properties of validity, against a calendar written without the crate ("Validity of an automatically reported license").

use std::collections::BTreeSet;

use crate::oracle::{self, Date};
use proptest::prelude::*;
use tenure_core::{Period, Policy, Timestamp, deadline, validity};

const DAY_US: i64 = 86_400_000_000;

fn instant(date: Date, micros: i64) -> Timestamp {
    Timestamp::from_micros(date.number() * DAY_US + micros)
}
fn period(year: i32, month: u32) -> Period {
    Period::new(i16::try_from(year).expect("a year"), i8::try_from(month).expect("a month")).expect("a period")
}
fn date() -> impl Strategy<Value = Date> {
    (2000_i32..2060, 1_u32..13, 0_u32..31).prop_map(|(year, month, days)| Date { year, month, day: 1 }.after(days))
}
/// Months around an anchor, most of them from its own on, in any order and with repetitions.
fn months_around(anchor: Date) -> impl Strategy<Value = Vec<(i32, u32)>> {
    prop::collection::vec(-3_i32..20, 0..30).prop_map(move |offsets| {
        let index = |offset: i32| anchor.year * 12 + anchor.month as i32 - 1 + offset;
        let of = |index: i32| (index.div_euclid(12), index.rem_euclid(12) as u32 + 1);
        offsets.into_iter().map(|offset| of(index(offset))).collect()
    })
}
fn anchor_and_months() -> impl Strategy<Value = (Date, i64, Vec<(i32, u32)>)> {
    date().prop_flat_map(|anchor| (Just(anchor), 0..DAY_US, months_around(anchor)))
}
fn expiry(anchor: Timestamp, periods: impl IntoIterator<Item = Period>) -> Timestamp {
    validity::Validity::Automatic { anchor }.expires_at(periods, None, &Policy::default())
}

proptest! {
    #[test]
    fn expiry_is_what_a_naive_calendar_says((date, micros, months) in anchor_and_months()) {
        let periods = months.iter().map(|(year, month)| period(*year, *month));
        let expected = instant(oracle::expires_on(date, &months), micros);
        prop_assert_eq!(expiry(instant(date, micros), periods), expected);
    }

    #[test]
    fn order_and_repetition_never_change_an_expiry(
        (date, micros, months) in anchor_and_months(),
        seed in any::<prop::sample::Index>(),
    ) {
        let anchor = instant(date, micros);
        let periods: Vec<Period> = months.iter().map(|(year, month)| period(*year, *month)).collect();
        let expected = expiry(anchor, periods.clone());
        let reversed = periods.iter().rev().copied();
        prop_assert_eq!(expiry(anchor, reversed), expected);
        let doubled = periods.iter().chain(&periods).copied();
        prop_assert_eq!(expiry(anchor, doubled), expected);
        let mut turned = periods;
        if !turned.is_empty() {
            let middle = seed.index(turned.len());
            turned.rotate_left(middle);
        }
        prop_assert_eq!(expiry(anchor, turned), expected);
    }

    #[test]
    fn nothing_extends_twice((date, micros, months) in anchor_and_months()) {
        let anchor = instant(date, micros);
        let mut granted = BTreeSet::new();
        for (year, month) in months {
            let before = expiry(anchor, granted.iter().copied());
            let held = granted.contains(&period(year, month));
            let earns = validity::grant_extension(&mut granted, period(year, month));
            let after = expiry(anchor, granted.iter().copied());
            prop_assert_eq!(earns, !held);
            prop_assert!(after >= before, "an extension is never taken back");
            prop_assert!(earns || after == before);
            let run = validity::contiguous(anchor, granted.iter().copied());
            prop_assert!(run.count as usize <= granted.len(), "no more extensions than periods");
        }
    }

    #[test]
    fn a_state_only_gets_worse_with_time(
        (date, micros, months) in anchor_and_months(),
        first in -200_i64..200,
        later in 0_i64..200,
    ) {
        let anchor = instant(date, micros);
        let end = expiry(anchor, months.iter().map(|(year, month)| period(*year, *month)));
        let policy = Policy::default();
        let rank = |at: Timestamp| match validity::state_at(at, end, policy.grace_days, &policy) {
            validity::LicenseState::Valid => 0,
            validity::LicenseState::Expiring { days_remaining } => 100 - i64::from(days_remaining),
            validity::LicenseState::Expired { grace_days_remaining } => 200 - i64::from(grace_days_remaining),
            validity::LicenseState::Restricted => 300,
        };
        prop_assert!(rank(end.plus_days(first)) <= rank(end.plus_days(first + later)));
    }
}

/// Just before period k is reported, at the end of day 10 of the month after it, at least 33 whole days are left: for every
/// anchor day of nine years, leap years included, and many k.
#[test]
fn at_least_33_days_are_left_at_the_end_of_day_10() {
    let policy = Policy::default();
    let mut date = Date { year: 2023, month: 1, day: 1 };
    let mut least = i64::MAX;
    while date.year < 2032 {
        for micros in [0, DAY_US - 1] {
            let anchor = instant(date, micros);
            let first = Period::of(anchor);
            for k in 1..=26 {
                let reported = (0..k - 1).map(|n| first.plus(n));
                let end = expiry(anchor, reported);
                let day_10_over = deadline::provider_deadline(first.plus(k - 1), true, &policy);
                least = least.min(end.micros_since(day_10_over) / DAY_US);
            }
        }
        date = date.tomorrow();
    }
    assert_eq!(least, 33, "the promise of the program, and no more than it");
}
