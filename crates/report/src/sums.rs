//! A report's lines added up: by product, by company, by license.

use std::collections::{BTreeMap, BTreeSet};

use tenure_core::{LicenseId, Period, Points, Weight};

use crate::{Paper, PaperLine};

/// Figures of several lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Licensed units; a license that several installations share is taken once.
    pub licensed: u64,
    /// New ones that cost nothing yet.
    pub new: u64,
    /// What the products reported.
    pub reported: u64,
    /// What counts.
    pub count: i64,
    /// Points.
    pub points: Points,
}

impl Figures {
    fn add(&mut self, line: &PaperLine, licensed: u32) {
        self.licensed += u64::from(licensed);
        self.new += u64::from(line.new);
        self.reported += u64::from(line.reported.unwrap_or(0));
        self.count += line.count;
        self.points += line.points;
    }
}

/// What is counted on a product, in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductSum {
    /// Product name.
    pub product: String,
    /// Edition.
    pub edition: String,
    /// The workload type's name.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// The earlier month corrections are about.
    pub of_period: Option<Period>,
    /// Points per unit.
    pub weight: Option<Weight>,
    /// The figures.
    pub figures: Figures,
}

/// A customer's figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanySum {
    /// The customer; empty for the provider itself.
    pub company: String,
    /// Licenses it holds in the month.
    pub licenses: usize,
    /// Points.
    pub points: Points,
}

/// A license's figures of one workload type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseSum {
    /// The customer; empty for the provider itself.
    pub company: String,
    /// Product and edition.
    pub product: String,
    /// The license; none for manual lines without one.
    pub license: Option<LicenseId>,
    /// The provider's own words for it.
    pub description: String,
    /// The workload type's name.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// The earlier month corrections are about.
    pub of_period: Option<Period>,
    /// Points per unit.
    pub weight: Option<Weight>,
    /// The figures.
    pub figures: Figures,
}

/// What each line adds to the licensed units: the first line of a license and workload type that shows them has them, the
/// next ones none. A correction shows none.
fn licensed(paper: &Paper) -> impl Iterator<Item = (&PaperLine, u32)> {
    let mut seen = BTreeSet::new();
    paper.lines.iter().map(move |line| {
        let of = (line.license, line.workload.as_str(), line.variant.as_str());
        (line, line.licensed.filter(|_| seen.insert(of)).unwrap_or(0))
    })
}

/// By product, edition and workload type; corrections of earlier months apart.
pub fn products(paper: &Paper) -> Vec<ProductSum> {
    let mut sums = BTreeMap::new();
    for (line, licensed) in licensed(paper) {
        let key = (line.of_period, &line.product, &line.edition, &line.workload, &line.variant, line.weight);
        let first = || ProductSum {
            product: line.product.clone(),
            edition: line.edition.clone(),
            workload: line.name.clone(),
            variant: line.variant.clone(),
            of_period: line.of_period,
            weight: line.weight,
            figures: Figures::default(),
        };
        sums.entry(key).or_insert_with(first).figures.add(line, licensed);
    }
    sums.into_values().collect()
}

/// By customer, the provider itself first.
pub fn companies(paper: &Paper) -> Vec<CompanySum> {
    let mut sums: BTreeMap<&str, (BTreeSet<LicenseId>, Points)> = BTreeMap::new();
    for line in &paper.lines {
        let (licenses, points) = sums.entry(&line.company).or_default();
        licenses.extend(line.license);
        *points += line.points;
    }
    let sum = |(company, (licenses, points)): (&str, (BTreeSet<LicenseId>, Points))| CompanySum {
        company: company.to_owned(),
        licenses: licenses.len(),
        points,
    };
    sums.into_iter().map(sum).collect()
}

/// By customer, license and workload type.
pub fn licenses(paper: &Paper) -> Vec<LicenseSum> {
    let mut sums = BTreeMap::new();
    for (line, licensed) in licensed(paper) {
        let product = line.product_and_edition();
        let key = (&line.company, product.clone(), line.license, line.of_period, &line.workload, &line.variant);
        let first = || LicenseSum {
            company: line.company.clone(),
            product,
            license: line.license,
            description: line.description.clone(),
            workload: line.name.clone(),
            variant: line.variant.clone(),
            of_period: line.of_period,
            weight: line.weight,
            figures: Figures::default(),
        };
        sums.entry(key).or_insert_with(first).figures.add(line, licensed);
    }
    sums.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_correction_takes_nothing_from_what_is_licensed() {
        let paper = sample::paper();
        let corrected: Vec<(bool, u64)> =
            products(&paper).iter().map(|sum| (sum.of_period.is_some(), sum.figures.licensed)).collect();
        assert_eq!(corrected, [(false, 12), (true, 0)], "two servers share one license, a correction comes first");
        let of_licenses: Vec<u64> = licenses(&paper).iter().map(|sum| sum.figures.licensed).collect();
        assert_eq!(of_licenses, [12, 0]);
    }
}
