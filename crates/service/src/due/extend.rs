//! Granting the extensions that a submission or a closing earned ("Validity").

use serde::{Deserialize, Serialize};
use tenure_core::{LicenseId, OrgId, Period, reported::ReportedCause};
use tenure_store::{Tx, jobs::Chunk, rows::submission};

use super::Cause;
use crate::{Error, Result, Service, extension, submit::Settled};

/// Licenses extended in one chunk: each is a license written anew.
const LICENSES: usize = 100;

/// The licenses of one submission.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct OfLicenses {
    pub(super) provider: OrgId,
    pub(super) period: Period,
    pub(super) number: u32,
    pub(super) cause: Cause,
}

/// What was signed says which licenses are accounted for and which of them wait for Closed; in their order, after a cursor.
pub(super) async fn licenses(tx: &mut Tx, job: OfLicenses, after: Option<LicenseId>) -> Result<Vec<LicenseId>> {
    let row = submission::find(tx, job.provider, job.period, job.number).await?;
    let row = row.ok_or(Error::Internal("extensions of a submission that is not there"))?;
    let settled: Vec<Settled> = serde_json::from_str(&row.licenses)
        .map_err(|_| Error::Internal("what a submission accounts for cannot be read"))?;
    let closing = job.cause == Cause::Closing;
    let earned = settled.into_iter().filter(|one| closing || !one.waits).map(|one| one.license);
    let mut licenses: Vec<LicenseId> = earned.filter(|license| after.is_none_or(|after| *license > after)).collect();
    licenses.sort_unstable();
    Ok(licenses)
}

/// Grants; by unique key, so that what is done twice grants nothing twice (X1).
pub(super) async fn grant(service: &Service, tx: &mut Tx, job: OfLicenses, licenses: &[LicenseId]) -> Result<()> {
    let cause = match job.cause {
        Cause::Submission => ReportedCause::Submission,
        Cause::Closing => ReportedCause::Closing,
    };
    extension::grant(service, tx, job.provider, licenses, job.period, cause).await?;
    Ok(())
}

/// One chunk after a cursor.
pub(super) async fn chunk(service: &Service, tx: &mut Tx, job: OfLicenses, cursor: Option<&str>) -> Result<Chunk> {
    let unreadable = |_| Error::Internal("a job's cursor cannot be read");
    let after = cursor.map(str::parse).transpose().map_err(unreadable)?;
    let mut licenses = licenses(tx, job, after).await?;
    let more = licenses.len() > LICENSES;
    licenses.truncate(LICENSES);
    grant(service, tx, job, &licenses).await?;
    Ok(match licenses.last().filter(|_| more) {
        Some(last) => Chunk::More { cursor: last.to_string() },
        None => Chunk::Done,
    })
}
