//! The schema: what the migrations make is what is checked in, and every statement fits it.

use std::{fmt::Write as _, path::Path};

use tenure_store::{
    Engine, Queue, Statement, contract_tests, params, registry,
    testing::{TestStore, pg_dump, prepare, run},
};

use crate::support::sql;

contract_tests! {
    every_statement_can_be_prepared,
    the_checked_in_schema_is_the_migrated_one,
    migrating_again_changes_nothing,
}

async fn every_statement_can_be_prepared(test: &TestStore) {
    let mut wrong = String::new();
    let mut names = std::collections::BTreeSet::new();
    for statement in registry::all() {
        assert!(names.insert(statement.name), "two statements are named {}", statement.name);
        // A snapshot each: on PostgreSQL one that fails would take the rest with it.
        let mut read = test.store.read().await.expect("a snapshot");
        match prepare(&mut read, statement).await {
            Ok(types) => {
                // Whatever else PostgreSQL infers, a parameter of ours would not fit; cast it in the text. JSON is
                // inferred from such a cast, and taken from text.
                let known = ["INT8", "TEXT", "BYTEA", "UUID", "BOOL", "JSON"];
                for unknown in types.iter().filter(|name| !known.contains(&name.as_str())) {
                    writeln!(wrong, "{}: a parameter of type {unknown}", statement.name).expect("text grows");
                }
            }
            Err(error) => writeln!(wrong, "{}: {error}", statement.name).expect("text grows"),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(names.len() > 20, "the registry has all files");
}

async fn migrating_again_changes_nothing(test: &TestStore) {
    let before = schema(test).await;
    test.store.migrate().await.expect("there is nothing to do");
    assert_eq!(schema(test).await, before);
}

/// `UPDATE_SCHEMA=1 cargo nextest run -p tenure-store schema` writes the files anew.
async fn the_checked_in_schema_is_the_migrated_one(test: &TestStore) {
    let name = match test.store.engine() {
        Engine::Sqlite => "sqlite.sql",
        Engine::Postgres => "postgres.sql",
    };
    let schema = schema(test).await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(name);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &schema).expect("the file can be written");
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(schema == checked_in, "schema/{name} is not what the migrations make: run with UPDATE_SCHEMA=1");
}

async fn schema(test: &TestStore) -> String {
    match test.store.engine() {
        Engine::Sqlite => sqlite_schema(test).await,
        Engine::Postgres => postgres_schema(test),
    }
}

async fn sqlite_schema(test: &TestStore) -> String {
    sql! {
        SCHEMA = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' \
            ORDER BY tbl_name, type DESC, name";
    }
    let rows = test.store.read().await.expect("a snapshot").fetch_all(&SCHEMA, params![]).await.expect("the schema");
    let texts: Vec<_> = rows.iter().map(|row| row.text("sql").expect("text") + ";\n").collect();
    texts.join("\n")
}

fn postgres_schema(test: &TestStore) -> String {
    let output = pg_dump(&test.url).arg("--exclude-table=_sqlx_migrations").output().expect("pg_dump can be run");
    assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
    let dump = String::from_utf8(output.stdout).expect("the schema is text");
    // What depends on the version of pg_dump or sets the session up is no part of the schema.
    let noise = ["--", "SET ", "SELECT pg_catalog.", "\\"];
    let mut schema = String::new();
    for line in dump.lines().filter(|line| !noise.iter().any(|prefix| line.starts_with(prefix))) {
        if !(line.is_empty() && (schema.is_empty() || schema.ends_with("\n\n"))) {
            schema.push_str(line);
            schema.push('\n');
        }
    }
    schema
}

/// SQLite alone: what its version and settings must be.
#[test]
fn sqlite_is_new_enough_and_durable() {
    sql! {
        VERSION = "SELECT sqlite_version() AS version";
        SETTINGS = "SELECT journal_mode, synchronous, foreign_keys FROM pragma_journal_mode, pragma_synchronous, \
            pragma_foreign_keys";
    }
    run(Engine::Sqlite, async |test| {
        let ask = async |tx: &mut tenure_store::Tx| {
            let version = tx.fetch_one(&VERSION, params![]).await?.text("version")?;
            let row = tx.fetch_one(&SETTINGS, params![]).await?;
            let settings = (row.text("journal_mode")?, row.i64("synchronous")?, row.i64("foreign_keys")?);
            Ok::<_, tenure_store::StoreError>((version, settings))
        };
        let (version, settings) = test.store.write(Queue::People, ask).await.expect("it can be asked");
        let numbers: Vec<u32> = version.split('.').map(|part| part.parse().expect("a number")).collect();
        assert!(numbers >= vec![3, 51, 3], "SQLite {version}");
        // WAL; FULL, so that COMMIT returns after the fsync; keys are held.
        assert_eq!(settings, ("wal".to_owned(), 2, 1));
    });
}
