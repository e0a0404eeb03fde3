//! Enroll tokens, with which a fleet activates one license, and the servers that wait for a person (A3).

use tenure_core::{
    ApplicantId, EnrollTokenId, LicenseId, OrgId, Timestamp, UserId,
    enroll::{Network, Standing},
};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO enroll_token (token_hash, id, provider_id, license_id, name, cap, used, license_limit, networks,
            created_by, created_us, expires_us)
        VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11)";
    LOCK = "SELECT token_hash, id, provider_id, license_id, name, cap, used, license_limit, networks, created_by,
            created_us, expires_us, revoked_us, refused_us
        FROM enroll_token WHERE token_hash = $1",
        pg "SELECT token_hash, id, provider_id, license_id, name, cap, used, license_limit, networks, created_by,
            created_us, expires_us, revoked_us, refused_us
        FROM enroll_token WHERE token_hash = $1 FOR UPDATE";
    KNOWS = "SELECT 1 AS one FROM enroll_token WHERE token_hash = $1";
    FIND = "SELECT token_hash, id, provider_id, license_id, name, cap, used, license_limit, networks, created_by,
            created_us, expires_us, revoked_us, refused_us
        FROM enroll_token WHERE provider_id = $1 AND id = $2";
    OF_LICENSE = "SELECT token_hash, id, provider_id, license_id, name, cap, used, license_limit, networks, created_by,
            created_us, expires_us, revoked_us, refused_us
        FROM enroll_token WHERE provider_id = $1 AND license_id = $2 ORDER BY id DESC LIMIT $3";
    COUNT = "SELECT COUNT(*) AS n FROM enroll_token
        WHERE provider_id = $1 AND license_id = $2 AND revoked_us IS NULL AND expires_us > $3";
    USE = "UPDATE enroll_token SET used = used + 1 WHERE id = $1 AND used < cap";
    NOTE_REFUSED = "UPDATE enroll_token SET refused_us = $2 WHERE id = $1 AND refused_us IS NULL";
    REVOKE = "UPDATE enroll_token SET revoked_us = $3 WHERE provider_id = $1 AND id = $2 AND revoked_us IS NULL";
    REVOKE_ALL = "UPDATE enroll_token SET revoked_us = $1 WHERE revoked_us IS NULL";
    ASK = "INSERT INTO applicant (token_id, key_id, provider_id, license_id, id, name, address, asked_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    ASKED = "SELECT token_id, key_id, provider_id, license_id, id, name, address, asked_us, admitted_us, refused_us
        FROM applicant WHERE token_id = $1 AND key_id = $2";
    LOCK_APPLICANT = "SELECT token_id, key_id, provider_id, license_id, id, name, address, asked_us, admitted_us, refused_us
        FROM applicant WHERE provider_id = $1 AND id = $2",
        pg "SELECT token_id, key_id, provider_id, license_id, id, name, address, asked_us, admitted_us, refused_us
        FROM applicant WHERE provider_id = $1 AND id = $2 FOR UPDATE";
    // Of a token that was revoked nobody waits.
    WAITING = "SELECT a.token_id, a.key_id, a.provider_id, a.license_id, a.id, a.name, a.address, a.asked_us, a.admitted_us,
            a.refused_us
        FROM applicant a JOIN enroll_token t ON t.id = a.token_id
        WHERE a.provider_id = $1 AND a.license_id = $2 AND a.admitted_us IS NULL AND a.refused_us IS NULL
            AND t.revoked_us IS NULL
        ORDER BY a.asked_us, a.id LIMIT $3";
    DECIDE = "UPDATE applicant SET admitted_us = $3, refused_us = $4
        WHERE provider_id = $1 AND id = $2 AND admitted_us IS NULL AND refused_us IS NULL";
    IN_USE = "SELECT COUNT(*) AS n FROM installation WHERE provider_id = $1 AND license_id = $2 AND retired_us IS NULL";
}

