//! The catalog file: the program's numbers, products, workload types and weights as TOML; `docs/catalog-file.md` says all.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, de};
use tenure_core::{Period, Policy, Weight};
use toml::Spanned;

use crate::policy_change::{PolicyValues, with_values};

/// Most workload types and variants of one product.
pub(crate) const MAX_WORKLOADS: usize = 200;
const MAX_PRODUCTS: usize = tenure_store::rows::product::MAX_PRODUCTS as usize;
const MAX_BYTES: usize = 1024 * 1024;

/// A program: its numbers, products and their workload types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Where the program's numbers differ from the defaults.
    pub policy: PolicyValues,
    /// The products.
    pub products: Vec<CatalogProduct>,
}

/// The file, with the places of its parts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    policy: Option<Spanned<PolicyValues>>,
    product: Vec<Spanned<FileProduct>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileProduct {
    code: String,
    name: String,
    #[serde(default)]
    edition: String,
    version: String,
    #[serde(default = "yes")]
    reports: bool,
    workload: Vec<Spanned<CatalogWorkload>>,
}

/// A product in one edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogProduct {
    /// The code compiled into the product: lower-case letters, digits and hyphens.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Edition; empty when it has only one.
    pub edition: String,
    /// Version line, as `12`.
    pub version: String,
    /// Whether its installations report by themselves.
    pub reports: bool,
    /// What is counted.
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
    #[error("line {line}: {words}")]
    Content {
        /// Where the part begins, from 1.
        line: usize,
        /// What is wrong and what it must be.
        words: String,
    },
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
    /// What is wrong with it and in which line.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let wrong = |at: usize, words: String| {
            let line = text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
            CatalogError::Content { line, words }
        };
        if text.len() > MAX_BYTES {
            return Err(wrong(0, format!("a catalog has at most {MAX_BYTES} bytes")));
        }
        let file: File = toml::from_str(text)?;
        let mut catalog = Self::default();
        if let Some(values) = file.policy {
            let at = values.span().start;
            catalog.policy = values.into_inner();
            with_values(&Policy::default(), &catalog.policy).map_err(|words| wrong(at, format!("policy: {words}")))?;
        }
        let mut places = Vec::new();
        for product in file.product {
            let at = product.span().start;
            let product = product.into_inner();
            places.push((at, product.workload.iter().map(|workload| workload.span().start).collect::<Vec<_>>()));
            catalog.products.push(CatalogProduct {
                code: product.code,
                name: product.name,
                edition: product.edition,
                version: product.version,
                reports: product.reports,
                workloads: product.workload.into_iter().map(Spanned::into_inner).collect(),
            });
        }
        catalog.find_fault().map_err(|(place, words)| {
            let at = match place {
                Place::Whole => 0,
                Place::Product(product) => places[product].0,
                Place::Workload(product, workload) => places[product].1[workload],
            };
            wrong(at, words)
        })?;
        Ok(catalog)
    }

    /// The program's numbers: the defaults, but where the file differs.
    ///
    /// # Panics
    /// Never: they were checked when the file was read.
    pub(crate) fn program(&self) -> Policy {
        with_values(&Policy::default(), &self.policy).expect("a catalog's numbers were checked")
    }

    /// The catalog used when no file is given.
    ///
    /// # Panics
    /// Never: the embedded file is tested.
    pub fn sample() -> Self {
        Self::parse(include_str!("../../../docs/sample-catalog.toml")).expect("the sample catalog is tested")
    }

    /// The first thing that does not fit, in words.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.find_fault().map_err(|(_, words)| words)
    }

    fn find_fault(&self) -> Result<(), (Place, String)> {
        if self.products.is_empty() || self.products.len() > MAX_PRODUCTS {
            return Err((Place::Whole, format!("a catalog has 1 to {MAX_PRODUCTS} products")));
        }
        let mut seen = BTreeSet::new();
        for (n, product) in self.products.iter().enumerate() {
            let name = format!("product {} {}", product.code, product.edition);
            let fault = |words: &dyn std::fmt::Display| (Place::Product(n), format!("{}: {words}", name.trim_end()));
            code(&product.code).map_err(|words| fault(&format!("code {words}")))?;
            for (field, text) in [("name", &product.name), ("version", &product.version)] {
                printable(text, false).map_err(|words| fault(&format!("{field} {words}")))?;
            }
            printable(&product.edition, true).map_err(|words| fault(&format!("edition {words}")))?;
            if !seen.insert((&product.code, &product.edition)) {
                return Err(fault(&"is there twice; each edition is one product"));
            }
            if product.workloads.is_empty() || product.workloads.len() > MAX_WORKLOADS {
                return Err(fault(&format!("a product has 1 to {MAX_WORKLOADS} workload types")));
            }
            workload_fault(&product.workloads)
                .map_err(|(w, words)| (Place::Workload(n, w), format!("{}: {words}", name.trim_end())))?;
        }
        Ok(())
    }
}

