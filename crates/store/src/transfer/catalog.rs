//! What PostgreSQL's catalog tells of the tables: columns with their types, keys, and which table refers to which.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{BATCH, made, param};
use crate::{Conn, Row, Statement, StoreError, Val, hex, params, statement::statements};

statements! {
    COLUMNS = "SELECT '' AS t, '' AS c, '' AS kind, 0 AS numbered WHERE false",
        pg "SELECT CAST(table_name AS TEXT) AS t, CAST(column_name AS TEXT) AS c, CAST(data_type AS TEXT) AS kind, \
            is_identity = 'YES' AS numbered \
        FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations' \
        ORDER BY table_name, ordinal_position";
    KEYS = "SELECT '' AS t, '' AS c WHERE false",
        pg "SELECT CAST(k.table_name AS TEXT) AS t, CAST(k.column_name AS TEXT) AS c \
        FROM information_schema.table_constraints p JOIN information_schema.key_column_usage k \
            ON k.constraint_schema = p.constraint_schema AND k.constraint_name = p.constraint_name \
            AND k.table_name = p.table_name \
        WHERE p.constraint_type = 'PRIMARY KEY' AND p.table_schema = current_schema() \
        ORDER BY k.table_name, k.ordinal_position";
    REFERENCES = "SELECT '' AS child, '' AS parent WHERE false",
        pg "SELECT CAST(c.relname AS TEXT) AS child, CAST(p.relname AS TEXT) AS parent FROM pg_constraint f \
        JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid \
        WHERE f.contype = 'f' AND f.connamespace = CAST(current_schema() AS regnamespace)";
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    I64,
    Text,
    Blob,
    Uuid,
    Bool,
}

struct Column {
    name: String,
    kind: Kind,
    /// PostgreSQL numbers its rows by itself.
    is_numbered: bool,
}

/// A table, and the statements that move it.
pub(super) struct Table {
    pub(super) name: &'static str,
    columns: Vec<Column>,
    /// The key's columns, by their place among the columns.
    key: Vec<usize>,
    pub(super) count: Statement,
    pub(super) first: Statement,
    pub(super) next: Statement,
    pub(super) clear: &'static Statement,
    pub(super) insert: &'static Statement,
    /// Lets PostgreSQL number new rows after those that came.
    pub(super) renumber: Option<&'static Statement>,
}

/// All tables, each after those it refers to.
pub(super) async fn tables(postgres: &mut Conn) -> Result<Vec<Table>, StoreError> {
    let mut columns = BTreeMap::<String, Vec<Column>>::new();
    for row in postgres.fetch_all(&COLUMNS, params![]).await? {
        let kind = match row.text("kind")?.as_str() {
            "bigint" => Kind::I64,
            "text" => Kind::Text,
            "bytea" => Kind::Blob,
            "uuid" => Kind::Uuid,
            "boolean" => Kind::Bool,
            _ => return Err(StoreError::Corrupt { what: "a column's type" }),
        };
        let column = Column { name: row.text("c")?, kind, is_numbered: row.bool("numbered")? };
        columns.entry(row.text("t")?).or_default().push(column);
    }
    let mut keys = BTreeMap::<String, Vec<String>>::new();
    for row in postgres.fetch_all(&KEYS, params![]).await? {
        keys.entry(row.text("t")?).or_default().push(row.text("c")?);
    }
    let mut parents = BTreeMap::<String, BTreeSet<String>>::new();
    for row in postgres.fetch_all(&REFERENCES, params![]).await? {
        let (child, parent) = (row.text("child")?, row.text("parent")?);
        if child != parent {
            parents.entry(child).or_default().insert(parent);
        }
    }
    let order = in_order(columns.keys(), &parents)?;
    let table = |name: String| {
        let key = keys.remove(&name).ok_or(StoreError::Corrupt { what: "a table without a key" })?;
        Table::new(&name, columns.remove(&name).unwrap_or_default(), &key)
    };
    order.into_iter().map(table).collect()
}

/// Parents before children.
fn in_order<'a>(
    names: impl Iterator<Item = &'a String>,
    parents: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Vec<String>, StoreError> {
    let mut waiting: Vec<String> = names.cloned().collect();
    let mut ordered: Vec<String> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|name| {
            parents.get(name).is_none_or(|parents| parents.iter().all(|parent| ordered.contains(parent)))
        });
        if ready.is_empty() {
            return Err(StoreError::Corrupt { what: "tables refer to each other in a circle" });
        }
        ordered.extend(ready);
        waiting = rest;
    }
    Ok(ordered)
}

