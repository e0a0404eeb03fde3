//! Each row of `docs/threat-model.md` is held by a test that is named after it, or says why it is not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The rows there are: a letter and how many.
const ROWS: &[(&str, u32)] = &[("C", 14), ("E", 11), ("T", 4), ("A", 10), ("F", 10), ("X", 11), ("R", 3)];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there")
}

fn ids() -> BTreeSet<String> {
    ROWS.iter().flat_map(|(letter, last)| (1..=*last).map(move |n| format!("{letter}{n}"))).collect()
}

/// Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace can be read") {
        let path = entry.expect("so can its entries").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The row ids that a test's name begins with: `a5_t4_foreign_..` pins two.
fn pinned(name: &str) -> Vec<String> {
    let is_id = |part: &&str| {
        let (letter, number) = part.split_at_checked(1).unwrap_or_default();
        letter.chars().all(|c| c.is_ascii_lowercase())
            && !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit())
    };
    name.split('_').take_while(is_id).map(str::to_uppercase).collect()
}

/// Names of the test functions of a text: those under a test attribute, and those handed to `contract_tests!`.
fn tests_of(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        let name = line.split_once("fn ").map(|(_, rest)| rest);
        let name = name.and_then(|rest| rest.split(['(', '<']).next());
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(name) = name.filter(|_| is_test) {
            found.insert(name.to_owned());
            is_test = false;
        }
    }
    for list in text.split("contract_tests! {").skip(1).filter_map(|rest| rest.split('}').next()) {
        found.extend(list.split(',').map(|name| name.trim().to_owned()));
    }
    for list in text.split("proptest! {").skip(1) {
        let names = list.lines().filter_map(|line| line.trim().strip_prefix("fn ")?.split('(').next());
        found.extend(names.map(ToOwned::to_owned));
    }
    found
}

fn all_tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    files.iter().flat_map(|path| tests_of(&fs::read_to_string(path).expect("a source can be read"))).collect()
}

/// The page's rows: id and what it says holds it.
fn page() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("docs/threat-model.md")).expect("the page is there");
    let ids = ids();
    let cells = |line: &str| {
        let cells: Vec<&str> = line.strip_prefix('|')?.trim_end_matches('|').split('|').map(str::trim).collect();
        let [id, _, _, held] = cells[..] else { return None };
        ids.contains(id).then(|| (id.to_owned(), held.to_owned()))
    };
    text.lines().filter_map(cells).collect()
}

#[test]
fn every_row_is_tested_or_explained() {
    let (page, tests) = (page(), all_tests());
    assert!(tests.len() > 200, "only {} tests found", tests.len());
    let pinned: BTreeSet<String> = tests.iter().flat_map(|name| pinned(name)).collect();
    let mut wrong = Vec::new();
    for id in ids() {
        match page.get(&id) {
            None => wrong.push(format!("{id} is not on the page")),
            Some(held) if held.starts_with("Not tested: ") => {
                if pinned.contains(&id) {
                    wrong.push(format!("{id} has a test, and the page says it has none"));
                }
            }
            Some(_) if !pinned.contains(&id) => {
                wrong.push(format!("no test is named {}_.., and the page does not say why", id.to_lowercase()));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_the_page_names_is_a_test() {
    let tests = all_tests();
    for (id, held) in page() {
        for name in held.split('`').skip(1).step_by(2) {
            assert!(tests.contains(name), "{id}: there is no test `{name}`");
        }
    }
}

#[test]
fn names_are_read() {
    assert_eq!(pinned("a5_t4_foreign_documents"), ["A5", "T4"]);
    assert_eq!(pinned("x10_a_month"), ["X10"]);
    assert!(pinned("a_month_of_2_days").is_empty());
    let text = "#[tokio::test]\nasync fn c1_it() {\n}\nfn c2_no_test() {}\ncontract_tests! { x1_one, x2_two }\n";
    let found: Vec<String> = tests_of(text).into_iter().collect();
    assert_eq!(found, ["c1_it", "x1_one", "x2_two"]);
}
