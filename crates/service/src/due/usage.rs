//! What becomes of one submission when time passes.

use serde::Deserialize;
use serde_json::json;
use tenure_core::{OrgId, cycle::UsageState, reported::UsageProgress};
use tenure_store::{Tx, jobs::Chunk, rows::monthly_usage};

use super::{Cause, OfSubmission, extend, time};
use crate::{Result, Service, change, decide, month::Month, suspension};

/// The distributor's deadline has passed and it has not decided.
pub(super) async fn decision_due(service: &Service, tx: &mut Tx, job: OfSubmission) -> Result<Chunk> {
    if let Some(row) = waiting(tx, job).await? {
        let body = json!({ "period": row.period, "submitted": row.submitted });
        let subject = row.id.to_string();
        change::tell(tx, row.distributor, "usage.decision_overdue", subject.clone(), service.now(), body.clone());
        change::tell(tx, row.provider, "usage.decision_overdue", subject, service.now(), body);
    }
    Ok(Chunk::Done)
}

/// Undecided for so long, an unflagged month counts as Closed for extensions, not for billing: a late distributor costs the
/// provider nothing ("The monthly cycle").
pub(super) async fn presume(service: &Service, tx: &mut Tx, job: OfSubmission) -> Result<Chunk> {
    let Some(mut row) = waiting(tx, job).await? else { return Ok(Chunk::Done) };
    let (now, policy) = (service.now(), service.policy_of(row.period));
    let month = Month::load(service, tx, row.clone(), now).await?;
    let flagged = month.flagged() > 0;
    let progress = UsageProgress::at(row.state, row.submitted, flagged, row.period, now, policy);
    if progress != UsageProgress::Closed || row.presumed.is_some() {
        return Ok(Chunk::Done);
    }
    row.presumed = Some(now);
    monthly_usage::update(tx, &row).await?;
    extend(service, tx, &row, Cause::Closing).await?;
    let body = json!({ "period": row.period, "number": job.number });
    let actor = time("presume", row.provider);
    change::by(tx, &actor, row.provider, "usage.presumed_closed", row.id.to_string(), now, body);
    Ok(Chunk::Done)
}

/// The distributor's rule approves what is not flagged; what is, waits for a person.
pub(super) async fn approve(service: &Service, tx: &mut Tx, job: OfSubmission) -> Result<Chunk> {
    if let Some(row) = waiting(tx, job).await? {
        decide::approve_by_rule(service, tx, row).await?;
    }
    Ok(Chunk::Done)
}

/// The submission, while it is the newest and nobody has decided.
async fn waiting(tx: &mut Tx, job: OfSubmission) -> Result<Option<monthly_usage::UsageRow>> {
    let row = monthly_usage::lock(tx, job.provider, job.period).await?;
    Ok(row.filter(|row| row.state == UsageState::PendingDistributorReview && row.submissions == job.number))
}

/// A job about one provider.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct OfProvider {
    pub(super) provider: OrgId,
}

/// A rejected month no longer counts as submitted.
pub(super) async fn lapse(service: &Service, tx: &mut Tx, job: OfProvider) -> Result<Chunk> {
    suspension::refresh(service, tx, job.provider).await?;
    Ok(Chunk::Done)
}