/// A token of a fleet. The token itself is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollTokenRow {
    /// Its hash.
    pub token_hash: [u8; 32],
    /// Its id.
    pub id: EnrollTokenId,
    /// Whose license.
    pub provider: OrgId,
    /// The license it activates.
    pub license: LicenseId,
    /// What its owner calls it.
    pub name: String,
    /// How many servers may ever show it.
    pub cap: u32,
    /// How many did: they joined, or wait, or were refused by a person.
    pub used: u32,
    /// Servers in use that the license may have before a further one waits.
    pub license_limit: u32,
    /// The networks it is good from.
    pub networks: Vec<Network>,
    /// Who made it; none for a token or the operator.
    pub created_by: Option<UserId>,
    /// When.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// The first time that it was shown from elsewhere, or above its cap.
    pub refused: Option<Timestamp>,
}

/// A server that waits, or waited, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicantRow {
    /// The token it showed.
    pub token: EnrollTokenId,
    /// Its key.
    pub key_id: [u8; 32],
    /// Whose license.
    pub provider: OrgId,
    /// The license it asked for.
    pub license: LicenseId,
    /// What it is called while it waits.
    pub id: ApplicantId,
    /// Host name it tells.
    pub name: String,
    /// The address it asked from.
    pub address: String,
    /// When.
    pub asked: Timestamp,
    /// When a person admitted it.
    pub admitted: Option<Timestamp>,
    /// When a person refused it.
    pub refused: Option<Timestamp>,
}

impl ApplicantRow {
    /// What a person decided.
    pub fn standing(&self) -> Standing {
        match (self.admitted, self.refused) {
            (_, Some(_)) => Standing::Refused,
            (Some(_), None) => Standing::Admitted,
            (None, None) => Standing::Waits,
        }
    }
}

fn token(row: &Row) -> Result<EnrollTokenRow, StoreError> {
    let number = |name: &str| Ok::<_, StoreError>(u32::try_from(row.i64(name)?).unwrap_or(0));
    Ok(EnrollTokenRow {
        token_hash: row.hash("token_hash")?,
        id: row.id("id")?,
        provider: row.id("provider_id")?,
        license: row.id("license_id")?,
        name: row.text("name")?,
        cap: number("cap")?,
        used: number("used")?,
        license_limit: number("license_limit")?,
        // A list that cannot be read lets nobody in.
        networks: serde_json::from_str(&row.text("networks")?).unwrap_or_default(),
        created_by: row.opt_id("created_by")?,
        created: row.timestamp("created_us")?,
        expires: row.timestamp("expires_us")?,
        revoked: row.opt_timestamp("revoked_us")?,
        refused: row.opt_timestamp("refused_us")?,
    })
}

fn applicant(row: &Row) -> Result<ApplicantRow, StoreError> {
    Ok(ApplicantRow {
        token: row.id("token_id")?,
        key_id: row.hash("key_id")?,
        provider: row.id("provider_id")?,
        license: row.id("license_id")?,
        id: row.id("id")?,
        name: row.text("name")?,
        address: row.text("address")?,
        asked: row.timestamp("asked_us")?,
        admitted: row.opt_timestamp("admitted_us")?,
        refused: row.opt_timestamp("refused_us")?,
    })
}

/// Adds a token that nobody has shown.
pub async fn insert(tx: &mut Tx, row: &EnrollTokenRow) -> Result<(), StoreError> {
    let parameters = params![
        row.token_hash,
        row.id,
        row.provider,
        row.license,
        row.name.as_str(),
        row.cap,
        row.license_limit,
        crate::json_rows(&row.networks)?,
        row.created_by,
        row.created,
        row.expires
    ];
    tx.execute_one(&INSERT, parameters).await
}

/// The token with a hash, locked for this transaction.
pub async fn lock(tx: &mut Tx, token_hash: &[u8; 32]) -> Result<Option<EnrollTokenRow>, StoreError> {
    tx.fetch_optional(&LOCK, params![token_hash]).await?.as_ref().map(token).transpose()
}

/// Whether there is a token with a hash, in force or not.
pub async fn knows(conn: &mut Conn, token_hash: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(conn.fetch_optional(&KNOWS, params![token_hash]).await?.is_some())
}

