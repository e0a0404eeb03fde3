//! This deployment: its identity, its trust roots, its online keys.

use tenure_core::{DeploymentId, OrgId, Timestamp};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    FIND = "SELECT id, vendor_id, epoch, test_clock, servers, secret FROM deployment WHERE one = 1";
    INSERT = "INSERT INTO deployment (one, id, vendor_id, epoch, test_clock, servers, secret, created_us)
        VALUES (1, $1, $2, $3, $4, $5, $6, $7)";
    BECOME = "UPDATE deployment SET id = $1, secret = $2 WHERE one = 1";
    DROP_ROOTS = "DELETE FROM trust_root";
    DROP_KEYS = "DELETE FROM signing_key";
    INSERT_ROOT = "INSERT INTO trust_root (version, envelope) VALUES ($1, $2)";
    NEWEST_ROOT = "SELECT version, envelope FROM trust_root ORDER BY version DESC LIMIT 1";
    FIND_ROOT = "SELECT version, envelope FROM trust_root WHERE version = $1";
    INSERT_KEY = "INSERT INTO signing_key (key_id, role, public_key, sealed, from_us, until_us, revoked_us)
        VALUES ($1, $2, $3, $4, $5, $6, NULL)";
    // Only ever earlier: a key's end is what its trust root says.
    END_KEY = "UPDATE signing_key SET until_us = $2 WHERE key_id = $1 AND until_us > $2";
    // A revoked key signs nothing any more, so its private part goes.
    REVOKE_KEY = "UPDATE signing_key SET revoked_us = $2, sealed = $3 WHERE key_id = $1 AND revoked_us IS NULL";
    NEWEST_ROOT_VERSION = "SELECT max(version) AS version FROM trust_root";
    ALL_ROOTS = "SELECT version, envelope FROM trust_root ORDER BY version";
    ALL_KEYS = "SELECT key_id, role, sealed, from_us, until_us, revoked_us FROM signing_key ORDER BY from_us, key_id";
}

/// The deployment's one row.
#[derive(Debug, Clone)]
pub struct DeploymentRow {
    /// The audience of every signed message.
    pub id: DeploymentId,
    /// The vendor's organization.
    pub vendor: OrgId,
    /// Current epoch.
    pub epoch: u64,
    /// Made for a test clock.
    pub test_clock: bool,
    /// License update servers, best first.
    pub servers: Vec<String>,
    /// The sealed secret for challenges and cursors.
    pub secret: Vec<u8>,
}

/// One version of the trust root.
#[derive(Debug, Clone)]
pub struct RootRow {
    /// From 1, without gaps.
    pub version: u64,
    /// The envelope as JSON.
    pub envelope: String,
}

/// An online key, its private part sealed.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// SHA-256 of the public key.
    pub key_id: [u8; 32],
    /// `license` or `receipt`.
    pub role: String,
    /// The sealed seed; empty once the key was revoked.
    pub sealed: Vec<u8>,
    /// Signs from then.
    pub from: Timestamp,
    /// Signs until then.
    pub until: Timestamp,
    /// Its signatures no longer count since then.
    pub revoked: Option<Timestamp>,
}

/// The deployment, or `None` in a fresh database.
pub async fn find(conn: &mut Conn) -> Result<Option<DeploymentRow>, StoreError> {
    let row = conn.fetch_optional(&FIND, params![]).await?;
    row.map(|row| {
        Ok(DeploymentRow {
            id: row.id("id")?,
            vendor: row.id("vendor_id")?,
            epoch: row.i64("epoch")? as u64,
            test_clock: row.bool("test_clock")?,
            servers: row.json("servers")?,
            secret: row.blob("secret")?,
        })
    })
    .transpose()
}

/// Writes the deployment; fails when there is one.
pub async fn insert(tx: &mut Tx, row: &DeploymentRow, now: Timestamp) -> Result<(), StoreError> {
    let servers = serde_json::to_string(&row.servers)?;
    let epoch = row.epoch as i64;
    tx.execute_one(&INSERT, params![row.id, row.vendor, epoch, row.test_clock, servers, &row.secret, now]).await
}

/// Adds a version of the trust root.
pub async fn insert_root(tx: &mut Tx, version: u64, envelope: &str) -> Result<(), StoreError> {
    tx.execute_one(&INSERT_ROOT, params![version as i64, envelope]).await
}

fn root(row: Row) -> Result<RootRow, StoreError> {
    Ok(RootRow { version: row.i64("version")? as u64, envelope: row.text("envelope")? })
}

/// The newest trust root.
pub async fn newest_root(conn: &mut Conn) -> Result<Option<RootRow>, StoreError> {
    conn.fetch_optional(&NEWEST_ROOT, params![]).await?.map(root).transpose()
}

/// One version of the trust root.
pub async fn find_root(conn: &mut Conn, version: u64) -> Result<Option<RootRow>, StoreError> {
    let Ok(version) = i64::try_from(version) else { return Ok(None) };
    conn.fetch_optional(&FIND_ROOT, params![version]).await?.map(root).transpose()
}

/// The number of the newest trust root; 0 in a fresh database.
pub async fn newest_root_version(conn: &mut Conn) -> Result<u64, StoreError> {
    let row = conn.fetch_one(&NEWEST_ROOT_VERSION, params![]).await?;
    Ok(row.opt_i64("version")?.unwrap_or(0) as u64)
}

/// Every version of the trust root, oldest first.
pub async fn all_roots(conn: &mut Conn) -> Result<Vec<RootRow>, StoreError> {
    conn.fetch_all(&ALL_ROOTS, params![]).await?.into_iter().map(root).collect()
}

/// Ends an online key earlier, as a newer trust root says; one that ends earlier already stays as it is.
pub async fn end_key(tx: &mut Tx, key_id: &[u8; 32], until: Timestamp) -> Result<(), StoreError> {
    tx.execute(&END_KEY, params![key_id, until]).await?;
    Ok(())
}

/// Revokes an online key and forgets its private part; `false` when it is no online key, or was revoked before.
pub async fn revoke_key(tx: &mut Tx, key_id: &[u8; 32], now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&REVOKE_KEY, params![key_id, now, Vec::<u8>::new()]).await? == 1)
}

/// Adds an online key.
pub async fn insert_key(tx: &mut Tx, row: &KeyRow, public_key: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute_one(
        &INSERT_KEY,
        params![row.key_id, row.role.as_str(), public_key, &row.sealed, row.from, row.until],
    )
    .await
}

/// All online keys, oldest first.
pub async fn all_keys(conn: &mut Conn) -> Result<Vec<KeyRow>, StoreError> {
    let rows = conn.fetch_all(&ALL_KEYS, params![]).await?;
    rows.iter()
        .map(|row| {
            Ok(KeyRow {
                key_id: row.hash("key_id")?,
                role: row.text("role")?,
                sealed: row.blob("sealed")?,
                from: row.timestamp("from_us")?,
                until: row.timestamp("until_us")?,
                revoked: row.opt_timestamp("revoked_us")?,
            })
        })
        .collect()
}

/// Makes a copied database another deployment: the id and secret are new, keys and trust roots of the original are gone.
pub async fn become_another(tx: &mut Tx, id: DeploymentId, secret: &[u8]) -> Result<(), StoreError> {
    tx.execute(&DROP_KEYS, params![]).await?;
    tx.execute(&DROP_ROOTS, params![]).await?;
    tx.execute_one(&BECOME, params![id, secret]).await
}
