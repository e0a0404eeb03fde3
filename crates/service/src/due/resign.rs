//! Every license written and signed anew, after a license key was revoked: the next serial of each installation, which
//! its product takes at its next check-in.

use std::collections::BTreeMap;

use tenure_core::{LicenseId, OrgId};
use tenure_store::{Tx, jobs::Chunk, rows::license};

use crate::{Error, Result, Service, issue};

/// Licenses of one transaction: a payload is made for each installation of them.
const LICENSES: i64 = 100;

/// The licenses of one chunk, in the order of provider and id.
pub(super) async fn chunk(service: &Service, tx: &mut Tx, cursor: Option<&str>) -> Result<Chunk> {
    let page = license::page_of_all(tx, after(cursor)?, LICENSES).await?;
    let Some((provider, license)) = page.last().copied().filter(|_| page.len() as i64 == LICENSES) else {
        issue(service, tx, page).await?;
        return Ok(Chunk::Done);
    };
    issue(service, tx, page).await?;
    Ok(Chunk::More { cursor: format!("{provider} {license}") })
}

async fn issue(service: &Service, tx: &mut Tx, page: Vec<(OrgId, LicenseId)>) -> Result<()> {
    let mut by_provider: BTreeMap<OrgId, Vec<LicenseId>> = BTreeMap::new();
    for (provider, license) in page {
        by_provider.entry(provider).or_default().push(license);
    }
    for (provider, licenses) in by_provider {
        issue::issue_many(service, tx, provider, &licenses).await?;
    }
    Ok(())
}

fn after(cursor: Option<&str>) -> Result<(OrgId, LicenseId)> {
    let Some(text) = cursor else {
        return Ok((OrgId::from_uuid(uuid::Uuid::nil()), LicenseId::from_uuid(uuid::Uuid::nil())));
    };
    let read = || {
        let (provider, license) = text.split_once(' ')?;
        Some((provider.parse().ok()?, license.parse().ok()?))
    };
    read().ok_or(Error::Internal("a job's cursor cannot be read"))
}
