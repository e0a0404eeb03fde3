//! Lists never scan: what each engine means to do for every statement that reads, over a provider with 100,000 licenses.

mod estate;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Row as _, SqliteConnection};
use tenure_store::{Engine, Statement, registry, testing::TestStore};

const SCHEMA: &str = include_str!("../../../schema/postgres.sql");

/// Of smaller tables PostgreSQL rightly reads all.
const LARGE: u32 = 50_000;
/// Rows of one table that a statement may read on its way, a page and what it filters out.
const FEW: f64 = 2_000.0;

/// Statements that read more, each with why that is so. None is a page of a list.
const EXCUSED: &[(&str, &str)] = &[
    ("agreement::FIND_BY_ID", "agreements are few: one or two of a provider"),
    ("agreement::PAGE", "agreements, as above"),
    ("agreement::RUNNING_OF", "a distributor's running agreements, counted when one is made"),
    ("audit::verify::NEWEST_AT", "one entry for each lane, from the newest end"),
    ("chain::EXPIRING", "a letter to a provider, once a day"),
    ("company::HELD", "companies of one name are found among all"),
    ("company::IN_USE", "a company is closed: whom it serves as a reseller"),
    ("document::LATE", "what came after a month was closed, by an index of that alone"),
    ("fleet::BY_VERSION", "the vendor's table of the whole fleet"),
    ("issued_license::UNSIGNED_OF_ALL", "what is still to be signed, by an index of that alone"),
    ("license::BY_REPORTING", "how many licenses of a provider report by themselves"),
    ("month::EXTENDED", "a month is computed whole, from all that a provider has in it"),
    ("month::HOLDERS", "a month, as above"),
    ("month::HOLDERS_OF_PRODUCT", "a month of one product, when a report of it arrives with new workloads"),
    ("month::LICENSES", "a month, as above"),
    ("monthly_usage::FIRST_LICENSE", "a job, when a provider's first month is opened"),
    ("monthly_usage::FIRST_LICENSE_OF_ALL", "a job, when the first month of a deployment is opened"),
    ("monthly_usage::REPORTING", "a job, when a month is opened"),
    ("monthly_usage::TO_OPEN", "a job, when a month is opened"),
    ("obligation::AWAITED", "a job, when a month's reports are in"),
    ("obligation::OF_MONTH", "a month, as above"),
    ("outbox::WAITING", "how many letters wait, by an index of those alone"),
    ("proven_new::HOLDERS", "who had a license before, when a report of it arrives with new workloads"),
    ("report::HOSTS", "a month, as above"),
    ("report::OF_MONTH", "a month, as above"),
    ("site::IN_USE", "a site is closed: what belongs to it"),
    ("watermark::OF_MONTH", "a month, as above"),
];

#[test]
fn lists_never_scan_at_a_hundred_thousand_licenses() {
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        tenure_store::testing::run(engine, async |test| {
            for (statement, what) in scans(test, engine).await {
                let name = statement.name.trim_start_matches("tenure_store::").trim_start_matches("rows::");
                found.entry(name).or_default().insert(format!("{engine:?}: {what}"));
            }
        });
    }
    for (name, what) in &found {
        println!("{name}: {}", what.iter().cloned().collect::<Vec<_>>().join("; "));
    }
    let excused: BTreeSet<&str> = EXCUSED.iter().map(|(name, _)| *name).collect();
    assert_eq!(found.keys().copied().collect::<BTreeSet<_>>(), excused, "{found:#?}");
}

/// The statements that read more than a few rows of a table, and how.
async fn scans(test: &TestStore, engine: Engine) -> Vec<(&'static Statement, String)> {
    let reads = registry::all().filter(|statement| statement.text(engine).trim_start().starts_with("SELECT"));
    let mut found = Vec::new();
    match engine {
        Engine::Sqlite => {
            let options = test.url.parse::<sqlx::sqlite::SqliteConnectOptions>().expect("a URL");
            let mut conn = options.foreign_keys(false).connect().await.expect("the file opens");
            fill_sqlite(&mut conn).await;
            for statement in reads {
                found.extend(sqlite(&mut conn, statement).await.map(|what| (statement, what)));
            }
            conn.close().await.expect("it closes");
        }
        Engine::Postgres => {
            let mut conn = PgConnection::connect(&test.url).await.expect("the server answers");
            fill_postgres(&mut conn).await;
            for statement in reads {
                found.extend(postgres(&mut conn, statement).await.map(|what| (statement, what)));
            }
            conn.close().await.expect("it closes");
        }
    }
    found
}

