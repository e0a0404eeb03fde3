//! A provider with 100,000 licenses, made of rows that say nothing but stand where they would: in bulk, by their columns.

use tenure_store::Engine;

/// Licenses, and whatever each has one of.
pub(super) const LICENSES: u32 = 100_000;

/// The tables that grow with licenses, providers and months, and how many rows each gets.
pub(super) const TABLES: &[(&str, u32)] = &[
    ("org", 2_000),
    ("person", 2_000),
    ("agreement", 2_000),
    ("monthly_usage", 10_000),
    ("submission", 10_000),
    ("company", 10_000),
    ("template", LICENSES),
    ("license", LICENSES),
    ("installation", LICENSES),
    ("installation_key", LICENSES),
    ("chain", LICENSES),
    ("obligation", LICENSES),
    ("report", 50_000),
    ("watermark", 50_000),
    ("extension", 50_000),
    ("document", 50_000),
    ("issued_license", 50_000),
    ("audit_entry", 50_000),
    ("outbox", 5_000),
];

/// The month that all of it is about.
pub(super) const PERIOD: u32 = 24_313;
/// The number of an id that rows have in a column.
pub(super) fn one_of(column: &str) -> u32 {
    match column {
        "provider_id" | "org_id" | "org" => 1,
        "distributor_id" => 2,
        "agreement_id" => 3,
        "product_id" => 4,
        "site_id" => 25,
        "company_id" => 100,
        _ => LICENSES / 2,
    }
}

/// Columns that are not just numbered; the expression is of `i`, the number of the row, and `#(x)` is an id of it.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("*", "provider_id", "#(1)"),
    ("*", "distributor_id", "#(2)"),
    ("*", "agreement_id", "#(3)"),
    ("*", "product_id", "#(4)"),
    ("*", "period", "24313"),
    ("*", "usage_type", "'single_customer'"),
    ("*", "installation_id", "#(i)"),
    ("*", "license_id", "#(i)"),
    ("*", "template_id", "#(i)"),
    ("agreement", "provider_id", "#(i)"),
    ("agreement", "kind", "'volume'"),
    ("org", "kind", "'provider'"),
    ("person", "org_id", "#(i)"),
    ("person", "email", "'person ' || i"),
    ("company", "kind", "'customer'"),
    ("company", "site_id", "#(20 + i % 20)"),
    ("license", "company_id", "#(i % 10000)"),
    ("license", "site_id", "#(20 + i % 20)"),
    ("template", "site_id", "#(20 + i % 20)"),
    ("obligation", "company_id", "#(i % 10000)"),
    ("obligation", "resolved_us", "CASE WHEN i % 100 = 0 THEN NULL ELSE i END"),
    ("monthly_usage", "provider_id", "#(i % 2000)"),
    ("monthly_usage", "period", "24300 + i / 2000"),
    ("monthly_usage", "state", "CASE WHEN i % 100 = 0 THEN 'PendingDistributorReview' ELSE 'Closed' END"),
    ("submission", "provider_id", "#(i % 2000)"),
    ("submission", "period", "24300 + i / 2000"),
    ("issued_license", "envelope", "CASE WHEN i % 1000 = 0 THEN NULL ELSE '' END"),
    ("document", "kind", "'report'"),
    ("document", "outcome", "'accepted'"),
    ("audit_entry", "lane", "0"),
    ("audit_entry", "org", "#(1)"),
    ("outbox", "sent_us", "CASE WHEN i % 100 = 0 THEN NULL ELSE i END"),
    ("outbox", "aggregate", "'aggregate ' || i"),
];

/// The statements that make it, by the columns of PostgreSQL's schema, which both engines have.
pub(super) fn statements(engine: Engine, schema: &str) -> Vec<String> {
    TABLES.iter().map(|(table, rows)| statement(engine, schema, table, *rows)).collect()
}

fn statement(engine: Engine, schema: &str, table: &str, rows: u32) -> String {
    let (_, rest) = schema.split_once(&format!("CREATE TABLE public.{table} (\n")).expect("the table is in the schema");
    let (columns, _) = rest.split_once("\n)").expect("it ends");
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for line in columns.lines().map(|line| line.trim().trim_end_matches(',')) {
        let Some((name, kind)) = line.split_once(' ').filter(|(name, _)| *name != "CONSTRAINT") else { continue };
        let of = |wanted: &str| COLUMNS.iter().find(|(of, column, _)| *of == wanted && *column == name);
        let given = of(table).or_else(|| of("*").filter(|_| kind.contains("NOT NULL") || table == "template"));
        let value = match given {
            Some((_, _, value)) => (*value).to_owned(),
            None if !kind.contains("NOT NULL") || kind.contains("DEFAULT") => continue,
            None if kind.starts_with("uuid") => "#(i)".to_owned(),
            None if kind.starts_with("bytea") => bytes(engine).to_owned(),
            None if kind.starts_with("text") => "''".to_owned(),
            None if kind.starts_with("boolean") => "false".to_owned(),
            None => "i".to_owned(),
        };
        names.push(name);
        values.push(ids(engine, &value));
    }
    let (names, values) = (names.join(", "), values.join(", "));
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {rows})
        INSERT INTO {table} ({names}) SELECT {values} FROM n"
    )
}

fn bytes(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "unhex(printf('%064x', i))",
        Engine::Postgres => "decode(lpad(to_hex(i), 64, '0'), 'hex')",
    }
}

/// Ids in the engine's words.
fn ids(engine: Engine, expression: &str) -> String {
    let Some(inner) = expression.strip_prefix("#(").and_then(|rest| rest.strip_suffix(')')) else {
        return expression.to_owned();
    };
    match engine {
        Engine::Sqlite => format!("unhex(printf('%032x', {inner}))"),
        Engine::Postgres => format!("lpad(to_hex({inner}), 32, '0')::uuid"),
    }
}
