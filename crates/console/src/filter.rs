//! `filter`: the console's conditions, judged over the rows as they are shown. Nothing of a filter reaches the database.

use std::cmp::Ordering;

use serde_json::Value;
use tenure_core::Timestamp;

use crate::error::Refusal;

/// Deepest nesting of conditions.
const MAX_DEPTH: usize = 8;
/// Most conditions of one filter.
const MAX_CONDITIONS: usize = 200;
/// Most values that `in` and its like compare with.
const MAX_VALUES: usize = 1_000;

/// How texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collation {
    /// As they are.
    Ordinal,
    /// In any case.
    IgnoreCase,
}

impl Collation {
    pub(crate) fn parse(value: &Value) -> Result<Self, Refusal> {
        match value.as_str().map(str::to_ascii_lowercase).as_deref() {
            None if value.is_null() => Ok(Self::Ordinal),
            Some("ordinal") => Ok(Self::Ordinal),
            Some("ignorecase" | "lowercase") => Ok(Self::IgnoreCase),
            _ => Err(Refusal::invalid("`collation` must be ordinal, ignorecase or lowercase")),
        }
    }
}

#[derive(Debug)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Vec<Condition>),
    Of { property: Vec<String>, test: Test, value: Value, collation: Collation },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Equals,
    NotEquals,
    In,
    NotIn,
    Contains,
    NotContains,
    StartsWith,
    EndsWith,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// All of the property's elements are among the values.
    Subset,
    /// All of the values are among the property's elements.
    Superset,
}

/// What rows must fulfil; without conditions, all do.
#[derive(Debug)]
pub(crate) struct Filter(Condition);

impl Filter {
    /// Reads an array of conditions that must all hold, or one condition.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            return Ok(Self(Condition::All(Vec::new())));
        };
        // The parser refuses deeper nesting than 128 by itself, long before the stack is in danger.
        let json: Value = serde_json::from_str(text).map_err(|_| Refusal::invalid("`filter` is not JSON"))?;
        let mut left = MAX_CONDITIONS;
        let condition = match &json {
            Value::Array(items) => Condition::All(conditions(items, 0, &mut left)?),
            one => condition(one, 0, &mut left)?,
        };
        Ok(Self(condition))
    }

    /// Whether all rows are wanted.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.0, Condition::All(items) if items.is_empty())
    }

    /// Whether a row is wanted.
    pub(crate) fn fits(&self, row: &Value) -> bool {
        self.0.holds(row)
    }
}

fn conditions(items: &[Value], depth: usize, left: &mut usize) -> Result<Vec<Condition>, Refusal> {
    items.iter().map(|item| condition(item, depth, left)).collect()
}

fn condition(json: &Value, depth: usize, left: &mut usize) -> Result<Condition, Refusal> {
    if depth >= MAX_DEPTH {
        return Err(Refusal::invalid(format!("`filter` is nested deeper than {MAX_DEPTH}")));
    }
    *left = left
        .checked_sub(1)
        .ok_or_else(|| Refusal::invalid(format!("`filter` has more than {MAX_CONDITIONS} conditions")))?;
    let operation = json["operation"].as_str().ok_or_else(|| Refusal::invalid("a condition needs an `operation`"))?;
    if let "and" | "or" | "not" = operation {
        let items = json["items"].as_array().filter(|items| !items.is_empty());
        let items = items.ok_or_else(|| Refusal::invalid(format!("`{operation}` needs `items`")))?;
        let items = conditions(items, depth + 1, left)?;
        return Ok(match operation {
            "and" => Condition::All(items),
            "or" => Condition::Any(items),
            _ => Condition::Not(items),
        });
    }
    let test = test(operation).ok_or_else(|| Refusal::invalid(format!("`{operation}` is no operation of filters")))?;
    let property = json["property"].as_str().ok_or_else(|| Refusal::invalid("a condition needs a `property`"))?;
    let value = json.get("value").cloned().ok_or_else(|| Refusal::invalid("a condition needs a `value`"))?;
    if let Some(values) = value.as_array().filter(|values| values.len() > MAX_VALUES) {
        let words = format!("a condition compares with at most {MAX_VALUES} values, not {}", values.len());
        return Err(Refusal::invalid(words));
    }
    Ok(Condition::Of {
        property: property.split('.').map(ToOwned::to_owned).collect(),
        test,
        value,
        collation: Collation::parse(&json["collation"])?,
    })
}

