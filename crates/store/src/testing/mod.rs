//! Databases for tests: a fresh SQLite file, a fresh PostgreSQL database, and one body run on both.
//!
//! Everything here panics when the machine cannot give what a test needs: that is the test's failure.
#![expect(clippy::missing_panics_doc, reason = "said once, above")]

mod postgres;
pub mod tamper;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _, Statement as _};
use tenure_core::Rng;

use crate::{Conn, Engine, Options, Statement, Store, conn::Inner};

/// A migrated database of its own that goes away with this value.
pub struct TestStore {
    /// The store.
    pub store: Store,
    /// Opens the same database again, as another process would.
    pub url: String,
    place: Place,
}

enum Place {
    Sqlite { _directory: tempfile::TempDir },
    Postgres { name: String },
}

impl TestStore {
    /// A fresh SQLite file.
    pub async fn sqlite() -> Self {
        Self::sqlite_with(Options::default()).await
    }

    /// A fresh SQLite file under other bounds.
    pub async fn sqlite_with(options: Options) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let url = format!("sqlite:{}", directory.path().join("tenure.db").display());
        let store = Store::open_with(&url, rng(1), options).await.expect("the file can be opened");
        store.migrate().await.expect("the migrations run");
        Self { store, url, place: Place::Sqlite { _directory: directory } }
    }

    /// A fresh database on the test run's own PostgreSQL server.
    pub async fn postgres() -> Self {
        let server = postgres::server().await;
        let name = server.create_database().await;
        let url = server.url(&name);
        let store = Store::open(&url, rng(1)).await.expect("the database can be opened");
        Self { store, url, place: Place::Postgres { name } }
    }

    /// A fresh database of either engine.
    pub async fn on(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::sqlite().await,
            Engine::Postgres => Self::postgres().await,
        }
    }

    /// Closes the store and removes the database.
    pub async fn close(self) {
        self.store.close().await;
        if let Place::Postgres { name } = self.place {
            postgres::server().await.drop_database(&name).await;
        }
    }
}

/// Chance that is the same for the same seed.
pub fn rng(seed: u64) -> Arc<dyn Rng> {
    Arc::new(Seeded { seed, drawn: Mutex::new(0) })
}

struct Seeded {
    seed: u64,
    drawn: Mutex<u64>,
}

impl Rng for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
            *drawn += 1;
            let hash = Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(drawn.to_be_bytes()).finalize();
            chunk.copy_from_slice(&hash[..chunk.len()]);
        }
    }
}

/// Runs a test body on a fresh database, on a runtime of its own.
pub fn run(engine: Engine, body: impl AsyncFnOnce(&TestStore)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        let test = TestStore::on(engine).await;
        body(&test).await;
        test.close().await;
    });
}

/// The command that prints a PostgreSQL database's schema, of the same version as the server.
pub fn pg_dump(url: &str) -> std::process::Command {
    let mut command = std::process::Command::new(postgres::binaries().join("pg_dump"));
    command.args(["--schema-only", "--no-owner", "--no-privileges", url]);
    command
}

/// Prepares a statement as an engine would run it. PostgreSQL: the types it infers for the parameters; those of
/// [`Val`](crate::Val) are the only ones a parameter can have.
pub async fn prepare(conn: &mut Conn, statement: &Statement) -> Result<Vec<String>, sqlx::Error> {
    match &mut conn.inner {
        Inner::SqliteTx(tx) => (**tx).prepare(statement.sql.into_sql_str()).await.map(|_| Vec::new()),
        Inner::PgTx(tx) => {
            let prepared = (**tx).prepare(statement.text(Engine::Postgres).into_sql_str()).await?;
            let types = prepared.parameters().and_then(sqlx::Either::left).unwrap_or_default();
            Ok(types.iter().map(ToString::to_string).collect())
        }
        Inner::Writer(_) | Inner::Sqlite(_) | Inner::Pg(_) => unreachable!("only called on a snapshot"),
    }
}

/// Every row of every table as text, table by table, in an order of its own: equal when nothing changed.
pub async fn dump(conn: &mut Conn) -> BTreeMap<String, Vec<String>> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let tables = match &mut conn.inner {
        Inner::SqliteTx(tx) => sqlx::query_scalar::<_, String>(tables).fetch_all(&mut **tx).await,
        Inner::PgTx(tx) => {
            let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
            sqlx::query_scalar::<_, String>(tables).fetch_all(&mut **tx).await
        }
        Inner::Writer(_) | Inner::Sqlite(_) | Inner::Pg(_) => unreachable!("only called on a snapshot"),
    };
    let mut dump = BTreeMap::new();
    for table in tables.expect("the tables can be listed") {
        let rows = match &mut conn.inner {
            Inner::SqliteTx(tx) => {
                let columns = format!("SELECT name FROM pragma_table_info('{table}')");
                let columns = sqlx::query_scalar::<_, String>(AssertSqlSafe(columns)).fetch_all(&mut **tx).await;
                let columns: Vec<String> =
                    columns.expect("the columns can be listed").iter().map(|name| format!("quote({name})")).collect();
                let rows = format!("SELECT {} FROM {table} ORDER BY 1", columns.join(" || '|' || "));
                sqlx::query_scalar::<_, String>(AssertSqlSafe(rows)).fetch_all(&mut **tx).await
            }
            Inner::PgTx(tx) => {
                let rows = format!("SELECT t::text FROM {table} t ORDER BY 1");
                sqlx::query_scalar::<_, String>(AssertSqlSafe(rows)).fetch_all(&mut **tx).await
            }
            Inner::Writer(_) | Inner::Sqlite(_) | Inner::Pg(_) => unreachable!("only called on a snapshot"),
        };
        dump.insert(table, rows.expect("the rows can be read"));
    }
    dump
}

/// Makes two tests of each named `async fn name(test: &TestStore)`: one on SQLite, one on PostgreSQL.
#[macro_export]
macro_rules! contract_tests {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { $crate::testing::run($crate::Engine::Sqlite, super::$name); })*
        }
        mod postgres {
            $(#[test] fn $name() { $crate::testing::run($crate::Engine::Postgres, super::$name); })*
        }
    };
}
