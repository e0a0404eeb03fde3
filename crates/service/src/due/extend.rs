//! Granting the extensions that a submission or a closing earned ("Validity").

use serde::Deserialize;
use tenure_core::{LicenseId, OrgId, Period, reported::ReportedCause};
use tenure_store::{Tx, jobs::Chunk, rows::submission};

use super::Cause;
use crate::{Error, Result, Service, extension, submit::Settled};

/// Licenses extended in one chunk: each is a license written anew.
const LICENSES: usize = 100;

/// The licenses of one submission.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct OfLicenses {
    provider: OrgId,
    period: Period,
    number: u32,
    cause: Cause,
}

/// What was signed says which licenses are accounted for and which of them wait for Closed. Granting is by unique key, so
/// that a chunk done twice grants nothing twice (X1).
pub(super) async fn chunk(service: &Service, tx: &mut Tx, job: OfLicenses, cursor: Option<&str>) -> Result<Chunk> {
    let unreadable = |_| Error::Internal("what a submission accounts for cannot be read");
    let row = submission::find(tx, job.provider, job.period, job.number).await?;
    let row = row.ok_or(Error::Internal("extensions of a submission that is not there"))?;
    let settled: Vec<Settled> = serde_json::from_str(&row.licenses).map_err(unreadable)?;
    let from: Option<LicenseId> = cursor
        .map(|cursor| cursor.parse().map_err(|_| Error::Internal("a job's cursor cannot be read")))
        .transpose()?;
    let closing = job.cause == Cause::Closing;
    let mut licenses: Vec<LicenseId> = settled
        .into_iter()
        .filter(|one| (closing || !one.waits) && from.is_none_or(|from| one.license > from))
        .map(|one| one.license)
        .collect();
    licenses.sort_unstable();
    let more = licenses.len() > LICENSES;
    licenses.truncate(LICENSES);
    let cause = if closing { ReportedCause::Closing } else { ReportedCause::Submission };
    extension::grant(service, tx, job.provider, &licenses, job.period, cause).await?;
    Ok(match licenses.last().filter(|_| more) {
        Some(last) => Chunk::More { cursor: last.to_string() },
        None => Chunk::Done,
    })
}
