//! The days of the month after a period, for all providers: end of collecting, reminders, automatic submission, lateness.

use serde_json::json;
use tenure_core::{
    InstallationId, OrgId, Period,
    cycle::{UsageEvent, UsageFacts, UsageState},
    roles::OrgKind,
};
use tenure_store::{
    Tx,
    jobs::{CHUNK, Chunk},
    rows::{
        monthly_usage::{self, UsageRow},
        obligation, report, site_part,
    },
};

use super::{OfDeadline, OfPeriod, after, time};
use crate::{
    Error, ProblemKind, Result, Service, change, month::Month, month_access::step, reported, submit, suspension,
};

/// Months looked at in one chunk, where each is a few statements.
const MONTHS: i64 = 100;
/// Reports judged in one chunk.
const REPORTS: i64 = 50;

/// Ends the collecting at the end of `auto_send_day`: first the months' states (`m:` in the cursor), then what the reports
/// that nobody sent by hand have earned, for they are final now (`f:`).
pub(super) async fn review(service: &Service, tx: &mut Tx, job: OfPeriod, cursor: Option<&str>) -> Result<Chunk> {
    match cursor.and_then(|cursor| cursor.split_once(':')) {
        Some(("f", rest)) => finals(service, tx, job.period, rest).await,
        found => {
            let from = after(found.map(|(_, rest)| rest))?;
            let rows = monthly_usage::of_period(tx, job.period, from, MONTHS).await?;
            let Some(last) = rows.last().map(|row| row.provider) else {
                return Ok(Chunk::More { cursor: "f:".to_owned() });
            };
            for row in rows.into_iter().filter(|row| row.state == UsageState::Collecting) {
                over(service, tx, row.provider, job.period).await?;
            }
            Ok(Chunk::More { cursor: format!("m:{last}") })
        }
    }
}

async fn over(service: &Service, tx: &mut Tx, provider: OrgId, period: Period) -> Result<()> {
    let Some(mut row) = monthly_usage::lock(tx, provider, period).await? else { return Ok(()) };
    if row.state != UsageState::Collecting {
        return Ok(());
    }
    let has_sites = !site_part::of_month(tx, provider, period).await?.is_empty();
    let facts = UsageFacts { has_sites, auto_send_day_over: true, ..UsageFacts::default() };
    row.state = step(&time("review", provider), OrgKind::Provider, row.state, UsageEvent::CollectingOver, &facts)?;
    monthly_usage::update(tx, &row).await?;
    let silent = obligation::any_silent(tx, provider, period).await?;
    let body = json!({ "period": period, "state": row.state, "due": row.due, "some_missing": silent });
    change::by(tx, &time("review", provider), provider, "usage.review_due", row.id.to_string(), service.now(), body);
    Ok(())
}

/// `PROVIDER/INSTALLATION` is where it goes on; empty at the start.
async fn finals(service: &Service, tx: &mut Tx, period: Period, rest: &str) -> Result<Chunk> {
    let (provider, from) = match rest.split_once('/') {
        None => (after(None)?, None),
        Some((provider, installation)) => (after(Some(provider))?, Some(place(installation)?)),
    };
    // Whose reports are read: the provider of the cursor, or the next one.
    let provider = match from {
        Some(_) => Some(provider),
        None => monthly_usage::of_period(tx, period, provider, 1).await?.first().map(|row| row.provider),
    };
    let Some(provider) = provider else { return Ok(Chunk::Done) };
    let nobody = InstallationId::from_uuid(uuid::Uuid::nil());
    let rows = report::after(tx, provider, period, from.unwrap_or(nobody), REPORTS).await?;
    if let Some(usage) = monthly_usage::share(tx, provider, period).await? {
        for row in rows.iter().filter(|row| !row.is_final) {
            earned(service, tx, &usage, row.installation).await?;
        }
    }
    match rows.last() {
        Some(last) if rows.len() as i64 == REPORTS => {
            Ok(Chunk::More { cursor: format!("f:{provider}/{}", last.installation) })
        }
        _ => match monthly_usage::of_period(tx, period, provider, 1).await?.first() {
            Some(next) => Ok(Chunk::More { cursor: format!("f:{}/{nobody}", next.provider) }),
            None => Ok(Chunk::Done),
        },
    }
}

