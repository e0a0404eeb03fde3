//! The product catalog as the provider API shows it.

use serde::{Deserialize, Serialize};
use tenure_core::{Period, ProductId, Weight};
use utoipa::ToSchema;

/// All products, with the weights of one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Catalog {
    /// The period whose weights are shown: the running one.
    #[schema(value_type = String, example = "2026-01")]
    pub period: Period,
    /// The products, by name and edition.
    pub products: Vec<Product>,
}

/// One product in one edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// Stable id.
    #[schema(value_type = String, example = "prd_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")]
    pub id: ProductId,
    /// The code compiled into the product.
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
    pub workloads: Vec<WorkloadType>,
}

/// A workload type in one variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkloadType {
    /// Code in reports.
    pub code: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Display name.
    pub name: String,
    /// What one of it is called, as `machine` or `500 GB`.
    pub unit: String,
    /// Points per unit in the shown period.
    #[serde(with = "crate::text")]
    #[schema(value_type = String, example = "1.5")]
    pub weight: Weight,
}
