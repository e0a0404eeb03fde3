//! Single facts of the deployment, as high-water marks: a key and a text.

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    GET = "SELECT value FROM meta WHERE key = $1";
    SWAP = "UPDATE meta SET value = $3 WHERE key = $1 AND value = $2";
    DELETE = "DELETE FROM meta WHERE key = $1";
    PUT = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
}

/// The value under a key.
pub async fn get(conn: &mut Conn, key: &str) -> Result<Option<String>, StoreError> {
    conn.fetch_optional(&GET, params![key]).await?.map(|row| row.text("value")).transpose()
}

/// Sets the value under a key.
pub async fn put(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    tx.execute_one(&PUT, params![key, value]).await
}

/// Sets the value under a key that holds `before`; `false` when it holds another, as where somebody else was first.
pub async fn swap(tx: &mut Tx, key: &str, before: &str, value: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&SWAP, params![key, before, value]).await? == 1)
}

/// Forgets the value under a key; `false` when there was none.
pub async fn delete(tx: &mut Tx, key: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, params![key]).await? == 1)
}