/// Where a fault is.
enum Place {
    Whole,
    Product(usize),
    Workload(usize, usize),
}

/// Checks workload types to be added to a product.
pub(crate) fn workloads(workloads: &[CatalogWorkload]) -> Result<(), String> {
    if workloads.is_empty() || workloads.len() > MAX_WORKLOADS {
        return Err(format!("name 1 to {MAX_WORKLOADS} workload types"));
    }
    workload_fault(workloads).map_err(|(_, words)| words)
}

fn workload_fault(workloads: &[CatalogWorkload]) -> Result<(), (usize, String)> {
    let mut seen = BTreeSet::new();
    for (n, workload) in workloads.iter().enumerate() {
        let name = format!("workload {} {}", workload.code, workload.variant);
        let fault = |words: String| (n, format!("{}: {words}", name.trim_end()));
        code(&workload.code).map_err(|words| fault(format!("code {words}")))?;
        if !workload.variant.is_empty() {
            code(&workload.variant).map_err(|words| fault(format!("variant {words}")))?;
        }
        for (field, text) in [("name", &workload.name), ("unit", &workload.unit)] {
            printable(text, false).map_err(|words| fault(format!("{field} {words}")))?;
        }
        if !seen.insert((&workload.code, &workload.variant)) {
            return Err(fault("is there twice; variants of one type need different `variant` codes".to_owned()));
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

    #[test]
    fn the_sample_programs_are_catalogs() {
        let backup = Catalog::parse(include_str!("../../../docs/samples/backup-vendor.toml")).unwrap();
        assert_eq!(backup.products.iter().map(|product| product.workloads.len()).collect::<Vec<_>>(), [30, 30]);
        assert_eq!(backup.program().deviation_points.to_string(), "25");
        let appliance = Catalog::parse(include_str!("../../../docs/samples/appliance.toml")).unwrap();
        assert_eq!((appliance.products.len(), appliance.products[0].workloads.len()), (1, 1));
        assert_eq!((appliance.program().grace_days, appliance.program().warning_days), (30, 30));
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
            (format!("[policy]\ngrace_day = 3\n{ONE}{WORK}weight = \"1\"\n"), "line 1: policy: `grace_day`"),
            (format!("[policy]\nauto_send_day = 30\n{ONE}{WORK}weight = \"1\"\n"), "a day from 1 to 28"),
            (format!("{ONE}{WORK}weight = \"1\"\n{WORK}weight = \"1\"\n"), "line 10: product a: workload vm"),
            (format!("{ONE}{WORK}weight = \"1\"\nweight_from = {{ \"2027-1\" = \"2\" }}\n"), "a month such as"),
        ];
        for (text, expected) in cases {
            let words = Catalog::parse(&text).expect_err(&text).to_string();
            assert!(words.contains(expected), "{words}\nshould contain {expected}\n{text}");
        }
    }
}
