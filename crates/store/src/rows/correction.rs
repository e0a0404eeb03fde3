//! Usage of a closed month that arrived later, owed in a later one.

use tenure_core::{CompanyId, DocumentId, InstallationId, LicenseId, LineId, OrgId, Period, ProductId, Timestamp, Weight};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO correction (provider_id, period, id, of_period, installation_id, license_id, product_id,
            company_id, workload, variant, delta, weight_milli, document_id, at_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    BILLED_IN = "SELECT id, period, of_period, installation_id, license_id, product_id, company_id, workload, variant,
            delta, weight_milli, document_id, at_us
        FROM correction WHERE provider_id = $1 AND period = $2 ORDER BY id";
    OF_PROVIDER = "SELECT id, period, of_period, installation_id, license_id, product_id, company_id, workload, variant,
            delta, weight_milli, document_id, at_us
        FROM correction WHERE provider_id = $1 AND period >= $2 ORDER BY period DESC, id DESC LIMIT $3";
    /// What was already corrected of one installation's month, wherever it was billed.
    OF_INSTALLATION = "SELECT id, period, of_period, installation_id, license_id, product_id, company_id, workload,
            variant, delta, weight_milli, document_id, at_us
        FROM correction WHERE provider_id = $1 AND of_period = $2 AND installation_id = $3 AND period > $2
        ORDER BY period, id";
}

/// A correction line.
#[derive(Debug, Clone)]
pub struct CorrectionRow {
    /// Its id.
    pub id: LineId,
    /// The month it is billed in.
    pub period: Period,
    /// The month it was used in.
    pub of_period: Period,
    /// Whose usage.
    pub installation: InstallationId,
    /// Its license at that month's end.
    pub license: LicenseId,
    /// The product.
    pub product: ProductId,
    /// The customer.
    pub company: Option<CompanyId>,
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// Units more or less than what was closed.
    pub delta: i64,
    /// The weight of the month it was used in.
    pub weight: Weight,
    /// The document that says so.
    pub document: DocumentId,
    /// When it became a line.
    pub at: Timestamp,
}

fn read(row: &Row) -> Result<CorrectionRow, StoreError> {
    Ok(CorrectionRow {
        id: row.id("id")?,
        period: row.period("period")?,
        of_period: row.period("of_period")?,
        installation: row.id("installation_id")?,
        license: row.id("license_id")?,
        product: row.id("product_id")?,
        company: row.opt_id("company_id")?,
        workload: row.text("workload")?,
        variant: row.text("variant")?,
        delta: row.i64("delta")?,
        weight: row.weight("weight_milli")?,
        document: row.id("document_id")?,
        at: row.timestamp("at_us")?,
    })
}

/// Adds a line.
pub async fn insert(tx: &mut Tx, provider: OrgId, row: &CorrectionRow) -> Result<(), StoreError> {
    let parameters = params![
        provider,
        row.period,
        row.id,
        row.of_period,
        row.installation,
        row.license,
        row.product,
        row.company,
        row.workload.as_str(),
        row.variant.as_str(),
        row.delta,
        row.weight,
        row.document,
        row.at
    ];
    tx.execute_one(&INSERT, parameters).await
}

/// The lines billed in a provider's month, oldest first.
pub async fn billed_in(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<CorrectionRow>, StoreError> {
    conn.fetch_all(&BILLED_IN, params![provider, period]).await?.iter().map(read).collect()
}

/// The lines that correct one installation's month.
pub async fn of_installation(
    conn: &mut Conn,
    provider: OrgId,
    of_period: Period,
    installation: InstallationId,
) -> Result<Vec<CorrectionRow>, StoreError> {
    conn.fetch_all(&OF_INSTALLATION, params![provider, of_period, installation]).await?.iter().map(read).collect()
}

/// A provider's lines billed in `from` or later, newest first, at most `limit`.
pub async fn of_provider(
    conn: &mut Conn,
    provider: OrgId,
    from: Period,
    limit: i64,
) -> Result<Vec<CorrectionRow>, StoreError> {
    conn.fetch_all(&OF_PROVIDER, params![provider, from, limit]).await?.iter().map(read).collect()
}
