//! Signing what was committed and not signed yet: licenses that were granted to many at once, and what a crash left (E11).

use tenure_license::{Payload, payload::License};
use tenure_store::{Queue, rows::issued_license};

use crate::{Result, Service, take_up_keys};

/// Licenses signed in one transaction.
const BATCH: u32 = 200;
/// Batches of one run.
const BATCHES: usize = 100_000;

/// Signs all of them; gives how many it signed.
pub(super) async fn unsigned(service: &Service) -> Result<usize> {
    let mut signed = 0;
    for _ in 0..BATCHES {
        let mut read = service.store().peek().await?;
        let waiting = issued_license::unsigned_of_all(&mut read, BATCH).await?;
        drop(read);
        if waiting.is_empty() {
            break;
        }
        let trust = service.trust();
        let root = trust.root.version();
        // Ed25519 is deterministic: whoever signs at the same time stores the same text.
        let envelopes: Vec<_> = waiting
            .into_iter()
            .map(|(key, issued, payload)| (key, trust.keys.sign_license(License::TYPE, payload, issued).to_json()))
            .collect();
        let write = async move |tx: &mut tenure_store::Tx| {
            let mut kept = 0;
            for (key, envelope) in &envelopes {
                kept += usize::from(issued_license::sign(tx, *key, envelope, root).await?);
            }
            Ok::<_, crate::Error>(kept)
        };
        let kept = service.store().write(Queue::Jobs, write).await?;
        signed += kept;
        if kept == 0 {
            // Others signed them, or the keys have changed meanwhile.
            take_up_keys(service).await?;
        }
    }
    Ok(signed)
}
