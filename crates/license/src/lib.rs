//! Signed documents: everything a Tenure server and a product must be able to prove to each other.
//!
//! Small enough for a product to embed. [`payload`] holds the schema of each document, [`envelope`] and [`sign`] make
//! them, [`verify`] and [`root`] decide whether one counts, [`armor`] is the form of a file that people carry,
//! [`exchange`] the bodies that travel over HTTP, [`offline`] those that are carried by hand. `docs/license-format.md` describes the format for other languages.

#![expect(clippy::missing_panics_doc, reason = "each `expect` here states an invariant that no input can break")]

pub mod activation_code;
pub mod armor;
pub mod bytes;
pub mod envelope;
pub mod exchange;
pub mod json;
mod keyring;
pub mod merkle;
pub mod offline;
pub mod payload;
pub mod root;
pub mod sign;
pub mod verify;

pub use activation_code::{ActivationCode, ParseCodeError};
pub use armor::{ArmorError, LicenseFile};
pub use bytes::{Challenge, Hash, KeyId, Nonce, ParseBytesError, PublicKey};
pub use envelope::{Envelope, EnvelopeError, Signature, pae};
pub use exchange::{ActivationExchange, ActivationExchangeAnswer, Exchange, ExchangeAnswer};
pub use json::{PayloadError, decode_payload};
pub use merkle::{evidence_root, leaf_hash, merkle_root};
pub use offline::{OfflineAnswer, OfflineAsk, OfflineError, OfflineFile, OfflineReply, offline_body};
pub use payload::*;
pub use root::{Root, RootWarning, ServerStatement};
pub use sign::{Signed, SigningKey, encode_payload, sign, sign_bytes};
pub use verify::{Addressed, Verified, VerifyError, verify_activation, verify_rotation, verify_two, verify_with_key};
