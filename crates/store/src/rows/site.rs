//! Sites: locations of a provider.

use tenure_core::{OrgId, SiteId, Timestamp};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

/// Most sites of one provider.
pub const MAX_SITES: u32 = 500;

statements! {
    INSERT = "INSERT INTO site (provider_id, id, name) VALUES ($1, $2, $3)";
    FIND = "SELECT provider_id, id, name, closed_us FROM site WHERE provider_id = $1 AND id = $2";
    OF_PROVIDER = "SELECT provider_id, id, name, closed_us FROM site WHERE provider_id = $1 AND closed_us IS NULL
        ORDER BY name, id LIMIT $2";
    PAGE = "SELECT provider_id, id, name, closed_us FROM site
        WHERE provider_id = $1 AND id > $2 AND ($3 IS NULL OR id = $3) ORDER BY id LIMIT $4",
        pg "SELECT provider_id, id, name, closed_us FROM site
        WHERE provider_id = $1 AND id > $2 AND ($3::uuid IS NULL OR id = $3) ORDER BY id LIMIT $4";
    UPDATE = "UPDATE site SET name = $3, closed_us = $4 WHERE provider_id = $1 AND id = $2";
    IN_USE = "SELECT (SELECT COUNT(*) FROM person WHERE org_id = $1 AND site_id = $2 AND disabled_us IS NULL) AS people,
            (SELECT COUNT(*) FROM api_token WHERE org_id = $1 AND site_id = $2 AND revoked_us IS NULL
                AND expires_us > $3) AS tokens,
            (SELECT COUNT(*) FROM company WHERE provider_id = $1 AND site_id = $2 AND closed_us IS NULL) AS companies,
            (SELECT COUNT(*) FROM template WHERE provider_id = $1 AND site_id = $2 AND deleted_us IS NULL) AS licenses";
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
    /// Since when nothing new belongs to it.
    pub closed: Option<Timestamp>,
}

/// What is in force at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteUse {
    /// People confined to it.
    pub people: i64,
    /// Tokens confined to it.
    pub tokens: i64,
    /// Companies it serves.
    pub companies: i64,
    /// Licenses and templates.
    pub licenses: i64,
}

fn site(row: &Row) -> Result<SiteRow, StoreError> {
    Ok(SiteRow {
        provider: row.id("provider_id")?,
        id: row.id("id")?,
        name: row.text("name")?,
        closed: row.opt_timestamp("closed_us")?,
    })
}

/// Adds a site.
pub async fn insert(tx: &mut Tx, row: &SiteRow) -> Result<(), StoreError> {
    tx.execute_one(&INSERT, params![row.provider, row.id, &row.name]).await
}

/// One site of a provider.
pub async fn find(conn: &mut Conn, provider: OrgId, id: SiteId) -> Result<Option<SiteRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, id]).await?.as_ref().map(site).transpose()
}

/// All open sites of a provider, by name.
pub async fn of_provider(conn: &mut Conn, provider: OrgId) -> Result<Vec<SiteRow>, StoreError> {
    conn.fetch_all(&OF_PROVIDER, params![provider, MAX_SITES]).await?.iter().map(site).collect()
}

/// Sites of a provider in the order they were added, closed ones too, only `only` where one is named, at most `limit`, after
/// `after`.
pub async fn page(
    conn: &mut Conn,
    provider: OrgId,
    only: Option<SiteId>,
    after: Option<SiteId>,
    limit: u32,
) -> Result<Vec<SiteRow>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), SiteId::uuid);
    conn.fetch_all(&PAGE, params![provider, after, only, limit]).await?.iter().map(site).collect()
}

/// Writes name and closing.
pub async fn update(tx: &mut Tx, row: &SiteRow) -> Result<(), StoreError> {
    tx.execute_one(&UPDATE, params![row.provider, row.id, &row.name, row.closed]).await
}

/// What is in force at a site at `now`.
pub async fn in_use(conn: &mut Conn, provider: OrgId, id: SiteId, now: Timestamp) -> Result<SiteUse, StoreError> {
    let row = conn.fetch_one(&IN_USE, params![provider, id, now]).await?;
    Ok(SiteUse {
        people: row.i64("people")?,
        tokens: row.i64("tokens")?,
        companies: row.i64("companies")?,
        licenses: row.i64("licenses")?,
    })
}
