//! Fixed-size byte values and their one spelling.
//!
//! Hashes, key ids, challenges and nonces are lower-case hex; public keys are standard base64 with padding. Each value
//! has exactly one text: another spelling of the same bytes is refused, so that equal values are equal text.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tenure_core::Rng;

use crate::envelope::pae;

/// The text was not the one spelling of a value of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}")]
pub struct ParseBytesError {
    expected: &'static str,
}

macro_rules! byte_values {
    ($($(#[$doc:meta])* $name:ident, $len:literal, $encode:ident, $decode:ident, $expected:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Wraps the bytes.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self { Self(bytes) }
            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] { &self.0 }
        }
        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] { &self.0 }
        }
        impl From<[u8; $len]> for $name {
            fn from(bytes: [u8; $len]) -> Self { Self(bytes) }
        }
        impl TryFrom<&[u8]> for $name {
            type Error = ParseBytesError;
            fn try_from(bytes: &[u8]) -> Result<Self, ParseBytesError> {
                bytes.try_into().map(Self).map_err(|_| ParseBytesError { expected: $expected })
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&$encode(&self.0)) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl FromStr for $name {
            type Err = ParseBytesError;
            fn from_str(text: &str) -> Result<Self, ParseBytesError> {
                $decode(text).map(Self).ok_or(ParseBytesError { expected: $expected })
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&$encode(&self.0))
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str($expected) }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    )*};
}

byte_values! {
    /// A SHA-256 value; in links and identities always `H` of a payload ([`Hash::of_payload`]).
    Hash, 32, to_hex, from_hex, "a hash of 64 lower-case hex digits";
    /// Names a public key: the SHA-256 of its 32 raw bytes.
    KeyId, 32, to_hex, from_hex, "a key id of 64 lower-case hex digits";
    /// What a rejoin must contain; made by the server for one head.
    Challenge, 32, to_hex, from_hex, "a challenge of 64 lower-case hex digits";
    /// 128 bits of fresh chance.
    Nonce, 16, to_hex, from_hex, "a nonce of 32 lower-case hex digits";
    /// A raw Ed25519 public key. Whether it is a usable one is decided where it verifies.
    PublicKey, 32, to_base64, from_base64, "a public key of 32 bytes in base64";
}

impl Hash {
    /// SHA-256 of the bytes as they stand.
    pub fn sha256(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes.as_ref()).into())
    }

    /// `H` of the protocol: SHA-256 of `PAE(payload_type, payload)`. Identity and links are made of it, so they never
    /// depend on signatures or on how an envelope was written down.
    pub fn of_payload(payload_type: &str, payload: &[u8]) -> Self {
        Self::sha256(pae(payload_type, payload))
    }
}

impl PublicKey {
    /// The id documents and rows name this key by.
    pub fn id(&self) -> KeyId {
        KeyId(Hash::sha256(self.0).0)
    }
}

impl Nonce {
    /// A fresh one.
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(rng.nonce())
    }
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn from_base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    // `STANDARD` refuses missing padding and stray bits in the last symbol: one spelling per value.
    if text.len() != N.div_ceil(3) * 4 {
        return None;
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_each() {
        let hash = Hash::sha256(b"abc");
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash.to_string(), text);
        assert_eq!(text.parse::<Hash>(), Ok(hash));
        for bad in [&text.to_uppercase(), &text[1..], &format!("{text}0"), &format!("0x{}", &text[2..]), ""] {
            assert!(bad.parse::<Hash>().is_err(), "{bad}");
        }
        let key = PublicKey::from_bytes([255; 32]);
        let text = key.to_string();
        assert_eq!(text, "//////////////////////////////////////////8=");
        assert_eq!(text.parse::<PublicKey>(), Ok(key));
        // Missing padding, the URL alphabet, stray bits in the last symbol, white space, another length.
        let url = text.replace('/', "_");
        let stray = text.replace("8=", "9=");
        for bad in [text.trim_end_matches('='), &url, &stray, &format!("{text}\n"), "AAAA"] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn json_is_the_text() {
        let nonce = Nonce::from_bytes([0xab; 16]);
        let json = serde_json::to_string(&nonce).unwrap();
        assert_eq!(json, format!("\"{nonce}\""));
        assert_eq!(serde_json::from_str::<Nonce>(&json).unwrap(), nonce);
        assert!(serde_json::from_str::<Nonce>("\"AB\"").is_err());
        assert!(serde_json::from_str::<Nonce>("7").is_err());
    }

    #[test]
    fn a_key_id_is_the_hash_of_the_raw_key() {
        let key = PublicKey::from_bytes([7; 32]);
        assert_eq!(key.id().as_bytes(), Hash::sha256([7; 32]).as_bytes());
    }
}
