//! Opening a database, reading from it and handing writes to its writer.

use std::{path::Path, str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgPool, SqliteConnection, SqlitePool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tenure_core::{Rng, Timestamp};

use crate::{
    Conn, Read, StoreError, Tx,
    conn::Inner,
    local::Local,
    params,
    statement::statements,
    writer::{self, Queue, Stats, Writer},
};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a reader waits for a free connection before it is told that the store is busy.
const ACQUIRE: Duration = Duration::from_secs(5);
/// Bytes of room on an embedded database's disk; with less it counts as full.
const MIN_ROOM: u64 = 256 * 1024;
/// In a PostgreSQL URL: a pooler in transaction mode stands between.
const POOLED: &str = "statement-cache-capacity=0";
/// Prepared statements kept per connection: more than the registry has.
const CACHED_STATEMENTS: usize = 512;

/// Write transactions that one replica has open on PostgreSQL at once. Each holds one of the 16 audit lanes until its COMMIT
/// returns: with four, four replicas find a free lane each time. More would not commit sooner, for they share the server's
/// log flushes; they would only wait for each other's rows and lanes.
const PG_WRITERS: u32 = 4;

/// Which database answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// One embedded file.
    Sqlite,
    /// A server, shared by any number of replicas.
    Postgres,
}

/// Bounds of a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections for reading.
    pub readers: u32,
    /// Connections for writing to PostgreSQL, at most 4 unless a test says otherwise; SQLite has one.
    pub writers: u32,
    /// Use cases that may wait in each queue.
    pub queue: usize,
    /// SQLite: pages the file may have (`PRAGMA max_page_count`); beyond, writes get [`StoreError::DiskFull`].
    pub max_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, writers: PG_WRITERS, queue: 1024, max_pages: None }
    }
}

statements! {
    ANSWERS = "SELECT 1 AS n";
    MIGRATED = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version LIMIT 1000";
    /// The timeline is that of the log being written now: the control file would tell of a promotion only after its next
    /// checkpoint.
    SERVER = "SELECT '' AS system, '' AS timeline, 0 AS clock_us",
        pg "SELECT CAST(system_identifier AS TEXT) AS system,
            CASE WHEN pg_is_in_recovery() THEN 'standby'
                ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline,
            CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) AS clock_us
        FROM pg_control_system()";
}

/// How a schema stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// Migrations that this program has.
    pub known: usize,
    /// Migrations that the database has.
    pub applied: usize,
    /// The database has one that this program does not know.
    pub newer: bool,
}

impl Schema {
    /// Whether nothing is to be done.
    pub fn is_current(&self) -> bool {
        !self.newer && self.known == self.applied
    }
}

/// A PostgreSQL server as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its system identifier and timeline: another one after a failover or a restore.
    pub identity: String,
    /// Its clock.
    pub clock: Timestamp,
}

/// A database. Clones are handles of the same one.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    place: Place,
    readers: Readers,
    writer: Writer,
}

enum Place {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres {
        /// A pooler stands between, which gives each transaction another connection: nothing may last longer than one.
        pooled: bool,
    },
}

enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Store {
    /// Opens `sqlite:PATH` (made if it is missing) or `postgres://…`; with `?statement-cache-capacity=0` when a pooler in
    /// transaction mode, as pgbouncer, stands between. `rng` salts the audit chain and makes ids.
    pub async fn open(url: &str, rng: Arc<dyn Rng>) -> Result<Self, StoreError> {
        Self::open_with(url, rng, Options::default()).await
    }

    /// As [`Store::open`], with other bounds.
    pub async fn open_with(url: &str, rng: Arc<dyn Rng>, options: Options) -> Result<Self, StoreError> {
        let shared = if let Some(path) = url.strip_prefix("sqlite:") {
            open_sqlite(Path::new(path.strip_prefix("//").unwrap_or(path)), rng, &options)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            open_postgres(url, rng, &options).await
        } else {
            Err(StoreError::Url)
        }?;
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Which engine answers.
    pub fn engine(&self) -> Engine {
        match self.shared.place {
            Place::Sqlite(_) => Engine::Sqlite,
            Place::Postgres { .. } => Engine::Postgres,
        }
    }

    /// Brings the schema up to date; forward only. Call it before the first write.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match (&self.shared.place, &self.shared.readers) {
            (Place::Sqlite(options), _) => {
                let mut conn = SqliteConnection::connect_with(options).await.map_err(StoreError::of_opening)?;
                SQLITE.run(&mut conn).await.map_err(StoreError::Migrate)?;
                conn.close().await.map_err(StoreError::of_opening)
            }
            (Place::Postgres { pooled: false }, Readers::Postgres(pool)) => {
                POSTGRES.run(pool).await.map_err(StoreError::Migrate)
            }
            (Place::Postgres { pooled: true }, Readers::Postgres(pool)) => migrate_in_one_transaction(pool).await,
            (Place::Postgres { .. }, Readers::Sqlite(_)) => unreachable!("readers are of the engine of the place"),
        }
    }

    /// How the schema stands beside what this program knows.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        let known = match self.engine() {
            Engine::Sqlite => &SQLITE,
            Engine::Postgres => &POSTGRES,
        };
        let rows = self.read().await?.fetch_all(&MIGRATED, params![]).await?;
        let applied = rows.iter().map(|row| row.i64("version")).collect::<Result<Vec<_>, _>>()?;
        let newer = applied.iter().any(|version| known.iter().all(|migration| migration.version != *version));
        Ok(Schema { known: known.iter().count(), applied: applied.len(), newer })
    }

    fn is_pooled(&self) -> bool {
        matches!(self.shared.place, Place::Postgres { pooled: true })
    }

    /// A snapshot to read from: all its statements see the database as its first one found it.
    pub async fn read(&self) -> Result<Read, StoreError> {
        let inner = match &self.shared.readers {
            Readers::Sqlite(pool) => pool.begin().await.map(Inner::SqliteTx),
            Readers::Postgres(pool) => {
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map(Inner::PgTx)
            }
        };
        inner.map(|inner| Read(Conn::through(self.is_pooled(), inner))).map_err(StoreError::of_acquiring)
    }

    /// A connection for single reads that need no common snapshot; each statement sees the newest commit. It is
    /// cheaper than [`Store::read`] by two round trips.
    pub async fn peek(&self) -> Result<Read, StoreError> {
        if self.is_pooled() {
            // A statement is prepared and run in two steps, which must meet one connection.
            return self.read().await;
        }
        let inner = match &self.shared.readers {
            Readers::Sqlite(pool) => pool.acquire().await.map(Inner::Sqlite),
            Readers::Postgres(pool) => pool.acquire().await.map(Inner::Pg),
        };
        inner.map(|inner| Read(Conn::new(inner))).map_err(StoreError::of_acquiring)
    }

    /// Runs a use case in a transaction. What it returned arrives after COMMIT with fsync, or its error after its
    /// changes were rolled back.
    ///
    /// The closure may run more than once (a group that failed is retried singly; PostgreSQL asks for serialization
    /// retries), so it must not consume what it captured, and must have no effect but through its [`Tx`]. It awaits
    /// nothing but SQL. A caller that goes away while it runs does not stop it; one that goes away before, does.
    ///
    /// After a statement has failed the use case can only fail; see [`StoreError::Poisoned`].
    ///
    /// One lock order keeps PostgreSQL from deadlocks: installations by id, monthly usage by id, licenses by id; the
    /// outbox counters and the audit lane follow by themselves (X8).
    ///
    /// ```ignore
    /// store.write(Queue::People, async move |tx: &mut Tx| company::rename(tx, id, &name, now).await).await?;
    /// ```
    pub async fn write<T, E, F>(&self, queue: Queue, op: F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.shared.writer.run(queue, op).await
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.shared.writer
    }

    /// What the writer has done since the store was opened.
    pub fn stats(&self) -> Stats {
        self.shared.writer.stats()
    }

    /// How many use cases wait in each queue of the writer now.
    pub fn waiting(&self) -> [(Queue, usize); 3] {
        self.shared.writer.waiting()
    }

    /// Whether the last write that reached the disk found it full, until the next that fits says otherwise; or the disk of
    /// an embedded database has no room left, though small writes may still find some in files that are there.
    pub fn is_full(&self) -> bool {
        let has_room = || match &self.shared.place {
            // A disk that cannot be asked is not known to be full.
            Place::Sqlite(options) => rustix::fs::statvfs(options.get_filename())
                .map_or(true, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= MIN_ROOM),
            Place::Postgres { .. } => true,
        };
        self.shared.writer.is_full() || !has_room()
    }

    /// Asks the database whether it answers at all.
    ///
    /// # Errors
    /// When it does not.
    pub async fn answers(&self) -> Result<(), StoreError> {
        self.peek().await?.fetch_one(&ANSWERS, params![]).await.map(|_| ())
    }

    /// The PostgreSQL server behind this store; none for a SQLite file.
    pub async fn server(&self) -> Result<Option<Server>, StoreError> {
        if self.engine() == Engine::Sqlite {
            return Ok(None);
        }
        let row = self.peek().await?.fetch_one(&SERVER, params![]).await?;
        let (system, timeline) = (row.text("system")?, row.text("timeline")?);
        let identity = format!("system {system}, timeline {timeline}");
        Ok(Some(Server { identity, clock: row.timestamp("clock_us")? }))
    }

    /// Takes no more writes, finishes those that are queued and closes all connections.
    pub async fn close(&self) {
        match &self.shared.readers {
            Readers::Sqlite(pool) => pool.close().await,
            Readers::Postgres(pool) => pool.close().await,
        }
        self.shared.writer.close().await;
    }
}

