//! Rows of workloads as products and scripts write them: the same names in CSV, in JSON files and on a command's stdout.

use serde::Deserialize;
use tenure_core::Timestamp;

use super::{BadRow, Sighting, checked};

/// Good rows and bad ones.
pub(super) type Rows = (Vec<Sighting>, Vec<BadRow>);

/// A row before its fields are checked.
#[derive(Deserialize)]
pub(super) struct Row {
    id: String,
    #[serde(default)]
    company: String,
    #[serde(rename = "type")]
    workload: String,
    #[serde(default)]
    variant: String,
    #[serde(default)]
    protected_at: Option<String>,
}

impl Row {
    /// Checks every field. A row without `protected_at` was protected at `absent`, if that is given.
    pub(super) fn check(self, absent: Option<Timestamp>) -> Result<Sighting, String> {
        let at = match (&self.protected_at, absent) {
            (Some(text), _) => text.trim().parse().map_err(|error| format!("`protected_at` is {error}"))?,
            (None, Some(at)) => at,
            (None, None) => return Err("missing field `protected_at`".to_owned()),
        };
        Ok(Sighting {
            id: checked("id", self.id.trim(), true)?,
            company: checked("company", self.company.trim(), false)?,
            workload: checked("type", self.workload.trim(), true)?,
            variant: checked("variant", self.variant.trim(), false)?,
            at,
        })
    }
}

/// Reads an array of rows.
pub(super) fn read_json(bytes: &[u8], absent: Option<Timestamp>) -> Result<Rows, String> {
    let items: Vec<serde_json::Value> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let (mut good, mut bad) = Rows::default();
    for (n, item) in items.into_iter().enumerate() {
        let row = serde_json::from_value::<Row>(item).map_err(|error| error.to_string());
        match row.and_then(|row| row.check(absent)) {
            Ok(sighting) => good.push(sighting),
            Err(problem) => bad.push(BadRow { place: format!("item {}", n + 1), problem }),
        }
    }
    Ok((good, bad))
}
