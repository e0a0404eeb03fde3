//! Files that people carry between a product without a network and its server: a request out, an answer back.
//!
//! The armor holds `{"cover": .., "body": ..}`. The cover is signed ([`OfflineRequest`], [`OfflineResponse`]) and names the
//! SHA-256 of the body's exact text, so the body travels as it was written. The body is what would have travelled over
//! HTTP; everything in it proves itself.
//!
//! [`OfflineRequest`]: crate::payload::OfflineRequest
//! [`OfflineResponse`]: crate::payload::OfflineResponse

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    armor::{self, ArmorError},
    bytes::Hash,
    envelope::{AtMost, Envelope},
    exchange::{ActivationExchange, ActivationExchangeAnswer, Exchange, ExchangeAnswer},
};

/// The largest text of such a file in bytes: a check-in of 8 MiB, once more in base64.
pub const MAX_OFFLINE_TEXT: usize = 12 * 1024 * 1024;
/// How many versions of the trust root an answer may bring along.
pub const MAX_ROOTS: usize = 1024;

/// Why a text is not a file of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfflineError {
    /// The armor is wrong.
    #[error(transparent)]
    Armor(#[from] ArmorError),
    /// What is inside is not cover and body.
    #[error("the file's content cannot be read: {0}")]
    Content(String),
}

/// A signed cover and the text it speaks of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OfflineFile {
    /// Says what the body is, and who may use it.
    pub cover: Envelope,
    /// The body's exact text.
    pub body: Box<RawValue>,
}

/// The body of a request's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfflineAsk {
    /// A new installation asks to join.
    Activation(ActivationExchange),
    /// A check-in with its documents.
    CheckIn(Box<Exchange>),
}

/// The body of an answer's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfflineReply {
    /// The versions of the trust root after the one that the request named, oldest first; each proves itself.
    #[serde(default, deserialize_with = "at_most_roots")]
    pub roots: Vec<Envelope>,
    /// What would have come over HTTP.
    pub answer: OfflineAnswer,
}

/// What would have come over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfflineAnswer {
    /// To an activation.
    Activation(ActivationExchangeAnswer),
    /// To a check-in.
    CheckIn(ExchangeAnswer),
}

impl OfflineFile {
    /// SHA-256 of the body, as the cover must name it.
    pub fn body_hash(&self) -> Hash {
        Hash::sha256(self.body.get())
    }

    /// The file's text. The comments are for people.
    pub fn to_text(&self, label: &str, comments: &[String]) -> String {
        let content = serde_json::to_vec(self).expect("envelopes and texts are JSON");
        armor::encode(label, comments, &content)
    }

    /// Reads a file's text. It proves nothing until cover, body hash and body are verified.
    pub fn parse(label: &str, text: &str) -> Result<Self, OfflineError> {
        let content = armor::decode(label, text, MAX_OFFLINE_TEXT)?;
        serde_json::from_slice(&content).map_err(|error| OfflineError::Content(error.to_string()))
    }

    /// Reads the body.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, OfflineError> {
        serde_json::from_str(self.body.get()).map_err(|error| OfflineError::Content(error.to_string()))
    }
}

/// A body's text as it is hashed and carried.
pub fn offline_body<T: Serialize>(body: &T) -> Box<RawValue> {
    serde_json::value::to_raw_value(body).expect("envelopes are JSON")
}

fn at_most_roots<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Envelope>, D::Error> {
    AtMost::<MAX_ROOTS, Envelope>::deserialize(deserializer).map(|list| list.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(n: u8) -> Envelope {
        Envelope { payload: vec![n], payload_type: "application/x".into(), signatures: Vec::new() }
    }

    #[test]
    fn what_is_written_is_read_to_the_byte() {
        let body = OfflineAsk::CheckIn(Box::new(Exchange::new(envelope(7))));
        let file = OfflineFile { cover: envelope(1), body: offline_body(&body) };
        let text = file.to_text(armor::OFFLINE_REQUEST, &["For people".into()]);
        let read = OfflineFile::parse(armor::OFFLINE_REQUEST, &text.replace('\n', "\r\n")).unwrap();
        assert_eq!((read.body_hash(), &read.cover), (file.body_hash(), &file.cover));
        assert_eq!(read.read::<OfflineAsk>().unwrap(), body);
        assert!(read.read::<OfflineReply>().is_err());
    }

    #[test]
    fn what_is_not_such_a_file_is_refused() {
        let file = OfflineFile { cover: envelope(1), body: offline_body(&1) };
        let text = file.to_text(armor::OFFLINE_REQUEST, &[]);
        let wrong_way = OfflineFile::parse(armor::OFFLINE_RESPONSE, &text).unwrap_err().to_string();
        assert!(wrong_way.contains("BEGIN TENURE OFFLINE RESPONSE"), "{wrong_way}");
        let cut = OfflineFile::parse(armor::OFFLINE_REQUEST, &text[..text.len() - 40]).unwrap_err().to_string();
        assert!(cut.contains("the file is cut"), "{cut}");
        let other = armor::encode(armor::OFFLINE_REQUEST, &[], b"{\"cover\":1}");
        assert!(matches!(OfflineFile::parse(armor::OFFLINE_REQUEST, &other), Err(OfflineError::Content(_))));
        let huge = "x".repeat(MAX_OFFLINE_TEXT + 1);
        assert!(OfflineFile::parse(armor::OFFLINE_REQUEST, &huge).unwrap_err().to_string().contains("more than"));
        let roots = serde_json::json!({"roots": vec![envelope(1); MAX_ROOTS + 1], "answer": {}});
        assert!(serde_json::from_value::<OfflineReply>(roots).is_err());
    }
}
