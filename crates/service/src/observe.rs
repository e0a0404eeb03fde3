//! What a server's operator watches: what waits, since when, and how far the log went.

use tenure_core::Timestamp;
use tenure_store::{audit, jobs, outbox, rows::checkpoint};

use crate::{Result, Service};

/// The state of a deployment at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// Messages that are not sent yet.
    pub outbox: i64,
    /// Since when the oldest of them waits.
    pub outbox_oldest: Option<Timestamp>,
    /// Jobs that are due and not done.
    pub jobs: i64,
    /// Since when the oldest of them is due.
    pub jobs_oldest: Option<Timestamp>,
    /// Entries of the log.
    pub audit_entries: u64,
    /// The newest checkpoint's number and instant.
    pub checkpoint: Option<(u64, Timestamp)>,
    /// When it was looked at, by the server's clock.
    pub at: Timestamp,
}

/// Looks. Five short reads: made for once in some seconds, not for each request.
///
/// # Errors
/// When the database does not answer.
pub async fn observe(service: &Service) -> Result<Observed> {
    let at = service.now();
    let mut read = service.store().read().await?;
    let outbox = outbox::waiting(&mut read).await?;
    let (jobs, jobs_oldest) = jobs::overdue(&mut read, at).await?;
    let ends = audit::ends(&mut read).await?;
    let newest = checkpoint::newest(&mut read).await?;
    Ok(Observed {
        outbox: outbox.count,
        outbox_oldest: outbox.oldest,
        jobs,
        jobs_oldest,
        audit_entries: ends.iter().map(|end| end.n).sum(),
        checkpoint: newest.map(|newest| (newest.k, newest.at)),
        at,
    })
}