fn place(text: &str) -> Result<InstallationId> {
    text.parse().map_err(|_| Error::Internal("a job's cursor cannot be read"))
}

/// Looks again at what an installation's license has earned in a month.
pub(super) async fn earned(
    service: &Service,
    tx: &mut Tx,
    usage: &UsageRow,
    installation: InstallationId,
) -> Result<()> {
    if let Some((license, ..)) = obligation::find(tx, usage.provider, usage.period, installation).await? {
        reported::after_report(service, tx, usage, license, None, service.now()).await?;
    }
    Ok(())
}

/// The months of a deadline, in the order of providers after a cursor; and where the list goes on.
async fn of_deadline(tx: &mut Tx, job: OfDeadline, cursor: Option<&str>, limit: i64) -> Result<(Vec<UsageRow>, Chunk)> {
    let mut rows = monthly_usage::of_period(tx, job.period, after(cursor)?, limit).await?;
    let next = rows.last().filter(|_| rows.len() as i64 == limit).map(|row| row.provider.to_string());
    rows.retain(|row| row.due == job.due);
    Ok((rows, next.map_or(Chunk::Done, |cursor| Chunk::More { cursor })))
}

/// Reminds those who have not submitted. Each reminder is one job, so each is sent once.
pub(super) async fn remind(service: &Service, tx: &mut Tx, job: OfDeadline, cursor: Option<&str>) -> Result<Chunk> {
    let (rows, next) = of_deadline(tx, job, cursor, CHUNK).await?;
    for row in rows.iter().filter(|row| !row.state.is_submitted()) {
        let body = json!({ "period": row.period, "due": row.due, "days": job.days, "state": row.state });
        change::tell(tx, row.provider, "usage.reminder", row.id.to_string(), service.now(), body);
    }
    Ok(next)
}

/// Submits where that was asked for, with nothing missing or flagged; else says what is.
pub(super) async fn auto_submit(
    service: &Service,
    tx: &mut Tx,
    job: OfDeadline,
    cursor: Option<&str>,
) -> Result<Chunk> {
    // A month is computed whole, so few at a time.
    let (rows, next) = of_deadline(tx, job, cursor, 5).await?;
    for row in rows.into_iter().filter(|row| row.auto_submit && !row.state.is_submitted()) {
        submit_for(service, tx, row.provider, row.period).await?;
    }
    Ok(next)
}

async fn submit_for(service: &Service, tx: &mut Tx, provider: OrgId, period: Period) -> Result<()> {
    let Some(usage) = monthly_usage::lock(tx, provider, period).await? else { return Ok(()) };
    let actor = time("auto_submit", provider);
    let month = Month::load(service, tx, usage.clone(), service.now()).await?;
    let id = usage.id.to_string();
    let (kind, event, received) = (OrgKind::Provider, UsageEvent::AutoSubmit, service.now());
    let by = submit::By { actor: &actor, kind, event, received };
    match submit::submit(service, tx, &by, usage, &month).await {
        Ok(_) => Ok(()),
        // Decided before anything was written: the provider has to look at it.
        Err(Error::Problem(problem)) if matches!(problem.kind, ProblemKind::MonthBlocked | ProblemKind::MonthState) => {
            let body = json!({ "period": period, "why": problem.detail });
            change::tell(tx, provider, "usage.not_submitted_by_itself", id, service.now(), body);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// A provider's deadline has passed: who did not submit is late, and may be suspended.
pub(super) async fn late(service: &Service, tx: &mut Tx, job: OfDeadline, cursor: Option<&str>) -> Result<Chunk> {
    let (rows, next) = of_deadline(tx, job, cursor, MONTHS).await?;
    for row in rows {
        if !row.state.is_submitted() {
            let body = json!({ "period": row.period, "due": row.due, "state": row.state });
            let subject = row.id.to_string();
            change::tell(tx, row.provider, "usage.late", subject.clone(), service.now(), body.clone());
            change::tell(tx, row.distributor, "usage.late", subject, service.now(), body);
        }
        suspension::refresh(service, tx, row.provider).await?;
    }
    Ok(next)
}