fn test(operation: &str) -> Option<Test> {
    Some(match operation {
        "equals" | "exactlyEquals" => Test::Equals,
        "notEquals" => Test::NotEquals,
        "in" | "exactlyIn" => Test::In,
        "notIn" => Test::NotIn,
        "contains" => Test::Contains,
        "notContains" => Test::NotContains,
        "startsWith" => Test::StartsWith,
        "endsWith" => Test::EndsWith,
        "lessThan" => Test::Less,
        "lessThanOrEqual" => Test::LessOrEqual,
        "greaterThan" => Test::Greater,
        "greaterThanOrEqual" => Test::GreaterOrEqual,
        "subset" => Test::Subset,
        "superset" => Test::Superset,
        _ => return None,
    })
}

impl Condition {
    fn holds(&self, row: &Value) -> bool {
        match self {
            Self::All(items) => items.iter().all(|item| item.holds(row)),
            Self::Any(items) => items.iter().any(|item| item.holds(row)),
            Self::Not(items) => !items.iter().all(|item| item.holds(row)),
            Self::Of { property, test, value, collation } => {
                let mut found = Vec::new();
                collect(row, property, &mut found);
                holds(*test, &found, value, *collation)
            }
        }
    }
}

/// All values at a path; an array on the way stands for each of its elements.
fn collect<'a>(value: &'a Value, path: &[String], found: &mut Vec<&'a Value>) {
    match (value, path) {
        (Value::Array(items), _) => items.iter().for_each(|item| collect(item, path, found)),
        (_, []) => found.push(value),
        (Value::Object(fields), [name, below @ ..]) => {
            if let Some(field) = fields.get(name) {
                collect(field, below, found);
            }
        }
        _ => {}
    }
}

/// The first value at a path that is not null.
pub(crate) fn first<'a>(row: &'a Value, path: &[String]) -> Option<&'a Value> {
    let mut found = Vec::new();
    collect(row, path, &mut found);
    found.into_iter().find(|value| !value.is_null())
}

/// A list of values, also where one alone was given.
fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

fn holds(test: Test, found: &[&Value], value: &Value, collation: Collation) -> bool {
    let is = |a: &Value, b: &Value| same(a, b, collation);
    let any = |like: &Value| found.iter().any(|at| is(at, like)) || (found.is_empty() && like.is_null());
    let ordered =
        |wanted: fn(Ordering) -> bool| found.iter().any(|at| compare(at, value, collation).is_some_and(wanted));
    let text = |fits: fn(&str, &str) -> bool| {
        let Some(part) = value.as_str() else { return false };
        let part = folded(part, collation);
        found.iter().filter_map(|at| at.as_str()).any(|at| fits(&folded(at, collation), &part))
    };
    match test {
        Test::Equals => any(value),
        Test::NotEquals => !any(value),
        Test::In => each(value).iter().any(any),
        Test::NotIn => !each(value).iter().any(any),
        Test::Contains => text(|at, part| at.contains(part)),
        Test::NotContains => !text(|at, part| at.contains(part)),
        Test::StartsWith => text(|at, part| at.starts_with(part)),
        Test::EndsWith => text(|at, part| at.ends_with(part)),
        Test::Less => ordered(Ordering::is_lt),
        Test::LessOrEqual => ordered(Ordering::is_le),
        Test::Greater => ordered(Ordering::is_gt),
        Test::GreaterOrEqual => ordered(Ordering::is_ge),
        Test::Subset => found.iter().all(|at| each(value).iter().any(|like| is(at, like))),
        Test::Superset => each(value).iter().all(any),
    }
}

fn same(a: &Value, b: &Value, collation: Collation) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        _ => compare(a, b, collation) == Some(Ordering::Equal),
    }
}

fn folded(text: &str, collation: Collation) -> String {
    match collation {
        Collation::Ordinal => text.to_owned(),
        Collation::IgnoreCase => text.to_lowercase(),
    }
}

