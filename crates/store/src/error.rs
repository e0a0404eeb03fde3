//! What can go wrong between the program and its database.

use crate::Queue;

/// A failure of the store. The cause is kept as the source and never shown in the text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The writer is behind; nothing was written. Ask again later (503 with Retry-After).
    #[error("the {queue} queue is full")]
    Busy {
        /// The queue that was full.
        queue: Queue,
    },
    /// All connections for reading are at work; nothing was read. Ask again later (503 with Retry-After).
    #[error("all connections for reading are at work")]
    ReadersBusy,
    /// The disk is full; nothing was written. The writer goes on and recovers when there is room (503, readyz red).
    #[error("the disk is full")]
    DiskFull,
    /// The connection broke during COMMIT: the change may or may not be there. Answered 503; the retry meets the
    /// identity rules.
    #[error("the outcome of the commit is unknown")]
    InDoubt,
    /// Other transactions kept this one from being committed, five times over on PostgreSQL, or another process held a
    /// SQLite file for more than five seconds; nothing was written.
    #[error("other transactions kept this one from being committed")]
    Contended,
    /// A write did not affect the number of rows it must affect; the use case is rolled back when it returns this.
    #[error("statement {statement} affected {actual} rows instead of {expected}")]
    Affected {
        /// The statement's name in the registry.
        statement: &'static str,
        /// Rows it must affect.
        expected: u64,
        /// Rows it did affect.
        actual: u64,
    },
    /// A row with this key exists.
    #[error("statement {statement} broke a unique key")]
    Unique {
        /// The statement's name in the registry.
        statement: &'static str,
        /// The engine's words.
        source: EngineError,
    },
    /// The engine refused a statement.
    #[error("statement {statement} failed")]
    Sql {
        /// The statement's name in the registry.
        statement: &'static str,
        /// The engine's words.
        source: EngineError,
    },
    /// Too few or too many parameters: a mistake in the calling code.
    #[error("statement {statement} takes {expected} parameters and got {actual}")]
    Arity {
        /// The statement's name in the registry.
        statement: &'static str,
        /// The highest `$n` of its text.
        expected: usize,
        /// How many were given.
        actual: usize,
    },
    /// A column is not there or has another type.
    #[error("column {column} cannot be read")]
    Column {
        /// Name or number of the column.
        column: String,
        /// The engine's words.
        source: sqlx::Error,
    },
    /// A stored value breaks a rule that was kept when it was written.
    #[error("the database holds {what} that cannot be")]
    Corrupt {
        /// What was read.
        what: &'static str,
    },
    /// The use case went on after one of its statements had failed. A PostgreSQL transaction is lost then, so on both
    /// engines it can only fail; a conflict that is expected is written `ON CONFLICT DO NOTHING`.
    #[error("a statement of this use case had failed before")]
    Poisoned,
    /// The use case panicked; its changes are rolled back.
    #[error("the use case panicked")]
    Panicked,
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
    /// The database URL is neither `sqlite:PATH` nor `postgres://…`.
    #[error("not a database url: expected sqlite:PATH or postgres://…")]
    Url,
    /// The database cannot be opened or reached.
    #[error("the database cannot be opened")]
    Open(#[source] EngineError),
    /// The schema cannot be brought up to date.
    #[error("the migration failed")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A value could not be turned into JSON or back.
    #[error("a stored document is not the expected JSON")]
    Json(#[from] serde_json::Error),
}

impl StoreError {
    /// Whether a row with the same key was there already.
    pub const fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Unique { .. })
    }

    pub(crate) fn of_statement(statement: &'static str, source: impl Into<EngineError>) -> Self {
        let source = source.into();
        if source.is_unique_violation() {
            return Self::Unique { statement, source };
        }
        match Fault::of(&source) {
            Fault::Full => Self::DiskFull,
            _ if source.sqlite_code() == Some(SQLITE_BUSY) => Self::Contended,
            _ => Self::Sql { statement, source },
        }
    }

    pub(crate) fn of_opening(source: impl Into<EngineError>) -> Self {
        Self::Open(source.into())
    }

    pub(crate) fn of_acquiring(source: sqlx::Error) -> Self {
        match source {
            sqlx::Error::PoolTimedOut => Self::ReadersBusy,
            sqlx::Error::PoolClosed => Self::Closed,
            source => Self::of_opening(source),
        }
    }
}

/// What a driver said: sqlx reads both engines and writes to PostgreSQL, rusqlite writes to a SQLite file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// From PostgreSQL, or from a reader of a SQLite file.
    #[error(transparent)]
    Sqlx(#[from] sqlx::Error),
    /// From the writer of a SQLite file.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl EngineError {
    /// SQLite's primary result code: the extended ones carry it in the low byte.
    fn sqlite_code(&self) -> Option<i32> {
        Some(self.sqlite_extended_code()? & 0xff)
    }

    fn sqlite_extended_code(&self) -> Option<i32> {
        match self {
            Self::Sqlx(error) => {
                let error = error.as_database_error()?;
                error.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
                error.code()?.parse().ok()
            }
            Self::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) => Some(failure.extended_code),
            Self::Sqlite(rusqlite::Error::SqlInputError { error, .. }) => Some(error.extended_code),
            Self::Sqlite(_) => None,
        }
    }

    fn is_unique_violation(&self) -> bool {
        match self {
            Self::Sqlx(error) => error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation),
            Self::Sqlite(_) => matches!(self.sqlite_extended_code(), Some(SQLITE_PRIMARY_KEY | SQLITE_UNIQUE)),
        }
    }
}

/// What a failed statement means for the transaction it ran in. A later variant outweighs an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// Only this statement had no effect.
    Statement,
    /// PostgreSQL wants the transaction to be run again (40001, 40P01).
    Retry,
    /// No room on the disk; the transaction is void.
    Full,
    /// The connection or the transaction is gone.
    Lost,
}

const SQLITE_BUSY: i32 = 5;
const SQLITE_IOERR: i32 = 10;
const SQLITE_FULL: i32 = 13;
const SQLITE_PRIMARY_KEY: i32 = 1555;
const SQLITE_UNIQUE: i32 = 2067;

impl Fault {
    pub(crate) fn of(error: &EngineError) -> Self {
        if let Some(code) = error.sqlite_code() {
            return match code {
                // ERROR, TOOBIG, CONSTRAINT, MISMATCH, RANGE undo the statement alone.
                1 | 18 | 19 | 20 | 25 => Self::Statement,
                SQLITE_FULL => Self::Full,
                // BUSY, NOMEM, INTERRUPT, IOERR, CORRUPT … may have rolled the transaction back.
                _ => Self::Lost,
            };
        }
        let EngineError::Sqlx(error) = error else { return Self::Statement };
        let Some(code) = error.as_database_error().map(|error| error.code().unwrap_or_default()) else {
            return Self::Lost;
        };
        match code.as_ref() {
            "40001" | "40P01" => Self::Retry,
            "53100" => Self::Full,
            code if code.starts_with("08") || code.starts_with("57P") => Self::Lost,
            _ => Self::Statement,
        }
    }

    /// Whether SQLite reports a failed read, write or fsync.
    pub(crate) fn is_io(error: &EngineError) -> bool {
        error.sqlite_code() == Some(SQLITE_IOERR)
    }
}
