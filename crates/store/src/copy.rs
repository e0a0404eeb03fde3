//! Copying a database while it is written, and whether it is sound.

use std::path::Path;

use sqlx::{Connection, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{Engine, Store, StoreError, params, statement::statements};

statements! {
    INTEGRITY = "SELECT integrity_check AS says FROM pragma_integrity_check WHERE integrity_check <> 'ok' LIMIT 100",
        pg "SELECT '' AS says WHERE false";
    FOREIGN = "SELECT \"table\" || ' refers to a missing row of ' || parent AS says FROM pragma_foreign_key_check LIMIT 100",
        pg "SELECT '' AS says WHERE false";
}

/// Copies a SQLite file into a new one, as of one moment, while others write to it. What it copies is committed; the
/// copy is complete, but not yet on the disk for certain: the caller syncs it.
pub async fn copy_sqlite(from: &Path, to: &Path) -> Result<(), StoreError> {
    // A connection of its own: nothing else waits while it copies.
    let options = SqliteConnectOptions::new().filename(from).create_if_missing(false);
    let mut conn = SqliteConnection::connect_with(&options).await.map_err(StoreError::of_opening)?;
    let to = to.to_str().ok_or(StoreError::Url)?;
    let done = sqlx::query("VACUUM INTO $1").bind(to).execute(&mut conn).await;
    conn.close().await.map_err(StoreError::of_opening)?;
    done.map(|_| ()).map_err(|error| StoreError::of_statement("VACUUM INTO", error))
}

/// Moves a SQLite file's log into it and leaves it as one plain file, for a copy that is to be kept or carried.
pub async fn seal_sqlite(path: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    let mut conn = SqliteConnection::connect_with(&options).await.map_err(StoreError::of_opening)?;
    let mode = sqlx::query("PRAGMA journal_mode = DELETE").fetch_one(&mut conn).await;
    conn.close().await.map_err(StoreError::of_opening)?;
    let mode: String =
        mode.and_then(|row| row.try_get(0)).map_err(|error| StoreError::of_statement("PRAGMA journal_mode", error))?;
    if mode == "delete" { Ok(()) } else { Err(StoreError::Contended) }
}

impl Store {
    /// What the engine finds wrong with its file: nothing when it is sound. PostgreSQL checks its pages as it reads them.
    pub async fn check_integrity(&self) -> Result<Vec<String>, StoreError> {
        if self.engine() == Engine::Postgres {
            return Ok(Vec::new());
        }
        let mut read = self.read().await?;
        let mut found = Vec::new();
        for statement in [&INTEGRITY, &FOREIGN] {
            for row in read.fetch_all(statement, params![]).await? {
                found.push(row.text("says")?);
            }
        }
        Ok(found)
    }
}
