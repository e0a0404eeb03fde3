//! Sites: locations of a provider.

use tenure_core::{OrgId, SiteId};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

/// Most sites of one provider.
pub const MAX_SITES: u32 = 500;

statements! {
    INSERT = "INSERT INTO site (provider_id, id, name) VALUES ($1, $2, $3)";
    FIND = "SELECT provider_id, id, name FROM site WHERE provider_id = $1 AND id = $2";
    OF_PROVIDER = "SELECT provider_id, id, name FROM site WHERE provider_id = $1 ORDER BY name, id LIMIT $2";
}

/// A location of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteRow {
    /// Whose it is.
    pub provider: OrgId,
    /// Its id.
    pub id: SiteId,
    /// Display name.
    pub name: String,
}

fn site(row: &Row) -> Result<SiteRow, StoreError> {
    Ok(SiteRow { provider: row.id("provider_id")?, id: row.id("id")?, name: row.text("name")? })
}

/// Adds a site.
pub async fn insert(tx: &mut Tx, row: &SiteRow) -> Result<(), StoreError> {
    tx.execute_one(&INSERT, params![row.provider, row.id, &row.name]).await
}

/// One site of a provider.
pub async fn find(conn: &mut Conn, provider: OrgId, id: SiteId) -> Result<Option<SiteRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, id]).await?.as_ref().map(site).transpose()
}

/// All sites of a provider, by name.
pub async fn of_provider(conn: &mut Conn, provider: OrgId) -> Result<Vec<SiteRow>, StoreError> {
    conn.fetch_all(&OF_PROVIDER, params![provider, MAX_SITES]).await?.iter().map(site).collect()
}
