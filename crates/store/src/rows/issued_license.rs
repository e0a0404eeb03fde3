//! Every license ever signed: its payload committed first, its signature added after COMMIT.

use tenure_core::{InstallationId, LicenseId, OrgId, Timestamp};

use crate::{Conn, Row, StoreError, Tx, hex, json_rows, params, statement::statements};

statements! {
    /// The newest of a license in epochs that are over.
    NEWEST_BEFORE = "SELECT epoch, serial FROM issued_license WHERE provider_id = $1 AND license_id = $2 AND epoch < $3
        ORDER BY epoch DESC, serial DESC LIMIT 1";
    // Payloads are JSON, so they travel as text. One statement for a whole batch.
    INSERT_MANY = "INSERT INTO issued_license (provider_id, license_id, installation_id, epoch, serial, hash, payload,
            expires_us, issued_us)
        SELECT $1, unhex(value->>'license'), unhex(value->>'installation'), $2, value->>'serial',
            unhex(value->>'hash'), CAST(value->>'payload' AS BLOB), value->>'expires', $3
        FROM json_each($4)",
        pg "INSERT INTO issued_license (provider_id, license_id, installation_id, epoch, serial, hash, payload,
            expires_us, issued_us)
        SELECT $1, license, installation, $2, serial, decode(hash, 'hex'), convert_to(payload, 'UTF8'), expires, $3
        FROM json_to_recordset($4::json) AS r(license uuid, installation uuid, serial bigint, hash text, payload text,
            expires bigint)";
    // Only forward: (epoch, serial) grows per installation.
    SET_NEWEST = "UPDATE chain SET license_id = unhex(n.value->>'license'), license_epoch = $1,
            license_serial = n.value->>'serial', license_hash = unhex(n.value->>'hash'),
            license_expires_us = n.value->>'expires', contract_ends_us = n.value->>'contract_ends'
        FROM json_each($2) AS n
        WHERE chain.installation_id = unhex(n.value->>'installation')
            AND (chain.license_id <> unhex(n.value->>'license') OR chain.license_epoch < $1
                OR (chain.license_epoch = $1 AND chain.license_serial < n.value->>'serial'))",
        pg "UPDATE chain SET license_id = n.license, license_epoch = $1, license_serial = n.serial,
            license_hash = decode(n.hash, 'hex'), license_expires_us = n.expires, contract_ends_us = n.contract_ends
        FROM json_to_recordset($2::json) AS n(license uuid, installation uuid, serial bigint, hash text,
            expires bigint, contract_ends bigint)
        WHERE chain.installation_id = n.installation
            AND (chain.license_id <> n.license OR chain.license_epoch < $1
                OR (chain.license_epoch = $1 AND chain.license_serial < n.serial))";
    // Who gets a new license of these: not retired, with the key it is bound to. The chains are locked in id order, the
    // first lock of the one lock order.
    ACTIVE = "SELECT i.license_id, i.id, c.key_id FROM json_each($2) AS wanted
        JOIN installation i ON i.provider_id = $1 AND i.license_id = unhex(wanted.value)
        JOIN chain c ON c.installation_id = i.id
        WHERE i.retired_us IS NULL ORDER BY i.id",
        pg "SELECT i.license_id, i.id, c.key_id FROM installation i JOIN chain c ON c.installation_id = i.id
        WHERE i.provider_id = $1 AND i.license_id IN (SELECT x::uuid FROM json_array_elements_text($2::json) AS x)
            AND i.retired_us IS NULL
        ORDER BY i.id FOR UPDATE OF c";
    FIND = "SELECT epoch, serial, hash, payload, expires_us, issued_us, envelope FROM issued_license
        WHERE provider_id = $1 AND license_id = $2 AND installation_id = $3 AND epoch = $4 AND serial = $5";
    NEWEST = "SELECT epoch, serial, hash, payload, expires_us, issued_us, envelope FROM issued_license
        WHERE provider_id = $1 AND license_id = $2 AND installation_id = $3
        ORDER BY epoch DESC, serial DESC LIMIT 1";
    // What we signed once, and lost: whatever key it was.
    KEEP = "UPDATE issued_license SET envelope = $6
        WHERE provider_id = $1 AND license_id = $2 AND installation_id = $3 AND epoch = $4 AND serial = $5
            AND envelope IS NULL";
    // A signature of before the newest trust root may be by a key that was revoked since.
    SIGN = "UPDATE issued_license SET envelope = $6
        WHERE provider_id = $1 AND license_id = $2 AND installation_id = $3 AND epoch = $4 AND serial = $5
            AND envelope IS NULL AND $7 = (SELECT max(version) FROM trust_root)";
    UNSIGNED = "SELECT license_id, installation_id, epoch, serial FROM issued_license
        WHERE provider_id = $1 AND envelope IS NULL LIMIT $2";
    // Of all providers, with what is to be signed: the partial index alone is read.
    UNSIGNED_OF_ALL = "SELECT provider_id, license_id, installation_id, epoch, serial, issued_us, payload
        FROM issued_license
        WHERE envelope IS NULL ORDER BY provider_id LIMIT $1";
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

/// An installation that gets a new license.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveRow {
    /// The license it holds.
    pub license: LicenseId,
    /// The installation.
    pub installation: InstallationId,
    /// The key its license is bound to.
    pub key_id: [u8; 32],
}

