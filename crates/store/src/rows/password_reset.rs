//! Links with which one person sets a password, once; by the hash of what the link holds.

use tenure_core::{Timestamp, UserId};

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO password_reset (token_hash, person_id, created_us, expires_us) VALUES ($1, $2, $3, $4)";
    FIND = "SELECT person_id, expires_us, used_us FROM password_reset WHERE token_hash = $1";
    NEWEST = "SELECT MAX(created_us) AS at FROM password_reset WHERE person_id = $1";
    // Compare and set: of two who send one link, one sets the password.
    USE = "UPDATE password_reset SET used_us = $2 WHERE token_hash = $1 AND used_us IS NULL AND expires_us > $2";
    DELETE_OF_PERSON = "DELETE FROM password_reset WHERE person_id = $1 AND (used_us IS NULL OR expires_us <= $2)";
}

/// Adds a link.
pub async fn insert(
    tx: &mut Tx,
    token_hash: &[u8; 32],
    person: UserId,
    created: Timestamp,
    expires: Timestamp,
) -> Result<(), StoreError> {
    tx.execute_one(&INSERT, params![token_hash, person, created, expires]).await
}

/// Whose link it is, if it can be used at `now`.
pub async fn find(conn: &mut Conn, token_hash: &[u8; 32], now: Timestamp) -> Result<Option<UserId>, StoreError> {
    let Some(row) = conn.fetch_optional(&FIND, params![token_hash]).await? else { return Ok(None) };
    let usable = row.opt_timestamp("used_us")?.is_none() && row.timestamp("expires_us")? > now;
    Ok(if usable { Some(row.id("person_id")?) } else { None })
}

/// When a person's newest link was made.
pub async fn newest(conn: &mut Conn, person: UserId) -> Result<Option<Timestamp>, StoreError> {
    conn.fetch_one(&NEWEST, params![person]).await?.opt_timestamp("at")
}

/// Uses a link up; `false` when it was used or has lapsed.
pub async fn use_up(tx: &mut Tx, token_hash: &[u8; 32], now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&USE, params![token_hash, now]).await? == 1)
}

/// Voids a person's links that were not used, and forgets those that lapsed.
pub async fn delete_of_person(tx: &mut Tx, person: UserId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(&DELETE_OF_PERSON, params![person, now]).await?;
    Ok(())
}
