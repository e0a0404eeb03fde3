//! The product catalog: products, what is counted on them, and what a unit costs from which period on.

use std::collections::BTreeMap;

use tenure_core::{Period, ProductId, Timestamp, Weight};

use crate::{Conn, Row, StoreError, Tx, json_rows, params, statement::statements};

/// Most products of a catalog.
pub const MAX_PRODUCTS: u32 = 1_000;

statements! {
    INSERT = "INSERT INTO product (id, code, name, edition, version, reports) VALUES ($1, $2, $3, $4, $5, $6)";
    INSERT_WORKLOADS = "INSERT INTO workload (product_id, code, variant, name, unit)
        SELECT $1, value->>0, value->>1, value->>2, value->>3 FROM json_each($2)",
        pg "INSERT INTO workload (product_id, code, variant, name, unit)
        SELECT $1, x->>0, x->>1, x->>2, x->>3 FROM json_array_elements($2::json) AS x";
    PUT_WEIGHTS = "INSERT INTO weight (product_id, code, variant, from_period, weight_milli)
        SELECT $1, value->>0, value->>1, value->>2, value->>3 FROM json_each($2) WHERE true
        ON CONFLICT (product_id, code, variant, from_period) DO UPDATE SET weight_milli = excluded.weight_milli",
        pg "INSERT INTO weight (product_id, code, variant, from_period, weight_milli)
        SELECT $1, x->>0, x->>1, (x->>2)::bigint, (x->>3)::bigint FROM json_array_elements($2::json) AS x
        ON CONFLICT (product_id, code, variant, from_period) DO UPDATE SET weight_milli = excluded.weight_milli";
    FIND = "SELECT id, code, name, edition, version, reports, withdrawn_us FROM product WHERE id = $1";
    FIND_BY_CODE = "SELECT id, code, name, edition, version, reports, withdrawn_us FROM product WHERE code = $1 AND edition = $2";
    ALL = "SELECT id, code, name, edition, version, reports, withdrawn_us FROM product ORDER BY name, edition, id LIMIT $1";
    UPDATE = "UPDATE product SET name = $2, version = $3, withdrawn_us = $4 WHERE id = $1";
    ALL_DATED = "SELECT code, variant, from_period, weight_milli FROM weight WHERE product_id = $1
        ORDER BY code, variant, from_period LIMIT 10000";
    WORKLOADS = "SELECT product_id, code, variant, name, unit FROM workload WHERE product_id = $1
        ORDER BY code, variant";
    ALL_WORKLOADS = "SELECT product_id, code, variant, name, unit FROM workload ORDER BY product_id, code, variant";
    // The newest weight that begins at or before the period: one per workload type and variant.
    WEIGHTS = "SELECT code, variant, weight_milli FROM weight AS w
        WHERE product_id = $1 AND from_period = (SELECT MAX(from_period) FROM weight AS v
            WHERE v.product_id = w.product_id AND v.code = w.code AND v.variant = w.variant AND v.from_period <= $2)";
    ALL_WEIGHTS = "SELECT product_id, code, variant, weight_milli FROM weight AS w
        WHERE from_period = (SELECT MAX(from_period) FROM weight AS v
            WHERE v.product_id = w.product_id AND v.code = w.code AND v.variant = w.variant AND v.from_period <= $1)";
}

/// A product in one edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRow {
    /// Its id.
    pub id: ProductId,
    /// The code compiled into the product.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Edition; empty when it has only one.
    pub edition: String,
    /// Version line.
    pub version: String,
    /// Whether its installations report by themselves.
    pub reports: bool,
    /// Since when it is not licensed anew.
    pub withdrawn: Option<Timestamp>,
}

/// A workload type of a product in one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadRow {
    /// The product it is counted on.
    pub product: ProductId,
    /// Code in reports.
    pub code: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Display name.
    pub name: String,
    /// What one of it is called.
    pub unit: String,
}

/// Weights of one period by (workload type, variant).
pub type Weights = BTreeMap<(String, String), Weight>;

fn product(row: &Row) -> Result<ProductRow, StoreError> {
    Ok(ProductRow {
        id: row.id("id")?,
        code: row.text("code")?,
        name: row.text("name")?,
        edition: row.text("edition")?,
        version: row.text("version")?,
        reports: row.bool("reports")?,
        withdrawn: row.opt_timestamp("withdrawn_us")?,
    })
}

fn workload(row: &Row) -> Result<WorkloadRow, StoreError> {
    Ok(WorkloadRow {
        product: row.id("product_id")?,
        code: row.text("code")?,
        variant: row.text("variant")?,
        name: row.text("name")?,
        unit: row.text("unit")?,
    })
}

