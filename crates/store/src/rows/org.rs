//! Organizations: the vendor, distributors, providers.

use tenure_core::{OrgId, Timestamp, roles::OrgKind};

use super::words;
use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO org (id, kind, name, created_us) VALUES ($1, $2, $3, $4)";
    FIND = "SELECT id, kind, name, created_us FROM org WHERE id = $1";
    OF_KIND = "SELECT id, kind, name, created_us FROM org WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3";
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
}

fn org(row: &Row) -> Result<OrgRow, StoreError> {
    Ok(OrgRow {
        id: row.id("id")?,
        kind: words::read(row, "kind")?,
        name: row.text("name")?,
        created: row.timestamp("created_us")?,
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
