//! Words of core, as columns hold them: the snake-case text of their serialization.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Row, StoreError};

/// The column text of a word.
pub(crate) fn text<T: Serialize>(word: &T) -> Result<String, StoreError> {
    match serde_json::to_value(word)? {
        serde_json::Value::String(text) => Ok(text),
        _ => Err(StoreError::Corrupt { what: "a word that is not text" }),
    }
}

/// The word a column's text stands for.
pub(crate) fn read<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T, StoreError> {
    Ok(serde_json::from_value(serde_json::Value::String(row.text(column)?))?)
}
