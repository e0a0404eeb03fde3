//! What an agent and a server say to each other: HTTP bodies and the content of hand-carried files.
//!
//! These bodies are not signed. Everything in them is an envelope that proves itself, or is bound to the request by hash;
//! so attachments may differ between repeats of one request.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    bytes::PublicKey,
    envelope::{AtMost, Envelope},
};

/// How many documents one request may carry.
pub const MAX_DOCUMENTS: usize = 64;
/// How many receipts of an older epoch one request may show.
pub const MAX_OLD_RECEIPTS: usize = 64;

/// A check-in and what rides along (protocol, 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The [`CheckInRequest`](crate::payload::CheckInRequest).
    pub request: Envelope,
    /// Reports, watermarks and evidence that the request names by hash; at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "at_most::<_, MAX_DOCUMENTS>")]
    pub documents: Vec<Envelope>,
    /// In a rejoin: the answer really held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_answer: Option<Envelope>,
    /// The license held, where the server may not have it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<Envelope>,
    /// Receipts held for documents that are sent again after a restore.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "at_most::<_, MAX_OLD_RECEIPTS>")]
    pub old_receipts: Vec<Envelope>,
    /// The activation answer, for a server that does not know the installation any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation_answer: Option<Envelope>,
    /// The key that the activation answer names by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation_key: Option<PublicKey>,
    /// The doubly signed rotation, for a server that does not know the key any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Envelope>,
}

impl Exchange {
    /// A request with nothing beside it.
    pub fn new(request: Envelope) -> Self {
        Self {
            request,
            documents: Vec::new(),
            held_answer: None,
            license: None,
            old_receipts: Vec::new(),
            activation_answer: None,
            activation_key: None,
            rotation: None,
        }
    }
}

/// The answer to an [`Exchange`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeAnswer {
    /// The [`CheckInAnswer`](crate::payload::CheckInAnswer), or with 409 an [`OutOfStep`](crate::payload::OutOfStep).
    pub answer: Envelope,
    /// The newest license, when the request did not show it as held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<Envelope>,
}

/// A new installation asks to join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationExchange {
    /// The [`ActivationRequest`](crate::payload::ActivationRequest).
    pub request: Envelope,
}

/// The answer to an [`ActivationExchange`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationExchangeAnswer {
    /// The [`ActivationAnswer`](crate::payload::ActivationAnswer).
    pub answer: Envelope,
    /// The license, bound to the key that asked.
    pub license: Envelope,
}

fn at_most<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<Vec<Envelope>, D::Error> {
    AtMost::<N, Envelope>::deserialize(deserializer).map(|list| list.0)
}
