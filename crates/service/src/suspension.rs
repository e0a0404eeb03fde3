//! Suspension of a provider that does not submit ("The monthly cycle"): computed whenever it matters, audited when it
//! changes.

use serde_json::json;
use tenure_core::{
    OrgId, Period, Timestamp,
    cycle::UsageState,
    deadline::provider_deadline,
    suspension::{OwedPeriods, SubmissionStanding, is_suspended},
};
use tenure_store::{
    Conn, Tx, jobs,
    jobs::NewJob,
    rows::{
        agreement,
        monthly_usage::{self, UsageRow},
        suspension,
    },
};

use crate::{Result, Service, change, month_open};

/// The job that looks again at the reports a suspended provider's products sent.
pub(crate) const RECHECK: &str = "license.recheck";

/// Whether a provider is suspended now.
pub(crate) async fn suspended(service: &Service, conn: &mut Conn, provider: OrgId, now: Timestamp) -> Result<bool> {
    let policy = service.policy();
    let Some(first) = monthly_usage::first_license(conn, provider).await? else { return Ok(false) };
    let wanted = i64::from(policy.suspension_periods) + 2;
    let months = monthly_usage::of_provider(conn, provider, Period::of(now), wanted).await?;
    let last = month_open::last_owed(&agreement::of_provider(conn, provider).await?);
    let find = |period: Period| months.iter().find(|row| row.period == period);
    // The deadline a month was opened with says whether it had products that report by hand.
    let by_hand = |period| find(period).is_some_and(|row| row.due > provider_deadline(period, false, policy));
    let standing = |period| find(period).map_or(SubmissionStanding::Unsubmitted, standing);
    let owed = OwedPeriods { first: Period::of(first), last };
    Ok(is_suspended(Some(owed), now, by_hand, standing, policy))
}

fn standing(row: &UsageRow) -> SubmissionStanding {
    match (row.state, row.decided) {
        (UsageState::Rejected, Some(at)) => SubmissionStanding::Rejected(at),
        (state, _) if state.is_submitted() => SubmissionStanding::Submitted,
        _ => SubmissionStanding::Unsubmitted,
    }
}

/// Writes down a suspension that began or ended, and tells the provider. When it ended, what its products reported
/// meanwhile is looked at again.
pub(crate) async fn refresh(service: &Service, tx: &mut Tx, provider: OrgId) -> Result<()> {
    let now = service.now();
    let is = suspended(service, tx, provider, now).await?;
    let (changed, verb) = if is {
        (suspension::begin(tx, provider, now).await?, "provider.suspended")
    } else {
        (suspension::end(tx, provider).await?, "provider.suspension_lifted")
    };
    if !changed {
        return Ok(());
    }
    change::record(tx, "server", provider, verb, provider.to_string(), now, json!({}));
    if !is {
        let key = format!("{provider}/{}", now.as_micros());
        let payload = json!({ "provider": provider });
        jobs::enqueue(tx, NewJob { kind: RECHECK, key, payload, at: now, due_at: now }).await?;
    }
    Ok(())
}
