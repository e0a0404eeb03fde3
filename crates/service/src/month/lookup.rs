//! What many lines show, looked up by id and shared.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use tenure_core::{CompanyId, InstallationId, LicenseId, ProductId, Weight};
use tenure_store::rows::{month::HolderRow, obligation::ExpectedRow};
use uuid::Uuid;

use super::{
    load::MonthData,
    types::{LicenseOf, Named, ProductOf, Who, WorkloadOf},
};
use crate::{Error, Result};

/// Looks things up by id and shares what many lines show.
pub(super) struct Catalog<'a> {
    pub(super) data: &'a MonthData,
    pub(super) names: &'a HashMap<Uuid, String>,
    pub(super) products: HashMap<ProductId, Arc<ProductOf>>,
    pub(super) workloads: HashMap<(ProductId, &'a str, &'a str), Arc<WorkloadOf>>,
    pub(super) companies: HashMap<CompanyId, Arc<Named<CompanyId>>>,
    pub(super) licenses: HashMap<LicenseId, Arc<LicenseOf>>,
    pub(super) licensed: HashMap<(LicenseId, &'a str, &'a str), u32>,
    /// Licenses whose shadow month it is: the products' figures are shown beside the manual ones, which count.
    pub(super) shadowed: BTreeSet<LicenseId>,
    pub(super) none: Arc<WorkloadOf>,
    pub(super) before: Before,
}

/// Who had to account for the month before.
#[derive(Default)]
pub(super) struct Before {
    of_license: HashMap<LicenseId, HashSet<InstallationId>>,
    of_holder: HashMap<(ProductId, Option<CompanyId>), HashSet<InstallationId>>,
}

impl Before {
    fn new(rows: &[HolderRow]) -> Self {
        let mut before = Self::default();
        for row in rows {
            before.of_license.entry(row.license).or_default().insert(row.installation);
            before.of_holder.entry((row.product, row.company)).or_default().insert(row.installation);
        }
        before
    }

    /// The license, or its customer and product, had another installation the month before, and this one is younger (F1).
    pub(super) fn had_other(&self, row: &ExpectedRow) -> bool {
        let held = [self.of_license.get(&row.license), self.of_holder.get(&(row.product, row.company))];
        let mut held = held.into_iter().flatten().peekable();
        held.peek().is_some() && held.all(|installations| !installations.contains(&row.installation))
    }
}

impl<'a> Catalog<'a> {
    pub(super) fn new(data: &'a MonthData, names: &'a HashMap<Uuid, String>) -> Self {
        let products: HashMap<ProductId, Arc<ProductOf>> = data
            .products
            .values()
            .map(|row| {
                let product = ProductOf {
                    id: row.id,
                    code: row.code.clone(),
                    name: row.name.clone(),
                    edition: row.edition.clone(),
                    reports: row.reports,
                };
                (row.id, Arc::new(product))
            })
            .collect();
        let workloads = data
            .workloads
            .iter()
            .map(|row| {
                let workload = WorkloadOf {
                    code: row.code.clone(),
                    variant: row.variant.clone(),
                    name: row.name.clone(),
                    unit: row.unit.clone(),
                };
                ((row.product, row.code.as_str(), row.variant.as_str()), Arc::new(workload))
            })
            .collect();
        let of_licenses = data.licenses.iter().filter_map(|row| Some((row.company?, row.company_name.clone()?)));
        let companies = data
            .companies
            .iter()
            .map(|(id, name)| (*id, name.clone()))
            .chain(of_licenses)
            .map(|(id, name)| (id, Arc::new(Named { id, name })))
            .collect();
        let licensed = data
            .licenses
            .iter()
            .flat_map(|row| {
                row.workloads.iter().map(move |w| ((row.id, w.workload.as_str(), w.variant.as_str()), w.count))
            })
            .collect();
        let in_shadow = data.licenses.iter().filter(|row| row.shadow == Some(data.usage.period));
        let shadowed = in_shadow.map(|row| row.id).collect();
        let mut catalog = Self {
            data,
            names,
            products,
            workloads,
            companies,
            licenses: HashMap::new(),
            licensed,
            shadowed,
            none: Arc::default(),
            before: Before::new(&data.holders_before),
        };
        for row in &data.licenses {
            let Some(product) = catalog.products.get(&row.product).cloned() else { continue };
            let company = row.company.and_then(|id| catalog.companies.get(&id).cloned());
            let license = LicenseOf {
                id: row.id,
                product,
                company,
                site: row.site,
                description: row.description.clone(),
                reporting: row.reporting,
            };
            catalog.licenses.insert(row.id, Arc::new(license));
        }
        catalog
    }

    pub(super) fn product(&self, id: ProductId) -> Result<Arc<ProductOf>> {
        self.products.get(&id).cloned().ok_or(Error::Internal("a line of a product that does not exist"))
    }

    pub(super) fn license(&self, id: LicenseId) -> Result<Arc<LicenseOf>> {
        self.licenses.get(&id).cloned().ok_or(Error::Internal("a line of a license that was not loaded"))
    }

    pub(super) fn workload(&self, product: ProductId, code: &str, variant: &str) -> Arc<WorkloadOf> {
        if code.is_empty() {
            return Arc::clone(&self.none);
        }
        self.workloads.get(&(product, code, variant)).cloned().unwrap_or_else(|| {
            let (code, variant) = (code.to_owned(), variant.to_owned());
            Arc::new(WorkloadOf { name: code.clone(), code, variant, unit: String::new() })
        })
    }

    pub(super) fn weight(&self, product: ProductId, code: &str, variant: &str) -> Option<Weight> {
        // A map keyed by owned text is asked with owned text; reports have a handful of lines.
        self.data.weights.get(&product)?.get(&(code.to_owned(), variant.to_owned())).copied()
    }

    pub(super) fn who(&self, id: Uuid) -> Who {
        who(self.names, id)
    }
}

/// Who an id stands for: the server where it is nil.
pub(crate) fn who(names: &HashMap<Uuid, String>, id: Uuid) -> Who {
    let name = if id.is_nil() { Some("the server") } else { names.get(&id).map(String::as_str) };
    Who { id, name: name.unwrap_or("somebody who left").to_owned() }
}