impl Table {
    fn new(name: &str, columns: Vec<Column>, key: &[String]) -> Result<Self, StoreError> {
        let quoted = |name: &str| format!("\"{name}\"");
        let list = columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ");
        let order = key.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
        let numbers = (1..=key.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
        let at = |name: &String| columns.iter().position(|column| column.name == *name);
        let places = key.iter().map(at).collect::<Option<Vec<usize>>>();
        let places = places.ok_or(StoreError::Corrupt { what: "a key's column" })?;
        let sqlite = |(n, column): (usize, &Column)| match column.kind {
            Kind::I64 | Kind::Text | Kind::Bool => format!("value->>{n}"),
            Kind::Blob => format!("unhex(value->>{n})"),
            Kind::Uuid => format!("unhex(value->>{n}, '-')"),
        };
        let postgres = |(n, column): (usize, &Column)| match column.kind {
            Kind::I64 => format!("CAST(x->>{n} AS BIGINT)"),
            Kind::Text => format!("x->>{n}"),
            Kind::Bool => format!("CAST(x->>{n} AS BOOLEAN)"),
            Kind::Blob => format!("decode(x->>{n}, 'hex')"),
            Kind::Uuid => format!("CAST(x->>{n} AS UUID)"),
        };
        let numbered = columns.iter().find(|column| column.is_numbered).map(|column| column.name.clone());
        let overriding = if numbered.is_some() { "OVERRIDING SYSTEM VALUE " } else { "" };
        let into = |over: &str, values: String, rows: &str| {
            format!("INSERT INTO \"{name}\" ({list}) {over}SELECT {values} FROM {rows}")
        };
        let values = |value: &dyn Fn((usize, &Column)) -> String| {
            columns.iter().enumerate().map(value).collect::<Vec<_>>().join(", ")
        };
        let insert = made(
            name,
            into("", values(&sqlite), "json_each($1)"),
            Some(into(overriding, values(&postgres), "json_array_elements($1::json) AS t(x)")),
        );
        // What marks the transfer itself is no part of what is moved.
        let (own, also) = if name == "meta" {
            ("WHERE key NOT LIKE 'transfer.%'", "AND key NOT LIKE 'transfer.%'")
        } else {
            ("", "")
        };
        let select = format!("SELECT {list} FROM \"{name}\"");
        let renumber = numbered.map(|column| {
            let next = format!("COALESCE(max(\"{column}\"), 0) + 1");
            let sequence = format!("pg_get_serial_sequence('{name}', '{column}')");
            leak(made(name, format!("SELECT setval({sequence}, {next}, false) AS n FROM \"{name}\""), None))
        });
        Ok(Self {
            count: made(name, format!("SELECT count(*) AS n FROM \"{name}\" {own}"), None),
            first: made(name, format!("{select} {own} ORDER BY {order} LIMIT {BATCH}"), None),
            next: made(
                name,
                format!("{select} WHERE ({order}) > ({numbers}) {also} ORDER BY {order} LIMIT {BATCH}"),
                None,
            ),
            clear: leak(made(name, format!("DELETE FROM \"{name}\" {own}"), None)),
            insert: leak(insert),
            renumber,
            name: Box::leak(name.to_owned().into_boxed_str()),
            columns,
            key: places,
        })
    }

    /// A row as JSON carries it.
    pub(super) fn read(&self, row: &Row) -> Result<Vec<Value>, StoreError> {
        let value = |(at, column): (usize, &Column)| -> Result<Value, StoreError> {
            Ok(match column.kind {
                Kind::I64 => row.opt_i64(at)?.into(),
                Kind::Text => row.opt_text(at)?.into(),
                Kind::Bool => row.opt_bool(at)?.into(),
                Kind::Blob => row.opt_blob(at)?.map(|bytes| hex(&bytes)).into(),
                Kind::Uuid => row.opt_uuid(at)?.map(|id| id.to_string()).into(),
            })
        };
        self.columns.iter().enumerate().map(value).collect()
    }

    /// The key of a row.
    pub(super) fn key_of(&self, row: &[Value]) -> Vec<Value> {
        self.key.iter().map(|at| row[*at].clone()).collect()
    }

    /// A key as parameters.
    pub(super) fn key_params(&self, key: &[Value]) -> Result<Vec<Val>, StoreError> {
        if key.len() != self.key.len() {
            return Err(StoreError::Corrupt { what: "the place where a transfer was" });
        }
        self.key.iter().zip(key).map(|(at, value)| param(self.columns[*at].kind, value)).collect()
    }
}

/// For statements that a use case of the writer holds on to.
fn leak(statement: Statement) -> &'static Statement {
    Box::leak(Box::new(statement))
}

/// Bytes from hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}
