//! Waiting for what a test waits for: the bound ends a test that failed, it never paces one that works.

use std::{
    future::Future,
    time::{Duration, Instant},
};

const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks again and again until `look` gives something.
///
/// # Panics
/// When nothing came within `bound`; `what` names it.
#[expect(clippy::disallowed_methods, reason = "a bound on a test is real time")]
pub fn wait_for<T>(what: &str, bound: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + bound;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {bound:?} for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// As [`wait_for`], for a look that is asynchronous.
///
/// # Panics
/// When nothing came within `bound`; `what` names it.
#[expect(clippy::disallowed_methods, reason = "a bound on a test is real time")]
pub async fn wait_for_async<T, F: Future<Output = Option<T>>>(
    what: &str,
    bound: Duration,
    mut look: impl FnMut() -> F,
) -> T {
    let end = Instant::now() + bound;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited {bound:?} for {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
