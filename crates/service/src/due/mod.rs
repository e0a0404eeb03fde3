//! What time asks for: jobs by clock, each idempotent, in chunks that survive being killed anywhere (X6).
//!
//! A month's jobs are enqueued when the month before them ends; what a submission or rejection waits for, in its own
//! transaction. A job is named by what it is for, so that it exists once; its effects are by unique key.

mod extend;
mod month;
mod notices;
mod open;
mod recheck;
mod resign;
mod retain;
mod sign;
mod usage;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenure_core::{OrgId, Period, Timestamp};
use tenure_store::{
    Tx,
    jobs::{self, Chunk, Claimed, NewJob, Ran},
    rows::monthly_usage::UsageRow,
};

use crate::{Actor, ActorKind, Error, Result, Service};

/// Opens a month on the 1st after it.
const OPEN: &str = "period.open";
/// Ends the collecting of a month's reports.
const REVIEW: &str = "period.review";
/// Reminds providers of a deadline.
const REMIND: &str = "period.remind";
/// Submits where that was asked for.
const AUTO_SUBMIT: &str = "period.auto_submit";
/// A deadline of providers has passed.
const LATE: &str = "period.late";
/// A distributor's deadline has passed.
pub(crate) const DECISION_DUE: &str = "usage.decision_due";
/// An undecided month counts as Closed for extensions.
pub(crate) const PRESUME: &str = "usage.presume";
/// A distributor's rule decides what is not flagged.
pub(crate) const APPROVE: &str = "usage.approve";
/// A rejected month no longer counts as submitted.
pub(crate) const LAPSE: &str = "usage.lapse";
/// Grants the extensions that a decision earned.
const EXTEND: &str = "license.extend";

/// Signs every license anew, after a license key was revoked.
pub(crate) const RESIGN: &str = "license.resign";
/// Forgets evidence past its time.
const RETAIN: &str = "evidence.retain";
/// Tells once a day of what time alone brings up.
const NOTICES: &str = "notice.daily";
/// Ends a license's shadow month.
pub(crate) const SHADOW: &str = "license.shadow";

/// All kinds, in the order in which they are run when several are due.
const KINDS: [&str; 16] = [
    RESIGN,
    OPEN,
    SHADOW,
    REVIEW,
    EXTEND,
    crate::agreement_change::REISSUE,
    crate::suspension::RECHECK,
    AUTO_SUBMIT,
    APPROVE,
    REMIND,
    LATE,
    DECISION_DUE,
    PRESUME,
    LAPSE,
    RETAIN,
    NOTICES,
];

/// How long a claimed job is left alone by others, in seconds.
const LEASE: i64 = 120;
/// When a failed job is tried again, in seconds.
const RETRY: i64 = 60;
/// Chunks of one job in one run; a job that needs more goes on in the next.
const MAX_CHUNKS: usize = 100_000;

/// Does everything that is due now; gives how many jobs were finished.
///
/// Safe to call at any time, from several processes, and again after being killed.
///
/// # Errors
/// When the store fails. A job that fails for another reason is noted and tried again later.
pub async fn run_due(service: &Service) -> Result<usize> {
    service.must_go_on()?;
    if let Err(error) = crate::take_up_keys(service).await {
        // The keys held go on signing; it is tried again with the next run.
        tracing::error!(error = ?error, "the newest keys cannot be taken up");
    }
    crate::policy_change::refresh(service).await?;
    seed(service).await?;
    let mut done = 0;
    // A job may make others due: opening a month that ended long ago makes its deadlines due at once.
    loop {
        let mut found = 0;
        for kind in KINDS {
            while jobs::next_due(service.store(), kind).await?.is_some_and(|due| due <= service.now()) {
                let Some(job) = claim(service, kind).await? else { break };
                run(service, kind, &job).await?;
                found += 1;
            }
        }
        if found == 0 {
            break;
        }
        done += found;
    }
    sign::unsigned(service).await?;
    crate::make_checkpoint(service).await?;
    Ok(done)
}

/// When [`run_due`] has something to do next; `None` before the first month was opened.
///
/// # Errors
/// When the store fails.
pub async fn next_due(service: &Service) -> Result<Option<Timestamp>> {
    let mut next: Option<Timestamp> = None;
    for kind in KINDS {
        let due = jobs::next_due(service.store(), kind).await?;
        next = match (next, due) {
            (Some(next), Some(due)) => Some(next.min(due)),
            (next, due) => next.or(due),
        };
    }
    Ok(next)
}

/// Makes sure that months go on being opened and days being told of: the job of each leaves that of the next.
async fn seed(service: &Service) -> Result<()> {
    let (opens, tells) =
        (jobs::next_due(service.store(), OPEN).await?, jobs::next_due(service.store(), NOTICES).await?);
    if opens.is_some() && tells.is_some() {
        return Ok(());
    }
    let now = service.now();
    let service_ = service.clone();
    service
        .store()
        .write(tenure_store::Queue::Jobs, async move |tx| {
            if opens.is_none() {
                let first = open::first_period(tx, &service_).await?.unwrap_or(Period::of(now));
                enqueue_open(tx, first, now).await?;
            }
            if tells.is_none() {
                notices::enqueue(tx, now).await?;
            }
            Ok(())
        })
        .await
}

async fn enqueue_open(tx: &mut Tx, period: Period, now: Timestamp) -> Result<()> {
    let job = NewJob {
        kind: OPEN,
        key: period.to_string(),
        payload: json!({ "period": period }),
        at: now,
        due_at: period.end(),
    };
    jobs::enqueue(tx, job).await?;
    Ok(())
}

async fn claim(service: &Service, kind: &'static str) -> Result<Option<Claimed>> {
    let now = service.now();
    Ok(jobs::claim(service.store(), kind, now, now.plus_secs(LEASE)).await?)
}

