//! Opening a month on the 1st: what everybody has to account for, a monthly usage per provider, and the month's own jobs.

use serde_json::json;
use tenure_core::{
    InstallationId, OrgId, Period,
    deadline::{auto_send_over_at, auto_submit_at, provider_deadline},
    expected::Life,
};
use tenure_store::{
    Tx,
    jobs::{self, CHUNK, Chunk, NewJob},
    rows::{monthly_usage, obligation},
};

use super::{AUTO_SUBMIT, LATE, OfDeadline, OfPeriod, REMIND, RETAIN, REVIEW, after, enqueue_open};
use crate::{Error, Result, Service, month_open};

/// Days before a deadline's end on which providers are reminded.
const REMINDERS: [u32; 3] = [7, 3, 1];
/// Days after the month's end, when the month's own work is done.
const RETAIN_DAY: i64 = 19;
/// Providers opened in one chunk: each is several statements.
const PROVIDERS: i64 = 50;

/// The first month anybody owes; none before the first license.
pub(super) async fn first_period(tx: &mut Tx, _: &Service) -> Result<Option<Period>> {
    Ok(monthly_usage::first_license_of_all(tx).await?.map(Period::of))
}

/// First the obligations of all installations (`i:` in the cursor), then the months (`m:`), then the jobs.
pub(super) async fn chunk(service: &Service, tx: &mut Tx, job: OfPeriod, cursor: Option<&str>) -> Result<Chunk> {
    let unreadable = || Error::Internal("a job's cursor cannot be read");
    match cursor.and_then(|cursor| cursor.split_once(':')) {
        None => obligations(tx, job.period, (OrgId::from_uuid(uuid::Uuid::nil()), nil())).await,
        Some(("i", rest)) => {
            let (provider, installation) = rest.split_once('/').ok_or_else(unreadable)?;
            let provider = provider.parse().map_err(|_| unreadable())?;
            let installation = installation.parse().map_err(|_| unreadable())?;
            obligations(tx, job.period, (provider, installation)).await
        }
        Some(("m", rest)) => months(service, tx, job.period, Some(rest).filter(|rest| !rest.is_empty())).await,
        Some(_) => Err(unreadable()),
    }
}

fn nil() -> InstallationId {
    InstallationId::from_uuid(uuid::Uuid::nil())
}

/// An installation that was active at any instant of the month has to account for it ("The monthly cycle").
async fn obligations(tx: &mut Tx, period: Period, from: (OrgId, InstallationId)) -> Result<Chunk> {
    let rows = obligation::candidates(tx, from, period, CHUNK).await?;
    let next = rows.last().map(|row| format!("i:{}/{}", row.provider, row.installation));
    let full = rows.len() as i64 == CHUNK;
    let expected: Vec<_> = rows
        .into_iter()
        .filter(|row| {
            let ended_at = match (row.retired, row.license_ended) {
                (Some(retired), Some(ended)) => Some(retired.min(ended)),
                (retired, ended) => retired.or(ended),
            };
            Life { activated_at: row.activated, ended_at }.is_expected(period)
        })
        .collect();
    obligation::insert_many(tx, period, &expected).await?;
    let cursor = next.filter(|_| full).unwrap_or_else(|| "m:".to_owned());
    Ok(Chunk::More { cursor })
}

async fn months(service: &Service, tx: &mut Tx, period: Period, cursor: Option<&str>) -> Result<Chunk> {
    let rows = monthly_usage::to_open(tx, after(cursor)?, period, PROVIDERS).await?;
    let Some((last, _)) = rows.last().copied() else {
        jobs_of(service, tx, period).await?;
        return Ok(Chunk::Done);
    };
    for (provider, owed) in rows {
        if owed || month_open::is_owed(tx, provider, period).await? {
            month_open::open(service, tx, provider, period).await?;
        }
    }
    Ok(Chunk::More { cursor: format!("m:{last}") })
}

/// What the month's own days ask for, and the opening of the next month.
async fn jobs_of(service: &Service, tx: &mut Tx, period: Period) -> Result<()> {
    let (now, policy) = (service.now(), service.policy_of(period));
    let mut enqueue = Vec::new();
    enqueue.push((RETAIN, period.to_string(), json!({ "period": period }), period.end().plus_days(RETAIN_DAY)));
    enqueue.push((REVIEW, period.to_string(), json!({ "period": period }), auto_send_over_at(period, policy)));
    let mut deadlines = std::collections::BTreeMap::new();
    for by_hand in [true, false] {
        deadlines.insert(provider_deadline(period, by_hand, policy), by_hand);
    }
    for (due, by_hand) in deadlines {
        let payload = |days| json!(OfDeadline { period, due, days });
        let key = |what: &str| format!("{period}/{by_hand}/{what}");
        enqueue.push((AUTO_SUBMIT, key("auto"), payload(0), auto_submit_at(period, by_hand, policy)));
        enqueue.push((LATE, key("late"), payload(0), due));
        // Of reminders whose day lies before the opening, the last one alone is sent.
        let days = |days: u32| due.plus_days(-i64::from(days));
        let past = REMINDERS.iter().rposition(|n| days(*n) <= now).unwrap_or(0);
        for n in &REMINDERS[past..] {
            enqueue.push((REMIND, key(&format!("t{n}")), payload(*n), days(*n)));
        }
    }
    for (kind, key, payload, due_at) in enqueue {
        jobs::enqueue(tx, NewJob { kind, key, payload, at: now, due_at }).await?;
    }
    enqueue_open(tx, period.next(), now).await
}
