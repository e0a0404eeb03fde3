//! The DSSE envelope: payload bytes, their type, and signatures over both.
//!
//! What is signed is `PAE(payloadType, payload)`, so nothing has to be brought into a canonical form and nothing is
//! parsed before it is verified. `keyid` is a hint that nobody signed: it orders the search for a key and decides
//! nothing.

use std::{borrow::Cow, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};

use crate::{bytes::Hash, json, payload::Payload};

/// How many signatures an envelope may carry.
pub const MAX_SIGNATURES: usize = 8;
/// The largest payload of any kind, in bytes.
pub const MAX_PAYLOAD: usize = 512 * 1024;
/// The largest envelope as JSON text, in bytes.
pub const MAX_ENVELOPE_JSON: usize = 768 * 1024;

const MAX_TYPE: usize = 128;
const MAX_KEYID: usize = 256;
/// Leaves room for signatures of algorithms that come later; they are ignored, not refused.
const MAX_SIGNATURE: usize = 8 * 1024;

/// DSSE's pre-authentication encoding: the exact bytes that are signed and hashed.
///
/// `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`, lengths in decimal bytes.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// A signed message of any kind. Holding one says nothing about its signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The exact payload bytes.
    pub payload: Vec<u8>,
    /// What they are, as `application/vnd.tenure.license.v1+json`.
    pub payload_type: String,
    /// Who signed, in any order.
    pub signatures: Vec<Signature>,
}

/// One signature of an envelope.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    /// Which key to try first; not signed, never trusted.
    pub keyid: String,
    /// The raw signature.
    pub sig: Vec<u8>,
}

/// The text is not an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Longer than any envelope may be.
    #[error("the envelope is {size} bytes long, more than the {limit} it may have")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not the JSON of an envelope; one sentence with line and column.
    #[error("{0}")]
    Malformed(String),
}

impl Envelope {
    /// `H` of the payload: the message's identity, whatever its signatures and however it is written down.
    pub fn hash(&self) -> Hash {
        Hash::of_payload(&self.payload_type, &self.payload)
    }

    /// Whether the envelope says that it holds a `P`. Only verification proves it.
    pub fn claims<P: Payload>(&self) -> bool {
        self.payload_type == P::TYPE
    }

    /// Reads an envelope: bounded, strict JSON, unknown fields tolerated, duplicates refused.
    pub fn from_json(text: &[u8]) -> Result<Self, EnvelopeError> {
        if text.len() > MAX_ENVELOPE_JSON {
            return Err(EnvelopeError::TooLarge { size: text.len(), limit: MAX_ENVELOPE_JSON });
        }
        json::check(text).map_err(EnvelopeError::Malformed)?;
        serde_json::from_slice(text).map_err(|error| EnvelopeError::Malformed(error.to_string()))
    }

    /// The envelope as one line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an envelope is always JSON")
    }
}

/// The payload is shown by type and hash: it may be long, and it may be a secret.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({}, {}, {:?})", self.payload_type, self.hash(), self.signatures)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", self.keyid)
    }
}

impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Envelope", 3)?;
        object.serialize_field("payload", &STANDARD.encode(&self.payload))?;
        object.serialize_field("payloadType", &self.payload_type)?;
        object.serialize_field("signatures", &self.signatures)?;
        object.end()
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Signature", 2)?;
        object.serialize_field("keyid", &self.keyid)?;
        object.serialize_field("sig", &STANDARD.encode(&self.sig))?;
        object.end()
    }
}

/// An envelope as text, before its bounds are checked and its base64 is decoded.
#[derive(Deserialize)]
struct RawEnvelope<'a> {
    #[serde(borrow)]
    payload: Text<'a>,
    #[serde(borrow, rename = "payloadType")]
    payload_type: Text<'a>,
    #[serde(borrow)]
    signatures: AtMost<MAX_SIGNATURES, RawSignature<'a>>,
}

#[derive(Deserialize)]
struct RawSignature<'a> {
    // DSSE lets it be absent; then there is no hint.
    #[serde(borrow, default)]
    keyid: Text<'a>,
    #[serde(borrow)]
    sig: Text<'a>,
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawEnvelope::deserialize(deserializer)?;
        let payload_type = raw.payload_type.bounded(MAX_TYPE, "payloadType")?;
        Ok(Self {
            payload: raw.payload.base64(MAX_PAYLOAD, "payload")?,
            payload_type,
            signatures: raw
                .signatures
                .0
                .into_iter()
                .map(|raw| {
                    Ok(Signature {
                        keyid: raw.keyid.bounded(MAX_KEYID, "keyid")?,
                        sig: raw.sig.base64(MAX_SIGNATURE, "sig")?,
                    })
                })
                .collect::<Result<_, D::Error>>()?,
        })
    }
}

/// A string, borrowed where it can be.
#[derive(Default)]
struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    fn bounded<E: de::Error>(self, limit: usize, name: &str) -> Result<String, E> {
        if self.0.len() > limit {
            return Err(E::custom(format_args!("`{name}` is longer than {limit} bytes")));
        }
        Ok(self.0.into_owned())
    }
    fn base64<E: de::Error>(self, limit: usize, name: &str) -> Result<Vec<u8>, E> {
        if self.0.len() > limit.div_ceil(3) * 4 {
            return Err(E::custom(format_args!("`{name}` is longer than {limit} bytes")));
        }
        STANDARD.decode(self.0.as_bytes()).map_err(|_| E::custom(format_args!("`{name}` is not base64")))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// A list that is refused before its item `N + 1` is read.
pub(crate) struct AtMost<const N: usize, T>(pub(crate) Vec<T>);

impl<'de, const N: usize, T: Deserialize<'de>> Deserialize<'de> for AtMost<N, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<const N: usize, T>(std::marker::PhantomData<T>);
        impl<'de, const N: usize, T: Deserialize<'de>> de::Visitor<'de> for Visitor<N, T> {
            type Value = AtMost<N, T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {N}")
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while list.len() < N {
                    match items.next_element()? {
                        Some(item) => list.push(item),
                        None => return Ok(AtMost(list)),
                    }
                }
                match items.next_element::<de::IgnoredAny>()? {
                    Some(_) => Err(de::Error::custom(format_args!("a list of more than {N}"))),
                    None => Ok(AtMost(list)),
                }
            }
        }
        deserializer.deserialize_seq(Visitor::<N, T>(std::marker::PhantomData))
    }
}
