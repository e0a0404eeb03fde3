//! An authenticator app: what a person's phone shows.

use tenure_core::Timestamp;
use totp_rs::{Builder, Secret, Totp};

/// An app that holds one secret.
pub struct Authenticator(Totp);

impl Authenticator {
    /// With a secret as people type it; spaces do not count.
    ///
    /// # Panics
    /// When it is no Base32.
    pub fn new(secret: &str) -> Self {
        let secret: String = secret.split_whitespace().collect();
        let secret = Secret::try_from_base32(secret).expect("a secret in Base32");
        Self(Builder::new().with_secret(secret).build_noncompliant())
    }

    /// The code that it shows at an instant.
    pub fn code(&self, at: Timestamp) -> String {
        self.0.generate(u64::try_from(at.as_secs()).unwrap_or_default()).to_string()
    }
}