/// A license to be written, unsigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIssued {
    /// The license.
    pub license: LicenseId,
    /// The installation it is bound to.
    pub installation: InstallationId,
    /// Serial within the epoch.
    pub serial: u64,
    /// `H` of the payload.
    pub hash: [u8; 32],
    /// The payload, JSON.
    pub payload: String,
    /// What the payload says about its end.
    pub expires: Timestamp,
    /// The agreement's end.
    pub contract_ends: Timestamp,
}

#[derive(serde::Serialize)]
struct NewRow<'a> {
    license: String,
    installation: String,
    serial: u64,
    hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
    expires: i64,
    contract_ends: i64,
}

/// Epoch and serial of the newest license issued under an id before an epoch, to whichever installation.
pub async fn newest_before(
    conn: &mut Conn,
    provider: OrgId,
    license: LicenseId,
    epoch: u64,
) -> Result<Option<(u64, u64)>, StoreError> {
    let row = conn.fetch_optional(&NEWEST_BEFORE, params![provider, license, epoch as i64]).await?;
    row.map(|row| Ok((row.i64("epoch")? as u64, row.i64("serial")? as u64))).transpose()
}

/// The installations of some licenses that are not retired, in id order, their chains locked for this transaction.
pub async fn lock_active(tx: &mut Tx, provider: OrgId, licenses: &[LicenseId]) -> Result<Vec<ActiveRow>, StoreError> {
    let ids: Vec<String> = licenses.iter().map(|id| id.uuid().simple().to_string()).collect();
    let rows = tx.fetch_all(&ACTIVE, params![provider, json_rows(&ids)?]).await?;
    rows.iter()
        .map(|row| {
            Ok(ActiveRow { license: row.id("license_id")?, installation: row.id("id")?, key_id: row.hash("key_id")? })
        })
        .collect()
}

/// Writes unsigned licenses of one epoch and makes each the newest of its installation.
pub async fn insert_many(
    tx: &mut Tx,
    provider: OrgId,
    epoch: u64,
    issued: Timestamp,
    rows: &[NewIssued],
) -> Result<(), StoreError> {
    let row = |new: &NewIssued| NewRow {
        license: new.license.uuid().simple().to_string(),
        installation: new.installation.uuid().simple().to_string(),
        serial: new.serial,
        hash: hex(&new.hash),
        payload: None,
        expires: new.expires.as_micros(),
        contract_ends: new.contract_ends.as_micros(),
    };
    let newest: Vec<NewRow<'_>> = rows.iter().map(row).collect();
    let full: Vec<NewRow<'_>> = rows.iter().map(|new| NewRow { payload: Some(&new.payload), ..row(new) }).collect();
    let (epoch, count) = (epoch as i64, rows.len() as u64);
    tx.execute_exactly(count, &INSERT_MANY, params![provider, epoch, issued, json_rows(&full)?]).await?;
    tx.execute_exactly(count, &SET_NEWEST, params![epoch, json_rows(&newest)?]).await
}

/// Writes a license again that this database had lost, with its signature; the newest of its installation, if it is.
pub async fn recover(
    tx: &mut Tx,
    key: IssuedKey,
    issued: Timestamp,
    row: &NewIssued,
    envelope: &str,
) -> Result<(), StoreError> {
    let new = |payload| NewRow {
        license: row.license.uuid().simple().to_string(),
        installation: row.installation.uuid().simple().to_string(),
        serial: row.serial,
        hash: hex(&row.hash),
        payload,
        expires: row.expires.as_micros(),
        contract_ends: row.contract_ends.as_micros(),
    };
    let (full, newest) = (json_rows(&[new(Some(&row.payload))])?, json_rows(&[new(None)])?);
    let epoch = key.epoch as i64;
    tx.execute_exactly(1, &INSERT_MANY, params![key.provider, epoch, issued, full]).await?;
    tx.execute(&SET_NEWEST, params![epoch, newest]).await?;
    let parameters = params![key.provider, key.license, key.installation, epoch, key.serial as i64, envelope];
    tx.execute_exactly(1, &KEEP, parameters).await
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

/// Keeps the envelope that was signed by the keys of a trust root; `false` when it was signed before, or when there is a
/// newer trust root.
pub async fn sign(tx: &mut Tx, key: IssuedKey, envelope: &str, root: u64) -> Result<bool, StoreError> {
    let (epoch, serial) = (key.epoch as i64, key.serial as i64);
    let parameters = params![key.provider, key.license, key.installation, epoch, serial, envelope, root as i64];
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

/// Licenses of all providers that are not signed yet, with when they were issued and their payloads, at most `limit`.
pub async fn unsigned_of_all(
    conn: &mut Conn,
    limit: u32,
) -> Result<Vec<(IssuedKey, Timestamp, Vec<u8>)>, StoreError> {
    let rows = conn.fetch_all(&UNSIGNED_OF_ALL, params![limit]).await?;
    rows.iter()
        .map(|row| {
            let key = IssuedKey {
                provider: row.id("provider_id")?,
                license: row.id("license_id")?,
                installation: row.id("installation_id")?,
                epoch: row.i64("epoch")? as u64,
                serial: row.i64("serial")? as u64,
            };
            Ok((key, row.timestamp("issued_us")?, row.blob("payload")?))
        })
        .collect()
}
