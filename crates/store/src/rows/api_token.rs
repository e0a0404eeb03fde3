//! Machines' tokens, by their hash.

use serde::{Deserialize, Serialize};
use tenure_core::{OrgId, SiteId, Timestamp, TokenId, UserId, roles::OrgKind};

use super::words;
use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO api_token (token_hash, id, org_id, site_id, name, scope, created_by, created_us, expires_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    FIND = "SELECT t.id, t.org_id, t.site_id, t.name, t.scope, t.created_by, t.created_us, t.expires_us, t.used_us,
            t.revoked_us, o.kind
        FROM api_token t JOIN org o ON o.id = t.org_id WHERE t.token_hash = $1";
    USED = "UPDATE api_token SET used_us = $2 WHERE token_hash = $1 AND (used_us IS NULL OR used_us < $2)";
    REVOKE = "UPDATE api_token SET revoked_us = $3 WHERE org_id = $1 AND id = $2 AND revoked_us IS NULL";
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenScope {
    /// See what its organization sees.
    Read,
    /// Change what its organization may change.
    Manage,
    /// See and submit usage.
    Report,
}

/// The word is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not read, manage or report")]
pub struct ParseScopeError;

impl std::str::FromStr for TokenScope {
    type Err = ParseScopeError;
    fn from_str(word: &str) -> Result<Self, ParseScopeError> {
        match word {
            "read" => Ok(Self::Read),
            "manage" => Ok(Self::Manage),
            "report" => Ok(Self::Report),
            _ => Err(ParseScopeError),
        }
    }
}

/// A machine's token. The token itself is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// Its id.
    pub id: TokenId,
    /// The organization it speaks for.
    pub org: OrgId,
    /// What that organization is.
    pub org_kind: OrgKind,
    /// The one site it is confined to.
    pub site: Option<SiteId>,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scope: TokenScope,
    /// Who made it; none for the operator.
    pub created_by: Option<UserId>,
    /// When.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used, to the minute.
    pub used: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// Adds a token.
pub async fn insert(tx: &mut Tx, row: &TokenRow) -> Result<(), StoreError> {
    tx.execute_one(
        &INSERT,
        params![
            row.token_hash,
            row.id,
            row.org,
            row.site,
            &row.name,
            words::text(&row.scope)?,
            row.created_by,
            row.created,
            row.expires
        ],
    )
    .await
}

/// The token with a hash, and what its organization is.
pub async fn find(conn: &mut Conn, token_hash: &[u8; 32]) -> Result<Option<TokenRow>, StoreError> {
    let row = conn.fetch_optional(&FIND, params![token_hash]).await?;
    row.map(|row| {
        Ok(TokenRow {
            token_hash: *token_hash,
            id: row.id("id")?,
            org: row.id("org_id")?,
            org_kind: words::read(&row, "kind")?,
            site: row.opt_id("site_id")?,
            name: row.text("name")?,
            scope: words::read(&row, "scope")?,
            created_by: row.opt_id("created_by")?,
            created: row.timestamp("created_us")?,
            expires: row.timestamp("expires_us")?,
            used: row.opt_timestamp("used_us")?,
            revoked: row.opt_timestamp("revoked_us")?,
        })
    })
    .transpose()
}

/// Notes that a token was used; `false` when it was used later.
pub async fn used(tx: &mut Tx, token_hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&USED, params![token_hash, at]).await? == 1)
}

/// Revokes an organization's token; `false` when it has no such token in force.
pub async fn revoke(tx: &mut Tx, org: OrgId, id: TokenId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&REVOKE, params![org, id, at]).await? == 1)
}
