//! What a person makes of an installation that came back from elsewhere: one machine after all, or two (protocol, 2.5).

use serde::{Deserialize, Serialize};
use tenure_core::{InstallationId, Period, roles::Action};
use tenure_license::{Hash, UsageReport, Watermark};
use tenure_store::{
    Queue, Tx,
    rows::{chain, document, rejoin, server::ServerRow},
};

use crate::{
    Actor, Error, Idempotency, ProblemKind, Result, Service,
    authorize::at_provider,
    change,
    idempotent::{self, Begun},
    installation_view::lock_mine,
    month_ingest::{self, ReportTaken, WatermarkTaken},
};

/// What a person says of an installation that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CloneVerdict {
    /// It is one machine: it was set back and brought forward again. A suspension ends at once, and what it sent meanwhile
    /// is counted. Another machine that speaks later makes it a clone again.
    OneMachine,
    /// It was looked at and is in order: a machine that was set back.
    Noted,
}

/// Settles a clone or a set-back of an installation of the actor's organization in one click. Two real machines are settled
/// by re-identifying one of them.
pub async fn resolve_clone(
    service: &Service,
    actor: &Actor,
    id: InstallationId,
    verdict: CloneVerdict,
    idempotency: Option<Idempotency>,
) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let operation = "installation.resolve";
            let begun: Begun<()> = idempotent::begin(tx, &actor, operation, idempotency.as_ref(), now).await?;
            let Begun::Do(remember) = begun else { return Ok(()) };
            let row = lock_mine(tx, &actor, id).await?;
            let suspended = row.status == "suspended_clone" && row.retired.is_none();
            let how = match verdict {
                CloneVerdict::OneMachine if suspended => "one_machine",
                CloneVerdict::Noted if !suspended && row.retired.is_none() => "noted",
                CloneVerdict::OneMachine => return refused("it is not suspended as a clone"),
                CloneVerdict::Noted => return refused("it is retired, or suspended as a clone: say what it is"),
            };
            let settled = rejoin::resolve(tx, row.provider, id, now, actor.principal(), how).await?;
            if settled == 0 && !suspended {
                return refused("nothing about it is open");
            }
            if suspended {
                chain::set_status(tx, id, "active", None).await?;
            }
            let counted = if suspended { count_kept(service, tx, &row).await? } else { 0 };
            let body = serde_json::json!({ "how": how, "host": row.name, "documents_counted": counted });
            change::by(tx, &actor, row.provider, "installation.resolved", id.to_string(), now, body);
            idempotent::remember(tx, remember, &()).await?;
            Ok::<_, Error>(())
        })
        .await
}

fn refused<T>(words: &'static str) -> Result<T> {
    Err(ProblemKind::InstallationState.because(words).into())
}

/// Counts what was kept while the installation was suspended: watermarks by week, then reports in the order of their
/// revisions; how many. They keep the receipt and the instant they arrived with.
async fn count_kept(service: &Service, tx: &mut Tx, row: &ServerRow) -> Result<u32> {
    let oldest = Period::of(service.now()).plus(-(service.policy().max_correction_months as i32));
    let mut counted = 0;
    for held in document::not_counted(tx, row.id, "watermark", oldest).await? {
        let watermark: Watermark =
            serde_json::from_slice(&held.payload).map_err(|_| Error::Internal("a kept watermark cannot be read"))?;
        let taken = WatermarkTaken {
            provider: row.provider,
            installation: row.id,
            license: watermark.license,
            hash: Hash::from_bytes(held.hash),
            watermark: &watermark,
            received: held.received,
            counted: true,
        };
        let outcome = month_ingest::take_watermark(service, tx, &taken).await?;
        if let Some(word) = month_ingest::kept_word(outcome) {
            document::set_outcome(tx, row.id, &held.hash, word).await?;
            counted += 1;
        }
    }
    for held in document::not_counted(tx, row.id, "report", oldest).await? {
        let report: UsageReport =
            serde_json::from_slice(&held.payload).map_err(|_| Error::Internal("a kept report cannot be read"))?;
        let taken = ReportTaken {
            provider: row.provider,
            installation: row.id,
            license: report.license,
            document: held.id,
            hash: Hash::from_bytes(held.hash),
            report: &report,
            received: held.received,
            counted: true,
        };
        let decided = month_ingest::take_report(service, tx, &taken).await?;
        if let Some(word) = month_ingest::kept_word(decided.outcome) {
            document::set_outcome(tx, row.id, &held.hash, word).await?;
            counted += 1;
        }
    }
    Ok(counted)
}
