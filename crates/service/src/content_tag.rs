//! The name of what somebody saw of a thing: its ETag, which a change of the thing repeats as `If-Match`.
//!
//! The tag holds a short hash per field, so that a refused change can say which fields changed meanwhile. It is made of the
//! content alone: equal content has equal tags, whoever asks and whichever replica answers.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{Error, ProblemKind, Result};

/// Bytes of a field's hash: enough against accidents, and a forged tag only lets its maker overwrite what it may write.
const FIELD: usize = 6;
/// Most fields of a thing.
const MAX_FIELDS: usize = 200;

/// Names some content. Its text is base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentTag(Vec<[u8; FIELD]>);

/// The version a caller saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Whatever it is now (`*`).
    Any,
    /// This content.
    Tag(ContentTag),
}

/// The text is no tag of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a tag")]
pub struct ParseContentTagError;

impl ContentTag {
    /// The tag of some content, which must serialize to an object.
    pub fn of(content: &impl Serialize) -> Self {
        Self(fields(content).iter().map(|(name, value)| hash(name, value)).collect())
    }
}

impl fmt::Display for ContentTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0.concat()))
    }
}

impl FromStr for ContentTag {
    type Err = ParseContentTagError;
    fn from_str(text: &str) -> std::result::Result<Self, ParseContentTagError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ParseContentTagError)?;
        let (hashes, rest) = bytes.as_chunks::<FIELD>();
        if !rest.is_empty() || hashes.len() > MAX_FIELDS {
            return Err(ParseContentTagError);
        }
        Ok(Self(hashes.to_vec()))
    }
}

impl IfMatch {
    /// Refuses a change when the content is no longer what its author saw. Call it inside the transaction of the change.
    pub(crate) fn check(&self, content: &impl Serialize) -> Result<()> {
        let Self::Tag(seen) = self else { return Ok(()) };
        let now = fields(content);
        let changed: Map<String, Value> = if seen.0.len() == now.len() {
            let differs = |((name, value), seen): &((&String, &Value), &[u8; FIELD])| hash(name, value) != **seen;
            now.iter().zip(&seen.0).filter(differs).map(|((name, value), _)| (name.clone(), value.clone())).collect()
        } else {
            now
        };
        if changed.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = changed.keys().map(String::as_str).collect();
        let words = format!("these fields are no longer what you saw: {}", names.join(", "));
        let problem = ProblemKind::Stale.because(words).with("changed", Value::Object(changed));
        Err(Error::Problem(problem))
    }
}

fn fields(content: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(content) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn hash(name: &str, value: &Value) -> [u8; FIELD] {
    let full = Sha256::new().chain_update(name).chain_update([0]).chain_update(value.to_string()).finalize();
    *full.first_chunk().expect("a hash has 32 bytes")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_names_the_fields_that_moved() {
        let seen = ContentTag::of(&json!({"name": "Contoso", "site": null}));
        let same: ContentTag = seen.to_string().parse().unwrap();
        assert_eq!(same, seen);
        let seen = IfMatch::Tag(seen);
        assert!(seen.check(&json!({"site": null, "name": "Contoso"})).is_ok());
        let Err(Error::Problem(problem)) = seen.check(&json!({"name": "Contoso AG", "site": null})) else {
            panic!("it changed")
        };
        assert_eq!(problem.kind, ProblemKind::Stale);
        assert_eq!(problem.extensions, [("changed", json!({"name": "Contoso AG"}))]);
        assert!(seen.check(&json!({"name": "Contoso"})).is_err(), "another shape is another version");
        assert!(IfMatch::Any.check(&json!({"name": "x"})).is_ok());
        for bad in ["*", "AAAA", "ä", "="] {
            assert_eq!(bad.parse::<ContentTag>(), Err(ParseContentTagError), "{bad}");
        }
    }
}