/// One token of a provider.
pub async fn find(
    conn: &mut Conn,
    provider: OrgId,
    id: EnrollTokenId,
) -> Result<Option<EnrollTokenRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, id]).await?.as_ref().map(token).transpose()
}

/// Tokens of a license, newest first, at most `limit`.
pub async fn of_license(
    conn: &mut Conn,
    provider: OrgId,
    license: LicenseId,
    limit: u32,
) -> Result<Vec<EnrollTokenRow>, StoreError> {
    conn.fetch_all(&OF_LICENSE, params![provider, license, limit]).await?.iter().map(token).collect()
}

/// How many tokens of a license are in force.
pub async fn count(
    conn: &mut Conn,
    provider: OrgId,
    license: LicenseId,
    now: Timestamp,
) -> Result<i64, StoreError> {
    conn.fetch_one(&COUNT, params![provider, license, now]).await?.i64("n")
}

/// Counts a server that showed it; `false` when the cap is reached.
pub async fn take_one(tx: &mut Tx, id: EnrollTokenId) -> Result<bool, StoreError> {
    Ok(tx.execute(&USE, params![id]).await? == 1)
}

/// Notes that it was shown where it is not good; `false` when it was before.
pub async fn note_refused(tx: &mut Tx, id: EnrollTokenId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&NOTE_REFUSED, params![id, at]).await? == 1)
}

/// Revokes a token; `false` when there is none in force or it was revoked before.
pub async fn revoke(tx: &mut Tx, provider: OrgId, id: EnrollTokenId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&REVOKE, params![provider, id, at]).await? == 1)
}

/// Revokes every token; how many there were.
pub async fn revoke_all(tx: &mut Tx, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&REVOKE_ALL, params![at]).await
}

/// Makes a server wait.
pub async fn ask(tx: &mut Tx, row: &ApplicantRow) -> Result<(), StoreError> {
    let (name, address) = (row.name.as_str(), row.address.as_str());
    let parameters =
        params![row.token, row.key_id, row.provider, row.license, row.id, name, address, row.asked];
    tx.execute_one(&ASK, parameters).await
}

/// The server that showed a token with a key and was made to wait.
pub async fn asked(
    conn: &mut Conn,
    token: EnrollTokenId,
    key_id: &[u8; 32],
) -> Result<Option<ApplicantRow>, StoreError> {
    conn.fetch_optional(&ASKED, params![token, key_id]).await?.as_ref().map(applicant).transpose()
}

/// A provider's applicant, locked for this transaction.
pub async fn lock_applicant(
    tx: &mut Tx,
    provider: OrgId,
    id: ApplicantId,
) -> Result<Option<ApplicantRow>, StoreError> {
    tx.fetch_optional(&LOCK_APPLICANT, params![provider, id]).await?.as_ref().map(applicant).transpose()
}

/// Those who wait for a license, the longest waiting first, at most `limit`.
pub async fn waiting(
    conn: &mut Conn,
    provider: OrgId,
    license: LicenseId,
    limit: u32,
) -> Result<Vec<ApplicantRow>, StoreError> {
    conn.fetch_all(&WAITING, params![provider, license, limit]).await?.iter().map(applicant).collect()
}

/// Admits a server, or refuses it; `false` when somebody decided before.
pub async fn decide(
    tx: &mut Tx,
    provider: OrgId,
    id: ApplicantId,
    admit: bool,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let (admitted, refused) = if admit { (Some(at), None) } else { (None, Some(at)) };
    Ok(tx.execute(&DECIDE, params![provider, id, admitted, refused]).await? == 1)
}

/// How many servers in use hold a license.
pub async fn in_use(conn: &mut Conn, provider: OrgId, license: LicenseId) -> Result<u32, StoreError> {
    let n = conn.fetch_one(&IN_USE, params![provider, license]).await?.i64("n")?;
    Ok(u32::try_from(n).unwrap_or(u32::MAX))
}
