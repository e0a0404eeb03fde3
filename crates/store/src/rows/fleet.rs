//! The whole fleet by product and version: for the vendor, who alone asks across providers.

use tenure_core::{ProductId, Timestamp};

use crate::{Conn, StoreError, params, statement::statements};

/// Most rows of the table.
pub const MAX_ROWS: usize = 500;

statements! {
    /// Active installations by product and version, the product's most used version first.
    BY_VERSION = "SELECT l.product_id, p.name, p.edition, i.product_version, count(*) AS installations,
            sum(CASE WHEN c.seen_us < $1 THEN 1 ELSE 0 END) AS silent, count(DISTINCT i.provider_id) AS providers
        FROM installation i
        JOIN chain c ON c.installation_id = i.id
        JOIN license l ON l.provider_id = i.provider_id AND l.id = i.license_id
        JOIN product p ON p.id = l.product_id
        WHERE i.retired_us IS NULL
        GROUP BY l.product_id, p.name, p.edition, i.product_version
        ORDER BY p.name, p.edition, installations DESC, i.product_version LIMIT $2";
}

/// Installations of one version of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// The product.
    pub product: ProductId,
    /// The product's name.
    pub name: String,
    /// Its edition.
    pub edition: String,
    /// The version.
    pub version: String,
    /// Active installations.
    pub installations: u32,
    /// Of those, the ones not heard from since the instant asked for.
    pub silent: u32,
    /// Providers that run it.
    pub providers: u32,
}

/// The fleet by product and version; `silent_since` says from when on one counts as silent.
pub async fn by_version(conn: &mut Conn, silent_since: Timestamp) -> Result<Vec<VersionRow>, StoreError> {
    let rows = conn.fetch_all(&BY_VERSION, params![silent_since, MAX_ROWS as i64]).await?;
    let read = |row: &crate::Row| {
        Ok(VersionRow {
            product: row.id("product_id")?,
            name: row.text("name")?,
            edition: row.text("edition")?,
            version: row.text("product_version")?,
            installations: row.i64("installations")?.try_into().unwrap_or(u32::MAX),
            silent: row.i64("silent")?.try_into().unwrap_or(u32::MAX),
            providers: row.i64("providers")?.try_into().unwrap_or(u32::MAX),
        })
    };
    rows.iter().map(read).collect()
}
