//! Moving a deployment from one engine to the other: every table, row by row as it is, in the order of its key.
//!
//! Each batch and the place where it ended are one transaction of the target, so a transfer that was cut off goes on where
//! it was. What the source holds must not change meanwhile: its servers are stopped. The log's lanes come over byte for
//! byte like everything else.

mod catalog;

use serde_json::Value;

use self::catalog::{Table, tables};
use crate::{
    Conn, Engine, Queue, Statement, Store, StoreError, Tx, Val, json_rows, meta, params, statement::statements,
};

pub(crate) use catalog::STATEMENTS as CATALOG_STATEMENTS;

statements! {
    /// A file has one lane: what comes from it may have no other, and PostgreSQL wants all of its own.
    LANES = "INSERT INTO audit_lane (lane, n, head) SELECT 0, 0, zeroblob(32) WHERE true ON CONFLICT (lane) DO NOTHING",
        pg "INSERT INTO audit_lane (lane, n, head) SELECT lane, 0, decode(repeat('00', 32), 'hex') \
        FROM generate_series(0, 15) AS lane ON CONFLICT (lane) DO NOTHING";
    /// Tables, and those of them that say which migrations ran.
    TABLES = "SELECT count(*) AS n, count(*) FILTER (WHERE name = '_sqlx_migrations') AS ours FROM sqlite_schema \
        WHERE type = 'table'",
        pg "SELECT count(*) AS n, count(*) FILTER (WHERE table_name = '_sqlx_migrations') AS ours \
        FROM information_schema.tables WHERE table_schema = current_schema()";
}

/// Rows copied in one transaction.
const BATCH: usize = 200;
/// In the target's `meta`: which deployment is being moved in, until all is there.
const MARK: &str = "transfer.deployment";
/// In the target's `meta`, per table: where it is. `done`, or the key of the last row as JSON.
const PLACE: &str = "transfer.table.";
const DONE: &str = "done";

/// Why a deployment was not moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Both ends are of one engine.
    #[error("both databases are of one engine: copy the file, or use pg_dump and pg_restore")]
    SameEngine,
    /// A schema is not this program's.
    #[error("the schema of {0} is not this program's newest: start this version's `tenure serve` on it once")]
    Schema(&'static str),
    /// Nothing to move.
    #[error("the source holds no deployment")]
    Empty,
    /// The target is somebody's.
    #[error("the target already holds a deployment: give an empty database")]
    Taken,
    /// The target has tables that no migration of ours made.
    #[error("the target holds tables of another program: give an empty database")]
    Foreign,
    /// A different deployment is half moved in.
    #[error("another deployment is half moved into the target: give an empty database")]
    Other,
    /// The numbers of rows differ in the end.
    #[error("{table} has {from} rows in the source and {to} in the target: was the source written to meanwhile?")]
    Count {
        /// The table.
        table: String,
        /// Rows of the source.
        from: u64,
        /// Rows of the target.
        to: u64,
    },
}

/// What was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transferred {
    /// Tables compared.
    pub tables: usize,
    /// Rows in them.
    pub rows: u64,
    /// Rows that an earlier run had moved.
    pub before: u64,
}

/// Told of all rows to be moved, and of those that are there.
pub type Watch<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

/// Whether a transfer into this database was begun and not ended: it must not be served.
///
/// # Errors
/// When the database cannot be read.
pub async fn is_unfinished(store: &Store) -> Result<bool, StoreError> {
    Ok(meta::get(&mut *store.read().await?, MARK).await?.is_some())
}

/// Makes the target's schema; not beside the tables of another program.
///
/// # Errors
/// [`TransferError::Foreign`], or when the database fails.
pub async fn prepare(to: &Store) -> Result<(), TransferError> {
    match holds(to).await? {
        Holds::Others => Err(TransferError::Foreign),
        Holds::Nothing | Holds::Ours => Ok(to.migrate().await?),
    }
}

/// Whose tables a database has.
enum Holds {
    Nothing,
    Ours,
    Others,
}

async fn holds(store: &Store) -> Result<Holds, StoreError> {
    let row = store.peek().await?.fetch_one(&TABLES, params![]).await?;
    Ok(match (row.i64("n")?, row.i64("ours")?) {
        (0, _) => Holds::Nothing,
        (_, 0) => Holds::Others,
        _ => Holds::Ours,
    })
}

/// Moves everything in `from` to `to`, and compares the numbers of rows. The target is [prepared](prepare) and
/// empty, or was left by a transfer that was cut off.
///
/// # Errors
/// [`TransferError`]. What was copied stays; the next run goes on.
pub async fn transfer(from: &Store, to: &Store, watch: Watch<'_>) -> Result<Transferred, TransferError> {
    let postgres = match (from.engine(), to.engine()) {
        (Engine::Postgres, Engine::Sqlite) => from,
        (Engine::Sqlite, Engine::Postgres) => to,
        _ => return Err(TransferError::SameEngine),
    };
    if !matches!(holds(from).await?, Holds::Ours) {
        return Err(TransferError::Empty);
    }
    for (store, name) in [(from, "the source"), (to, "the target")] {
        if !store.schema().await?.is_current() {
            return Err(TransferError::Schema(name));
        }
    }
    let tables = tables(&mut *postgres.read().await?).await?;
    begin(from, to).await?;
    let mut all = 0;
    for table in &tables {
        all += count(from, table).await?;
    }
    let mut moved = Transferred { tables: tables.len(), rows: 0, before: 0 };
    for table in &tables {
        moved.before += count_moved(to, table).await?;
    }
    moved.rows = moved.before;
    watch(all, moved.rows);
    for table in &tables {
        while let Some(copied) = copy_batch(from, to, table).await? {
            moved.rows += copied;
            watch(all, moved.rows);
        }
    }
    for table in &tables {
        let (from, to) = (count(from, table).await?, count(to, table).await?);
        if from != to {
            return Err(TransferError::Count { table: table.name.to_owned(), from, to });
        }
    }
    end(to, &tables).await?;
    Ok(moved)
}

