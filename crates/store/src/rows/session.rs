//! Sessions of browsers and consoles, by the hash of their token.

use tenure_core::{Timestamp, UserId};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO session (token_hash, person_id, created_us, seen_us, expires_us, refresh_hash, read_only)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    FIND = "SELECT token_hash, person_id, created_us, seen_us, expires_us, refresh_hash, read_only FROM session
        WHERE token_hash = $1";
    FIND_BY_REFRESH = "SELECT token_hash, person_id, created_us, seen_us, expires_us, refresh_hash, read_only FROM session
        WHERE refresh_hash = $1";
    SEEN = "UPDATE session SET seen_us = $2 WHERE token_hash = $1 AND seen_us < $2";
    DELETE = "DELETE FROM session WHERE token_hash = $1";
    DELETE_OF_PERSON = "DELETE FROM session WHERE person_id = $1";
    OF_PERSON = "SELECT token_hash, person_id, created_us, seen_us, expires_us, refresh_hash, read_only FROM session
        WHERE person_id = $1 AND expires_us > $2 AND seen_us > $3 ORDER BY created_us DESC LIMIT 200";
    DELETE_OTHERS = "DELETE FROM session WHERE person_id = $1 AND token_hash <> $2";
    // A session past its absolute end, or unused since before $2.
    PURGE = "DELETE FROM session WHERE token_hash IN
        (SELECT token_hash FROM session WHERE expires_us <= $1 OR seen_us <= $2 LIMIT $3)";
}

/// A signed-in browser or console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// Who signed in.
    pub person: UserId,
    /// When.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub seen: Timestamp,
    /// When it ends whatever happens.
    pub expires: Timestamp,
    /// SHA-256 of the token that carries it on; of sessions made through the console API.
    pub refresh_hash: Option<[u8; 32]>,
    /// It only reads, whatever the person may do.
    pub read_only: bool,
}

/// Adds a session.
pub async fn insert(tx: &mut Tx, row: &SessionRow) -> Result<(), StoreError> {
    tx.execute_one(&INSERT, params![
        row.token_hash,
        row.person,
        row.created,
        row.seen,
        row.expires,
        row.refresh_hash,
        row.read_only
    ])
    .await
}

/// The session behind a token's hash.
pub async fn find(conn: &mut Conn, token_hash: &[u8; 32]) -> Result<Option<SessionRow>, StoreError> {
    let row = conn.fetch_optional(&FIND, params![token_hash]).await?;
    row.as_ref().map(session).transpose()
}

/// The session that a refresh token's hash carries on.
pub async fn find_by_refresh(conn: &mut Conn, refresh_hash: &[u8; 32]) -> Result<Option<SessionRow>, StoreError> {
    let row = conn.fetch_optional(&FIND_BY_REFRESH, params![refresh_hash]).await?;
    row.as_ref().map(session).transpose()
}

fn session(row: &Row) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        token_hash: row.hash("token_hash")?,
        person: row.id("person_id")?,
        created: row.timestamp("created_us")?,
        seen: row.timestamp("seen_us")?,
        expires: row.timestamp("expires_us")?,
        refresh_hash: row.opt_hash("refresh_hash")?,
        read_only: row.bool("read_only")?,
    })
}

/// The newest 200 sessions of a person that have not ended at `now` and were used since `idle_since`.
pub async fn of_person(
    conn: &mut Conn,
    person: UserId,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Vec<SessionRow>, StoreError> {
    conn.fetch_all(&OF_PERSON, params![person, now, idle_since]).await?.iter().map(session).collect()
}

/// Ends all sessions of a person but one; how many.
pub async fn delete_others(tx: &mut Tx, person: UserId, but: &[u8; 32]) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OTHERS, params![person, but]).await
}

/// Notes that a session was used; `false` when it is gone or was seen later.
pub async fn seen(tx: &mut Tx, token_hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&SEEN, params![token_hash, at]).await? == 1)
}

/// Ends a session; `false` when it was gone.
pub async fn delete(tx: &mut Tx, token_hash: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, params![token_hash]).await? == 1)
}

/// Ends all sessions of a person; how many there were.
pub async fn delete_of_person(tx: &mut Tx, person: UserId) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OF_PERSON, params![person]).await
}

/// Deletes at most `limit` sessions that ended at `now` or were unused since `idle_since`; how many.
pub async fn purge(tx: &mut Tx, now: Timestamp, idle_since: Timestamp, limit: u32) -> Result<u64, StoreError> {
    tx.execute(&PURGE, params![now, idle_since, limit]).await
}
