//! Companies: end customers of a provider.

use tenure_core::{CompanyId, OrgId, SiteId, Timestamp};

use crate::{Conn, Row, StoreError, Tx, json_rows, params, statement::statements};

statements! {
    INSERT = "INSERT INTO company (provider_id, id, site_id, name, created_us) VALUES ($1, $2, $3, $4, $5)";
    FIND = "SELECT provider_id, id, site_id, name, created_us FROM company WHERE provider_id = $1 AND id = $2";
    // The site's filter is NULL for who sees all sites.
    PAGE = "SELECT provider_id, id, site_id, name, created_us FROM company
        WHERE provider_id = $1 AND id > $2 AND ($3 IS NULL OR site_id = $3) ORDER BY id LIMIT $4",
        pg "SELECT provider_id, id, site_id, name, created_us FROM company
        WHERE provider_id = $1 AND id > $2 AND ($3::uuid IS NULL OR site_id = $3) ORDER BY id LIMIT $4";
    NAMES = "SELECT company.id, company.name FROM json_each($2) AS wanted
        JOIN company ON company.provider_id = $1 AND company.id = unhex(wanted.value)",
        pg "SELECT id, name FROM company
        WHERE provider_id = $1 AND id IN (SELECT value::uuid FROM json_array_elements_text($2::json))";
}

/// An end customer of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyRow {
    /// Whose customer.
    pub provider: OrgId,
    /// Its id.
    pub id: CompanyId,
    /// The provider's site that serves it.
    pub site: Option<SiteId>,
    /// Display name; two may carry the same.
    pub name: String,
    /// When it was added.
    pub created: Timestamp,
}

fn company(row: &Row) -> Result<CompanyRow, StoreError> {
    Ok(CompanyRow {
        provider: row.id("provider_id")?,
        id: row.id("id")?,
        site: row.opt_id("site_id")?,
        name: row.text("name")?,
        created: row.timestamp("created_us")?,
    })
}

/// Adds a company.
pub async fn insert(tx: &mut Tx, row: &CompanyRow) -> Result<(), StoreError> {
    tx.execute_one(&INSERT, params![row.provider, row.id, row.site, &row.name, row.created]).await
}

/// One company of a provider.
pub async fn find(conn: &mut Conn, provider: OrgId, id: CompanyId) -> Result<Option<CompanyRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, id]).await?.as_ref().map(company).transpose()
}

/// Companies of a provider in the order they were added, of one site or of all, at most `limit`, after `after`.
pub async fn page(
    conn: &mut Conn,
    provider: OrgId,
    site: Option<SiteId>,
    after: Option<CompanyId>,
    limit: u32,
) -> Result<Vec<CompanyRow>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), CompanyId::uuid);
    conn.fetch_all(&PAGE, params![provider, after, site, limit]).await?.iter().map(company).collect()
}

/// The names of some companies of a provider, in no order.
pub async fn names(
    conn: &mut Conn,
    provider: OrgId,
    ids: &[CompanyId],
) -> Result<Vec<(CompanyId, String)>, StoreError> {
    let ids: Vec<String> = ids.iter().map(|id| id.uuid().simple().to_string()).collect();
    let rows = conn.fetch_all(&NAMES, params![provider, json_rows(&ids)?]).await?;
    rows.iter().map(|row| Ok((row.id("id")?, row.text("name")?))).collect()
}