/// Runs a claimed job to its end, chunk by chunk.
async fn run(service: &Service, kind: &'static str, job: &Claimed) -> Result<()> {
    for _ in 0..MAX_CHUNKS {
        let now = service.now();
        let (service_, job_) = (service.clone(), job.clone());
        let work = async move |tx: &mut Tx, cursor: Option<&str>| chunk(&service_, tx, kind, &job_, cursor).await;
        match jobs::run_chunk(service.store(), job, now, now.plus_secs(LEASE), work).await {
            Ok(Ran::More) => {}
            Ok(Ran::Done | Ran::Superseded) => return Ok(()),
            Err(error @ Error::Store(_)) => {
                note(service, job, &error).await;
                return Err(error);
            }
            Err(error) => {
                note(service, job, &error).await;
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn note(service: &Service, job: &Claimed, error: &Error) {
    tracing::error!(error = ?error, job.kind = job.kind, job.key = job.key, "a job failed; it is tried again");
    let retry = service.now().plus_secs(RETRY);
    // The claim runs out by itself when even this cannot be written.
    let _ = jobs::fail(service.store(), job, error.to_string(), retry).await;
}

async fn chunk(
    service: &Service,
    tx: &mut Tx,
    kind: &'static str,
    job: &Claimed,
    cursor: Option<&str>,
) -> Result<Chunk> {
    match kind {
        RESIGN => resign::chunk(service, tx, cursor).await,
        OPEN => open::chunk(service, tx, payload(job)?, cursor).await,
        REVIEW => month::review(service, tx, payload(job)?, cursor).await,
        REMIND => month::remind(service, tx, payload(job)?, cursor).await,
        AUTO_SUBMIT => month::auto_submit(service, tx, payload(job)?, cursor).await,
        LATE => month::late(service, tx, payload(job)?, cursor).await,
        DECISION_DUE => usage::decision_due(service, tx, payload(job)?).await,
        PRESUME => usage::presume(service, tx, payload(job)?).await,
        APPROVE => usage::approve(service, tx, payload(job)?).await,
        LAPSE => usage::lapse(service, tx, payload(job)?).await,
        NOTICES => notices::tell(service, tx, payload(job)?, cursor).await,
        RETAIN => retain::chunk(service, tx, payload(job)?, cursor).await,
        SHADOW => shadow(service, tx, payload(job)?).await,
        EXTEND => extend::chunk(service, tx, payload(job)?, cursor).await,
        crate::agreement_change::REISSUE => crate::agreement_change::chunk(service, tx, payload(job)?, cursor).await,
        crate::suspension::RECHECK => recheck::chunk(service, tx, payload(job)?, cursor).await,
        _ => Err(Error::Internal("a job of no kind")),
    }
}

fn payload<T: for<'de> Deserialize<'de>>(job: &Claimed) -> Result<T> {
    serde_json::from_value(job.payload.clone()).map_err(|_| Error::Internal("a job's payload cannot be read"))
}

/// A job about one month of all providers.
#[derive(Debug, Clone, Copy, Deserialize)]
struct OfPeriod {
    period: Period,
}

/// A job about those months of a period that are due at one instant.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct OfDeadline {
    period: Period,
    due: Timestamp,
    /// Days left until then.
    days: u32,
}

/// A job about one license's month.
#[derive(Debug, Clone, Copy, Deserialize)]
struct OfLicenseMonth {
    provider: OrgId,
    license: tenure_core::LicenseId,
    period: Period,
}

async fn shadow(service: &Service, tx: &mut Tx, job: OfLicenseMonth) -> Result<Chunk> {
    let actor = time("shadow", job.provider);
    crate::license_shadow::end(service, tx, &actor, job.license, job.period).await?;
    Ok(Chunk::Done)
}

/// A job about one submission.
#[derive(Debug, Clone, Copy, Deserialize)]
struct OfSubmission {
    provider: OrgId,
    period: Period,
    number: u32,
}

/// What earned extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// The month was submitted: what is not flagged.
    Submission,
    /// It is Closed, or counts so: all that is accounted for.
    Closing,
}

/// Licenses extended in the decision's own transaction; more are left to the job.
const AT_ONCE: usize = 50;

/// Grants the extensions that a decision earned: a few at once, many by a job that the decision's transaction leaves.
pub(crate) async fn extend(service: &Service, tx: &mut Tx, usage: &UsageRow, cause: Cause) -> Result<()> {
    let job = extend::OfLicenses { provider: usage.provider, period: usage.period, number: usage.submissions, cause };
    let licenses = extend::licenses(tx, job, None).await?;
    if licenses.len() <= AT_ONCE {
        return extend::grant(service, tx, job, &licenses).await;
    }
    let word = match cause {
        Cause::Submission => "submission",
        Cause::Closing => "closing",
    };
    let now = service.now();
    let key = format!("{}/{}/{word}", usage.id, usage.submissions);
    jobs::enqueue(tx, NewJob { kind: EXTEND, key, payload: json!(job), at: now, due_at: now }).await?;
    Ok(())
}

/// Time itself, as an actor at a provider.
pub(crate) fn time(name: &'static str, provider: OrgId) -> Actor {
    Actor { kind: ActorKind::Job(name), org: provider, role: tenure_core::roles::Role::ProviderPrimary, site: None }
}

/// Where a list of providers goes on.
fn after(cursor: Option<&str>) -> Result<OrgId> {
    match cursor {
        None => Ok(OrgId::from_uuid(uuid::Uuid::nil())),
        Some(text) => text.parse().map_err(|_| Error::Internal("a job's cursor cannot be read")),
    }
}
