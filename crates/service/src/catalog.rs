//! The product catalog with the weights of a period.

use tenure_core::{Period, Weight, roles::Action};
use tenure_store::rows::product::{self, ProductRow, WorkloadRow};

use crate::{Actor, Error, Result, Service, authorize::at_home};

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
    let period = Period::of(service.now());
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
        let weight = weights
            .get_mut(&workload.product)
            .and_then(|weights| weights.remove(&(workload.code.clone(), workload.variant.clone())))
            .ok_or(Error::Internal("a workload type without a weight"))?;
        view.workloads.push((workload, weight));
    }
    Ok(CatalogView { period, products })
}
