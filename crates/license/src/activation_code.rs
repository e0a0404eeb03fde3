//! The one-time code that lets an installation activate: 128 bits that a person can read aloud.

use std::{fmt, str::FromStr};

use tenure_core::Rng;

use crate::bytes::Hash;

/// Crockford's base32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 128 bits are 26 symbols; the first holds three of them.
const SYMBOLS: usize = 26;

/// A one-time activation code. Written as `0ABCD-EFGHJ-KMNPQ-RSTVW-XYZ012`; read in any case, with or without hyphens and
/// spaces, O as 0 and I or L as 1. Never logged: `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ActivationCode([u8; 16]);

/// The text was not an activation code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseCodeError {
    /// Letters or digits are missing, or there are too many.
    #[error("an activation code has 26 letters and digits, not {0}")]
    Length(usize),
    /// A character that no code contains.
    #[error("an activation code does not contain `{0}`")]
    Symbol(char),
    /// More than 128 bits.
    #[error("an activation code begins with a digit from 0 to 7")]
    Range,
}

impl ActivationCode {
    /// Wraps the bits.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
    /// A fresh one.
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(rng.nonce())
    }
    /// What a server stores and looks up instead of the code. 128 bits of chance need no salt.
    pub fn hash(&self) -> Hash {
        Hash::sha256([b"tenure activation code\0".as_slice(), &self.0].concat())
    }
}

impl fmt::Display for ActivationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        for n in 0..SYMBOLS {
            if n % 5 == 0 && (5..25).contains(&n) {
                f.write_str("-")?;
            }
            let symbol = bits >> (5 * (SYMBOLS - 1 - n)) & 31;
            write!(f, "{}", char::from(ALPHABET[symbol as usize]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ActivationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActivationCode(hidden)")
    }
}

impl FromStr for ActivationCode {
    type Err = ParseCodeError;

    fn from_str(text: &str) -> Result<Self, ParseCodeError> {
        let symbols = text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(10 * SYMBOLS);
        let symbols: Vec<char> = symbols.collect();
        if symbols.len() != SYMBOLS {
            return Err(ParseCodeError::Length(symbols.len()));
        }
        let mut bits: u128 = 0;
        for (n, symbol) in symbols.into_iter().enumerate() {
            let value = value_of(symbol).ok_or(ParseCodeError::Symbol(symbol))?;
            if n == 0 && value > 7 {
                return Err(ParseCodeError::Range);
            }
            bits = bits << 5 | value;
        }
        Ok(Self(bits.to_be_bytes()))
    }
}

fn value_of(symbol: char) -> Option<u128> {
    let symbol = match symbol.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.iter().position(|known| char::from(*known) == symbol).map(|value| value as u128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        let code = ActivationCode::from_bytes(*b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f");
        let text = code.to_string();
        assert_eq!(text, "00041-06105-0R3GG-28A1C-60T3GF");
        for typed in [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            format!("  {text}\r\n"),
            text.replace('0', "O").replace('1', "l"),
            text.replace('0', "o").replace('1', "I"),
        ] {
            assert_eq!(typed.parse(), Ok(code), "{typed}");
        }
    }

    #[test]
    fn refuses_with_the_reason() {
        let text = ActivationCode::from_bytes([255; 16]).to_string();
        assert_eq!(text, "7ZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZZ");
        assert_eq!("8".repeat(26).parse::<ActivationCode>(), Err(ParseCodeError::Range));
        assert_eq!(text.replace('7', "U").parse::<ActivationCode>(), Err(ParseCodeError::Symbol('U')));
        assert_eq!(text[1..].parse::<ActivationCode>(), Err(ParseCodeError::Length(25)));
        assert_eq!("".parse::<ActivationCode>(), Err(ParseCodeError::Length(0)));
        assert!("7".repeat(1 << 20).parse::<ActivationCode>().is_err());
    }

    #[test]
    fn is_hidden_and_hashed() {
        let (a, b) = (ActivationCode::from_bytes([1; 16]), ActivationCode::from_bytes([2; 16]));
        assert_eq!(format!("{a:?}"), "ActivationCode(hidden)");
        assert_ne!(a.hash(), b.hash());
        assert_ne!(a.hash(), Hash::sha256([1; 16]), "not the hash of a nonce with the same bytes");
    }
}
