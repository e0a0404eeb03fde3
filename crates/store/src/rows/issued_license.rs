//! Every license ever signed: its payload committed first, its signature added after COMMIT.

use tenure_core::{InstallationId, LicenseId, OrgId, Timestamp};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO issued_license (provider_id, license_id, installation_id, epoch, serial, hash, payload,
            expires_us, issued_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    // Only forward: (epoch, serial) grows per installation.
    SET_NEWEST = "UPDATE chain SET license_id = $2, license_epoch = $3, license_serial = $4, license_hash = $5,
            license_expires_us = $6, contract_ends_us = $7
        WHERE installation_id = $1
            AND (license_id <> $2 OR license_epoch < $3 OR (license_epoch = $3 AND license_serial < $4))";
    FIND = "SELECT epoch, serial, hash, payload, expires_us, issued_us, envelope FROM issued_license
        WHERE provider_id = $1 AND license_id = $2 AND installation_id = $3 AND epoch = $4 AND serial = $5";
    NEWEST = "SELECT epoch, serial, hash, payload, expires_us, issued_us, envelope FROM issued_license
        WHERE provider_id = $1 AND license_id = $2 AND installation_id = $3
        ORDER BY epoch DESC, serial DESC LIMIT 1";
    SIGN = "UPDATE issued_license SET envelope = $6
        WHERE provider_id = $1 AND license_id = $2 AND installation_id = $3 AND epoch = $4 AND serial = $5
            AND envelope IS NULL";
    UNSIGNED = "SELECT license_id, installation_id, epoch, serial FROM issued_license
        WHERE provider_id = $1 AND envelope IS NULL LIMIT $2";
}

/// Names one issued license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuedKey {
    /// Whose.
    pub provider: OrgId,
    /// The license.
    pub license: LicenseId,
    /// The installation it is bound to.
    pub installation: InstallationId,
    /// Epoch.
    pub epoch: u64,
    /// Serial within the epoch.
    pub serial: u64,
}

/// What was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedRow {
    /// Epoch.
    pub epoch: u64,
    /// Serial within the epoch.
    pub serial: u64,
    /// `H` of the payload.
    pub hash: [u8; 32],
    /// The payload's bytes.
    pub payload: Vec<u8>,
    /// What the payload says about its end.
    pub expires: Timestamp,
    /// When it was written.
    pub issued: Timestamp,
    /// The signed envelope as JSON; none between COMMIT and signing.
    pub envelope: Option<String>,
}

fn issued(row: &Row) -> Result<IssuedRow, StoreError> {
    Ok(IssuedRow {
        epoch: row.i64("epoch")? as u64,
        serial: row.i64("serial")? as u64,
        hash: row.hash("hash")?,
        payload: row.blob("payload")?,
        expires: row.timestamp("expires_us")?,
        issued: row.timestamp("issued_us")?,
        envelope: row.opt_text("envelope")?,
    })
}

/// Writes an unsigned license and makes it the newest of its installation. `contract_ends` is the agreement's end.
pub async fn insert(tx: &mut Tx, key: IssuedKey, row: &IssuedRow, contract_ends: Timestamp) -> Result<(), StoreError> {
    let (epoch, serial) = (key.epoch as i64, key.serial as i64);
    tx.execute_one(
        &INSERT,
        params![
            key.provider,
            key.license,
            key.installation,
            epoch,
            serial,
            row.hash,
            &row.payload,
            row.expires,
            row.issued
        ],
    )
    .await?;
    tx.execute_one(
        &SET_NEWEST,
        params![key.installation, key.license, epoch, serial, row.hash, row.expires, contract_ends],
    )
    .await
}

/// One issued license.
pub async fn find(conn: &mut Conn, key: IssuedKey) -> Result<Option<IssuedRow>, StoreError> {
    let parameters = params![key.provider, key.license, key.installation, key.epoch as i64, key.serial as i64];
    conn.fetch_optional(&FIND, parameters).await?.as_ref().map(issued).transpose()
}

/// The newest license issued to an installation.
pub async fn newest(
    conn: &mut Conn,
    provider: OrgId,
    license: LicenseId,
    installation: InstallationId,
) -> Result<Option<IssuedRow>, StoreError> {
    let row = conn.fetch_optional(&NEWEST, params![provider, license, installation]).await?;
    row.as_ref().map(issued).transpose()
}

/// Keeps the signed envelope; `false` when it was signed before.
pub async fn sign(tx: &mut Tx, key: IssuedKey, envelope: &str) -> Result<bool, StoreError> {
    let parameters =
        params![key.provider, key.license, key.installation, key.epoch as i64, key.serial as i64, envelope];
    Ok(tx.execute(&SIGN, parameters).await? == 1)
}

/// Licenses of a provider that a crash left unsigned, at most `limit`.
pub async fn unsigned(conn: &mut Conn, provider: OrgId, limit: u32) -> Result<Vec<IssuedKey>, StoreError> {
    let rows = conn.fetch_all(&UNSIGNED, params![provider, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(IssuedKey {
                provider,
                license: row.id("license_id")?,
                installation: row.id("installation_id")?,
                epoch: row.i64("epoch")? as u64,
                serial: row.i64("serial")? as u64,
            })
        })
        .collect()
}
