//! One id per request: in the log, in the answer's header, on the error a user sees.

use std::future::Future;

use tenure_core::Rng;

tokio::task_local! {
    static OPERATION: String;
}

/// A fresh operation id: 16 hexadecimal digits, short enough to read over the phone.
pub fn new_id(rng: &dyn Rng) -> String {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    tenure_store::hex(&bytes)
}

/// The operation this task works for; empty outside of a request.
pub fn current() -> String {
    OPERATION.try_with(Clone::clone).unwrap_or_default()
}

/// Runs `work` as the operation `id`.
pub async fn scope<F: Future>(id: String, work: F) -> F::Output {
    OPERATION.scope(id, work).await
}
