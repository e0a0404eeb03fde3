//! A table of the tests' own, and ways to write to it.

use tenure_core::Timestamp;
use tenure_store::{AuditEntry, Conn, Queue, Statement, Store, StoreError, Tx, params};

macro_rules! sql {
    ($($name:ident = $sql:literal $(, pg $pg:literal)?;)*) => {
        $(pub(crate) static $name: Statement =
            Statement { name: stringify!($name), sql: $sql, pg: $crate::support::sql!(@ $($pg)?) };)*
    };
    (@ $pg:literal) => { Some($pg) };
    (@) => { None };
}
pub(crate) use sql;

sql! {
    CREATE = "CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, note TEXT NOT NULL)";
    PUT = "INSERT INTO item (id, note) VALUES ($1, $2)";
    IDS = "SELECT id FROM item ORDER BY id";
    LOCK = "SELECT note FROM item WHERE id = $1", pg "SELECT note FROM item WHERE id = $1 FOR UPDATE";
    NOTE = "UPDATE item SET note = $2 WHERE id = $1";
    DELETE = "DELETE FROM item";
}

/// What a use case of the tests fails with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TestError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("refused {0}")]
    Refused(i64),
}

pub(crate) async fn create_items(store: &Store) {
    store.write(Queue::People, async |tx| tx.execute(&CREATE, params![]).await).await.expect("the table is made");
}

pub(crate) async fn put(tx: &mut Tx, id: i64) -> Result<(), StoreError> {
    tx.execute_one(&PUT, params![id, "test"]).await
}

pub(crate) async fn ids(conn: &mut Conn) -> Vec<i64> {
    let rows = conn.fetch_all(&IDS, params![]).await.expect("the items can be read");
    rows.iter().map(|row| row.i64("id").expect("an id")).collect()
}

pub(crate) async fn stored(store: &Store) -> Vec<i64> {
    ids(&mut store.read().await.expect("a snapshot")).await
}

/// An instant of the tests: second `n`.
pub(crate) fn second(n: i64) -> Timestamp {
    Timestamp::from_secs(1_790_000_000 + n)
}

pub(crate) fn entry(subject: i64) -> AuditEntry {
    AuditEntry {
        actor: "usr_test".to_owned(),
        verb: "item.put",
        subject: format!("item_{subject}"),
        org: None,
        at: second(subject),
        body: serde_json::json!({"id": subject, "text": "Żółć \u{0} \"quoted\""}),
    }
}
