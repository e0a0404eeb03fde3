//! Lines of a monthly usage and what they cost ("Counting", Line).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CompanyId, InstallationId, LicenseId, LineId, Period, Points, ProductId, Weight};

/// What a line is about; two lines with one key are one line. Edition is part of the product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineKey {
    /// The product.
    pub product: ProductId,
    /// The customer; none when the provider itself holds the license.
    pub company: Option<CompanyId>,
    /// The license; none for a manual line without one.
    pub license: Option<LicenseId>,
    /// The installation that reported; none for a manual line.
    pub installation: Option<InstallationId>,
    /// Workload type code; empty for a line without figures (`not installed`).
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// A manual line's or a correction's own id: several may be alike in everything else.
    pub own: Option<LineId>,
}

/// Where a line's figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The product's report.
    Automatic,
    /// The product's report, preliminary: it may still change.
    Preliminary,
    /// A person's line for a product that does not report.
    Manual,
    /// A person's answer for an installation that sent nothing, or is contested.
    Answered,
    /// Nothing yet: the report is still awaited.
    Awaited,
    /// Nothing came, and a person has to answer.
    Missing,
    /// Two machines speak as one installation, and a person has to answer.
    Clone,
    /// The license had no installation in the period.
    NotInstalled,
    /// The installation was replaced, or changed its license, within the period: it reports elsewhere.
    Replaced,
    /// Usage of an earlier, closed month.
    Correction,
}

impl Source {
    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Preliminary => "preliminary",
            Self::Manual => "manual",
            Self::Answered => "answered",
            Self::Awaited => "awaited",
            Self::Missing => "missing",
            Self::Clone => "clone",
            Self::NotInstalled => "not_installed",
            Self::Replaced => "replaced",
            Self::Correction => "correction",
        }
    }
    /// Whether submission has to wait for it.
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Awaited | Self::Missing | Self::Clone)
    }
}

/// Points per unit over time: a weight holds from the 1st of a period until the next one begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WeightTable(BTreeMap<(ProductId, String, String), BTreeMap<Period, Weight>>);

impl WeightTable {
    /// Adds a weight that holds from `from` on.
    pub fn insert(&mut self, product: ProductId, workload: &str, variant: &str, from: Period, weight: Weight) {
        let key = (product, workload.to_owned(), variant.to_owned());
        self.0.entry(key).or_default().insert(from, weight);
    }

    /// The weight on the period's first day; none for a code that the catalog does not know then: the line is *unmapped*
    /// and blocks submission ("Counting", Line).
    pub fn at(&self, product: ProductId, workload: &str, variant: &str, period: Period) -> Option<Weight> {
        let key = (product, workload.to_owned(), variant.to_owned());
        self.0.get(&key)?.range(..=period).next_back().map(|(_, weight)| *weight)
    }
}

/// Whether a new weight may hold from `from` on: only from the 1st of a future period ("Words", catalog).
pub fn weight_may_change(from: Period, now: crate::Timestamp) -> bool {
    from > Period::of(now)
}

/// A line's points: its count times its weight, not rounded; zero while it is unmapped.
pub fn points(count: i64, weight: Option<Weight>) -> Points {
    weight.map_or(Points::ZERO, |weight| weight.times(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_holds_from_its_first_day_until_the_next() {
        let product = ProductId::from_uuid(uuid::Uuid::from_u128(1));
        let other = ProductId::from_uuid(uuid::Uuid::from_u128(2));
        let period = |text: &str| text.parse::<Period>().expect("a period");
        let weight = |text: &str| text.parse::<Weight>().expect("a weight");
        let mut table = WeightTable::default();
        table.insert(product, "vm", "", period("2026-01"), weight("11"));
        table.insert(product, "vm", "", period("2026-04"), weight("11.5"));
        assert_eq!(table.at(product, "vm", "", period("2025-12")), None, "not known yet");
        assert_eq!(table.at(product, "vm", "", period("2026-03")), Some(weight("11")));
        assert_eq!(table.at(product, "vm", "", period("2026-04")), Some(weight("11.5")));
        assert_eq!(table.at(product, "vm", "large", period("2026-04")), None);
        assert_eq!(table.at(other, "vm", "", period("2026-04")), None);
        assert!(!weight_may_change(period("2026-04"), "2026-04-01T00:00:00Z".parse().expect("an instant")));
        assert!(weight_may_change(period("2026-05"), "2026-04-30T23:59:59Z".parse().expect("an instant")));
    }

    #[test]
    fn reports_never_round() {
        let weight = "1.5".parse::<Weight>().expect("a weight");
        assert_eq!(points(9, Some(weight)).to_string(), "13.5");
        assert_eq!(points(9, None), Points::ZERO);
        assert_eq!(points(-2, Some(weight)).to_string(), "-3");
    }
}
