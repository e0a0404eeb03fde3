//! What a product still holds and a restored database has lost (E1): a license of ours, newer than the backup, is taken
//! up. Its serial becomes the floor and its reported periods are granted again.

use serde_json::json;
use tenure_core::{LicenseId, Period, Timestamp, reported::ReportedCause, reporting::AutomaticReporting};
use tenure_license::{Envelope, License, Verified};
use tenure_store::{
    Tx,
    rows::{
        chain::ChainRow,
        epoch, extension,
        issued_license::{self, IssuedKey, NewIssued},
        license::{self, LicenseRow},
        template::WorkloadCount,
    },
};

use super::verify::Message;
use crate::{Error, Result, Service, change, issue};

/// Most periods of one license: 50 years.
const MAX_PERIODS: usize = 600;

/// A license that rode along: signed by us, bound to the sender, of an epoch that is over.
#[derive(Debug)]
pub(super) struct HeldLicense {
    pub license: Verified<License>,
    pub envelope: Envelope,
}

/// Takes a license up that this database does not know; says whether there was one, so that the chain is read again.
pub(super) async fn take_up(service: &Service, tx: &mut Tx, row: &ChainRow, message: &Message) -> Result<bool> {
    let Some(HeldLicense { license: held, envelope }) = &message.license else { return Ok(false) };
    if held.license != row.license {
        // Of an earlier assignment, or of one that is lost: a person has to say which.
        return Ok(false);
    }
    let key = IssuedKey {
        provider: row.provider,
        license: row.license,
        installation: row.installation,
        epoch: held.epoch,
        serial: held.serial,
    };
    if issued_license::find(tx, key).await?.is_some() {
        return Ok(false);
    }
    // Chains before licenses: the one lock order (X8).
    let active = issued_license::lock_active(tx, row.provider, &[row.license]).await?;
    let Some(mut ours) = license::lock(tx, row.provider, row.license).await? else {
        return Err(Error::Internal("a chain without its license"));
    };
    let again = NewIssued {
        license: row.license,
        installation: row.installation,
        serial: held.serial,
        hash: *held.hash.as_bytes(),
        payload: String::from_utf8(envelope.payload.clone()).map_err(|_| Error::Internal("a payload is not JSON"))?,
        expires: Timestamp::from_secs(held.expires_at),
        contract_ends: row.contract_ends,
    };
    let epoch = service.deployment().epoch;
    let newest = issued_license::newest_before(tx, row.provider, row.license, epoch).await?;
    issued_license::recover(tx, key, Timestamp::from_secs(held.issued_at), &again, &envelope.to_json()).await?;
    license::raise_serial(tx, row.provider, row.license, held.serial).await?;
    // What a person changed after the restore is newer than what the product holds; so is what another product brought, if
    // its license was issued later.
    let began = epoch::all(tx).await?.last().map(|last| last.began);
    let set = license::terms_set(tx, row.provider, row.license).await?;
    let untouched = ours.ended.is_none() && began.is_none_or(|began| set < began);
    let is_newest = newest.is_none_or(|newest| newest < (held.epoch, held.serial));
    let changed = untouched && is_newest && settings(&mut ours, held);
    if changed {
        license::recover(tx, &ours).await?;
    }
    let periods = grant(tx, row, held, message.received).await?;
    // Was it issued anew before the product came, then without these periods; and who shares the license waits for them
    // too, and would find them granted when its own report comes.
    let others = active.iter().any(|each| each.installation != row.installation);
    if row.issued.0 == epoch || (others && (changed || !periods.is_empty())) {
        issue::issue(service, tx, row.provider, row.license).await?;
    }
    let body = json!({
        "installation": row.installation, "epoch": held.epoch, "serial": held.serial,
        "expires_at": Timestamp::from_secs(held.expires_at), "periods": periods,
        "company": held.company.as_ref().map(|company| company.id),
    });
    change::record(tx, "server", row.provider, "license.recovered", row.license.to_string(), message.received, body);
    Ok(true)
}

/// Brings our row to what the license says; whether anything differed.
fn settings(ours: &mut LicenseRow, held: &License) -> bool {
    let before = ours.clone();
    match (held.automatic_reporting, ours.reporting.extends()) {
        (true, false) if ours.reporting != AutomaticReporting::AlwaysOff => ours.reporting = AutomaticReporting::On,
        (false, true) if ours.reporting != AutomaticReporting::AlwaysOn => ours.reporting = AutomaticReporting::Off,
        _ => {}
    }
    if held.automatic_reporting {
        ours.anchor = held.anchor.map(Timestamp::from_secs).or(ours.anchor);
    } else {
        ours.expires = Some(Timestamp::from_secs(held.expires_at));
    }
    let counted = held.workloads.iter().map(|each| WorkloadCount {
        workload: each.workload.clone(),
        variant: each.variant.clone(),
        count: each.count,
    });
    ours.workloads = counted.collect();
    *ours != before
}

/// Grants the periods the license was extended by; those that were not known here.
async fn grant(tx: &mut Tx, row: &ChainRow, held: &License, now: Timestamp) -> Result<Vec<Period>> {
    let (Some(anchor), Some(through)) = (held.anchor, held.reported_through) else { return Ok(Vec::new()) };
    let mut granted = Vec::new();
    let mut period = Period::of(Timestamp::from_secs(anchor));
    let wanted: &[LicenseId] = &[row.license];
    while period <= through && granted.len() < MAX_PERIODS {
        if !extension::grant(tx, row.provider, wanted, period, ReportedCause::Recovered, now).await?.is_empty() {
            granted.push(period);
        }
        period = period.next();
    }
    Ok(granted)
}
