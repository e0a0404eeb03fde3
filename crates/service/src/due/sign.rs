//! Signing what was committed and not signed yet: licenses that were granted to many at once, and what a crash left (E11).

use tenure_license::{Payload, payload::License};
use tenure_store::{Queue, rows::issued_license};

use crate::{Result, Service};

/// Licenses signed in one transaction.
const BATCH: u32 = 200;
/// Batches of one run.
const BATCHES: usize = 100_000;

/// Signs all of them; how many there were.
pub(super) async fn unsigned(service: &Service) -> Result<usize> {
    let (keys, mut signed) = (service.keys(), 0);
    for _ in 0..BATCHES {
        let mut read = service.store().peek().await?;
        let waiting = issued_license::unsigned_of_all(&mut read, BATCH).await?;
        drop(read);
        if waiting.is_empty() {
            break;
        }
        signed += waiting.len();
        // Ed25519 is deterministic: whoever signs at the same time stores the same text.
        let envelopes: Vec<_> = waiting
            .into_iter()
            .map(|(key, issued, payload)| (key, keys.sign_license(License::TYPE, payload, issued).to_json()))
            .collect();
        let write = async move |tx: &mut tenure_store::Tx| {
            for (key, envelope) in &envelopes {
                issued_license::sign(tx, *key, envelope).await?;
            }
            Ok::<_, crate::Error>(())
        };
        service.store().write(Queue::Jobs, write).await?;
    }
    Ok(signed)
}