fn open_sqlite(path: &Path, rng: Arc<dyn Rng>, options: &Options) -> Result<Shared, StoreError> {
    let common = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(CACHED_STATEMENTS)
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging();
    let migrate = common.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let read = common.read_only(true).pragma("cache_size", "-8192").thread_name(|n| format!("tenure-sqlite-{n}"));
    let local = Local::open(path, options.max_pages, CACHED_STATEMENTS).map_err(StoreError::of_opening)?;
    let readers = SqlitePoolOptions::new()
        .max_connections(options.readers)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(read);
    let writer = writer::sqlite::start(local, rng, options.queue);
    Ok(Shared { place: Place::Sqlite(Box::new(migrate)), readers: Readers::Sqlite(readers), writer })
}

/// Nothing may last longer than a transaction: neither the lock that keeps two servers from migrating at once, nor the
/// statements that the migrator prepares, which the connection's next user would meet.
async fn migrate_in_one_transaction(pool: &PgPool) -> Result<(), StoreError> {
    let mut tx = pool.begin().await.map_err(StoreError::of_opening)?;
    let failed = |error| StoreError::of_statement("migrate behind a pooler", error);
    // Also what a server left behind that was killed while it migrated.
    let begin = sqlx::raw_sql("DEALLOCATE ALL; SELECT pg_advisory_xact_lock(7236833)").execute(&mut *tx).await;
    begin.map_err(failed)?;
    let mut unlocked = Migrator::with_migrations(POSTGRES.iter().cloned().collect());
    unlocked.set_locking(false);
    let run = unlocked.run(&mut *tx).await.map_err(StoreError::Migrate);
    let end = sqlx::raw_sql("DEALLOCATE ALL").execute(&mut *tx).await;
    run?;
    end.map_err(failed)?;
    tx.commit().await.map_err(StoreError::of_opening)
}

async fn open_postgres(url: &str, rng: Arc<dyn Rng>, options: &Options) -> Result<Shared, StoreError> {
    let pooled = url.split_once('?').is_some_and(|(_, options)| options.split('&').any(|option| option == POOLED));
    let connect = PgConnectOptions::from_str(url).map_err(|_| StoreError::Url)?.application_name("tenure");
    let connect = if pooled {
        // It passes no settings on: they are the role's (docs/operations/scale-out.md).
        connect.statement_cache_capacity(0)
    } else {
        connect.statement_cache_capacity(CACHED_STATEMENTS).options([
            ("default_transaction_isolation", "read committed"),
            ("statement_timeout", "30s"),
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "60s"),
        ])
    };
    let connect = connect.disable_statement_logging();
    let pool = |size| PgPoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE).test_before_acquire(true);
    let readers = pool(options.readers).connect_with(connect.clone()).await.map_err(StoreError::of_opening)?;
    let writers = pool(options.writers);
    let writer = writer::postgres::start(writers, connect, options.writers, pooled, rng, options.queue);
    Ok(Shared { place: Place::Postgres { pooled }, readers: Readers::Postgres(readers), writer })
}
