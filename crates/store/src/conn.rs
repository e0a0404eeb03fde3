//! Asking: the one way statements reach either engine.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, Transaction, pool::PoolConnection};

use crate::{
    Engine, Row, Statement, StoreError, Val,
    error::{EngineError, Fault},
    local::Local,
    row::RowOf,
    value,
};

/// A connection on which statements that return rows are run. [`Read`] and [`Tx`](crate::Tx) both dereference to it, so
/// a function that only asks takes `&mut Conn` and serves both.
pub struct Conn {
    pub(crate) inner: Inner,
    /// Statements are kept prepared, which a pooler in transaction mode does not allow.
    keeps: bool,
    /// The worst that a statement met since the use case began.
    pub(crate) fault: Option<Fault>,
}

pub(crate) enum Inner {
    /// The one connection that writes to a SQLite file.
    Writer(Box<Local>),
    SqliteTx(Transaction<'static, Sqlite>),
    Sqlite(PoolConnection<Sqlite>),
    PgTx(Transaction<'static, Postgres>),
    Pg(PoolConnection<Postgres>),
}

enum Parts<'a> {
    Local(&'a mut Local),
    Sqlite(&'a mut SqliteConnection),
    Pg(&'a mut PgConnection),
}

impl Inner {
    fn parts(&mut self) -> Parts<'_> {
        match self {
            Self::Writer(local) => Parts::Local(local),
            Self::SqliteTx(tx) => Parts::Sqlite(tx),
            Self::Sqlite(conn) => Parts::Sqlite(conn),
            Self::PgTx(tx) => Parts::Pg(tx),
            Self::Pg(conn) => Parts::Pg(conn),
        }
    }
}

impl Conn {
    pub(crate) const fn new(inner: Inner) -> Self {
        Self { inner, keeps: true, fault: None }
    }

    /// As [`Conn::new`]; behind a pooler no statement outlasts its use.
    pub(crate) const fn through(pooled: bool, inner: Inner) -> Self {
        Self { inner, keeps: !pooled, fault: None }
    }

    /// Which engine answers.
    pub const fn engine(&self) -> Engine {
        match &self.inner {
            Inner::Writer(_) | Inner::SqliteTx(_) | Inner::Sqlite(_) => Engine::Sqlite,
            Inner::PgTx(_) | Inner::Pg(_) => Engine::Postgres,
        }
    }

    /// All rows. The statement itself must bound them (LIMIT, or a key that does).
    pub async fn fetch_all(&mut self, statement: &Statement, params: Vec<Val>) -> Result<Vec<Row>, StoreError> {
        self.check(statement, &params)?;
        let keeps = self.keeps;
        let result: Result<Vec<Row>, EngineError> = match self.inner.parts() {
            Parts::Local(local) => local
                .fetch_all(statement.sql, &params)
                .map(|rows| rows.into_iter().map(|row| Row(RowOf::Local(row))).collect())
                .map_err(EngineError::from),
            Parts::Sqlite(conn) => {
                let arguments = value::sqlite(params).map_err(sqlx::Error::Encode);
                match arguments {
                    Ok(arguments) => sqlx::query_with(statement.sql, arguments)
                        .fetch_all(conn)
                        .await
                        .map(|rows| rows.into_iter().map(|row| Row(RowOf::Sqlite(row))).collect())
                        .map_err(EngineError::from),
                    Err(error) => Err(error.into()),
                }
            }
            Parts::Pg(conn) => {
                let arguments = value::postgres(params).map_err(sqlx::Error::Encode);
                match arguments {
                    Ok(arguments) => sqlx::query_with(statement.text(Engine::Postgres), arguments)
                        .persistent(keeps)
                        .fetch_all(conn)
                        .await
                        .map(|rows| rows.into_iter().map(|row| Row(RowOf::Postgres(row))).collect())
                        .map_err(EngineError::from),
                    Err(error) => Err(error.into()),
                }
            }
        };
        result.map_err(|error| self.failed(statement, error))
    }

    /// The first row, or `None`.
    pub async fn fetch_optional(&mut self, statement: &Statement, params: Vec<Val>) -> Result<Option<Row>, StoreError> {
        // All rows are read although one is wanted: an unfinished SQLite statement would keep its snapshot open.
        Ok(self.fetch_all(statement, params).await?.into_iter().next())
    }

    /// Exactly one row, as aggregates and RETURNING of a single key give; otherwise [`StoreError::Affected`].
    pub async fn fetch_one(&mut self, statement: &Statement, params: Vec<Val>) -> Result<Row, StoreError> {
        let mut rows = self.fetch_all(statement, params).await?;
        let actual = rows.len() as u64;
        match rows.pop() {
            Some(row) if actual == 1 => Ok(row),
            _ => Err(StoreError::Affected { statement: statement.name, expected: 1, actual }),
        }
    }

    pub(crate) async fn run(&mut self, statement: &Statement, params: Vec<Val>) -> Result<u64, StoreError> {
        self.check(statement, &params)?;
        let keeps = self.keeps;
        let result = match self.inner.parts() {
            Parts::Local(local) => local.run(statement.sql, &params).map_err(EngineError::from),
            Parts::Sqlite(conn) => match value::sqlite(params).map_err(sqlx::Error::Encode) {
                Ok(arguments) => sqlx::query_with(statement.sql, arguments)
                    .execute(conn)
                    .await
                    .map(|done| done.rows_affected())
                    .map_err(EngineError::from),
                Err(error) => Err(error.into()),
            },
            Parts::Pg(conn) => match value::postgres(params).map_err(sqlx::Error::Encode) {
                Ok(arguments) => sqlx::query_with(statement.text(Engine::Postgres), arguments)
                    .persistent(keeps)
                    .execute(conn)
                    .await
                    .map(|done| done.rows_affected())
                    .map_err(EngineError::from),
                Err(error) => Err(error.into()),
            },
        };
        result.map_err(|error| self.failed(statement, error))
    }

    /// SQLite takes a parameter that is not given for NULL, so the count is checked here.
    fn check(&self, statement: &Statement, params: &[Val]) -> Result<(), StoreError> {
        let expected = statement.arity(self.engine());
        if expected == params.len() {
            return Ok(());
        }
        Err(StoreError::Arity { statement: statement.name, expected, actual: params.len() })
    }

    fn failed(&mut self, statement: &Statement, error: EngineError) -> StoreError {
        self.fault = self.fault.max(Some(Fault::of(&error)));
        StoreError::of_statement(statement.name, error)
    }
}

/// Reading: one snapshot from the first statement on, never a write. Dropping it ends it.
pub struct Read(pub(crate) Conn);

impl Deref for Read {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.0
    }
}
impl DerefMut for Read {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}
