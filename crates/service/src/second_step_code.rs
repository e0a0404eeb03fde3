//! Codes of a second step: what an authenticator app shows (TOTP), and recovery codes.

use std::fmt::Write;

use tenure_core::UserId;
use tenure_store::rows::{person::PersonRow, second_step::SecondStepRow};
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::{Error, Result, Service, password};

/// Bytes of a secret, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;
/// Digits of a code.
const DIGITS: usize = 6;
/// Recovery codes made at once.
const RECOVERY_CODES: usize = 10;

/// A secret for an authenticator app, to be confirmed by a first code.
#[derive(Clone)]
pub struct SecondStepSetup {
    /// The secret in Base32, as people type it.
    pub secret: Zeroizing<String>,
    /// The same with names for the app to show: `otpauth://totp/…`, for a QR code.
    pub uri: Zeroizing<String>,
}

/// Recovery codes, shown once, each good once.
pub type RecoveryCodes = Vec<Zeroizing<String>>;

/// A fresh secret, sealed for the person, and what makes codes of it.
pub(crate) fn fresh(service: &Service, person: UserId) -> (Vec<u8>, Totp) {
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    service.rng().fill(&mut *secret);
    (service.sealing().seal(service.rng(), &purpose(person), &*secret), totp(&*secret))
}

/// Whether a tidy code looks like one of an app; otherwise it may be a recovery code.
pub(crate) fn is_of_app(code: &str) -> bool {
    code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a secret is sealed for: it opens for nobody else.
fn purpose(person: UserId) -> String {
    format!("second step of {person}")
}

pub(crate) fn open(service: &Service, person: UserId, kept: &SecondStepRow) -> Result<Totp> {
    let secret = service.sealing().open(&purpose(person), &kept.sealed);
    Ok(totp(&secret.map_err(|_| Error::Internal("the secret of a second step does not open"))?))
}

/// The defaults are what every app takes: SHA-1, six digits, 30 seconds, one step of skew.
fn totp(secret: &[u8]) -> Totp {
    Builder::new().with_secret(Secret::new(secret.into())).build_noncompliant()
}

/// The step whose code this is: the present one, the one before or the one after.
pub(crate) fn step_of(service: &Service, totp: &Totp, code: &str) -> Option<i64> {
    let at = u64::try_from(service.clock().world().as_secs()).ok()?;
    totp.check(code, at).map(|step| step as i64)
}

pub(crate) fn setup(service: &Service, row: &PersonRow, totp: &Totp) -> SecondStepSetup {
    let secret = Zeroizing::new(totp.secret().to_base32());
    let issuer = escaped(&service.deployment().vendor_name);
    let uri = format!("otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}", escaped(&row.email), *secret);
    SecondStepSetup { secret, uri: Zeroizing::new(uri) }
}

/// Text as it may stand in any part of an address.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

/// A code as people type it: with spaces, hyphens, capitals.
pub(crate) fn tidy(code: &str) -> String {
    let kept = code.chars().take(100).filter(|c| !c.is_whitespace() && *c != '-');
    kept.flat_map(char::to_lowercase).collect()
}

/// Twelve letters and digits each, 60 bits.
pub(crate) fn fresh_codes(service: &Service) -> RecoveryCodes {
    let one = || {
        let letters = password::letters(service.rng(), 12);
        Zeroizing::new(format!("{}-{}-{}", &letters[..4], &letters[4..8], &letters[8..]))
    };
    (0..RECOVERY_CODES).map(|_| one()).collect()
}

pub(crate) fn hashes(service: &Service, person: UserId, codes: &RecoveryCodes) -> Vec<[u8; 32]> {
    codes.iter().map(|code| hash(service, person, &tidy(code))).collect()
}

/// 60 bits could be tried out; a MAC under the deployment's own secret cannot, by whoever has the database alone.
pub(crate) fn hash(service: &Service, person: UserId, code: &str) -> [u8; 32] {
    service.keys().mac_of("recovery code", &[person.uuid().as_bytes().as_slice(), code.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: its SHA-1 rows, whose eight digits end in our six.
    #[test]
    fn codes_are_those_of_the_standard() {
        let totp = totp(b"12345678901234567890");
        for (at, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp.check(code, at), Some(at / 30), "{code}");
            assert_eq!(totp.check(code, at + 30), Some(at / 30), "a step late");
            assert_eq!(totp.check(code, at - 30), Some(at / 30), "a step early");
            assert_eq!(totp.check(code, at + 60), None, "two steps late");
        }
        for junk in ["", "+87082", "2870820", " 28708", "２８７０８２"] {
            assert_eq!(totp.check(junk, 59), None, "{junk:?}");
        }
    }

    #[test]
    fn codes_are_taken_as_people_type_them() {
        assert_eq!(tidy(" 287 082 "), "287082");
        assert_eq!(tidy("ABCD-efgh-jkmn"), "abcdefghjkmn");
        assert_eq!(escaped("Acme: Bäckup"), "Acme%3A%20B%C3%A4ckup");
    }
}
