//! Usage that a person enters because no product reports it.

use tenure_core::{CompanyId, LicenseId, LineId, OrgId, Period, ProductId, SiteId, Timestamp};
use uuid::Uuid;

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO manual_line (provider_id, period, id, product_id, workload, variant, company_id, license_id,
            site_id, count, by_id, at_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    DELETE = "DELETE FROM manual_line WHERE provider_id = $1 AND period = $2 AND id = $3";
    FIND = "SELECT id, product_id, workload, variant, company_id, license_id, site_id, count, by_id, at_us
        FROM manual_line WHERE provider_id = $1 AND period = $2 AND id = $3";
    COUNT = "SELECT count(*) AS n FROM manual_line WHERE provider_id = $1 AND period = $2";
    OF_MONTH = "SELECT m.id, m.product_id, m.workload, m.variant, m.company_id, m.license_id, m.site_id, m.count,
            m.by_id, m.at_us
        FROM manual_line m WHERE m.provider_id = $1 AND m.period = $2 ORDER BY m.id";
}

/// A manual line.
#[derive(Debug, Clone)]
pub struct ManualLineRow {
    /// Its id.
    pub id: LineId,
    /// The product.
    pub product: ProductId,
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// The customer.
    pub company: Option<CompanyId>,
    /// The license it was used under.
    pub license: Option<LicenseId>,
    /// The site whose part it is in.
    pub site: Option<SiteId>,
    /// Units.
    pub count: u32,
    /// The person or token.
    pub by: Uuid,
    /// When.
    pub at: Timestamp,
}

fn read(row: &Row) -> Result<ManualLineRow, StoreError> {
    Ok(ManualLineRow {
        id: row.id("id")?,
        product: row.id("product_id")?,
        workload: row.text("workload")?,
        variant: row.text("variant")?,
        company: row.opt_id("company_id")?,
        license: row.opt_id("license_id")?,
        site: row.opt_id("site_id")?,
        count: row.i64("count")? as u32,
        by: row.uuid("by_id")?,
        at: row.timestamp("at_us")?,
    })
}

/// Adds a line.
pub async fn insert(tx: &mut Tx, provider: OrgId, period: Period, row: &ManualLineRow) -> Result<(), StoreError> {
    let parameters = params![
        provider,
        period,
        row.id,
        row.product,
        row.workload.as_str(),
        row.variant.as_str(),
        row.company,
        row.license,
        row.site,
        row.count,
        row.by,
        row.at
    ];
    tx.execute_one(&INSERT, parameters).await
}

/// Removes a line; `false` when there is none.
pub async fn delete(tx: &mut Tx, provider: OrgId, period: Period, id: LineId) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, params![provider, period, id]).await? == 1)
}

/// One line.
pub async fn find(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    id: LineId,
) -> Result<Option<ManualLineRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, period, id]).await?.as_ref().map(read).transpose()
}

/// How many lines a month has.
pub async fn count(conn: &mut Conn, provider: OrgId, period: Period) -> Result<i64, StoreError> {
    conn.fetch_one(&COUNT, params![provider, period]).await?.i64("n")
}

/// All manual lines of a provider's month, oldest first.
pub async fn of_month(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<ManualLineRow>, StoreError> {
    conn.fetch_all(&OF_MONTH, params![provider, period]).await?.iter().map(read).collect()
}
