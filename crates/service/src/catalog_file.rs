//! The catalog file: products, workload types and weights as TOML. `docs/sample-catalog.toml` documents it by example.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, de};
use tenure_core::{Period, Weight};

/// Most workload types and variants of one product.
const MAX_WORKLOADS: usize = 200;
const MAX_PRODUCTS: usize = tenure_store::rows::product::MAX_PRODUCTS as usize;
const MAX_BYTES: usize = 1024 * 1024;

/// Products and their workload types.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The products.
    #[serde(rename = "product")]
    pub products: Vec<CatalogProduct>,
}

/// A product in one edition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogProduct {
    /// The code compiled into the product: lower-case letters, digits and hyphens.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Edition; empty when it has only one.
    #[serde(default)]
    pub edition: String,
    /// Version line, as `12`.
    pub version: String,
    /// Whether its installations report by themselves.
    #[serde(default = "yes")]
    pub reports: bool,
    /// What is counted.
    #[serde(rename = "workload")]
    pub workloads: Vec<CatalogWorkload>,
}

/// A workload type in one variant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogWorkload {
    /// Code in reports: lower-case letters, digits and hyphens.
    pub code: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// Display name.
    pub name: String,
    /// What one of it is called, as `machine` or `500 GB`.
    pub unit: String,
    /// Points per unit from the beginning on.
    #[serde(deserialize_with = "weight")]
    pub weight: Weight,
    /// Points per unit from later months on.
    #[serde(default, deserialize_with = "weights")]
    pub weight_from: BTreeMap<Period, Weight>,
}

/// The text is no catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Not TOML, or a field is missing, unknown or of another form; the words name line and column.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// The parts do not fit together.
    #[error("{0}")]
    Content(String),
}

const fn yes() -> bool {
    true
}

/// A weight is text: a TOML float would be rounded before anyone could refuse it.
fn weight<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Weight, D::Error> {
    String::deserialize(deserializer)
        .map_err(|_| de::Error::custom("a weight is decimal text in quotes, as \"1.5\""))?
        .parse()
        .map_err(de::Error::custom)
}

fn weights<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Period, Weight>, D::Error> {
    let raw = BTreeMap::<String, String>::deserialize(deserializer)?;
    raw.into_iter()
        .map(|(from, weight)| {
            let from = from.parse().map_err(de::Error::custom)?;
            Ok((from, weight.parse().map_err(de::Error::custom)?))
        })
        .collect()
}

impl Catalog {
    /// Reads a catalog file.
    ///
    /// # Errors
    /// What is wrong with it, with line and column where it is the form.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        if text.len() > MAX_BYTES {
            return Err(CatalogError::Content(format!("a catalog has at most {MAX_BYTES} bytes")));
        }
        let catalog: Self = toml::from_str(text)?;
        catalog.check().map_err(CatalogError::Content)?;
        Ok(catalog)
    }

    /// The catalog used when no file is given.
    ///
    /// # Panics
    /// Never: the embedded file is tested.
    pub fn sample() -> Self {
        Self::parse(include_str!("../../../docs/sample-catalog.toml")).expect("the sample catalog is tested")
    }

    fn check(&self) -> Result<(), String> {
        if self.products.is_empty() || self.products.len() > MAX_PRODUCTS {
            return Err(format!("a catalog has 1 to {MAX_PRODUCTS} products"));
        }
        let mut seen = BTreeSet::new();
        for product in &self.products {
            let named = || format!("product {} {}", product.code, product.edition);
            code(&product.code).map_err(|words| format!("{}: code {words}", named()))?;
            for (field, text) in [("name", &product.name), ("version", &product.version)] {
                printable(text, false).map_err(|words| format!("{}: {field} {words}", named()))?;
            }
            printable(&product.edition, true).map_err(|words| format!("{}: edition {words}", named()))?;
            if !seen.insert((&product.code, &product.edition)) {
                return Err(format!("{} is there twice", named()));
            }
            workloads(&product.workloads).map_err(|words| format!("{}: {words}", named()))?;
        }
        Ok(())
    }
}

