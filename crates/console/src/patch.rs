//! JSON Patch (RFC 6902) as consoles send it: properties are replaced, and a `test` must hold.

use serde::Deserialize;
use serde_json::Value;
use tenure_service::ProblemKind;

use crate::error::Refusal;

/// Most operations of one patch.
const MAX_OPERATIONS: usize = 100;

/// One operation.
#[derive(Deserialize)]
pub(crate) struct Step {
    op: String,
    path: String,
    #[serde(default)]
    value: Value,
}

/// A patch.
pub(crate) type Patch = Vec<Step>;

/// What a patch sets, by property, the last word on each. `shown` is the thing as it is, for `test`.
pub(crate) fn changes(patch: Patch, shown: &Value) -> Result<Vec<(String, Value)>, Refusal> {
    if patch.len() > MAX_OPERATIONS {
        return Err(Refusal::invalid(format!("a patch has at most {MAX_OPERATIONS} operations")));
    }
    let mut changes: Vec<(String, Value)> = Vec::new();
    for Step { op, path, value } in patch {
        let name = path.strip_prefix('/').unwrap_or(&path).to_owned();
        // What was set by an earlier step is what a later one finds.
        let now = changes.iter().find(|(set, _)| *set == name).map(|(_, value)| value).or_else(|| shown.get(&name));
        match op.as_str() {
            "replace" | "add" => {}
            "remove" => {
                set(&mut changes, name, Value::Null);
                continue;
            }
            "test" if now == Some(&value) => continue,
            "test" => {
                let words = format!("`{path}` is not what the patch expects");
                return Err(ProblemKind::InvalidInput.because(words).into());
            }
            _ => return Err(Refusal::invalid(format!("`{op}` is not served; use replace, add, remove or test"))),
        }
        set(&mut changes, name, value);
    }
    Ok(changes)
}

fn set(changes: &mut Vec<(String, Value)>, name: String, value: Value) {
    changes.retain(|(set, _)| *set != name);
    changes.push((name, value));
}

/// A boolean of a patch. Some clients send every value as text.
pub(crate) fn boolean(name: &str, value: &Value) -> Result<bool, Refusal> {
    match (value, value.as_str().map(str::to_ascii_lowercase).as_deref()) {
        (Value::Bool(value), _) => Ok(*value),
        (_, Some("true")) => Ok(true),
        (_, Some("false")) => Ok(false),
        _ => Err(Refusal::invalid(format!("`{name}` must be true or false"))),
    }
}

/// Nothing may be changed but what is listed.
pub(crate) fn unknown(name: &str) -> Refusal {
    Refusal::invalid(format!("`{name}` cannot be changed here"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(patch: Value) -> Result<Vec<(String, Value)>, Refusal> {
        changes(serde_json::from_value(patch).expect("a patch"), &json!({ "a": 1 }))
    }

    #[test]
    fn the_last_word_holds_and_tests_are_judged() {
        let patch = json!([
            { "op": "test", "path": "/a", "value": 1 },
            { "op": "replace", "path": "/a", "value": 2 },
            { "op": "test", "path": "/a", "value": 2 },
            { "op": "replace", "path": "b", "value": "x" },
            { "op": "remove", "path": "/b" },
        ]);
        assert_eq!(run(patch).expect("changes"), [("a".to_owned(), json!(2)), ("b".to_owned(), Value::Null)]);
        assert!(run(json!([{ "op": "test", "path": "/a", "value": 3 }])).is_err());
        assert!(run(json!([{ "op": "move", "path": "/a", "from": "/b" }])).is_err());
        assert!(boolean("a", &json!("True")).expect("a word"));
        assert!(boolean("a", &json!(1)).is_err());
    }
}
