//! What lets a deployment be spread over several databases by provider: each statement that reads or changes their rows
//! names the provider, or the first column of the table's key, so that it goes to one place. The few that do not are listed, with why.

use std::collections::{BTreeMap, BTreeSet};

use tenure_store::{Engine, registry};

const PROVIDER: &str = "provider_id";

/// Statements that look everywhere, or find a row before its provider is known.
const EVERYWHERE: &[(&str, &str)] = &[
    ("agreement::FIND_BY_ID", "a link to an agreement, once when it is opened: the row says whose it is"),
    ("agreement::RUNNING_OF", "a distributor's running agreements, counted when one is made"),
    ("enroll::NOTE_REFUSED", "an enroll token is shown: its row, already found by its hash, is changed by its id"),
    ("enroll::REVOKE_ALL", "a restore ends all tokens"),
    ("enroll::USE", "an enroll token is shown, as above"),
    ("installation::REFUSED", "whether an installation came by a refused code, on its own page"),
    ("issued_license::UNSIGNED_OF_ALL", "the job that signs what a crash left unsigned, by an index of those alone"),
    ("monthly_usage::FIND_BY_ID", "a link to a month, once when it is opened: the row says whose it is"),
    ("monthly_usage::OF_DISTRIBUTOR", "a distributor's page, by its own index"),
    ("monthly_usage::OF_ALL", "the vendor's page, by its own index"),
    ("monthly_usage::WAITING_FOR_DISTRIBUTOR", "a distributor's page, by its own index"),
    ("monthly_usage::WAITING", "the vendor's page, by its own index"),
    ("monthly_usage::FIRST_LICENSE_OF_ALL", "once, when the first month of a deployment is sought"),
    ("revocation::LICENSE", "a restore ends again what had ended, from a file that names no provider"),
    ("revocation::LICENSE_TEMPLATE", "a restore, as above"),
    ("revocation::LICENSE_CHAIN", "a restore, as above"),
    ("revocation::INSTALLATION", "a restore, as above"),
    ("revocation::VOID_CODES", "a restore ends all codes that nobody used"),
];

#[test]
fn every_statement_names_the_provider_or_the_first_column_of_the_key() {
    let schema = include_str!("../../schema/postgres.sql");
    let keys = first_columns(schema);
    let hot = of_providers(schema, &keys);
    assert!(hot.len() > 30 && hot["license"] == PROVIDER && hot["chain"] == "installation_id", "{hot:?}");
    let mut wrong = BTreeSet::new();
    let mut looked_at = 0;
    for statement in registry::all() {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let words = words(statement.text(engine));
            let tables = tables(&words).filter_map(|table| hot.get(table)).collect::<Vec<_>>();
            looked_at += usize::from(!tables.is_empty());
            let mut asked = BTreeMap::<&str, usize>::from([(PROVIDER, 0)]);
            for column in tables {
                *asked.entry(column).or_default() += 1;
            }
            // Rows that another column finds are found by their provider as well.
            let more = named(&words, PROVIDER).checked_sub(asked[PROVIDER]);
            let names = |column: &str, times: usize| more.is_some_and(|more| named(&words, column) + more >= times);
            if !asked.iter().all(|(column, times)| *column == PROVIDER && more.is_some() || names(column, *times)) {
                wrong.insert(statement.name.trim_start_matches("tenure_store::rows::"));
            }
        }
    }
    assert!(looked_at > 300, "only {looked_at} texts are about providers' tables");
    let excused: BTreeSet<&str> = EVERYWHERE.iter().map(|(name, _)| *name).collect();
    assert_eq!(wrong, excused);
}

/// The first column of each table's primary key.
fn first_columns(schema: &str) -> BTreeMap<&str, &str> {
    let mut keys = BTreeMap::new();
    let mut table = "";
    for line in schema.lines() {
        if let Some(name) = line.strip_prefix("ALTER TABLE ONLY public.") {
            table = name;
        } else if let Some((_, columns)) = line.split_once(" PRIMARY KEY (") {
            keys.insert(table, columns.split([',', ')']).next().unwrap_or_default());
        }
    }
    keys
}

/// Of them those of tables that hold rows of providers.
fn of_providers<'a>(schema: &'a str, keys: &BTreeMap<&'a str, &'a str>) -> BTreeMap<&'a str, &'a str> {
    let tables = schema.split("CREATE TABLE public.").skip(1);
    let with_provider = tables.filter_map(|table| {
        let (name, rest) = table.split_once(" (")?;
        let columns = rest.split("\n);").next()?;
        columns.contains("\n    provider_id uuid").then(|| (name, keys[name]))
    });
    with_provider.collect()
}

/// A statement's words and signs.
fn words(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        words.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    words
}

fn tables<'a>(words: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let follows = |pair: &'a [&'a str]| matches!(pair[0], "FROM" | "JOIN" | "UPDATE" | "INTO").then_some(pair[1]);
    words.windows(2).filter_map(follows)
}

/// How often a column decides which rows: in a condition, a join, a conflict's key, or among what is inserted.
fn named(words: &[&str], column: &str) -> usize {
    let is_column = |word: &str| word.rsplit('.').next() == Some(column);
    let mut times = 0;
    for (at, _) in words.iter().enumerate().filter(|(_, word)| is_column(word)) {
        let before = words[..at].iter().rev().find(|word| **word != "(").copied().unwrap_or_default();
        let decides = matches!(before, "WHERE" | "AND" | "OR" | "ON" | "USING" | "CONFLICT" | "=");
        times += usize::from(decides);
    }
    let inserted = words
        .iter()
        .position(|word| *word == "INTO")
        .is_some_and(|into| words[into + 2..].iter().take_while(|word| **word != ")").any(|word| is_column(word)));
    times + usize::from(inserted)
}
