//! The one connection that writes to a SQLite file.
//!
//! The writer has a thread of its own, so statements run on it directly: through a driver that keeps a thread per
//! connection, each statement and each row would change threads, and that, not the disk, would bound the writer.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use rusqlite::{CachedStatement, Connection, types::Value};

use crate::Val;

const BUSY: Duration = Duration::from_secs(5);

/// The connection and the column names of the statements it has run.
pub(crate) struct Local {
    conn: Connection,
    columns: HashMap<&'static str, Arc<[String]>>,
}

/// A row, read whole.
pub(crate) struct LocalRow {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl Local {
    /// Opens the file, makes it if it is missing, and sets what durability needs: WAL, an fsync at each COMMIT.
    pub(crate) fn open(path: &Path, max_pages: Option<u32>, statements: usize) -> rusqlite::Result<Self> {
        let conn = Connection::open(path)?;
        conn.busy_timeout(BUSY)?;
        conn.set_prepared_statement_cache_capacity(statements);
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "foreign_keys", true)?;
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        conn.pragma_update(None, "cache_size", -32_768)?;
        // A larger log before it is copied back: fewer pauses inside COMMIT.
        conn.pragma_update(None, "wal_autocheckpoint", 4000)?;
        conn.pragma_update(None, "journal_size_limit", 67_108_864)?;
        if let Some(pages) = max_pages {
            conn.pragma_update(None, "max_page_count", pages)?;
        }
        Ok(Self { conn, columns: HashMap::new() })
    }

    /// All rows of a statement.
    pub(crate) fn fetch_all(&mut self, sql: &'static str, params: &[Val]) -> rusqlite::Result<Vec<LocalRow>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        bind(&mut statement, params)?;
        let columns = self
            .columns
            .entry(sql)
            .or_insert_with(|| statement.column_names().into_iter().map(str::to_owned).collect::<Vec<_>>().into());
        let (columns, width) = (Arc::clone(columns), statement.column_count());
        let mut rows = statement.raw_query();
        let mut read = Vec::new();
        while let Some(row) = rows.next()? {
            let values = (0..width).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
            read.push(LocalRow { columns: Arc::clone(&columns), values });
        }
        Ok(read)
    }

    /// Runs a statement to its end; gives the number of rows it changed.
    pub(crate) fn run(&mut self, sql: &str, params: &[Val]) -> rusqlite::Result<u64> {
        let mut statement = self.conn.prepare_cached(sql)?;
        bind(&mut statement, params)?;
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
        drop(rows);
        Ok(self.conn.changes())
    }

    /// Closes the file.
    pub(crate) fn close(self) -> rusqlite::Result<()> {
        self.conn.close().map_err(|(_, error)| error)
    }
}

/// Binds `$1`, `$2`, ... by their numbers: to SQLite they are names, numbered in the order they are met.
fn bind(statement: &mut CachedStatement<'_>, params: &[Val]) -> rusqlite::Result<()> {
    for at in 1..=statement.parameter_count() {
        let number = statement.parameter_name(at).and_then(|name| name[1..].parse::<usize>().ok());
        let param = number.and_then(|number| params.get(number.wrapping_sub(1)));
        let param = param.ok_or(rusqlite::Error::InvalidParameterCount(params.len(), at))?;
        match param {
            Val::I64(value) => statement.raw_bind_parameter(at, value),
            Val::Text(value) => statement.raw_bind_parameter(at, value),
            Val::Blob(value) => statement.raw_bind_parameter(at, value),
            Val::Uuid(value) => statement.raw_bind_parameter(at, value.map(|value| *value.as_bytes())),
            Val::Bool(value) => statement.raw_bind_parameter(at, value),
        }?;
    }
    Ok(())
}

/// How a column of a [`LocalRow`] is named.
pub trait LocalColumn {
    /// Its place, if the row has it.
    #[doc(hidden)]
    fn place(&self, columns: &[String]) -> Option<usize>;
}

impl LocalColumn for &str {
    fn place(&self, columns: &[String]) -> Option<usize> {
        columns.iter().position(|column| column == self)
    }
}

impl LocalColumn for usize {
    fn place(&self, columns: &[String]) -> Option<usize> {
        (*self < columns.len()).then_some(*self)
    }
}

/// What a column of a [`LocalRow`] can be read as.
pub(crate) trait FromLocal: Sized {
    /// `None` when the value is of another type. NULL does not come here.
    fn from_local(value: &Value) -> Option<Self>;
}

impl FromLocal for i64 {
    fn from_local(value: &Value) -> Option<Self> {
        if let Value::Integer(value) = value { Some(*value) } else { None }
    }
}
impl FromLocal for bool {
    fn from_local(value: &Value) -> Option<Self> {
        if let Value::Integer(value) = value { Some(*value != 0) } else { None }
    }
}
impl FromLocal for String {
    fn from_local(value: &Value) -> Option<Self> {
        if let Value::Text(value) = value { Some(value.clone()) } else { None }
    }
}
impl FromLocal for Vec<u8> {
    fn from_local(value: &Value) -> Option<Self> {
        match value {
            Value::Blob(value) => Some(value.clone()),
            Value::Text(value) => Some(value.clone().into_bytes()),
            Value::Null | Value::Integer(_) | Value::Real(_) => None,
        }
    }
}
impl FromLocal for uuid::Uuid {
    fn from_local(value: &Value) -> Option<Self> {
        if let Value::Blob(value) = value { Self::from_slice(value).ok() } else { None }
    }
}

impl LocalRow {
    /// A column's value, or NULL.
    pub(crate) fn get<T: FromLocal>(
        &self,
        column: impl LocalColumn + std::fmt::Debug,
    ) -> Result<Option<T>, sqlx::Error> {
        let place = column.place(&self.columns);
        let value = place.and_then(|place| self.values.get(place));
        match value {
            None => Err(sqlx::Error::ColumnNotFound(format!("{column:?}"))),
            Some(Value::Null) => Ok(None),
            Some(value) => T::from_local(value).map(Some).ok_or_else(|| {
                let found = value.data_type();
                sqlx::Error::Decode(format!("a value of type {found} where another must be").into())
            }),
        }
    }
}
