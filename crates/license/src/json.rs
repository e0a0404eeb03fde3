//! The strict subset of JSON that signed payloads are written in.
//!
//! Two readers must never understand one signed text differently. So a payload has no duplicate keys at any depth, no
//! number that is not an integer of less than 2^53, at most [`MAX_DEPTH`] nested containers, no text that is not UTF-8
//! and nothing after its end.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use crate::payload::Payload;

/// How many objects and arrays may lie inside each other. The deepest payload, a usage report, needs 5.
pub const MAX_DEPTH: usize = 8;

/// Integers are below this in magnitude: what every JSON reader can hold exactly.
pub const INTEGER_LIMIT: u64 = 1 << 53;

/// Why bytes are not a payload of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Longer than its kind may be.
    #[error("the payload is {size} bytes long, more than the {limit} its kind may have")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not strict JSON, or not of the kind's schema.
    #[error("{0}")]
    Malformed(String),
    /// Of a schema version that does not exist yet.
    #[error("the payload has version {0}; this program reads version 1")]
    UnsupportedVersion(u64),
    /// It has a field that must be understood and is not.
    #[error("the payload needs a reader that understands `{0}`")]
    UnknownCritical(String),
}

/// Checks that `bytes` are strict JSON.
///
/// # Errors
/// One sentence with line and column.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Strict { depth_left: MAX_DEPTH }
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| error.to_string())
}

/// Reads a payload from exactly the bytes that were verified (or that this server wrote itself).
pub fn decode_payload<P: Payload>(bytes: &[u8]) -> Result<P, PayloadError> {
    if bytes.len() > P::MAX_BYTES {
        return Err(PayloadError::TooLarge { size: bytes.len(), limit: P::MAX_BYTES });
    }
    check(bytes).map_err(PayloadError::Malformed)?;
    let payload = match serde_json::from_slice::<P>(bytes) {
        Ok(payload) => payload,
        // A later schema may not parse as ours; then its version or critical list says why, not the parser.
        Err(error) => {
            if let Ok(head) = serde_json::from_slice::<Head>(bytes) {
                judge_head::<P>(head.v, &head.crit)?;
            }
            return Err(PayloadError::Malformed(error.to_string()));
        }
    };
    judge_head::<P>(u64::from(payload.version()), payload.critical())?;
    Ok(payload)
}

#[derive(Deserialize)]
struct Head {
    v: u64,
    #[serde(default)]
    crit: Vec<String>,
}

fn judge_head<P: Payload>(version: u64, critical: &[String]) -> Result<(), PayloadError> {
    if version != 1 {
        return Err(PayloadError::UnsupportedVersion(version));
    }
    if critical.is_empty() {
        return Ok(());
    }
    let known = field_names::<P>();
    match critical.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(PayloadError::UnknownCritical(name.clone())),
        None => Ok(()),
    }
}

/// The names of a payload's fields, as its derived `Deserialize` announces them.
fn field_names<P: Payload>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    let outcome = P::deserialize(FieldNames(&mut names));
    debug_assert!(outcome.is_err(), "the probe never yields a value");
    names
}

struct FieldNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = de::value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        Err(de::Error::custom("only the names were wanted"))
    }
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("a payload is a struct"))
    }
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Walks one value and everything in it.
#[derive(Clone, Copy)]
struct Strict {
    depth_left: usize,
}

impl Strict {
    fn inner<E: de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left }),
            None => Err(E::custom(format_args!("more than {MAX_DEPTH} levels deep"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strict JSON")
    }
    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.visit_u64(number.unsigned_abs())
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        if number < INTEGER_LIMIT { Ok(()) } else { Err(E::custom("an integer of 2^53 or more")) }
    }
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Err(E::custom("a number that is not an integer below 2^53"))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        let mut seen = Keys::default();
        while let Some(Key(key)) = entries.next_key()? {
            if !seen.insert(key.clone()) {
                return Err(de::Error::custom(format_args!("the key {key:?} twice")));
            }
            entries.next_value_seed(inner)?;
        }
        Ok(())
    }
}

/// The keys of one object; small ones are searched, so that the usual object costs no table.
#[derive(Default)]
struct Keys<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Keys<'de> {
    fn insert(&mut self, key: Cow<'de, str>) -> bool {
        const FEW: usize = 32;
        if self.few.contains(&key) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(key);
            return true;
        }
        self.many.insert(key)
    }
}

/// An object's key, borrowed from the text unless it has escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{License, OutOfStep};

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        for good in [
            "{}",
            " [ ] ",
            "[9007199254740991,-9007199254740991,0]",
            r#"{"a":{"b":1},"c":{"b":1}}"#,
            r#""\ud83d\ude00""#,
            "[[[[[[[[1]]]]]]]]",
            "null",
        ] {
            assert_eq!(check(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in [
            "",
            "{} {}",
            "{}x",
            "[9007199254740992]",
            "[-9007199254740992]",
            "[18446744073709551615]",
            "[18446744073709551616]",
            "[1.0]",
            "[1e3]",
            "[-0]",
            "[0.5]",
            "[01]",
            "[+1]",
            "[1,]",
            "[NaN]",
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"[{"x":{"a":1,"b":2,"a":3}}]"#,
            r#""\ud83d""#,
            "\"\u{1}\"",
            "[[[[[[[[[1]]]]]]]]]",
            r#"{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}}"#,
            "\u{feff}{}",
            "{'a':1}",
            "// note\n{}",
        ] {
            assert!(check(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(check(b"\"\xff\"").is_err(), "not UTF-8");
        assert!(check("[".repeat(100_000).as_bytes()).is_err(), "deep beyond the stack");
    }

    #[test]
    fn duplicate_keys_are_found_in_large_objects_too() {
        let object = |last: &str| {
            let keys: Vec<String> = (0..200).map(|n| format!("\"k{n}\":{n}")).collect();
            format!("{{{},\"{last}\":0}}", keys.join(","))
        };
        assert_eq!(check(object("k200").as_bytes()), Ok(()));
        assert!(check(object("k3").as_bytes()).is_err());
        assert!(check(object("k150").as_bytes()).is_err());
    }

    #[test]
    fn critical_names_are_the_payload_s_own_fields() {
        assert!(field_names::<License>().contains(&"expires_at"));
        assert_eq!(field_names::<OutOfStep>(), ["v", "aud", "ins", "req", "epoch", "seq", "challenge", "crit"]);
    }
}
