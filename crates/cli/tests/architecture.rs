//! Holds the map of ARCHITECTURE.md: which crate may know which, where SQL may stand, and that every dependency is
//! accounted for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const DOOR: &[&str] = &["service", "report", "wire", "core", "license"];

/// Each crate and the crates it may use outside its tests. What is not here must not be.
const ARROWS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("license", &["core"]),
    ("wire", &["core"]),
    ("store", &["core"]),
    ("service", &["core", "license", "store"]),
    ("report", &["service", "core", "license"]),
    ("api", DOOR),
    ("console", DOOR),
    ("portal", DOOR),
    ("jobs", DOOR),
    // It opens the database and builds the service that it hands to the doors.
    ("server", &["api", "console", "portal", "jobs", "service", "store", "license", "core"]),
    ("agent", &["license", "core"]),
    ("sim", &["agent", "wire", "license", "core"]),
    (
        "cli",
        &[
            "core", "license", "wire", "store", "service", "report", "api", "console", "portal", "jobs", "server",
            "agent", "sim",
        ],
    ),
    (
        "testkit",
        &[
            "core", "license", "wire", "store", "service", "report", "api", "console", "portal", "jobs", "server",
            "agent", "sim",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The workspace's crates without their prefix, each with the names of its normal dependencies.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs the tests, so it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("metadata has packages");
    packages
        .iter()
        .map(|package| {
            let normal = package["dependencies"].as_array().expect("a package has dependencies").iter();
            let names = normal.filter(|one| one["kind"].is_null()).map(|one| short(&one["name"])).collect();
            (short(&package["name"]), names)
        })
        .collect()
}

fn short(name: &serde_json::Value) -> String {
    let name = name.as_str().expect("a name is text");
    name.strip_prefix("tenure-").unwrap_or(name).to_owned()
}

/// Every Rust file below `crates/`, by its path from the root.
fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder of the workspace can be read") {
            let path = entry.expect("so can its entries").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("crates"), &mut found);
    found.into_iter().map(|path| path.strip_prefix(root()).expect("it was found below").to_owned()).collect()
}

/// The lines of a text that are not comments, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn has_sql(line: &str) -> bool {
    ["SELECT ", "INSERT INTO ", "INSERT OR ", "UPDATE ", "DELETE FROM ", "CREATE TABLE "]
        .iter()
        .any(|word| line.match_indices(word).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric())))
}

/// Names in the `[workspace.dependencies]` of the root manifest, other than the workspace's own.
fn workspace_dependencies() -> BTreeSet<String> {
    let manifest = read("Cargo.toml");
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("the root manifest has the section");
    let lines = section.lines().skip(1).take_while(|line| !line.starts_with('['));
    let names = lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    names.map(|(name, _)| name.trim().to_owned()).filter(|name| !name.starts_with("tenure-")).collect()
}

#[test]
fn crates_know_only_whom_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let crates = dependencies();
    assert!(crates.len() >= 13, "only {} crates found", crates.len());
    for (name, uses) in &crates {
        let may = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no line in ARROWS"));
        let ours = uses.iter().filter(|used| crates.contains_key(*used));
        let forbidden: Vec<_> = ours.filter(|used| !may.contains(&used.as_str())).collect();
        assert!(forbidden.is_empty(), "{name} must not depend on {forbidden:?}");
    }
}

#[test]
fn the_map_names_every_crate() {
    let map = read("ARCHITECTURE.md");
    for name in dependencies().keys() {
        assert!(map.contains(&format!("| `{name}` |")), "ARCHITECTURE.md has no line for `{name}`");
    }
}

#[test]
fn core_and_license_stay_pure() {
    let crates = dependencies();
    for name in ["core", "license", "wire"] {
        for heavy in ["tokio", "axum", "sqlx", "rusqlite", "ureq", "getrandom", "tracing"] {
            assert!(!crates[name].contains(heavy), "{name} must not depend on {heavy}");
        }
    }
}

/// The tests of whole processes on PostgreSQL look at its tables as an operator does, through psql.
fn asks_as_an_operator(path: &Path) -> bool {
    ["failover.rs", "replicas.rs", "migrate_data.rs", "support/cluster.rs", "support/postgres.rs"]
        .iter()
        .any(|name| path.ends_with(Path::new("crates/cli/tests/thread").join(name)))
}

#[test]
fn only_store_speaks_sql() {
    for (name, uses) in dependencies() {
        for driver in ["sqlx", "rusqlite"] {
            assert!(name == "store" || !uses.contains(driver), "{name} must not depend on {driver}");
        }
    }
    let mut seen = 0;
    for path in sources() {
        if path.starts_with("crates/store") || path.ends_with("cli/tests/architecture.rs") || asks_as_an_operator(&path)
        {
            continue;
        }
        seen += 1;
        for (at, line) in code(&read(&path)) {
            assert!(
                !["sqlx::", "rusqlite::"].iter().any(|driver| line.contains(driver)),
                "{}:{at} names a driver",
                path.display()
            );
            assert!(!has_sql(line), "{}:{at} holds SQL: {}", path.display(), line.trim());
        }
    }
    assert!(seen >= 13, "only {seen} files looked at");
}

#[test]
fn sql_is_recognized() {
    for sql in [r#"query("SELECT id FROM x")"#, "  UPDATE license SET", "r\"DELETE FROM a\"", "\"INSERT INTO a\""] {
        assert!(has_sql(sql), "{sql}");
    }
    for prose in ["\"Select a license\"", "Method::DELETE", "\"/licenses/update \"", "AUTOUPDATE x"] {
        assert!(!has_sql(prose), "{prose}");
    }
    assert_eq!(code("a\n// SELECT 1\nb").collect::<Vec<_>>(), [(1, "a"), (3, "b")]);
}

#[test]
fn crates_inherit_lints_and_versions() {
    for name in dependencies().keys() {
        let manifest = read(format!("crates/{name}/Cargo.toml"));
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name} does not inherit the workspace's lints");
        let mut section = "";
        for line in manifest.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            if line.starts_with('[') {
                section = line;
            } else if section.ends_with("dependencies]") {
                // A crate may name one of ours by its path: itself with its test features, for instance.
                assert!(
                    line.contains("workspace = true") || line.starts_with("tenure-"),
                    "{name}: `{line}` belongs into the root manifest's [workspace.dependencies]"
                );
            }
        }
    }
}

#[test]
fn every_dependency_is_accounted_for() {
    let page = read("docs/dependencies.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let explained: BTreeSet<String> = rows.map(|(name, _)| name.to_owned()).collect();
    let used = workspace_dependencies();
    assert!(used.len() > 30, "only {} dependencies found in the manifest", used.len());
    let missing: Vec<_> = used.difference(&explained).collect();
    assert!(missing.is_empty(), "docs/dependencies.md has no line for {missing:?}");
    let gone: Vec<_> = explained.difference(&used).collect();
    assert!(gone.is_empty(), "docs/dependencies.md explains {gone:?}, which nothing uses any more");
}
