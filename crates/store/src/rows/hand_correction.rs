//! What a person says of a closed month afterwards, owed in a later one.

use tenure_core::{CompanyId, LicenseId, LineId, OrgId, Period, ProductId, SiteId, Timestamp, Weight};
use uuid::Uuid;

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO hand_correction (provider_id, period, id, of_period, product_id, workload, variant, company_id,
            license_id, site_id, delta, weight_milli, reason, note, by_id, by_org, at_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    BILLED_IN = "SELECT id, period, of_period, product_id, workload, variant, company_id, license_id, site_id, delta,
            weight_milli, reason, note, by_id, by_org, at_us
        FROM hand_correction WHERE provider_id = $1 AND period = $2 ORDER BY id";
    DELETE = "DELETE FROM hand_correction WHERE provider_id = $1 AND period = $2 AND id = $3";
    FIND = "SELECT id, period, of_period, product_id, workload, variant, company_id, license_id, site_id, delta,
            weight_milli, reason, note, by_id, by_org, at_us
        FROM hand_correction WHERE provider_id = $1 AND period >= $2 AND id = $3";
    COUNT = "SELECT count(*) AS n FROM hand_correction WHERE provider_id = $1 AND period = $2";
    OF_PROVIDER = "SELECT id, period, of_period, product_id, workload, variant, company_id, license_id, site_id, delta,
            weight_milli, reason, note, by_id, by_org, at_us
        FROM hand_correction WHERE provider_id = $1 AND period >= $2 ORDER BY period DESC, id DESC LIMIT $3";
}

/// A correction line that a person entered.
#[derive(Debug, Clone)]
pub struct HandCorrectionRow {
    /// Its id.
    pub id: LineId,
    /// The month it is billed in.
    pub period: Period,
    /// The month it is about.
    pub of_period: Period,
    /// The product.
    pub product: ProductId,
    /// Workload type code; empty for what was carried on as points.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// The customer.
    pub company: Option<CompanyId>,
    /// The license it was used under.
    pub license: Option<LicenseId>,
    /// The site whose part it is in.
    pub site: Option<SiteId>,
    /// Units more or less than what was closed.
    pub delta: i64,
    /// The weight of the month it is about.
    pub weight: Weight,
    /// Reason code; empty where units are added without one.
    pub reason: String,
    /// One sentence.
    pub note: String,
    /// The person or token.
    pub by: Uuid,
    /// Their organization.
    pub by_org: OrgId,
    /// When.
    pub at: Timestamp,
}

fn read(row: &Row) -> Result<HandCorrectionRow, StoreError> {
    Ok(HandCorrectionRow {
        id: row.id("id")?,
        period: row.period("period")?,
        of_period: row.period("of_period")?,
        product: row.id("product_id")?,
        workload: row.text("workload")?,
        variant: row.text("variant")?,
        company: row.opt_id("company_id")?,
        license: row.opt_id("license_id")?,
        site: row.opt_id("site_id")?,
        delta: row.i64("delta")?,
        weight: row.weight("weight_milli")?,
        reason: row.text("reason")?,
        note: row.text("note")?,
        by: row.uuid("by_id")?,
        by_org: row.id("by_org")?,
        at: row.timestamp("at_us")?,
    })
}

/// Adds a line.
pub async fn insert(tx: &mut Tx, provider: OrgId, row: &HandCorrectionRow) -> Result<(), StoreError> {
    let parameters = params![
        provider,
        row.period,
        row.id,
        row.of_period,
        row.product,
        row.workload.as_str(),
        row.variant.as_str(),
        row.company,
        row.license,
        row.site,
        row.delta,
        row.weight,
        row.reason.as_str(),
        row.note.as_str(),
        row.by,
        row.by_org,
        row.at
    ];
    tx.execute_one(&INSERT, parameters).await
}

/// The lines billed in a provider's month, oldest first.
pub async fn billed_in(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
) -> Result<Vec<HandCorrectionRow>, StoreError> {
    conn.fetch_all(&BILLED_IN, params![provider, period]).await?.iter().map(read).collect()
}

/// How many lines are billed in a month.
pub async fn count(conn: &mut Conn, provider: OrgId, period: Period) -> Result<i64, StoreError> {
    conn.fetch_one(&COUNT, params![provider, period]).await?.i64("n")
}

/// A line billed in `from` or later.
pub async fn find(
    conn: &mut Conn,
    provider: OrgId,
    from: Period,
    id: LineId,
) -> Result<Option<HandCorrectionRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, from, id]).await?.as_ref().map(read).transpose()
}

/// Removes a line; `false` when there is none.
pub async fn delete(tx: &mut Tx, provider: OrgId, period: Period, id: LineId) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, params![provider, period, id]).await? == 1)
}

/// A provider's lines billed in `from` or later, newest first, at most `limit`.
pub async fn of_provider(
    conn: &mut Conn,
    provider: OrgId,
    from: Period,
    limit: i64,
) -> Result<Vec<HandCorrectionRow>, StoreError> {
    conn.fetch_all(&OF_PROVIDER, params![provider, from, limit]).await?.iter().map(read).collect()
}
