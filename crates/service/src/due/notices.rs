//! What time alone brings up, told once a day: licenses that begin to expire, and signing keys that are due.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenure_core::{Day, OrgId, Timestamp, roles::OrgKind};
use tenure_store::{
    Tx,
    jobs::{self, Chunk, NewJob},
    rows::{chain, org},
};

use super::NOTICES;
use crate::{Error, Result, Service, change, keys_due};

/// Providers looked at in one chunk.
const PROVIDERS: u32 = 20;
/// Servers of one provider looked at in one day; of a fleet whose licenses all end on one day the rest is not counted.
const MAX_SERVERS: i64 = 5_000;
/// Companies named in one message.
const MAX_HOLDERS: usize = 20;

/// The days that are told of: from the one after the last that was told.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct OfDays {
    from: Day,
}

/// Leaves the job of the day that begins next.
pub(super) async fn enqueue(tx: &mut Tx, now: Timestamp) -> Result<()> {
    let from = Day::of(now).plus(1);
    let payload = json!(OfDays { from });
    let job = NewJob { kind: NOTICES, key: from.to_string(), payload, at: now, due_at: from.start() };
    jobs::enqueue(tx, job).await?;
    Ok(())
}

/// Tells of everything that came up from `from` to the end of today, one provider after the other; a server that was off for
/// days tells of them at once. `PROVIDER/DAY` is where it goes on, so that a midnight in between leaves nothing out.
pub(super) async fn tell(service: &Service, tx: &mut Tx, job: OfDays, cursor: Option<&str>) -> Result<Chunk> {
    let now = service.now();
    let unreadable = || Error::Internal("a job's cursor cannot be read");
    let (after, today): (Option<OrgId>, Day) = match cursor {
        None => (None, Day::of(now)),
        Some(text) => {
            let (provider, day) = text.split_once('/').ok_or_else(unreadable)?;
            (Some(provider.parse().map_err(|_| unreadable())?), day.parse().map_err(|_| unreadable())?)
        }
    };
    let (from, until) = (job.from.start(), today.end());
    let providers = org::of_kind(tx, OrgKind::Provider, after, PROVIDERS).await?;
    let ahead = i64::from(service.policy().warning_days);
    for provider in providers.iter().filter(|provider| provider.disabled.is_none()) {
        expiring(tx, provider.id, from.plus_days(ahead), until.plus_days(ahead), now).await?;
    }
    if let Some(last) = providers.last() {
        return Ok(Chunk::More { cursor: format!("{}/{today}", last.id) });
    }
    let due: Vec<_> = keys_due(service).into_iter().filter(|task| task.from >= from && task.from < until).collect();
    if !due.is_empty() {
        let deployment = service.deployment();
        let tasks: Vec<String> = due.iter().map(|task| format!("{} (by {})", task.what, task.by)).collect();
        change::tell(tx, deployment.vendor, "keys.due", deployment.id.to_string(), now, json!({ "tasks": tasks }));
    }
    // The day that was told, not today: midnight may have passed meanwhile.
    enqueue(tx, today.start()).await?;
    Ok(Chunk::Done)
}

/// One message for the provider, if anything begins to expire.
async fn expiring(tx: &mut Tx, provider: OrgId, from: Timestamp, until: Timestamp, now: Timestamp) -> Result<()> {
    let rows = chain::expiring(tx, provider, from, until, MAX_SERVERS).await?;
    let Some(day) = rows.iter().map(|row| Day::of(row.expires)).min() else { return Ok(()) };
    let licenses: BTreeSet<_> = rows.iter().map(|row| row.license).collect();
    let holders: BTreeSet<&str> = rows.iter().filter_map(|row| row.holder.as_deref()).collect();
    let holders: Vec<&str> = holders.into_iter().take(MAX_HOLDERS).collect();
    let body = json!({ "licenses": licenses.len(), "day": day, "holders": holders });
    change::tell(tx, provider, "license.expiring", provider.to_string(), now, body);
    Ok(())
}