fn workloads(workloads: &[CatalogWorkload]) -> Result<(), String> {
    if workloads.is_empty() || workloads.len() > MAX_WORKLOADS {
        return Err(format!("a product has 1 to {MAX_WORKLOADS} workload types"));
    }
    let mut seen = BTreeSet::new();
    for workload in workloads {
        let named = || format!("workload {} {}", workload.code, workload.variant);
        code(&workload.code).map_err(|words| format!("{}: code {words}", named()))?;
        if !workload.variant.is_empty() {
            code(&workload.variant).map_err(|words| format!("{}: variant {words}", named()))?;
        }
        for (field, text) in [("name", &workload.name), ("unit", &workload.unit)] {
            printable(text, false).map_err(|words| format!("{}: {field} {words}", named()))?;
        }
        if !seen.insert((&workload.code, &workload.variant)) {
            return Err(format!("{} is there twice", named()));
        }
    }
    Ok(())
}

fn code(text: &str) -> Result<(), &'static str> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=64).contains(&text.len()) && text.bytes().all(fits) && !text.starts_with('-') {
        return Ok(());
    }
    Err("must be 1 to 64 lower-case letters, digits and hyphens")
}

fn printable(text: &str, may_be_empty: bool) -> Result<(), &'static str> {
    let trimmed = text.trim();
    if (trimmed.is_empty() && !may_be_empty) || trimmed.len() > 100 || text.chars().any(char::is_control) {
        return Err("must be 1 to 100 characters on one line");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_a_catalog() {
        let catalog = Catalog::sample();
        let find = |code: &str, edition: &str| {
            catalog.products.iter().find(|p| p.code == code && p.edition == edition).expect("a product")
        };
        assert_eq!(find("mail-backup", "Cloud").workloads[0].weight.to_string(), "1.5");
        assert!(!find("monitoring", "Core").reports && find("file-backup", "Core").reports);
        assert_eq!(find("file-backup", "Core").workloads[0].code, "host");
        assert!(find("backup-server", "Enterprise").workloads.iter().any(|w| w.variant == "application"));
    }

    const ONE: &str = "[[product]]\ncode = \"a\"\nname = \"A\"\nversion = \"1\"\n";
    const WORK: &str = "[[product.workload]]\ncode = \"vm\"\nname = \"VM\"\nunit = \"machine\"\n";

    #[test]
    fn dated_weights_are_read() {
        let text = format!("{ONE}{WORK}weight = \"2\"\nweight_from = {{ \"2027-01\" = \"2.5\" }}\n");
        let catalog = Catalog::parse(&text).unwrap();
        let from = &catalog.products[0].workloads[0].weight_from;
        assert_eq!(from.iter().map(|(p, w)| format!("{p} {w}")).collect::<Vec<_>>(), ["2027-01 2.5"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            (String::new(), "product"),
            (ONE.to_owned(), "workload"),
            (format!("{ONE}{WORK}"), "weight"),
            (format!("{ONE}{WORK}weight = 1.5\n"), "in quotes"),
            (format!("{ONE}{WORK}weight = \"1.2345\"\n"), "three decimals"),
            (format!("{ONE}{WORK}weight = \"1\"\nwieght = \"1\"\n"), "wieght"),
            (format!("{ONE}{WORK}weight = \"1\"\n{WORK}weight = \"1\"\n"), "there twice"),
            (format!("{ONE}{WORK}weight = \"1\"\n{ONE}{WORK}weight = \"1\"\n"), "there twice"),
            (format!("{ONE}{WORK}weight = \"1\"\n").replace("\"vm\"", "\"V M\""), "lower-case"),
            (format!("{ONE}{WORK}weight = \"1\"\nweight_from = {{ \"2027-1\" = \"2\" }}\n"), "a month such as"),
        ];
        for (text, expected) in cases {
            let words = Catalog::parse(&text).expect_err(&text).to_string();
            assert!(words.contains(expected), "{words}\nshould contain {expected}\n{text}");
        }
    }
}
