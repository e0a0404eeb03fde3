//! The words of `format` as template filters: `{{ line.points|column }}`.
#![expect(
    unreachable_pub,
    clippy::inline_always,
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "the shape that askama's attribute gives a filter"
)]

use askama::{Result, Values};
use tenure_core::{Period, Points, Timestamp};

use crate::format;

/// A value as templates hand it on: owned from a field, borrowed from a loop, twice borrowed from a matched field.
pub(crate) trait Held<T> {
    fn held(&self) -> T;
}
impl<T: Copy> Held<T> for T {
    fn held(&self) -> T {
        *self
    }
}
impl<T: Copy> Held<T> for &T {
    fn held(&self) -> T {
        **self
    }
}
impl<T: Copy> Held<T> for &&T {
    fn held(&self) -> T {
        ***self
    }
}

macro_rules! filters {
    ($($name:ident($input:ty);)*) => {$(
        #[askama::filter_fn]
        pub(crate) fn $name(value: impl Held<$input>, _: &dyn Values) -> Result<String> {
            Ok(format::$name(value.held()))
        }
    )*};
}

filters! {
    count(i64);
    count_change(i64);
    points(Points);
    points_change(Points);
    column(Points);
    month(Period);
    month_name(Period);
    date(Timestamp);
    short_date(Timestamp);
    instant(Timestamp);
    weekday_instant(Timestamp);
    last_minute(Timestamp);
    full_instant(Timestamp);
    last_day(Timestamp);
    short_month(Period);
    spelled(usize);
    spelled_small(usize);
}

#[askama::filter_fn]
pub(crate) fn sentence(text: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(format::sentence(text.as_ref()))
}