/// Marks the target, which must be nobody's or this very deployment's half.
async fn begin(from: &Store, to: &Store) -> Result<(), TransferError> {
    let ours = crate::rows::deployment::find(&mut *from.read().await?).await?.ok_or(TransferError::Empty)?;
    let ours = ours.id.to_string();
    let mut read = to.read().await?;
    match meta::get(&mut read, MARK).await? {
        Some(marked) if marked == ours => Ok(()),
        Some(_) => Err(TransferError::Other),
        None if crate::rows::deployment::find(&mut read).await?.is_some() => Err(TransferError::Taken),
        None => {
            drop(read);
            Ok(to.write(Queue::Jobs, async move |tx: &mut Tx| meta::put(tx, MARK, &ours).await).await?)
        }
    }
}

/// Lets the target go on after what came, and takes the marks away: it is whole.
async fn end(to: &Store, tables: &[Table]) -> Result<(), StoreError> {
    let is_postgres = to.engine() == Engine::Postgres;
    let renumber: Vec<_> = tables.iter().filter_map(|table| table.renumber).filter(|_| is_postgres).collect();
    let mut keys: Vec<String> = tables.iter().map(|table| format!("{PLACE}{}", table.name)).collect();
    keys.push(MARK.to_owned());
    let unmark = async move |tx: &mut Tx| {
        tx.execute(&LANES, params![]).await?;
        for statement in &renumber {
            tx.fetch_one(statement, params![]).await?;
        }
        for key in &keys {
            meta::delete(tx, key).await?;
        }
        Ok(())
    };
    to.write(Queue::Jobs, unmark).await
}

async fn count(store: &Store, table: &Table) -> Result<u64, StoreError> {
    let row = store.peek().await?.fetch_one(&table.count, params![]).await?;
    Ok(row.i64("n")? as u64)
}

/// Rows that an earlier run has moved. A table that was not begun may hold what the migrations put there.
async fn count_moved(to: &Store, table: &Table) -> Result<u64, StoreError> {
    let begun = place(&mut *to.peek().await?, table).await?.is_some();
    if begun { count(to, table).await } else { Ok(0) }
}

async fn place(conn: &mut Conn, table: &Table) -> Result<Option<String>, StoreError> {
    meta::get(conn, &format!("{PLACE}{}", table.name)).await
}

/// Copies the next rows of a table; how many, or `None` when the table is done.
async fn copy_batch(from: &Store, to: &Store, table: &Table) -> Result<Option<u64>, StoreError> {
    let place = place(&mut *to.peek().await?, table).await?;
    let after = match place.as_deref() {
        Some(DONE) => return Ok(None),
        Some(key) => Some(serde_json::from_str::<Vec<Value>>(key)?),
        None => None,
    };
    let mut read = from.read().await?;
    let rows = match &after {
        Some(key) => read.fetch_all(&table.next, table.key_params(key)?).await?,
        None => read.fetch_all(&table.first, params![]).await?,
    };
    drop(read);
    let rows: Vec<Vec<Value>> = rows.iter().map(|row| table.read(row)).collect::<Result<_, _>>()?;
    let copied = rows.len() as u64;
    let is_last = rows.len() < BATCH;
    let next = match rows.last() {
        Some(last) if !is_last => serde_json::to_string(&table.key_of(last))?,
        _ => DONE.to_owned(),
    };
    let (begins, mark, text) = (after.is_none(), format!("{PLACE}{}", table.name), json_rows(&rows)?);
    let (clear, insert) = (table.clear, table.insert);
    let write = async move |tx: &mut Tx| {
        if begins {
            tx.execute(clear, params![]).await?;
        }
        tx.execute_exactly(copied, insert, vec![text.clone()]).await?;
        meta::put(tx, &mark, &next).await
    };
    to.write(Queue::Jobs, write).await?;
    Ok(Some(copied))
}

/// A statement made of a table's names. There are as many as tables, and they last as long as the process.
fn made(name: &str, sql: String, pg: Option<String>) -> Statement {
    let keep = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    Statement { name: keep(format!("transfer of {name}")), sql: keep(sql), pg: pg.map(keep) }
}

/// A value as JSON rows carry it, back as a parameter.
fn param(kind: catalog::Kind, value: &Value) -> Result<Val, StoreError> {
    let wrong = || StoreError::Corrupt { what: "the place where a transfer was" };
    Ok(match kind {
        catalog::Kind::I64 => Val::I64(Some(value.as_i64().ok_or_else(wrong)?)),
        catalog::Kind::Text => Val::Text(Some(value.as_str().ok_or_else(wrong)?.to_owned())),
        catalog::Kind::Bool => Val::Bool(Some(value.as_bool().ok_or_else(wrong)?)),
        catalog::Kind::Uuid => {
            let id = value.as_str().and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
            Val::Uuid(Some(id))
        }
        catalog::Kind::Blob => {
            let bytes = value.as_str().and_then(catalog::unhex).ok_or_else(wrong)?;
            Val::Blob(Some(bytes))
        }
    })
}
