//! Organizations: the vendor, distributors, providers.

use tenure_core::{OrgId, Timestamp, roles::OrgKind};

use super::words;
use crate::{Conn, Row, StoreError, Tx, json_rows, params, statement::statements};

statements! {
    INSERT = "INSERT INTO org (id, kind, name, created_us) VALUES ($1, $2, $3, $4)";
    FIND = "SELECT id, kind, name, created_us, disabled_us FROM org WHERE id = $1";
    OF_KIND = "SELECT id, kind, name, created_us, disabled_us FROM org WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3";
    // Whom an organization may see: all for the vendor, itself, and its partners by agreement. A filter is NULL where it
    // does not apply.
    PAGE = "SELECT id, kind, name, created_us, disabled_us FROM org AS o
        WHERE id > $1 AND ($2 IS NULL OR kind = $2)
            AND ($3 IS NULL OR id = $3 OR EXISTS (SELECT 1 FROM agreement a WHERE a.distributor_id = $3 AND a.provider_id = o.id)
                OR EXISTS (SELECT 1 FROM agreement a WHERE a.provider_id = $3 AND a.distributor_id = o.id))
        ORDER BY id LIMIT $4",
        pg "SELECT id, kind, name, created_us, disabled_us FROM org AS o
        WHERE id > $1 AND ($2::text IS NULL OR kind = $2)
            AND ($3::uuid IS NULL OR id = $3
                OR EXISTS (SELECT 1 FROM agreement a WHERE a.distributor_id = $3 AND a.provider_id = o.id)
                OR EXISTS (SELECT 1 FROM agreement a WHERE a.provider_id = $3 AND a.distributor_id = o.id))
        ORDER BY id LIMIT $4";
    PARTNERS = "SELECT 1 AS one FROM agreement
        WHERE (distributor_id = $1 AND provider_id = $2) OR (provider_id = $1 AND distributor_id = $2) LIMIT 1";
    UPDATE = "UPDATE org SET name = $2, disabled_us = $3 WHERE id = $1";
    NAMES = "SELECT org.id, org.name FROM json_each($1) AS wanted JOIN org ON org.id = unhex(wanted.value)",
        pg "SELECT id, name FROM org WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json))";
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgRow {
    /// Its id.
    pub id: OrgId,
    /// What it is.
    pub kind: OrgKind,
    /// Display name; two may carry the same.
    pub name: String,
    /// When it was added.
    pub created: Timestamp,
    /// Since when its people and tokens are locked out.
    pub disabled: Option<Timestamp>,
}

fn org(row: &Row) -> Result<OrgRow, StoreError> {
    Ok(OrgRow {
        id: row.id("id")?,
        kind: words::read(row, "kind")?,
        name: row.text("name")?,
        created: row.timestamp("created_us")?,
        disabled: row.opt_timestamp("disabled_us")?,
    })
}

/// Adds an organization.
pub async fn insert(tx: &mut Tx, row: &OrgRow) -> Result<(), StoreError> {
    tx.execute_one(&INSERT, params![row.id, words::text(&row.kind)?, &row.name, row.created]).await
}

/// One organization.
pub async fn find(conn: &mut Conn, id: OrgId) -> Result<Option<OrgRow>, StoreError> {
    conn.fetch_optional(&FIND, params![id]).await?.as_ref().map(org).transpose()
}

/// Organizations of a kind in the order they were added, at most `limit`, after `after`.
pub async fn of_kind(
    conn: &mut Conn,
    kind: OrgKind,
    after: Option<OrgId>,
    limit: u32,
) -> Result<Vec<OrgRow>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), OrgId::uuid);
    conn.fetch_all(&OF_KIND, params![words::text(&kind)?, after, limit]).await?.iter().map(org).collect()
}

/// Organizations in the order they were added, of a kind or of all, at most `limit`, after `after`: those that `viewer` is
/// or has an agreement with, or, without a viewer, all.
pub async fn page(
    conn: &mut Conn,
    viewer: Option<OrgId>,
    kind: Option<OrgKind>,
    after: Option<OrgId>,
    limit: u32,
) -> Result<Vec<OrgRow>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), OrgId::uuid);
    let kind = kind.map(|kind| words::text(&kind)).transpose()?;
    conn.fetch_all(&PAGE, params![after, kind, viewer, limit]).await?.iter().map(org).collect()
}

/// Whether two organizations ever had an agreement with each other.
pub async fn partners(conn: &mut Conn, one: OrgId, other: OrgId) -> Result<bool, StoreError> {
    Ok(conn.fetch_optional(&PARTNERS, params![one, other]).await?.is_some())
}

/// Writes name and deactivation.
pub async fn update(tx: &mut Tx, row: &OrgRow) -> Result<(), StoreError> {
    tx.execute_one(&UPDATE, params![row.id, &row.name, row.disabled]).await
}

/// The names of some organizations, in no order.
pub async fn names(conn: &mut Conn, ids: &[OrgId]) -> Result<Vec<(OrgId, String)>, StoreError> {
    let ids: Vec<String> = ids.iter().map(|id| id.uuid().simple().to_string()).collect();
    let rows = conn.fetch_all(&NAMES, params![json_rows(&ids)?]).await?;
    rows.iter().map(|row| Ok((row.id("id")?, row.text("name")?))).collect()
}
