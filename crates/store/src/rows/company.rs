//! Companies: end customers of a provider.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenure_core::{CompanyId, OrgId, SiteId, Timestamp};

use super::words;
use crate::{Conn, Row, StoreError, Tx, json_rows, params, statement::statements};

statements! {
    INSERT = "INSERT INTO company (provider_id, id, site_id, name, created_us, kind, reseller_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    FIND = "SELECT provider_id, id, site_id, name, created_us, kind, reseller_id, closed_us, merged_into_id
        FROM company WHERE provider_id = $1 AND id = $2";
    // The site's filter is NULL for who sees all sites.
    PAGE = "SELECT provider_id, id, site_id, name, created_us, kind, reseller_id, closed_us, merged_into_id
        FROM company
        WHERE provider_id = $1 AND id > $2 AND ($3 IS NULL OR site_id = $3) AND ($4 IS NULL OR reseller_id = $4)
            AND ($5 IS NULL OR kind = $5) AND ($6 IS NULL OR (closed_us IS NULL) = $6)
            AND ($7 IS NULL OR instr(lower(name), $7) > 0)
        ORDER BY id LIMIT $8",
        pg "SELECT provider_id, id, site_id, name, created_us, kind, reseller_id, closed_us, merged_into_id
        FROM company
        WHERE provider_id = $1 AND id > $2 AND ($3::uuid IS NULL OR site_id = $3)
            AND ($4::uuid IS NULL OR reseller_id = $4) AND ($5::text IS NULL OR kind = $5)
            AND ($6::boolean IS NULL OR (closed_us IS NULL) = $6)
            AND ($7::text IS NULL OR position($7 IN lower(name)) > 0)
        ORDER BY id LIMIT $8";
    UPDATE = "UPDATE company SET site_id = $3, name = $4, kind = $5, reseller_id = $6, closed_us = $7, merged_into_id = $8
        WHERE provider_id = $1 AND id = $2";
    IN_USE = "SELECT (SELECT COUNT(*) FROM license WHERE provider_id = $1 AND company_id = $2 AND ended_us IS NULL) AS licenses,
            (SELECT COUNT(*) FROM company WHERE provider_id = $1 AND reseller_id = $2 AND closed_us IS NULL) AS served";
    HELD = "SELECT company_id, COUNT(*) AS n FROM license
        WHERE provider_id = $1 AND ended_us IS NULL AND company_id IS NOT NULL GROUP BY company_id";
    HAS_MERGED = "SELECT COUNT(*) AS n FROM company WHERE provider_id = $1 AND merged_into_id = $2";
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
    /// What it is to the provider.
    pub kind: CompanyKind,
    /// The reseller, a company of the same provider, that serves it.
    pub reseller: Option<CompanyId>,
    /// Since when it gets no new license.
    pub closed: Option<Timestamp>,
    /// The company of the same provider that took over what it held.
    pub merged_into: Option<CompanyId>,
}

/// What a company is to its provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompanyKind {
    /// Uses the provider's service.
    #[default]
    Customer,
    /// Sells the provider's service to other companies.
    Reseller,
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One site of the provider.
    pub site: Option<SiteId>,
    /// The reseller that serves it.
    pub reseller: Option<CompanyId>,
    /// What it is.
    pub kind: Option<CompanyKind>,
    /// Only open ones, or only closed ones.
    pub open: Option<bool>,
    /// Part of its name, in lower case.
    pub name: Option<String>,
}

fn company(row: &Row) -> Result<CompanyRow, StoreError> {
    Ok(CompanyRow {
        provider: row.id("provider_id")?,
        id: row.id("id")?,
        site: row.opt_id("site_id")?,
        name: row.text("name")?,
        created: row.timestamp("created_us")?,
        kind: words::read(row, "kind")?,
        reseller: row.opt_id("reseller_id")?,
        closed: row.opt_timestamp("closed_us")?,
        merged_into: row.opt_id("merged_into_id")?,
    })
}

/// Adds a company.
pub async fn insert(tx: &mut Tx, row: &CompanyRow) -> Result<(), StoreError> {
    tx.execute_one(&INSERT, params![row.provider, row.id, row.site, &row.name, row.created, words::text(&row.kind)?, row.reseller]).await
}

/// One company of a provider.
pub async fn find(conn: &mut Conn, provider: OrgId, id: CompanyId) -> Result<Option<CompanyRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, id]).await?.as_ref().map(company).transpose()
}

/// Companies of a provider in the order they were added, at most `limit`, after `after`.
pub async fn page(
    conn: &mut Conn,
    provider: OrgId,
    filter: &Filter,
    after: Option<CompanyId>,
    limit: u32,
) -> Result<Vec<CompanyRow>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), CompanyId::uuid);
    let kind = filter.kind.map(|kind| words::text(&kind)).transpose()?;
    let parameters =
        params![provider, after, filter.site, filter.reseller, kind, filter.open, filter.name.as_deref(), limit];
    conn.fetch_all(&PAGE, parameters).await?.iter().map(company).collect()
}

/// Writes what can change of a company.
pub async fn update(tx: &mut Tx, row: &CompanyRow) -> Result<(), StoreError> {
    let kind = words::text(&row.kind)?;
    let (closed, into) = (row.closed, row.merged_into);
    tx.execute_one(&UPDATE, params![row.provider, row.id, row.site, &row.name, kind, row.reseller, closed, into]).await
}

/// How many licenses a company holds, and how many open companies it serves as a reseller.
pub async fn in_use(conn: &mut Conn, provider: OrgId, id: CompanyId) -> Result<(i64, i64), StoreError> {
    let row = conn.fetch_one(&IN_USE, params![provider, id]).await?;
    Ok((row.i64("licenses")?, row.i64("served")?))
}

/// How many licenses each company of a provider holds; one without any is left out.
pub async fn licenses_held(conn: &mut Conn, provider: OrgId) -> Result<BTreeMap<CompanyId, u64>, StoreError> {
    let rows = conn.fetch_all(&HELD, params![provider]).await?;
    rows.iter().map(|row| Ok((row.id("company_id")?, row.i64("n")? as u64))).collect()
}

/// Whether other companies were merged into one.
pub async fn has_merged(conn: &mut Conn, provider: OrgId, id: CompanyId) -> Result<bool, StoreError> {
    Ok(conn.fetch_one(&HAS_MERGED, params![provider, id]).await?.i64("n")? > 0)
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
