//! Passwords: argon2id on blocking threads, one at a time, with a bounded queue.
//!
//! A hash takes about 27 ms and 19 MiB; sign-ins must never take the cores from the products.

use std::sync::{Arc, LazyLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tenure_core::Rng;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::{Error, ProblemKind, Result};

/// Longest password, in bytes.
pub(crate) const MAX_PASSWORD: usize = 1_000;
/// Sign-ins that may wait for their turn.
const WAITING: usize = 64;
/// Letters and digits that are not taken for one another.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

static QUEUE: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(WAITING)));
static TURN: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));

/// So many letters and digits, 5 bits each.
pub(crate) fn letters(rng: &dyn Rng, count: usize) -> Zeroizing<String> {
    let letters = (0..count).map(|_| char::from(ALPHABET[rng.below(ALPHABET.len() as u64) as usize]));
    Zeroizing::new(letters.collect())
}

/// A password for a person to change later: 20 characters, 100 bits.
pub(crate) fn generate(rng: &dyn Rng) -> Zeroizing<String> {
    let letters = letters(rng, 20);
    Zeroizing::new(format!("{}-{}-{}-{}", &letters[..5], &letters[5..10], &letters[10..15], &letters[15..]))
}

/// The hash to store, in PHC form.
pub(crate) async fn hash(password: &str, rng: &dyn Rng) -> Result<String> {
    let (password, salt) = (Zeroizing::new(password.to_owned()), rng.nonce());
    one_at_a_time(move || {
        let hash: Result<PasswordHash, _> = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
        hash.map(|hash| hash.to_string()).map_err(|_| Error::Internal("a password cannot be hashed"))
    })
    .await?
}

/// Whether a password is the one behind a hash. Without a hash it takes as long and is `false`, so that nobody can tell
/// from outside whether a person exists.
pub(crate) async fn verify(password: &str, hash: Option<String>) -> Result<bool> {
    /// Of a password nobody has.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let password = Zeroizing::new(password.to_owned());
    one_at_a_time(move || {
        let text = hash.as_deref().unwrap_or(NOBODY);
        let parsed = PasswordHash::new(text).map_err(|_| Error::Internal("a stored password hash cannot be read"))?;
        let right = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
        Ok(right && hash.is_some())
    })
    .await?
}

async fn one_at_a_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let _place = Arc::clone(&QUEUE).try_acquire_owned().map_err(|_| ProblemKind::Busy)?;
    let turn = Arc::clone(&TURN).acquire_owned().await.map_err(|_| Error::Internal("the turn is never closed"))?;
    tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
        done
    })
    .await
    .map_err(|_| Error::Internal("hashing a password panicked"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Rng for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(7, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let rng = Counting(std::sync::atomic::AtomicU8::new(1));
        let password = generate(&rng);
        assert_eq!(password.len(), 23);
        let hash = hash(&password, &rng).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(&password, Some(hash.clone())).await.unwrap());
        assert!(!verify("another", Some(hash)).await.unwrap());
        assert!(!verify(&password, None).await.unwrap());
        assert!(verify(&password, Some("damaged".to_owned())).await.is_err());
    }
}
