//! Looking again at what the products of a provider reported while it was suspended: it earns extensions from now on.

use tenure_core::{InstallationId, Period};
use tenure_store::{
    Tx,
    jobs::Chunk,
    rows::{monthly_usage, report},
};

use super::{month::earned, usage::OfProvider};
use crate::{Error, Result, Service, suspension};

/// Reports judged in one chunk.
const REPORTS: i64 = 50;

/// One month after the other, oldest first; `PERIOD/INSTALLATION` is where it goes on.
pub(super) async fn chunk(service: &Service, tx: &mut Tx, job: OfProvider, cursor: Option<&str>) -> Result<Chunk> {
    let now = service.now();
    let unreadable = || Error::Internal("a job's cursor cannot be read");
    let oldest = Period::of(now).plus(-(service.policy().max_correction_months as i32) - 1);
    let nobody = InstallationId::from_uuid(uuid::Uuid::nil());
    let (period, from) = match cursor {
        None => (oldest, nobody),
        Some(text) => {
            let (period, from) = text.split_once('/').ok_or_else(unreadable)?;
            (period.parse().map_err(|_| unreadable())?, from.parse().map_err(|_| unreadable())?)
        }
    };
    // It may be suspended again by now; then the next time it is not asks again.
    if period >= Period::of(now) || suspension::suspended(service, tx, job.provider, now).await? {
        return Ok(Chunk::Done);
    }
    let next_month = Chunk::More { cursor: format!("{}/{nobody}", period.next()) };
    let Some(usage) = monthly_usage::share(tx, job.provider, period).await? else { return Ok(next_month) };
    if usage.state.is_submitted() {
        return Ok(next_month);
    }
    let rows = report::after(tx, job.provider, period, from, REPORTS).await?;
    for row in &rows {
        earned(service, tx, &usage, row.installation).await?;
    }
    Ok(match rows.last() {
        Some(last) if rows.len() as i64 == REPORTS => Chunk::More { cursor: format!("{period}/{}", last.installation) },
        _ => next_month,
    })
}