/// How two values stand to each other; none when they cannot be compared. Texts that are instants compare as instants.
pub(crate) fn compare(a: &Value, b: &Value, collation: Collation) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => {
            let instants = a.parse::<Timestamp>().ok().zip(b.parse::<Timestamp>().ok());
            let texts = || folded(a, collation).cmp(&folded(b, collation));
            Some(instants.map_or_else(texts, |(a, b)| a.cmp(&b)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fits(filter: &Value) -> bool {
        let row = json!({
            "name": "Contoso", "points": 9, "on": true, "none": null, "at": "2026-01-31T00:00:00Z",
            "workloads": [{ "id": "host", "count": 3 }, { "id": "vm", "count": 7 }],
        });
        Filter::parse(Some(&filter.to_string())).unwrap_or_else(|_| panic!("{filter}")).fits(&row)
    }

    fn of(property: &str, operation: &str, value: Value) -> Value {
        json!({ "property": property, "operation": operation, "value": value })
    }

    #[test]
    fn each_operation_holds_and_does_not() {
        for (property, operation, yes, no) in [
            ("name", "equals", json!("Contoso"), json!("contoso")),
            ("name", "notEquals", json!("contoso"), json!("Contoso")),
            ("name", "in", json!(["a", "Contoso"]), json!(["a"])),
            ("name", "notIn", json!(["a"]), json!(["Contoso"])),
            ("name", "contains", json!("tos"), json!("TOS")),
            ("name", "notContains", json!("TOS"), json!("tos")),
            ("name", "startsWith", json!("Con"), json!("toso")),
            ("name", "endsWith", json!("toso"), json!("Con")),
            ("points", "lessThan", json!(10), json!(9)),
            ("points", "lessThanOrEqual", json!(9.0), json!(8.5)),
            ("points", "greaterThan", json!(8.5), json!(9)),
            ("points", "greaterThanOrEqual", json!(9), json!(10)),
            ("at", "greaterThan", json!("2026-01-30T23:00:00Z"), json!("2026-01-31T00:00:00.1Z")),
            ("on", "equals", json!(true), json!(false)),
            ("none", "equals", json!(null), json!("x")),
            ("absent", "equals", json!(null), json!(0)),
            ("workloads.id", "equals", json!("vm"), json!("user")),
            ("workloads.count", "greaterThan", json!(6), json!(7)),
            ("workloads.id", "subset", json!(["host", "vm", "user"]), json!(["vm"])),
            ("workloads.id", "superset", json!(["vm"]), json!(["vm", "user"])),
        ] {
            assert!(fits(&json!([of(property, operation, yes.clone())])), "{property} {operation} {yes}");
            assert!(!fits(&json!([of(property, operation, no.clone())])), "{property} {operation} {no}");
        }
    }

    #[test]
    fn conditions_nest_and_texts_compare_in_any_case_where_asked() {
        let name = |value: &str| json!({ "property": "name", "operation": "equals", "collation": "ignorecase", "value": value });
        assert!(fits(&name("CONTOSO")));
        assert!(fits(&json!({ "operation": "or", "items": [name("x"), of("points", "equals", json!(9))] })));
        assert!(!fits(&json!({ "operation": "and", "items": [name("x"), of("points", "equals", json!(9))] })));
        assert!(fits(&json!({ "operation": "not", "items": [name("x")] })));
        assert!(!fits(&json!([name("contoso"), name("x")])), "all of an array must hold");
    }

    #[test]
    fn filters_have_bounds_and_a_form() {
        let mut deep = of("name", "equals", json!("x"));
        for _ in 0..MAX_DEPTH {
            deep = json!({ "operation": "not", "items": [deep] });
        }
        let wide = Value::Array(vec![of("name", "equals", json!("x")); MAX_CONDITIONS + 1]);
        let long = of("name", "in", json!(vec!["x"; MAX_VALUES + 1]));
        for wrong in [
            deep,
            wide,
            long,
            json!("name = 'x'"),
            json!({}),
            json!({ "operation": "and" }),
            json!({ "operation": "and", "items": [] }),
            of("name", "like", json!("x")),
            json!({ "operation": "equals", "value": 1 }),
            json!({ "operation": "equals", "property": "name" }),
            json!({ "operation": "equals", "property": "name", "value": "x", "collation": "french" }),
        ] {
            assert!(Filter::parse(Some(&wrong.to_string())).is_err(), "{wrong}");
        }
        assert!(Filter::parse(Some("[")).is_err());
    }
}
