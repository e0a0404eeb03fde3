//! Machines' tokens, by their hash.

use serde::{Deserialize, Serialize};
use tenure_core::{OrgId, SiteId, Timestamp, TokenId, UserId, roles::OrgKind};

use super::words;
use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO api_token (token_hash, id, org_id, site_id, name, scope, created_by, created_us, expires_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    FIND = "SELECT t.token_hash, t.id, t.org_id, t.site_id, t.name, t.scope, t.created_by, t.created_us, t.expires_us, t.used_us,
            t.revoked_us, t.console_us, o.kind, o.disabled_us
        FROM api_token t JOIN org o ON o.id = t.org_id WHERE t.token_hash = $1";
    FIND_BY_ID = "SELECT t.token_hash, t.id, t.org_id, t.site_id, t.name, t.scope, t.created_by, t.created_us, t.expires_us,
            t.used_us, t.revoked_us, t.console_us, o.kind, o.disabled_us
        FROM api_token t JOIN org o ON o.id = t.org_id WHERE t.org_id = $1 AND t.id = $2";
    PAGE = "SELECT t.token_hash, t.id, t.org_id, t.site_id, t.name, t.scope, t.created_by, t.created_us, t.expires_us,
            t.used_us, t.revoked_us, t.console_us, o.kind, o.disabled_us
        FROM api_token t JOIN org o ON o.id = t.org_id
        WHERE t.org_id = $1 AND t.id > $2
            AND ($3 IS NULL OR (t.revoked_us IS NULL AND t.expires_us > $4) = $3)
            AND ($5 IS NULL OR t.scope = $5) ORDER BY t.id LIMIT $6",
        pg "SELECT t.token_hash, t.id, t.org_id, t.site_id, t.name, t.scope, t.created_by, t.created_us, t.expires_us,
            t.used_us, t.revoked_us, t.console_us, o.kind, o.disabled_us
        FROM api_token t JOIN org o ON o.id = t.org_id
        WHERE t.org_id = $1 AND t.id > $2
            AND ($3::boolean IS NULL OR (t.revoked_us IS NULL AND t.expires_us > $4) = $3)
            AND ($5::text IS NULL OR t.scope = $5) ORDER BY t.id LIMIT $6";
    // Never later than it was.
    EXPIRE = "UPDATE api_token SET expires_us = $3 WHERE org_id = $1 AND id = $2 AND expires_us > $3";
    COUNT = "SELECT COUNT(*) AS n FROM api_token WHERE org_id = $1 AND revoked_us IS NULL AND expires_us > $2";
    USED = "UPDATE api_token SET used_us = $2 WHERE token_hash = $1 AND (used_us IS NULL OR used_us < $2)";
    CONSOLE = "UPDATE api_token SET console_us = $2 WHERE token_hash = $1 AND (console_us IS NULL OR console_us < $2)";
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
    /// Since when that organization is deactivated.
    pub org_disabled: Option<Timestamp>,
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
    /// When it last spoke the console API, to the minute.
    pub console: Option<Timestamp>,
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
    conn.fetch_optional(&FIND, params![token_hash]).await?.as_ref().map(token).transpose()
}

fn token(row: &Row) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        token_hash: row.hash("token_hash")?,
        id: row.id("id")?,
        org: row.id("org_id")?,
        org_kind: words::read(row, "kind")?,
        org_disabled: row.opt_timestamp("disabled_us")?,
        site: row.opt_id("site_id")?,
        name: row.text("name")?,
        scope: words::read(row, "scope")?,
        created_by: row.opt_id("created_by")?,
        created: row.timestamp("created_us")?,
        expires: row.timestamp("expires_us")?,
        used: row.opt_timestamp("used_us")?,
        revoked: row.opt_timestamp("revoked_us")?,
        console: row.opt_timestamp("console_us")?,
    })
}

/// One token of an organization.
pub async fn find_by_id(conn: &mut Conn, org: OrgId, id: TokenId) -> Result<Option<TokenRow>, StoreError> {
    conn.fetch_optional(&FIND_BY_ID, params![org, id]).await?.as_ref().map(token).transpose()
}

/// What a list of tokens is narrowed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in force, or only those that are not.
    pub active: Option<bool>,
    /// Those of a scope.
    pub scope: Option<TokenScope>,
}

/// Tokens of an organization in the order they were made, at most `limit`, after `after`.
pub async fn page(
    conn: &mut Conn,
    org: OrgId,
    filter: Filter,
    now: Timestamp,
    after: Option<TokenId>,
    limit: u32,
) -> Result<Vec<TokenRow>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), TokenId::uuid);
    let scope = filter.scope.map(|scope| words::text(&scope)).transpose()?;
    conn.fetch_all(&PAGE, params![org, after, filter.active, now, scope, limit]).await?.iter().map(token).collect()
}

/// Lets a token end at `at`, if it would have lived longer.
pub async fn expire(tx: &mut Tx, org: OrgId, id: TokenId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(&EXPIRE, params![org, id, at]).await?;
    Ok(())
}

/// How many tokens of an organization are in force.
pub async fn count(conn: &mut Conn, org: OrgId, now: Timestamp) -> Result<i64, StoreError> {
    conn.fetch_one(&COUNT, params![org, now]).await?.i64("n")
}

/// Notes that a token was used; `false` when it was used later.
pub async fn used(tx: &mut Tx, token_hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&USED, params![token_hash, at]).await? == 1)
}

/// Notes that a token spoke the console API; `false` when it did later.
pub async fn spoke_console(tx: &mut Tx, token_hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&CONSOLE, params![token_hash, at]).await? == 1)
}

/// Revokes an organization's token; `false` when it has no such token in force.
pub async fn revoke(tx: &mut Tx, org: OrgId, id: TokenId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&REVOKE, params![org, id, at]).await? == 1)
}