async fn fill_sqlite(conn: &mut SqliteConnection) {
    let mut all = vec!["PRAGMA synchronous = OFF".to_owned(), "BEGIN".to_owned()];
    all.extend(estate::statements(Engine::Sqlite, SCHEMA));
    all.push("COMMIT".to_owned());
    for sql in all {
        sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut *conn).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
}

async fn fill_postgres(conn: &mut PgConnection) {
    // Rows that nothing owns.
    let mut all = vec!["SET session_replication_role = replica".to_owned(), "BEGIN".to_owned()];
    all.extend(estate::statements(Engine::Postgres, SCHEMA));
    all.extend(["COMMIT".to_owned(), "ANALYZE".to_owned(), "SET plan_cache_mode = force_custom_plan".to_owned()]);
    for sql in all {
        sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut *conn).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
}

/// What SQLite would read of a table beyond one place in it.
async fn sqlite(conn: &mut SqliteConnection, statement: &Statement) -> Option<String> {
    let sql = statement.sql;
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(conn).await;
    let steps: Vec<String> = rows.expect("a plan").iter().map(|row| row.get::<String, _>("detail")).collect();
    let names = aliases(sql);
    // A page in the order of what is searched by ends with its last row. One of a few rows among many must find them.
    let sorts = steps.iter().any(|step| step.starts_with("USE TEMP B-TREE"));
    let ends = sql.contains("LIMIT") && !sorts && !sql.contains("GROUP BY") && !is_of_few(statement);
    let wide = |step: &&String| {
        let mut words = step.split(' ');
        let (verb, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let table = names.get(name).copied().unwrap_or(name);
        let is_large = estate::TABLES.iter().any(|(large, _)| *large == table);
        is_large && (verb == "SCAN" || verb == "SEARCH" && !is_narrow(table, step)) && !(ends && verb == "SEARCH")
    };
    let found: Vec<&str> = steps.iter().filter(wide).map(String::as_str).collect();
    (!found.is_empty()).then(|| found.join(", "))
}

/// One row, or those of one parent: more is given than the provider, and of what it has every month than the month too.
fn is_narrow(table: &str, step: &str) -> bool {
    if step.contains("AUTOMATIC") {
        return false;
    }
    let given = step.rsplit_once('(').map_or("", |(_, given)| given);
    let mut equal =
        given.split(" AND ").filter(|one| one.contains("=?")).map(|one| one.trim_end_matches([')', '?', '=']));
    match table {
        "agreement" => equal.any(|column| column == "provider_id"),
        "monthly_usage" | "submission" => equal.any(|column| matches!(column, "period" | "id")),
        _ => equal.any(|column| !matches!(column, "provider_id" | "period" | "distributor_id")),
    }
}

/// Tables by the names a statement gives them.
fn aliases(sql: &str) -> BTreeMap<&str, &str> {
    let words: Vec<&str> = sql.split([' ', '\n', ',', '(', ')']).filter(|word| !word.is_empty()).collect();
    let mut names = BTreeMap::new();
    for (at, word) in words.iter().enumerate() {
        if matches!(*word, "FROM" | "JOIN") {
            let (Some(table), alias) = (words.get(at + 1), words.get(at + 2)) else { continue };
            let alias = if alias == Some(&"AS") { words.get(at + 3) } else { alias };
            names.insert(*table, *table);
            names.extend(alias.map(|alias| (*alias, *table)));
        }
    }
    names
}

/// What PostgreSQL would read of a table beyond a few rows.
async fn postgres(conn: &mut PgConnection, statement: &Statement) -> Option<String> {
    let sql = statement.text(Engine::Postgres);
    let run = async |conn: &mut PgConnection, sql: String| {
        sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    };
    run(conn, format!("PREPARE looked AS {sql}")).await;
    let types = "SELECT array_to_string(parameter_types, ',') FROM pg_prepared_statements WHERE name = 'looked'";
    let types: String = run(conn, types.to_owned()).await[0].get(0);
    let values = values(sql, types.split(',').filter(|kind| !kind.is_empty()));
    let plan = run(conn, format!("EXPLAIN (FORMAT JSON) EXECUTE looked{values}")).await;
    // In the simple protocol JSON comes as its text.
    let plan: String = plan[0].get_unchecked(0);
    run(conn, "DEALLOCATE looked".to_owned()).await;
    let plan: Value = serde_json::from_str(&plan).expect("a plan");
    let mut found = Vec::new();
    read(&plan[0]["Plan"], false, !is_of_few(statement), &mut found);
    (!found.is_empty()).then(|| found.join(", "))
}

/// A value for each parameter, as pages give them: those of rows that are there, and filters that do not apply.
fn values<'a>(sql: &str, types: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = sql.split([' ', '\n', ',']).filter(|word| !word.is_empty()).collect();
    let value = |(at, kind): (usize, &str)| {
        let name = format!("${}", at + 1);
        let is = |word: &str| word.trim_end_matches([')', ';']) == name;
        let compared = words.windows(3).find(|three| three[1] == "=" && is(three[2]));
        let column = compared.map(|three| three[0].rsplit(['.', '(']).next().unwrap_or_default());
        let is_filter = sql.contains(&format!("({name} IS NULL")) || sql.contains(&format!("({name}::{kind} IS NULL"));
        let is_limit = words.windows(2).any(|pair| pair[0] == "LIMIT" && is(pair[1]));
        match (kind, column) {
            _ if is_filter => "NULL".to_owned(),
            _ if is_limit => "101".to_owned(),
            ("uuid", Some(column)) => uuid(estate::one_of(column)),
            // Where a list of everything goes on.
            ("uuid", None) if sql.contains(&format!("({name}, ")) => uuid(0),
            ("uuid", None) => uuid(estate::LICENSES / 2),
            ("bytea", _) => "decode(repeat('00', 32), 'hex')".to_owned(),
            ("json", _) => "'[\"00000000-0000-0000-0000-000000000100\"]'".to_owned(),
            ("text", _) => "''".to_owned(),
            ("boolean", _) => "false".to_owned(),
            _ if sql.contains("period") => estate::PERIOD.to_string(),
            _ => (estate::LICENSES / 2).to_string(),
        }
    };
    let values: Vec<String> = types.enumerate().map(value).collect();
    if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) }
}

fn uuid(of: u32) -> String {
    format!("lpad('{of:x}', 32, '0')::uuid")
}

/// Whether what it lists may be a few rows of many, as those of one company.
fn is_of_few(statement: &Statement) -> bool {
    statement.name.contains("::PAGE_OF_") && !statement.name.ends_with("_ALL")
}

/// Nodes that read many rows, unless a limit above ends them.
fn read(node: &Value, ends: bool, may_end: bool, found: &mut Vec<String>) {
    let kind = node["Node Type"].as_str().unwrap_or_default();
    let ends = match kind {
        "Limit" => may_end,
        "Nested Loop" | "Merge Join" | "LockRows" | "Index Scan" | "Index Only Scan" | "Result" | "Subquery Scan"
        | "Append" => ends,
        _ => false,
    };
    let rows = node["Plan Rows"].as_f64().unwrap_or_default();
    let table = node["Relation Name"].as_str().unwrap_or_default();
    let is_large = estate::TABLES.iter().any(|(large, rows)| *large == table && *rows >= LARGE);
    let scans = kind == "Seq Scan";
    if is_large && (scans || rows > FEW && !ends) {
        found.push(format!("{kind} of {table}, {rows} rows"));
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        read(below, ends, may_end, found);
    }
}
