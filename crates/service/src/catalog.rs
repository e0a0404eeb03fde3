//! The product catalog with the weights of a period.

use tenure_core::{Period, Weight, roles::Action};
use tenure_store::rows::product::{self, ProductRow, WorkloadRow};

use crate::{Actor, Result, Service, authorize::at_home};

/// All products with the weights of one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogView {
    /// The period.
    pub period: Period,
    /// The products, by name and edition.
    pub products: Vec<ProductView>,
}

/// A product with what is counted on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductView {
    /// The product.
    pub product: ProductRow,
    /// What is counted, with its points per unit in the period.
    pub workloads: Vec<(WorkloadRow, Weight)>,
}

/// The catalog with the weights of the running period. Every organization sees all of it.
pub async fn list_catalog(service: &Service, actor: &Actor) -> Result<CatalogView> {
    list_catalog_of(service, actor, Period::of(service.now())).await
}

/// The catalog with the weights of a period, past or to come. What had no weight yet is left out.
pub async fn list_catalog_of(service: &Service, actor: &Actor, period: Period) -> Result<CatalogView> {
    let mut read = service.store().read().await?;
    at_home(&mut read, actor, Action::View).await?;
    let mut weights = product::all_weights(&mut read, period).await?;
    let mut products: Vec<ProductView> = product::all(&mut read)
        .await?
        .into_iter()
        .map(|product| ProductView { product, workloads: Vec::new() })
        .collect();
    for workload in product::all_workloads(&mut read).await? {
        let Some(view) = products.iter_mut().find(|view| view.product.id == workload.product) else { continue };
        let key = (workload.code.clone(), workload.variant.clone());
        if let Some(weight) = weights.get_mut(&workload.product).and_then(|weights| weights.remove(&key)) {
            view.workloads.push((workload, weight));
        }
    }
    Ok(CatalogView { period, products })
}
