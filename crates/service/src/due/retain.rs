//! Retention: evidence past its time is forgotten, in slices; what stays says that it was there ("Kept").
//!
//! Leaves, watermarks, workload evidence and committed daily heads go after `keep_daily_months`. Entries of the log, their
//! counts and Merkle roots stay for ever, reports and submissions for years.

use serde_json::json;
use tenure_core::{Day, InstallationId, Period};
use tenure_store::{
    AuditEntry, Tx, audit, idempotency,
    jobs::{self, CHUNK, Chunk},
    rows::{console_action, installation, receipted, session},
};

use super::OfPeriod;
use crate::{ACTION_KEPT_HOURS, Error, Result, Service, session::IDLE_SECS};

/// Days that a finished job is remembered.
const JOB_DAYS: i64 = 35;

/// First the leaves (`l:` and a lane), then requests and what they brought (`r`), then daily heads (`h:` and an installation), then jobs (`j`), then sessions that
/// ended and answers of writes (`s`).
pub(super) async fn chunk(service: &Service, tx: &mut Tx, job: OfPeriod, cursor: Option<&str>) -> Result<Chunk> {
    let (now, limit) = (service.now(), CHUNK as u32);
    let months = service.policy().keep_daily_months as i32;
    let before = job.period.end().plus_months(-months);
    let unreadable = || Error::Internal("a job's cursor cannot be read");
    let more = |cursor: &str| Ok(Chunk::More { cursor: cursor.to_owned() });
    match cursor {
        None => more("l:0"),
        Some(cursor) if cursor.starts_with("l:") => {
            let lane: u32 = cursor[2..].parse().map_err(|_| unreadable())?;
            let dropped = audit::drop_leaves(tx, lane, before, limit).await?;
            note(service, tx, job.period, "leaves", dropped);
            let last = audit::ends(tx).await?.iter().map(|end| end.lane).max().unwrap_or(0);
            match dropped == u64::from(limit) {
                true => more(&format!("l:{lane}")),
                false if lane < last => more(&format!("l:{}", lane + 1)),
                false => more("r"),
            }
        }
        Some("r") => {
            let (requests, documents) = receipted::drop_before(tx, before, limit).await?;
            note(service, tx, job.period, "documents", documents);
            more(if requests == u64::from(limit) { "r" } else { "h:" })
        }
        Some(cursor) if cursor.starts_with("h:") => {
            let after = match &cursor[2..] {
                "" => InstallationId::from_uuid(uuid::Uuid::nil()),
                id => id.parse().map_err(|_| unreadable())?,
            };
            match installation::drop_heads(tx, after, Day::of(before), limit).await? {
                Some(last) => more(&format!("h:{last}")),
                None => more("j"),
            }
        }
        Some("j") => {
            let purged = jobs::purge(tx, now.plus_days(-JOB_DAYS)).await?;
            more(if purged == u64::from(limit) { "j" } else { "s" })
        }
        _ => {
            let kept = now.plus_secs(-ACTION_KEPT_HOURS * 3_600);
            let purged = [
                session::purge(tx, now, now.plus_secs(-IDLE_SECS), limit).await?,
                idempotency::purge(tx, now).await?,
                console_action::purge(tx, kept, limit).await?,
            ];
            if purged.contains(&u64::from(limit)) { more("s") } else { Ok(Chunk::Done) }
        }
    }
}

/// What was forgotten is in the log: nobody has to guess why it is gone.
fn note(service: &Service, tx: &mut Tx, period: Period, what: &'static str, dropped: u64) {
    if dropped > 0 {
        tx.audit(AuditEntry {
            actor: "job:evidence.retain".to_owned(),
            verb: "evidence.dropped",
            subject: period.to_string(),
            org: Some(service.deployment().vendor),
            at: service.now(),
            body: json!({ "what": what, "count": dropped }),
        });
    }
}
