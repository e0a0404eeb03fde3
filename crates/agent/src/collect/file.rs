//! The `file` collector: a CSV or JSON file that a product or a script writes.
//!
//! CSV has a header line; columns may stand in any order, others are ignored:
//! ```text
//! id,company,type,variant,protected_at
//! vm-0017,Contoso,vm,,2026-01-31T02:14:00Z
//! ```
//! JSON is an array of objects with the same names. `company` and `variant` may be left out. `protected_at` is RFC 3339.
//! The file usually lists each workload once with its last protection; a file that lists every protection, also past
//! ones, says so with `looks_back = true`, and then days are counted also when the agent was off.

use std::{
    fs::{self, File},
    io::Read,
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use tenure_core::Timestamp;

use super::{
    BadRow, CollectError, Collector, Sighting,
    rows::{Row, Rows, read_json},
};

/// The largest file that is read.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Options of the `file` collector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// The file.
    pub path: PathBuf,
    /// How it is written; by default what its name ends in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<FileFormat>,
    /// Whether it lists every protection, not only the last one of each workload.
    #[serde(default)]
    pub looks_back: bool,
}

/// How a file of workloads is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Comma-separated with a header line.
    Csv,
    /// An array of objects.
    Json,
}

/// Reads workloads from a file.
#[derive(Debug)]
pub struct FileCollector {
    config: FileConfig,
}

impl FileCollector {
    /// A collector for the file; it need not exist yet.
    pub fn new(config: FileConfig) -> Self {
        Self { config }
    }

    fn format(&self) -> FileFormat {
        let json = || self.config.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        self.config.format.unwrap_or_else(|| if json() { FileFormat::Json } else { FileFormat::Csv })
    }

    fn read(&self) -> Result<Vec<u8>, CollectError> {
        let path = self.config.path.display();
        let unavailable = |error| CollectError::Unavailable(format!("cannot read {path}: {error}"));
        let size = fs::metadata(&self.config.path).map_err(unavailable)?.len();
        if size > MAX_BYTES {
            return Err(CollectError::Unavailable(format!("{path} has {size} bytes, more than {MAX_BYTES}")));
        }
        let mut bytes = Vec::new();
        let file = File::open(&self.config.path).map_err(unavailable)?;
        // It may have grown since.
        file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(unavailable)?;
        Ok(bytes)
    }
}

impl Collector for FileCollector {
    fn name(&self) -> String {
        format!("file {}", self.config.path.display())
    }
    fn looks_back(&self) -> bool {
        self.config.looks_back
    }
    fn collect(&mut self, _: Timestamp, _: Timestamp) -> Result<Vec<Sighting>, CollectError> {
        let bytes = self.read()?;
        let path = self.config.path.display();
        let unreadable = |problem| CollectError::Unavailable(format!("{path} is unreadable: {problem}"));
        let (good, bad) = match self.format() {
            FileFormat::Csv => read_csv(&bytes).map_err(unreadable)?,
            FileFormat::Json => read_json(&bytes, None).map_err(unreadable)?,
        };
        if bad.is_empty() { Ok(good) } else { Err(CollectError::BadRows { good, bad }) }
    }
}

fn read_csv(bytes: &[u8]) -> Result<Rows, String> {
    let (mut good, mut bad) = Rows::default();
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(bytes);
    let headers = reader.headers().map_err(|error| error.to_string())?.clone();
    for needed in ["id", "type", "protected_at"] {
        if !headers.iter().any(|name| name == needed) {
            return Err(format!("its first line does not name a column `{needed}`"));
        }
    }
    let mut record = csv::StringRecord::new();
    loop {
        let read = reader.read_record(&mut record);
        let line = match &read {
            Ok(true) => record.position().map_or(0, csv::Position::line),
            Ok(false) => return Ok((good, bad)),
            Err(error) => error.position().map_or(0, csv::Position::line),
        };
        let row = read.and_then(|_| record.deserialize::<Row>(Some(&headers)));
        match row.map_err(|error| csv_problem(&error)).and_then(|row| row.check(None)) {
            Ok(sighting) => good.push(sighting),
            Err(problem) => bad.push(BadRow { place: format!("line {line}"), problem }),
        }
    }
}

