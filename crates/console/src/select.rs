//! `select`: only the named properties of each row.

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use crate::{client, error::Refusal};

/// Most properties that may be named.
const MAX_PATHS: usize = 100;

/// The properties wanted; all where none is named.
#[derive(Debug, Default)]
pub(crate) struct Select {
    paths: Vec<Vec<String>>,
    without_null: bool,
}

impl Select {
    /// Reads a JSON array of property paths, as texts or as `{"propertyPath": ..}`.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Self::default()) };
        let json: Value = serde_json::from_str(text).map_err(|_| Refusal::invalid("`select` is not JSON"))?;
        let entries = json.as_array().ok_or_else(|| Refusal::invalid("`select` must be an array of property paths"))?;
        if entries.len() > MAX_PATHS {
            return Err(Refusal::invalid(format!("`select` names at most {MAX_PATHS} properties")));
        }
        let path = |entry: &Value| entry.as_str().or_else(|| entry["propertyPath"].as_str()).map(ToOwned::to_owned);
        let paths: Option<Vec<String>> = entries.iter().map(path).collect();
        let paths = paths.ok_or_else(|| Refusal::invalid("`select` holds something that is no property path"))?;
        let paths = paths.iter().map(|path| path.split('.').map(ToOwned::to_owned).collect()).collect();
        Ok(Self { paths, without_null: false })
    }

    /// The same, for a client that may not take every row as it is.
    pub(crate) fn for_client(self, headers: &HeaderMap) -> Self {
        Self { without_null: !client::takes_null(client::version(headers)), ..self }
    }

    /// What is left of a row.
    pub(crate) fn of(&self, row: Value) -> Value {
        let row = if self.without_null { full(row) } else { row };
        if self.paths.is_empty() {
            return row;
        }
        let paths: Vec<&[String]> = self.paths.iter().map(Vec::as_slice).collect();
        keep(row, &paths)
    }
}

fn full(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(full).collect()),
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, field)| !field.is_null());
            Value::Object(fields.map(|(name, field)| (name, full(field))).collect())
        }
        other => other,
    }
}

fn keep(value: Value, paths: &[&[String]]) -> Value {
    if paths.iter().any(|path| path.is_empty()) {
        return value;
    }
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(|item| keep(item, paths)).collect()),
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, field) in fields {
                let below: Vec<&[String]> =
                    paths.iter().filter(|path| path[0] == name).map(|path| &path[1..]).collect();
                if !below.is_empty() {
                    kept.insert(name, keep(field, &below));
                }
            }
            Value::Object(kept)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_client_that_takes_no_null_gets_none_at_any_depth() {
        let select = Select { without_null: true, ..Select::default() };
        let row = json!({ "a": null, "b": [{ "c": null, "d": 1 }] });
        assert_eq!(select.of(row), json!({ "b": [{ "d": 1 }] }));
    }

    #[test]
    fn only_named_properties_are_left_also_below_others() {
        let row = json!({ "name": "a", "points": 2, "workloads": [{ "count": 1, "name": "x" }] });
        let of = |text: &str| Select::parse(Some(text)).expect("a selection").of(row.clone());
        assert_eq!(of(r#"["name"]"#), json!({ "name": "a" }));
        assert_eq!(of(r#"["points", "workloads.count"]"#), json!({ "points": 2, "workloads": [{ "count": 1 }] }));
        assert_eq!(of(r#"[{"propertyPath": "workloads"}]"#), json!({ "workloads": [{ "count": 1, "name": "x" }] }));
        assert_eq!(of("[]"), row);
        for wrong in ["name", "{}", "[1]"] {
            assert!(Select::parse(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