/// Adds a product with what is counted on it.
pub async fn insert(tx: &mut Tx, row: &ProductRow, workloads: &[WorkloadRow]) -> Result<(), StoreError> {
    let parameters = params![row.id, &row.code, &row.name, &row.edition, &row.version, row.reports];
    tx.execute_one(&INSERT, parameters).await?;
    insert_workloads(tx, row.id, workloads).await
}

/// Adds what is counted on a product.
pub async fn insert_workloads(tx: &mut Tx, id: ProductId, workloads: &[WorkloadRow]) -> Result<(), StoreError> {
    let rows: Vec<_> = workloads.iter().map(|w| (&w.code, &w.variant, &w.name, &w.unit)).collect();
    tx.execute_exactly(rows.len() as u64, &INSERT_WORKLOADS, params![id, json_rows(&rows)?]).await
}

/// Writes weights that hold from a period on: (workload type, variant, from, weight).
pub async fn put_weights(
    tx: &mut Tx,
    product: ProductId,
    weights: &[(&str, &str, Period, Weight)],
) -> Result<(), StoreError> {
    let rows: Vec<_> = weights.iter().map(|(c, v, from, weight)| (c, v, from.index(), weight.as_milli())).collect();
    tx.execute_exactly(rows.len() as u64, &PUT_WEIGHTS, params![product, json_rows(&rows)?]).await
}

/// One product.
pub async fn find(conn: &mut Conn, id: ProductId) -> Result<Option<ProductRow>, StoreError> {
    conn.fetch_optional(&FIND, params![id]).await?.as_ref().map(product).transpose()
}

/// The product with a code in an edition.
pub async fn find_by_code(conn: &mut Conn, code: &str, edition: &str) -> Result<Option<ProductRow>, StoreError> {
    conn.fetch_optional(&FIND_BY_CODE, params![code, edition]).await?.as_ref().map(product).transpose()
}

/// Writes name, version and withdrawal.
pub async fn update(tx: &mut Tx, row: &ProductRow) -> Result<(), StoreError> {
    tx.execute_one(&UPDATE, params![row.id, &row.name, &row.version, row.withdrawn]).await
}

/// A weight with the period it holds from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedWeight {
    /// Workload type code.
    pub code: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// The first period it holds for.
    pub from: Period,
    /// Points per unit.
    pub weight: Weight,
}

/// All weights a product ever had or will have, by code, variant and period.
pub async fn all_dated(conn: &mut Conn, product: ProductId) -> Result<Vec<DatedWeight>, StoreError> {
    let rows = conn.fetch_all(&ALL_DATED, params![product]).await?;
    let dated = |row: &Row| {
        Ok(DatedWeight {
            code: row.text("code")?,
            variant: row.text("variant")?,
            from: row.period("from_period")?,
            weight: row.weight("weight_milli")?,
        })
    };
    rows.iter().map(dated).collect()
}

/// All products, by name and edition.
pub async fn all(conn: &mut Conn) -> Result<Vec<ProductRow>, StoreError> {
    conn.fetch_all(&ALL, params![MAX_PRODUCTS]).await?.iter().map(product).collect()
}

/// What is counted on a product, by code and variant.
pub async fn workloads(conn: &mut Conn, product: ProductId) -> Result<Vec<WorkloadRow>, StoreError> {
    conn.fetch_all(&WORKLOADS, params![product]).await?.iter().map(workload).collect()
}

/// What is counted on any product, by product, code and variant.
pub async fn all_workloads(conn: &mut Conn) -> Result<Vec<WorkloadRow>, StoreError> {
    conn.fetch_all(&ALL_WORKLOADS, params![]).await?.iter().map(workload).collect()
}

/// The weights of a product on the first day of a period.
pub async fn weights(conn: &mut Conn, product: ProductId, period: Period) -> Result<Weights, StoreError> {
    let rows = conn.fetch_all(&WEIGHTS, params![product, period]).await?;
    rows.iter().map(|row| Ok(((row.text("code")?, row.text("variant")?), row.weight("weight_milli")?))).collect()
}

/// The weights of all products on the first day of a period.
pub async fn all_weights(conn: &mut Conn, period: Period) -> Result<BTreeMap<ProductId, Weights>, StoreError> {
    let mut all = BTreeMap::<ProductId, Weights>::new();
    for row in conn.fetch_all(&ALL_WEIGHTS, params![period]).await? {
        let weights = all.entry(row.id("product_id")?).or_default();
        weights.insert((row.text("code")?, row.text("variant")?), row.weight("weight_milli")?);
    }
    Ok(all)
}
