//! What was taken back: read from the log for the file outside the database, and done again after a restore (E4).

use tenure_core::{InstallationId, LicenseId, OrgId, Timestamp, TokenId, UserId};

use crate::{Conn, StoreError, Tx, json_rows, params, statement::statements};

statements! {
    OF_LANE = "SELECT n, at_us, org, verb, subject, body FROM audit_entry
        WHERE lane = $1 AND n > $2 AND n <= $3 AND verb IN (SELECT value FROM json_each($4)) ORDER BY n LIMIT $5",
        pg "SELECT n, at_us, org, verb, subject, body FROM audit_entry
        WHERE lane = $1 AND n > $2 AND n <= $3 AND verb IN (SELECT json_array_elements_text($4::json))
        ORDER BY n LIMIT $5";
    END_SESSIONS = "DELETE FROM session";
    VOID_CODES = "UPDATE activation_code SET voided_us = $1 WHERE key_id IS NULL AND voided_us IS NULL";
    VOID_LINKS = "UPDATE password_reset SET used_us = $1 WHERE used_us IS NULL";
    TOKEN = "UPDATE api_token SET revoked_us = $2 WHERE id = $1 AND revoked_us IS NULL";
    PERSON = "UPDATE person SET disabled_us = $2 WHERE id = $1 AND disabled_us IS NULL";
    LICENSE = "UPDATE license SET ended_us = $2, ended_how = $3 WHERE id = $1 AND ended_us IS NULL";
    LICENSE_TEMPLATE = "UPDATE template SET license_id = NULL WHERE license_id = $1";
    LICENSE_CHAIN = "UPDATE chain SET license_state = 'revoked' WHERE license_id = $1 AND license_state <> 'revoked'";
    INSTALLATION = "UPDATE installation SET retired_us = $2, retired_how = $3 WHERE id = $1 AND retired_us IS NULL";
    INSTALLATION_CHAIN = "UPDATE chain SET status = 'retired' WHERE installation_id = $1 AND status <> 'retired'";
}

/// Something that was taken back, as the log tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedRow {
    /// Its entry's number.
    pub n: u64,
    /// When.
    pub at: Timestamp,
    /// Whose it was.
    pub org: Option<OrgId>,
    /// What was done.
    pub verb: String,
    /// To what.
    pub subject: String,
    /// The chained body, JSON; none once erased.
    pub body: Option<String>,
}

/// Entries of some verbs in a lane, after one and through another, at most `limit`.
pub async fn of_lane(
    conn: &mut Conn,
    lane: u32,
    (after, through): (u64, u64),
    verbs: &[&str],
    limit: u32,
) -> Result<Vec<RevokedRow>, StoreError> {
    let parameters = params![lane, after as i64, through as i64, json_rows(verbs)?, limit];
    let rows = conn.fetch_all(&OF_LANE, parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(RevokedRow {
                n: row.i64("n")? as u64,
                at: row.timestamp("at_us")?,
                org: row.opt_id("org")?,
                verb: row.text("verb")?,
                subject: row.text("subject")?,
                body: row.opt_text("body")?,
            })
        })
        .collect()
}

/// Ends every session; how many there were.
pub async fn end_sessions(tx: &mut Tx) -> Result<u64, StoreError> {
    tx.execute(&END_SESSIONS, params![]).await
}

/// Voids every activation code that no key has shown; how many there were.
pub async fn void_codes(tx: &mut Tx, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&VOID_CODES, params![at]).await
}

/// Voids every link for a new password that nobody used; how many there were.
pub async fn void_links(tx: &mut Tx, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&VOID_LINKS, params![at]).await
}

/// Revokes a token again; `false` when it is revoked or was made after the backup.
pub async fn token(tx: &mut Tx, id: TokenId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&TOKEN, params![id, at]).await? == 1)
}

/// Disables a person again; `false` when nothing changed.
pub async fn person(tx: &mut Tx, id: UserId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&PERSON, params![id, at]).await? == 1)
}

/// Ends a license again, `revoked` or `deleted`; `false` when nothing changed.
pub async fn license(tx: &mut Tx, id: LicenseId, at: Timestamp, how: &str) -> Result<bool, StoreError> {
    tx.execute(&LICENSE_CHAIN, params![id]).await?;
    tx.execute(&LICENSE_TEMPLATE, params![id]).await?;
    Ok(tx.execute(&LICENSE, params![id, at, how]).await? == 1)
}

/// Retires an installation again; `false` when nothing changed.
pub async fn installation(tx: &mut Tx, id: InstallationId, at: Timestamp, how: &str) -> Result<bool, StoreError> {
    tx.execute(&INSTALLATION_CHAIN, params![id]).await?;
    Ok(tx.execute(&INSTALLATION, params![id, at, how]).await? == 1)
}
