//! The door through which time passes: whoever runs a server calls [`run_due`] again and again.
//!
//! What is due, and what it does, is decided by the use cases ([`tenure_service::due`]); the clock is the service's. There
//! is no leader: any number of processes may call this on one database, and any of them may be killed at any moment.

use tenure_core::Timestamp;
use tenure_service::{Result, Service};

/// Does everything that is due now; gives how many jobs were finished.
///
/// # Errors
/// When the store fails; what was due stays due.
pub async fn run_due(service: &Service) -> Result<usize> {
    tenure_service::due::run_due(service).await
}

/// When there is something to do next; `None` before the first month is known.
///
/// # Errors
/// When the store fails.
pub async fn next_due(service: &Service) -> Result<Option<Timestamp>> {
    tenure_service::due::next_due(service).await
}
