//! `sort`: rows by one or more of their properties.

use std::cmp::Ordering;

use serde_json::Value;

use crate::{
    error::Refusal,
    filter::{Collation, compare, first},
};

/// Most properties that may be sorted by.
const MAX_KEYS: usize = 10;

struct Key {
    property: Vec<String>,
    descending: bool,
    collation: Collation,
}

/// The wanted order; the list's own where none is.
#[derive(Default)]
pub(crate) struct Order(Vec<Key>);

impl Order {
    /// Reads a JSON array of `{"property", "direction", "collation"}`, the first deciding first.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Self::default()) };
        let json: Value = serde_json::from_str(text).map_err(|_| Refusal::invalid("`sort` is not JSON"))?;
        let entries = match json {
            Value::Array(entries) => entries,
            one @ Value::Object(_) => vec![one],
            _ => return Err(Refusal::invalid("`sort` must be an array of properties")),
        };
        if entries.len() > MAX_KEYS {
            return Err(Refusal::invalid(format!("`sort` names at most {MAX_KEYS} properties")));
        }
        entries.iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    /// Whether none is wanted but the list's own.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sorts rows; what is equal stays in the list's own order.
    pub(crate) fn apply(&self, rows: &mut [Value]) {
        if self.0.is_empty() {
            return;
        }
        rows.sort_by(|a, b| {
            let by = |key: &Key| {
                let ordering = match (first(a, &key.property), first(b, &key.property)) {
                    (None, None) => Ordering::Equal,
                    (None, Some(_)) => Ordering::Less,
                    (Some(_), None) => Ordering::Greater,
                    (Some(a), Some(b)) => compare(a, b, key.collation).unwrap_or(Ordering::Equal),
                };
                if key.descending { ordering.reverse() } else { ordering }
            };
            self.0.iter().map(by).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
        });
    }
}

fn key(entry: &Value) -> Result<Key, Refusal> {
    let property = entry["property"].as_str().ok_or_else(|| Refusal::invalid("`sort` needs a `property`"))?;
    let descending = match entry["direction"].as_str() {
        None | Some("ascending" | "asc") => false,
        Some("descending" | "desc") => true,
        Some(_) => return Err(Refusal::invalid("`direction` must be ascending or descending")),
    };
    Ok(Key {
        property: property.split('.').map(ToOwned::to_owned).collect(),
        descending,
        collation: Collation::parse(&entry["collation"])?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_sorted_by_text_number_and_instant() {
        let rows = || {
            vec![
                json!({ "name": "b", "points": 10, "at": "2026-01-02T00:00:00Z" }),
                json!({ "name": "A", "points": 9, "at": "2026-01-01T23:00:00-02:00" }),
                json!({ "name": "c", "points": 10, "at": null }),
            ]
        };
        let sorted = |text: &str| {
            let mut rows = rows();
            Order::parse(Some(text)).unwrap_or_else(|_| panic!("{text}")).apply(&mut rows);
            rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect::<String>()
        };
        assert_eq!(sorted(r#"[{"property": "name"}]"#), "Abc");
        assert_eq!(sorted(r#"[{"property": "name", "direction": "descending", "collation": "ignorecase"}]"#), "cbA");
        assert_eq!(sorted(r#"[{"property": "points"}, {"property": "name", "direction": "descending"}]"#), "Acb");
        assert_eq!(sorted(r#"[{"property": "at"}]"#), "cbA");
        assert!(Order::parse(Some(r#"[{"direction": "ascending"}]"#)).is_err());
    }
}