fn csv_problem(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields, and the first line names {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        csv::ErrorKind::Deserialize { err, .. } => err.kind().to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collector(name: &str, content: &str) -> (tempfile::TempDir, FileCollector) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        (dir, FileCollector::new(FileConfig { path, format: None, looks_back: false }))
    }

    fn sighting(id: &str, company: &str, at: &str) -> Sighting {
        Sighting {
            id: id.into(),
            company: company.into(),
            workload: "vm".into(),
            variant: String::new(),
            at: at.parse().unwrap(),
        }
    }

    #[test]
    fn reads_csv_in_any_column_order() {
        let (_dir, mut file) = collector(
            "workloads.csv",
            "type, protected_at ,id,company,comment\nvm,2026-01-31T02:14:00Z,vm-1,\"Contoso, Ltd\",x\n\
             vm,2026-01-31T03:14:00+01:00,vm-2,,\n",
        );
        let expected =
            [sighting("vm-1", "Contoso, Ltd", "2026-01-31T02:14:00Z"), sighting("vm-2", "", "2026-01-31T02:14:00Z")];
        assert_eq!(file.collect(Timestamp::EPOCH, Timestamp::EPOCH).unwrap(), expected);
    }

    #[test]
    fn bad_rows_are_named_by_line_and_good_ones_are_kept() {
        let (_dir, mut file) = collector(
            "workloads.csv",
            "id,company,type,variant,protected_at\nvm-1,,vm,,2026-01-31T02:14:00Z\nvm-2,,vm,,yesterday\n\
             vm-3,,vm\n,,vm,,2026-01-31T02:14:00Z\nvm-5,\"two\nlines\",vm,,2026-01-31T02:14:00Z\n\
             vm-6,,vm,,2026-01-31T02:14:00Z\n",
        );
        let error = file.collect(Timestamp::EPOCH, Timestamp::EPOCH).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 3: `protected_at` is not an instant such as 2026-01-31T10:00:00Z; \
             line 4: it has 3 fields, and the first line names 5; line 5: `id` is empty; \
             line 6: `company` holds a control character"
        );
        let CollectError::BadRows { good, .. } = error else { panic!("{error}") };
        assert_eq!(good.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["vm-1", "vm-6"]);
    }

    #[test]
    fn an_error_names_ten_rows_and_counts_the_rest() {
        let rows = "x,vm,never\n".repeat(12);
        let (_dir, mut file) = collector("w.csv", &format!("id,type,protected_at\n{rows}"));
        let text = file.collect(Timestamp::EPOCH, Timestamp::EPOCH).unwrap_err().to_string();
        assert!(text.starts_with("line 2: ") && text.ends_with("; and 2 more"), "{text}");
    }

    #[test]
    fn reads_json_and_names_bad_items() {
        let (_dir, mut file) = collector(
            "workloads.json",
            r#"[{"id":"vm-1","type":"vm","protected_at":"2026-01-31T02:14:00Z"},{"id":"vm-2","type":"vm"}]"#,
        );
        let error = file.collect(Timestamp::EPOCH, Timestamp::EPOCH).unwrap_err();
        assert_eq!(error.to_string(), "item 2: missing field `protected_at`");
        let CollectError::BadRows { good, .. } = error else { panic!("{error}") };
        assert_eq!(good, [sighting("vm-1", "", "2026-01-31T02:14:00Z")]);
    }

    #[test]
    fn says_what_it_cannot_read() {
        let missing = FileConfig { path: "/nonexistent/w.csv".into(), format: None, looks_back: false };
        let error = FileCollector::new(missing).collect(Timestamp::EPOCH, Timestamp::EPOCH).unwrap_err().to_string();
        assert!(error.starts_with("cannot read /nonexistent/w.csv: "), "{error}");
        for (name, content, needle) in [
            ("w.csv", "", "does not name a column `id`"),
            ("w.csv", "id,protected_at\n", "does not name a column `type`"),
            ("w.json", "{}", "invalid type"),
            ("w.json", "[", "EOF"),
        ] {
            let (_dir, mut file) = collector(name, content);
            let error = file.collect(Timestamp::EPOCH, Timestamp::EPOCH).unwrap_err().to_string();
            assert!(error.contains(needle), "{error}");
        }
        let (_dir, mut empty) = collector("w.csv", "id,type,protected_at\n");
        assert_eq!(empty.collect(Timestamp::EPOCH, Timestamp::EPOCH).unwrap(), [], "no workloads is an answer too");
    }
}
