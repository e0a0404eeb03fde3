//! Points and weights in thousandths: no float ever touches a bill.

use std::{fmt, iter::Sum, ops, str::FromStr};

use serde::{Deserialize, Serialize};

/// The text was not a decimal with at most three places.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParsePointsError {
    /// A fourth decimal was given; points are thousandths.
    #[error("more than three decimals")]
    TooPrecise,
    /// Not a decimal number, or too large to hold.
    #[error("not a decimal number such as 13.5")]
    NotANumber,
}

/// An amount of points, in thousandths. May be negative (an adjustment line).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Points(i64);

/// Points per unit of a workload type, in thousandths, never negative.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weight(i64);

impl Points {
    /// No points.
    pub const ZERO: Self = Self(0);

    /// From thousandths.
    pub const fn from_milli(milli: i64) -> Self {
        Self(milli)
    }
    /// From whole points.
    pub const fn whole(points: i64) -> Self {
        Self(points * 1000)
    }
    /// In thousandths.
    pub const fn as_milli(self) -> i64 {
        self.0
    }
    /// The next whole number of points, as key creation rounds ("Validity": key creation rounds up, reports never).
    pub const fn ceil(self) -> i64 {
        self.0.div_euclid(1000) + (self.0.rem_euclid(1000) != 0) as i64
    }
    /// The larger of the two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Ord::max(self, other)
    }
}

impl Weight {
    /// From thousandths; `None` when negative.
    pub const fn from_milli(milli: i64) -> Option<Self> {
        if milli < 0 { None } else { Some(Self(milli)) }
    }
    /// In thousandths.
    pub const fn as_milli(self) -> i64 {
        self.0
    }
    /// The points of `count` units. Saturates, which a bounded count never reaches.
    #[must_use]
    pub const fn times(self, count: i64) -> Points {
        Points(self.0.saturating_mul(count))
    }
}

impl ops::Add for Points {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
impl ops::AddAssign for Points {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
impl ops::Sub for Points {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
impl ops::Neg for Points {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
impl Sum for Points {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, ops::Add::add)
    }
}

fn write_milli(milli: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sign = if milli < 0 { "-" } else { "" };
    let (whole, rest) = (milli.unsigned_abs() / 1000, milli.unsigned_abs() % 1000);
    if rest == 0 {
        write!(f, "{sign}{whole}")
    } else {
        let digits = format!("{rest:03}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

fn parse_milli(text: &str) -> Result<i64, ParsePointsError> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || digits.ends_with('.') || !whole.bytes().chain(rest.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(ParsePointsError::NotANumber);
    }
    if rest.len() > 3 {
        return Err(ParsePointsError::TooPrecise);
    }
    let whole: i64 = whole.parse().map_err(|_| ParsePointsError::NotANumber)?;
    let rest: i64 = format!("{rest:0<3}").parse().map_err(|_| ParsePointsError::NotANumber)?;
    whole
        .checked_mul(1000)
        .and_then(|milli| milli.checked_add(rest))
        .map(|milli| sign * milli)
        .ok_or(ParsePointsError::NotANumber)
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_milli(self.0, f)
    }
}
impl fmt::Debug for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} points")
    }
}
impl FromStr for Points {
    type Err = ParsePointsError;
    fn from_str(text: &str) -> Result<Self, ParsePointsError> {
        parse_milli(text).map(Self)
    }
}
impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_milli(self.0, f)
    }
}
impl fmt::Debug for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} points per unit")
    }
}
impl FromStr for Weight {
    type Err = ParsePointsError;
    fn from_str(text: &str) -> Result<Self, ParsePointsError> {
        parse_milli(text).and_then(|milli| Self::from_milli(milli).ok_or(ParsePointsError::NotANumber))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_the_program() {
        let weight = |text: &str| text.parse::<Weight>().expect("a weight");
        assert_eq!(weight("1.5").times(9).to_string(), "13.5");
        assert_eq!((weight("11").times(11) + weight("13").times(1)).to_string(), "134");
        assert_eq!((weight("4").times(3) + weight("5").times(2)).to_string(), "22");
        assert_eq!("1.2345".parse::<Weight>(), Err(ParsePointsError::TooPrecise));
        assert_eq!("13.5".parse::<Points>().map(Points::ceil), Ok(14));
        assert_eq!("-0.001".parse::<Points>().map(|p| (p.ceil(), p.to_string())), Ok((0, "-0.001".into())));
        for bad in ["", ".", "1.", ".5", "1e3", "+1", "--1", "9223372036854775807"] {
            assert_eq!(bad.parse::<Points>(), Err(ParsePointsError::NotANumber), "{bad}");
        }
    }
}
